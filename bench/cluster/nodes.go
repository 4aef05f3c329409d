package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
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

// goNode and nodeNode are the commands of a node.
func goNode(ctx context.Context, kind, redis string) *exec.Cmd {
	return exec.CommandContext(ctx, os.Args[0], "node", kind, redis)
}

func nodeNode(ctx context.Context, kind, redis string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "node", "server.mjs", kind, redis)
	cmd.Dir = "node"
	return cmd
}

// startNode starts a node and waits for the line in which it tells its address. The
// nodes have the first processor for themselves; this process, the clients and Redis
// have what is given to it.
func startNode(ctx context.Context, command *exec.Cmd) (*process, error) {
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", "0"}, command.Args...)...)
	cmd.Dir = command.Dir
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the node says nothing: %w", err)
	}
	return &process{cmd, strings.TrimSpace(line)}, nil
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	addr = l.Addr().String()
	l.Close()
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
