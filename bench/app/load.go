package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A server is a process that is measured.
type server struct {
	name, addr string
	process    *exec.Cmd
}

// start starts a server and waits until it answers.
func start(name, dir string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "serve", name)
	if name == "express" || name == "fastify" {
		if _, err := os.Stat(filepath.Join("node", "node_modules", name)); err != nil {
			return nil, errors.New("npm install in node/ first")
		}
		cmd = exec.Command("node", filepath.Join("node", "server.js"), name)
	}
	cmd.Env = append(os.Environ(), "BENCH_ADDR="+addr, "BENCH_DIR="+dir, "NODE_ENV=production")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{name, addr, cmd}
	for range 100 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.stop()
	return nil, errors.New("it does not listen")
}

func (s *server) stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// measure sends n requests over eight connections and returns the server's CPU time for each in microseconds.
func (s *server) measure(r row, n int) (float64, error) {
	const connections = 8
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: bench\r\n", r.method, r.path)
	if r.body != "" {
		request += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(r.body))
	}
	request += "\r\n" + r.body
	before, err := cpuTime(s.process.Process.Pid)
	if err != nil {
		return 0, err
	}
	errs := make([]error, connections)
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() { errs[i] = ask(s.addr, []byte(request), r.want, n/connections) })
	}
	wg.Wait()
	after, err := cpuTime(s.process.Process.Pid)
	if err = errors.Join(append(errs, err)...); err != nil {
		return 0, err
	}
	return float64(after-before) / 1e3 / float64(n/connections*connections), nil
}

func ask(addr string, request []byte, want string, n int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 128<<10)
	for i := range n {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if i == 0 {
			if err := check(r, want); err != nil {
				return err
			}
			continue
		}
		if err := skip(r); err != nil {
			return err
		}
	}
	return nil
}

// check reads an answer and compares its body.
func check(r *bufio.Reader, want string) error {
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != 200 || !strings.HasPrefix(string(body), want)) {
		err = fmt.Errorf("got %s %.100q", res.Status, body)
	}
	return err
}

// skip reads an answer by its Content-Length.
func skip(r *bufio.Reader) error {
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(name), "Content-Length") {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without Content-Length")
	}
	_, err := r.Discard(length)
	return err
}

// cpuTime is the time that the threads of a process have run, in nanoseconds.
func cpuTime(pid int) (int64, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("no threads of process %d: this needs Linux", pid)
	}
	var sum int64
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		field, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
