//go:build unix

package engineio

import "syscall"

// readRaw is the reader of a connection of the operating system's. While it waits
// it holds no buffer.
func (s *webSocket) readRaw() {
	var buf *[]byte
	var n int
	var err error
	read := func(fd uintptr) (done bool) {
		buf = arrivals.Get().(*[]byte)
		for {
			n, err = syscall.Read(int(fd), *buf)
			if err != syscall.EINTR {
				break
			}
		}
		if err == syscall.EAGAIN {
			arrivals.Put(buf)
			return false
		}
		return true
	}
	for {
		if s.raw.Read(read) != nil {
			return
		}
		ended := err != nil || n <= 0 || s.take((*buf)[:n])
		arrivals.Put(buf)
		if ended {
			return
		}
	}
}
