package dev

import (
	"errors"
	"net"
	"os"
	"os/exec"
)

// inherits says that a process cannot be given our listener: it has to listen
// on the port itself, after we let go of it.
const inherits = false

// give lets go of the port, which the process finds in PORT.
func (p *public) give(*exec.Cmd) error { return p.listener().Close() }

// take listens on the port again.
func (p *public) take() error {
	ln, err := net.Listen("tcp", p.Addr().String())
	if err != nil {
		return err
	}
	p.listener().Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ln = ln.(*net.TCPListener)
	return nil
}

func ownGroup(*exec.Cmd) {}

func lockThread() func() { return func() {} }

// terminateGroup cannot ask a process to end here, so stop kills it.
func terminateGroup(*os.Process) error { return errors.ErrUnsupported }

func killGroup(p *os.Process) error { return p.Kill() }
