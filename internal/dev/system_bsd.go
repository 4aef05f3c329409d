//go:build unix && !linux

package dev

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the command the leader of a process group.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// lockThread does nothing: only Linux ties a child to a thread.
func lockThread() func() { return func() {} }
