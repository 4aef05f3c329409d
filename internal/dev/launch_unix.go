//go:build unix

package dev

import (
	"os/exec"
	"syscall"
)

// launch starts an editor that outlives us. The shell between us and it ends at
// once, so that nobody has to wait for the editor.
func launch(dir string, command []string) error {
	cmd := exec.Command("/bin/sh", append([]string{"-c", `"$@" >/dev/null 2>&1 </dev/null &`, "sh"}, command...)...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us
	return cmd.Run()
}
