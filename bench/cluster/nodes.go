package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nodes is how many a cluster has.
const nodes = 3

// process is a server.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// server is what is measured.
type server struct {
	name string

	// command is that of a node, which prints a line when it listens on addr.
	command func(ctx context.Context, kind, redis, addr string) *exec.Cmd

	// casting returns what has the nodes broadcast once, and what ends that.
	// It is called concurrently.
	casting func(ctx context.Context, cluster []*process) (cast func() error, end func(), err error)
}

var ours = server{
	name: "zocalo",
	command: func(ctx context.Context, kind, redis, addr string) *exec.Cmd {
		return exec.CommandContext(ctx, os.Args[0], "node", kind, redis, addr)
	},
	casting: first,
}

var nodeJS = server{
	name: "Node.js",
	command: func(ctx context.Context, kind, redis, addr string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "node", "server.mjs", kind, redis, addr)
		cmd.Dir = "node"
		return cmd
	},
	casting: first,
}

// limit is the bare loop over epoll that was built as program.
func limit(program string) server {
	return server{
		name: "limit",
		command: func(ctx context.Context, _, _, addr string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, program, "epoll")
			host, port, _ := net.SplitHostPort(addr)
			cmd.Env = append(os.Environ(), "HOST="+host, "PORT="+port)
			return cmd
		},
		casting: each,
	}
}

// buildLimit builds the program of the limit in a directory that remove removes.
func buildLimit(ctx context.Context) (program string, remove func(), err error) {
	directory, err := os.MkdirTemp("", "limit")
	if err != nil {
		return "", nil, err
	}
	program = filepath.Join(directory, "limit")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, "./realtime/limit")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(directory)
		return "", nil, fmt.Errorf("go build ./realtime/limit, in the directory bench: %w\n%s", err, out)
	}
	return program, func() { os.RemoveAll(directory) }, nil
}

// startNode starts a node and waits for the line by which it says that it listens. The
// nodes have the first processor for themselves; this process, the clients and Redis
// have what is given to it.
func startNode(ctx context.Context, s server, kind, redis string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	command := s.command(ctx, kind, redis, addr)
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", "0"}, command.Args...)...)
	cmd.Dir, cmd.Env, cmd.Stderr = command.Dir, command.Env, os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	p := &process{cmd, addr}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		p.stop()
		return nil, fmt.Errorf("the node does not say that it listens: %w", err)
	}
	return p, nil
}

// freeAddr returns an address on which nobody listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	p.cmd.Wait()
}

// cpu returns the processor time it has used, user and kernel.
func (p *process) cpu() (time.Duration, error) {
	var used unix.Timespec
	clock := int32(^p.cmd.Process.Pid)<<3 | 2 // as clock_getcpuclockid(3) has it, which is no system call
	err := unix.ClockGettime(clock, &used)
	return time.Duration(used.Nano()), err
}

// startRedis starts a Redis that keeps nothing on disk.
func startRedis(ctx context.Context) (addr string, stop func(), err error) {
	if addr, err = freeAddr(); err != nil {
		return "", nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	for range 500 {
		var conn net.Conn
		if conn, err = net.Dial("tcp", addr); err == nil {
			conn.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return addr, func() { cmd.Process.Kill(); cmd.Wait() }, err
}
