package dev

import (
	"errors"
	"os"
	"os/exec"
)

// inherits says that a process cannot be given our listener: it has to listen
// on the port itself, after we let go of it.
const inherits = false

// give lets go of the address, which the process finds in ZOCALO_LISTEN.
func (p *public) give(cmd *exec.Cmd) error {
	cmd.Env = append(cmd.Env, "ZOCALO_LISTEN="+p.Addr().String())
	return p.release()
}

// take listens on the address again.
func (p *public) take() error { return p.reopen() }

func ownGroup(*exec.Cmd) {}

func lockThread() func() { return func() {} }

// terminateGroup cannot ask a process to end here, so stop kills it.
func terminateGroup(*os.Process) error { return errors.ErrUnsupported }

func killGroup(p *os.Process) error { return p.Kill() }
