//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/outcome"
)

// A measurement is what the clocks said when it began.
type measurement struct {
	load                   *load
	wall                   int64
	server, self, deferred int64
	busy, steal            float64
}

func (l *load) measure() measurement {
	busy, steal := l.processors()
	return measurement{
		load:     l,
		wall:     l.now(),
		server:   l.cpuTime(processClock(l.pid)),
		self:     l.cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID),
		deferred: l.deferred(),
		busy:     busy,
		steal:    steal,
	}
}

// stop puts what a number of operations cost into the outcome.
func (m measurement) stop(operations int64) {
	l := m.load
	wall := float64(l.now() - m.wall)
	server := float64(l.cpuTime(processClock(l.pid)) - m.server)
	self := float64(l.cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID) - m.self)
	deferred := float64(l.deferred() - m.deferred)
	busy, steal := l.processors()
	if operations == 0 {
		l.fail("nothing happened")
		return
	}
	o := &l.outcome
	o.Operations = operations
	o.Seconds = wall / 1e9
	o.CPU = server / 1e3 / float64(operations)
	o.Throughput = float64(operations) / (wall / 1e9)
	o.ServerUse = server / wall
	o.LoadUse = self / wall
	o.Deferred = deferred / 1e3 / float64(operations)
	o.Steal = (steal - m.steal) / (wall / 1e9)
	o.Other = max(0, (busy-m.busy-(server+deferred)/1e9)/(wall/1e9))
}

// processClock returns the id of the clock that has a process's CPU time: clock_getcpuclockid(3), which is no system
// call, makes it so.
func processClock(pid int) int32 { return int32(^pid)<<3 | 2 }

// cpuTime returns what a clock has counted, in nanoseconds.
func (l *load) cpuTime(clock int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		l.fail("no CPU clock of process %d, does the server run? %w", l.pid, err)
	}
	return t.Nano()
}

// deferred returns the CPU time of the kernel's thread for network work on the server's processor; 0 where it is not to
// be seen, as in a container.
func (l *load) deferred() int64 {
	if l.softIRQ == 0 {
		return 0
	}
	return l.cpuTime(processClock(l.softIRQ))
}

// softIRQThread returns the process id of ksoftirqd on a processor, or 0. Kernel threads have small ids.
func softIRQThread(cpu int) int {
	name := fmt.Sprintf("ksoftirqd/%d\n", cpu)
	for pid := range 1000 {
		if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && string(comm) == name {
			return pid
		}
	}
	return 0
}

// processors returns the seconds that the server's processor has been busy, and those that the hypervisor took from all
// of them: proc_stat(5).
func (l *load) processors() (busy, steal float64) {
	stat, _ := os.ReadFile("/proc/stat")
	own := fmt.Sprintf("cpu%d", l.cpu)
	for line := range strings.Lines(string(stat)) {
		fields := strings.Fields(line)
		if len(fields) < 9 {
			continue
		}
		seconds := func(field int) float64 {
			ticks, _ := strconv.ParseFloat(fields[field], 64)
			return ticks / 100
		}
		switch fields[0] {
		case "cpu":
			steal = seconds(8)
		case own: // user, nice, system, irq, softirq
			busy = seconds(1) + seconds(2) + seconds(3) + seconds(6) + seconds(7)
		}
	}
	return busy, steal
}

// memory returns the server's resident set in KiB.
func (l *load) memory() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.pid))
	if err != nil {
		l.fail("no memory of process %d: %w", l.pid, err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(string(fields[0]), 64)
	return kib
}

// latencies puts what the operations took into an outcome.
func (l *load) latencies(o *outcome.Outcome) {
	if len(l.took) == 0 {
		return
	}
	slices.Sort(l.took)
	at := func(quantile float64) float64 { return float64(l.took[int(quantile*float64(len(l.took)-1))]) / 1e3 }
	o.P50, o.P99, o.Max = at(0.5), at(0.99), at(1)
}
