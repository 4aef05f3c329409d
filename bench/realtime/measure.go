package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/outcome"
)

// What a run may be disturbed by, in seconds a second, before it is tried again.
const (
	maxSteal = 0.04 // what the hypervisor took from the machine
	maxOther = 0.25 // what other processes had of the server's processor
)

// A measurer runs servers and load generators.
type measurer struct {
	settings
	bin      string
	servers  []server
	ready    map[string]string // the fingerprint of each server that can be run
	priority []string          // the command that gives a process its scheduling
	stdout   io.Writer
}

// prepare builds what is needed and finds out what the system allows.
func prepare(ctx context.Context, s settings, wanted []server, stdout io.Writer) (*measurer, error) {
	m := &measurer{settings: s, bin: filepath.Join(s.scratch, "bin"), servers: wanted, stdout: stdout}
	if _, err := exec.LookPath("taskset"); err != nil {
		return nil, errors.New("taskset is missing: it is in the package util-linux")
	}
	if n := runtime.NumCPU(); n <= max(s.serverCPU, s.loadCPU) {
		return nil, fmt.Errorf("the server runs on processor %d and the load generator on %d, and there are %d: see -server-cpu and -load-cpu",
			s.serverCPU, s.loadCPU, n)
	}
	if roundRobin := []string{"chrt", "-r", "10"}; !s.ordinary && exec.CommandContext(ctx, "chrt", "-r", "10", "true").Run() == nil {
		m.priority = roundRobin
	}
	var err error
	m.ready, err = build(ctx, m.bin, wanted, m.tell)
	return m, err
}

func (m *measurer) tell(format string, args ...any) {
	fmt.Fprintf(m.stdout, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// A step is one run of one scenario with one server.
type step struct {
	repetition int
	scenario   scenario
	server     server
}

// measureAll runs every scenario with every server, one server after another in the same minute, so that what changes on
// the machine changes for all.
func (m *measurer) measureAll(ctx context.Context, scenarios []scenario, log *log) error {
	var steps []step
	for repetition := range m.repetitions {
		for _, sc := range scenarios {
			for _, s := range m.servers {
				if print, ready := m.ready[s.name]; ready && sc.has(s.name) && !log.has(sc.name, s.name, print, repetition) {
					steps = append(steps, step{repetition, sc, s})
				}
			}
		}
	}
	begun := time.Now()
	var failed []error
	for i, st := range steps {
		left := "?"
		if i > 0 {
			left = (time.Since(begun) / time.Duration(i) * time.Duration(len(steps)-i)).Round(time.Second).String()
		}
		what := fmt.Sprintf("%3d/%d, %7s left  %d %-13s %-7s", i+1, len(steps), left, st.repetition+1, st.scenario.name, st.server.name)
		o, attempts, err := m.measure(ctx, st)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			m.tell("%s FAILED: %v", what, err)
			failed = append(failed, fmt.Errorf("%s of %s: %w", st.scenario.name, st.server.name, err))
			continue
		}
		line := fmt.Sprintf("%s %8.2f µs  server %.2f load %.2f", what, o.CPU, o.ServerUse, o.LoadUse)
		if o.P99 > 0 {
			line += fmt.Sprintf("  p99 %.0f µs", o.P99)
		}
		if o.RSS > 0 {
			line += fmt.Sprintf("  %.1f KiB", o.RSS)
		}
		if o.Deferred > 0.02*o.CPU {
			line += fmt.Sprintf("  ksoftirqd %.2f µs", o.Deferred)
		}
		if disturbance(o) > 0 {
			line += fmt.Sprintf("  disturbed: steal %.2f, other %.2f", o.Steal, o.Other)
		}
		if attempts > 1 {
			line += fmt.Sprintf("  (%d attempts)", attempts)
		}
		m.tell("%s", line)
		err = log.add(measurement{Scenario: st.scenario.name, Server: st.server.name, Build: m.ready[st.server.name],
			Repetition: st.repetition, Attempts: attempts, Outcome: o})
		if err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// disturbance says how much more than allowed a run was disturbed.
func disturbance(o outcome.Outcome) float64 {
	return 5*max(0, o.Steal-maxSteal) + max(0, o.Other-maxOther)
}

// measure makes a step until it is undisturbed, some times at most, and returns the least disturbed.
func (m *measurer) measure(ctx context.Context, st step) (best outcome.Outcome, attempts int, err error) {
	found := false
	var failed error
	for attempts = 1; ; attempts++ {
		o, err := m.once(ctx, st)
		switch {
		case err != nil:
			failed = err
		case !found || disturbance(o) < disturbance(best):
			best, found = o, true
		}
		if ctx.Err() != nil || found && disturbance(best) == 0 || attempts == m.maxAttempts {
			break
		}
	}
	if !found {
		return best, attempts, failed
	}
	return best, attempts, nil
}

// on returns a command that runs on one processor, with the scheduling that the system allows.
func (m *measurer) on(ctx context.Context, cpu int, command ...string) *exec.Cmd {
	full := append(append([]string(nil), m.priority...), "taskset", "-c", fmt.Sprint(cpu))
	full = append(full, command...)
	return exec.CommandContext(ctx, full[0], full[1:]...)
}

// once starts a server, runs the load generator, and ends the server.
func (m *measurer) once(ctx context.Context, st step) (outcome.Outcome, error) {
	port, err := freePort()
	if err != nil {
		return outcome.Outcome{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	command, environment := st.server.program(m.bin, st.scenario)
	srv := m.on(ctx, m.serverCPU, command...)
	srv.Env = append(os.Environ(), fmt.Sprintf("PORT=%d", port), "HOST=127.0.0.1")
	srv.Env = append(append(srv.Env, environment...), st.scenario.env...)
	var complaints bytes.Buffer
	srv.Stderr = &complaints
	out, err := srv.StdoutPipe()
	if err != nil {
		return outcome.Outcome{}, err
	}
	if err := srv.Start(); err != nil {
		return outcome.Outcome{}, err
	}
	defer func() {
		cancel()
		srv.Wait()
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(line, "READY") {
		cancel()
		srv.Wait()
		return outcome.Outcome{}, fmt.Errorf("the server said %q instead of READY (%v)\n%s", line, err, last(complaints.Bytes()))
	}
	args := append([]string{"-port", fmt.Sprint(port), "-pid", fmt.Sprint(srv.Process.Pid), "-cpu", fmt.Sprint(m.serverCPU)}, st.scenario.args...)
	load := m.on(ctx, m.loadCPU, append([]string{filepath.Join(m.bin, "load")}, args...)...)
	var problems bytes.Buffer
	load.Stderr = &problems
	answer, err := load.Output()
	if err != nil {
		return outcome.Outcome{}, fmt.Errorf("%w: %s", err, last(problems.Bytes()))
	}
	var o outcome.Outcome
	if err := json.Unmarshal(answer, &o); err != nil {
		return outcome.Outcome{}, fmt.Errorf("the load generator said %q: %w", answer, err)
	}
	return o, nil
}

// last returns the end of what a program complained of.
func last(complaints []byte) []byte {
	return bytes.TrimSpace(complaints[max(0, len(complaints)-1000):])
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
