package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// fromNothing makes apps, one after the other, each with a development server of its own, and adds how long it took
// until their pages showed something. Files of the last one are saved.
func fromNothing(s settings, r *report, w *window, who, shows string, start func(n int, port string) (*program, error), save func(n int) error) error {
	again := r.row("nothing to a page whose socket is connected", "", who)
	first := r.row("the same, the first app of a machine", "", who)
	for n := range s.starts {
		port, err := freePort()
		if err != nil {
			return err
		}
		begin := time.Now()
		p, err := start(n, port)
		if err != nil {
			return err
		}
		at, err := p.open(w, port, shows)
		if err == nil {
			row := again
			if n == 0 {
				row = first
			}
			row.add(at.Sub(begin))
		}
		if err == nil && n == s.starts-1 {
			err = save(n)
		}
		p.stop()
		if err != nil {
			return fmt.Errorf("%w\nit printed:\n%s", err, p.output.String())
		}
	}
	return nil
}

// A program is a development server that runs.
type program struct {
	cmd    *exec.Cmd
	output syncBuffer
}

func launch(ctx context.Context, dir string, env []string, name string, args ...string) (*program, error) {
	p := &program{cmd: exec.CommandContext(ctx, name, args...)}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return p, p.cmd.Start()
}

// open shows the page as soon as somebody listens on the port.
func (p *program) open(w *window, port string, shows ...string) (time.Time, error) {
	address := "localhost:" + port
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			return time.Time{}, err
		}
	}
	if err := w.visit("http://" + address + "/"); err != nil {
		return time.Time{}, err
	}
	return w.until(shows...)
}

// stop ends the program as Ctrl-C does.
func (p *program) stop() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT)
	kill := time.AfterFunc(10*time.Second, func() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
	defer kill.Stop()
	p.cmd.Wait()
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// command runs a program to its end; what it printed is part of the error.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return nil
}

// freePort is one that nobody listens on at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
