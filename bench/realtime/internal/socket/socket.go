//go:build linux

// Package socket makes the two system calls of a benchmark without telling Go's scheduler. They are on sockets that do
// not block, so they return at once; what is saved is what a limit has to save.
package socket

import (
	"syscall"
	"unsafe"
)

// Read reads what is there. No bytes and no error are the end of the stream; EAGAIN says that there is nothing yet. p
// may not be empty.
func Read(fd int, p []byte) (int, error) {
	return call(syscall.SYS_READ, fd, p)
}

// Write writes as much as the kernel takes; where that is nothing, it says EAGAIN. p may not be empty.
func Write(fd int, p []byte) (int, error) {
	return call(syscall.SYS_WRITE, fd, p)
}

func call(number uintptr, fd int, p []byte) (int, error) {
	for {
		// The conversion stands in the call itself, as rule 4 of package unsafe wants it: p stays where it is until
		// the kernel has returned, and &p[0] is its first byte of len(p).
		n, _, errno := syscall.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
