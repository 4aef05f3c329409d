//go:build unix

package app

import (
	"os"
	"syscall"
)

// pipeFile is a pipe that has deadlines, and that no child process holds open.
func pipeFile(fd int, name string) *os.File {
	syscall.CloseOnExec(fd)
	if syscall.SetNonblock(fd, true) != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), name)
}
