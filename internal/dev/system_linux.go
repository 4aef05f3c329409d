package dev

import (
	"os/exec"
	"runtime"
	"syscall"
)

// ownGroup makes the command the leader of a process group, which ends with us.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// lockThread keeps the goroutine on its thread until the result is called.
func lockThread() func() {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
