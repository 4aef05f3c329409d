package dev

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"
)

// A process is one running build of the app.
type process struct {
	node   *node  // nil in production
	number int    // of its build
	name   string // that its control gives, which no other process has
	cmd    *exec.Cmd
	tail   *tail
	state  *control // nil in production
	will   *os.File // where it tells its successor; owned by the session, nil when that has taken it

	done chan struct{} // closed when the process and its output have ended
	err  error         // how it ended; read after done
}

// start runs the executable with the listener and the pipes handed over; state
// and pipes are nil in production. The process leads
// a group of its own, so that stop reaches its children and Ctrl-C only us.
func start(path, name string, cfg Config, pub *public, state *control, pipes *heritage) (*process, error) {
	p := &process{name: name, tail: &tail{}, state: state, done: make(chan struct{})}
	p.cmd = exec.Command(path, cfg.Args...)
	p.cmd.Dir = cfg.Dir
	p.cmd.Stdout = io.MultiWriter(cfg.Stdout, p.tail)
	p.cmd.Stderr = io.MultiWriter(cfg.Stderr, p.tail)
	p.cmd.WaitDelay = time.Second
	ownGroup(p.cmd)

	p.cmd.Env = environ(cfg)
	p.cmd.Env = without(p.cmd.Env, "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_FDS", "ZOCALO_LISTEN", "ZOCALO_DEV", "ZOCALO_SUCCESSOR", "ZOCALO_PREDECESSOR")
	_, port, _ := net.SplitHostPort(pub.Addr().String())
	env := "production"
	if state != nil {
		env = "development"
		p.cmd.Env = append(p.cmd.Env, "ZOCALO_DEV="+state.addr)
	}
	p.cmd.Env = append(p.cmd.Env, "PWD="+cfg.Dir, "ZOCALO_ENV="+env, "PORT="+port)

	started := make(chan error, 1)
	go p.run(pub, pipes, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("dev: start the app: %w", err)
	}
	return p, nil
}

// run starts the process and waits for it, on one thread: Linux ends the child
// with the thread that made it, so even a killed devserver leaves none behind.
func (p *process) run(pub *public, pipes *heritage, started chan<- error) {
	defer close(p.done)
	defer lockThread()()
	err := pub.give(p.cmd)
	if err == nil {
		copies := p.cmd.ExtraFiles
		pipes.give(p.cmd)
		err = p.cmd.Start()
		for _, f := range copies {
			f.Close()
		}
	}
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	if errors.Is(p.err, exec.ErrWaitDelay) {
		p.err = nil
	}
	killGroup(p.cmd.Process)
}

// stop asks the process to end and, after the grace period, makes it. It
// returns when the process has ended.
func (p *process) stop(grace time.Duration) {
	if p.alive() && terminateGroup(p.cmd.Process) == nil {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.done:
			return
		case <-timer.C:
		}
	}
	if p.alive() {
		killGroup(p.cmd.Process)
	}
	<-p.done
}

// alive reports whether the process has not ended yet.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}
