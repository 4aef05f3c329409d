//go:build unix

package engineio

import (
	"net"
	"syscall"
)

// attempt is a write that does not wait. It is made once and used for many
// connections, so that trying costs no memory.
type attempt struct {
	data []byte
	n    int
	err  error
	do   func(fd uintptr)
}

// rawOf returns what reading and attempts need of a connection of the operating
// system's, or nil for any other, such as one of TLS. One that wraps another may
// know of bytes that the system does not.
func rawOf(c net.Conn) syscall.RawConn {
	switch c := c.(type) {
	case *net.TCPConn:
		return rawOfSystem(c)
	case *net.UnixConn:
		return rawOfSystem(c)
	}
	return nil
}

func rawOfSystem(c syscall.Conn) syscall.RawConn {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// write writes as much of data as the connection takes at once, and returns how
// many bytes that was.
func (a *attempt) write(raw syscall.RawConn, data []byte) (int, error) {
	if a.do == nil {
		a.do = func(fd uintptr) {
			for {
				a.n, a.err = syscall.Write(int(fd), a.data)
				if a.err != syscall.EINTR {
					return // whatever came of it: nobody waits here
				}
			}
		}
	}
	a.data, a.n, a.err = data, 0, nil
	err := raw.Control(a.do) // Write would ask the runtime's poller, for what is never waited for
	a.data = nil
	switch {
	case err != nil:
		return 0, err
	case a.err == syscall.EAGAIN:
		return 0, nil
	case a.err != nil:
		return 0, a.err
	}
	return a.n, nil
}
