//go:build unix

package dev

import (
	"cmp"
	"os"
	"os/exec"
	"syscall"
)

// inherits says that a process can be given a listener that stays ours, too.
const inherits = true

// give hands the listener to the process as file descriptor 3. It must not
// become one that blocks, as that of TCPListener.File does when a process gets
// it: the process before, which shares it, would wait in accept for a connection
// that its successor has taken, and could not end.
func (p *public) give(cmd *exec.Cmd) error {
	raw, err := p.listener().SyscallConn()
	if err != nil {
		return err
	}
	copied := -1
	if controlled := raw.Control(func(fd uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if copied, err = syscall.Dup(int(fd)); err == nil {
			syscall.CloseOnExec(copied)
		}
	}); controlled != nil || err != nil {
		return cmp.Or(controlled, err)
	}
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(copied), "listener")} // the first one is descriptor 3
	cmd.Env = append(cmd.Env, "LISTEN_FDS=1")
	return nil
}

// take makes the listener ours to accept on. Whether accept blocks is a
// property of the shared socket, and an app may have changed it.
func (p *public) take() error {
	raw, err := p.listener().SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { err = syscall.SetNonblock(int(fd), true) })
}

// terminateGroup asks all processes of p's group to end.
func terminateGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGTERM) }

// killGroup ends all processes of p's group.
func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
