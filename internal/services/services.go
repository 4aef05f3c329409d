//go:build unix

// Package services starts engines for tests, each an instance of the test's own
// on a free port, with its data in a temporary directory: nothing that runs on
// the machine already is touched, and each can be stopped, paused and started
// again as faults go. What is not installed skips the test: package need.
package services

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Service is an engine's process. Its methods belong to the test's goroutine.
type Service struct {
	// Addr is where it listens, host:port; it stays the same when it is started
	// again.
	Addr string

	t      testing.TB
	name   string
	argv   func() *exec.Cmd          // makes the command that runs it
	answer func(conn net.Conn) error // talks to it until it is ready
	log    *os.File

	process *exec.Cmd
	killed  bool // it was, once
	exited  chan struct{}
}

// Port returns the port of Addr.
func (s *Service) Port() int {
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// free returns an address of this machine that nobody listens on. Its port is none that
// a connection may be given, on Linux from 32768 on and elsewhere from 49152, so that it
// is still free when the service is started, and started again.
func free(t testing.TB) string {
	t.Helper()
	var failed error
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
		failed = err
	}
	t.Fatal(failed)
	return ""
}

// start starts a service, and ends it with the test.
func start(t testing.TB, s *Service) *Service {
	t.Helper()
	s.t = t
	log, err := os.CreateTemp(t.TempDir(), s.name+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	s.log = log
	t.Cleanup(func() {
		s.Kill()
		log.Close()
	})
	s.Start()
	return s
}

// readiness is how long a service may take to answer.
const readiness = 30 * time.Second

// Start starts it again after Kill or Stop, and returns when it answers.
func (s *Service) Start() {
	s.t.Helper()
	s.run()
	s.ready()
}

// ready returns when it answers. What it had started before it was killed may hold its
// memory for a moment, as PostgreSQL's does, which ends then, and is run again.
func (s *Service) ready() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readiness)
	defer cancel()
	for {
		err := s.await(ctx)
		if err == nil {
			return
		}
		if ctx.Err() != nil || !errors.Is(err, errEnded) || !s.killed {
			text, _ := os.ReadFile(s.log.Name())
			s.t.Fatalf("%s: %v\n%s", s.name, err, text)
		}
		s.run()
	}
}

// run starts its process.
func (s *Service) run() {
	s.t.Helper()
	s.process = s.argv()
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("%s: %v", s.name, err)
	}
	s.exited = make(chan struct{})
	go func(p *exec.Cmd, exited chan struct{}) {
		p.Wait()
		close(exited)
	}(s.process, s.exited)
}

var errEnded = errors.New("it has ended")

// await asks it again and again until it answers.
func (s *Service) await(ctx context.Context) error {
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := s.ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%w: %w", errEnded, err)
		case <-ctx.Done():
			return fmt.Errorf("it is not ready after %v: %w", readiness, err)
		case <-retry.C:
		}
	}
}

func (s *Service) ask(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	return s.answer(conn)
}

// Kill ends it as a crash does. It does nothing when it has ended.
func (s *Service) Kill() { s.end(syscall.SIGKILL) }

// Stop ends it in order.
func (s *Service) Stop() { s.end(syscall.SIGINT) }

// Pause stops it without ending anything: connections stay, and nobody answers.
// Resume takes that back.
func (s *Service) Pause()  { s.signal(syscall.SIGSTOP) }
func (s *Service) Resume() { s.signal(syscall.SIGCONT) }

// end signals it and waits until it has gone.
func (s *Service) end(signal syscall.Signal) {
	if s.process == nil {
		return
	}
	s.killed = s.killed || signal == syscall.SIGKILL
	s.signal(syscall.SIGCONT)
	s.signal(signal)
	select {
	case <-s.exited:
	case <-time.After(readiness):
		s.signal(syscall.SIGKILL)
		<-s.exited
	}
	s.process = nil
	for { // what it had started may outlive it for a moment
		conn, err := net.Dial("tcp", s.Addr)
		if err != nil {
			return
		}
		conn.Close()
		runtime.Gosched()
	}
}

// signal signals its process and, but for one that ends in order, those that it
// has started: PostgreSQL's lead groups of their own.
func (s *Service) signal(signal syscall.Signal) {
	if s.process == nil {
		return
	}
	pid := s.process.Process.Pid
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	syscall.Kill(pid, signal)
	if signal == syscall.SIGINT {
		return
	}
	for child := range strings.FieldsSeq(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			syscall.Kill(pid, signal)
		}
	}
}
