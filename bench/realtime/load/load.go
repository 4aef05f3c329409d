//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/outcome"
)

// A load is one run. Everything happens in its one thread. The first thing that goes wrong is kept in failed and ends
// the loops; callbacks that come after it do no harm.
type load struct {
	options
	softIRQ int // the process of the kernel's thread for network work
	epoll   int
	timer   int     // wakes wait, see waitUntilTime
	conns   []*conn // by file descriptor
	events  []unix.EpollEvent
	buffer  []byte
	dialed  int
	start   time.Time
	failed  error
	broken  int64 // connections that ended before we closed them

	clients []*client
	ready   int // clients that have joined the namespace
	opening int // clients on their way there
	done    int64
	pings   int64

	measuring bool
	took      []int32 // nanoseconds of each operation that was measured
	frame     []byte  // memory for what is sent next
	payload   []byte
	outcome   outcome.Outcome
}

func newLoad(o options) (*load, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	// The timer's descriptor is lower than that of any connection, so it is within conns when it is armed.
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("timerfd: %w", err)
	}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, timer, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(timer)}); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &load{
		options: o,
		timer:   timer,
		softIRQ: softIRQThread(o.cpu),
		epoll:   epoll,
		events:  make([]unix.EpollEvent, 1024),
		buffer:  make([]byte, 256<<10),
		start:   time.Now(),
		took:    make([]int32, 0, 1<<20),
	}, nil
}

func (l *load) now() int64 { return int64(time.Since(l.start)) }

// fail ends the run. Only the first error counts.
func (l *load) fail(format string, args ...any) {
	if l.failed == nil {
		l.failed = fmt.Errorf(format, args...)
	}
}

// wait handles what happens in the next milliseconds, or at once; false when the run has failed.
func (l *load) wait(milliseconds int) bool {
	n, err := unix.EpollWait(l.epoll, l.events, milliseconds)
	if err != nil && !errors.Is(err, unix.EINTR) {
		l.fail("epoll: %w", err)
	}
	for _, event := range l.events[:max(n, 0)] {
		if c := l.conns[event.Fd]; c != nil {
			c.handle(event.Events)
		}
	}
	if l.now() > int64(l.timeout) {
		l.fail("not done after %v: %d clients, %d of them ready, %d operations", l.timeout, len(l.clients), l.ready, l.done)
	}
	return l.failed == nil
}

// waitFor lets time pass.
func (l *load) waitFor(d time.Duration) {
	for end := l.now() + int64(d); l.now() < end && l.wait(20); {
	}
}

// waitUntil waits for something to become true.
func (l *load) waitUntil(reached func() bool) {
	for !reached() && l.wait(100) {
	}
}

// waitUntilTime handles what happens until a time, or some of it. The timer is finer than the milliseconds of epoll, and
// to wait leaves the processor to others, who would take it in the end all the same, and for longer.
func (l *load) waitUntilTime(at int64) bool {
	if left := at - l.now(); left > 0 {
		// To set the timer anew also forgets that it has expired.
		if err := unix.TimerfdSettime(l.timer, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(left)}, nil); err != nil {
			l.fail("timerfd: %w", err)
		}
		return l.wait(100)
	}
	return l.wait(0)
}

// timed warms up, and then measures, what runs by itself: an operation is one that is added to done.
func (l *load) timed() { l.timedBy(l.waitFor) }

func (l *load) timedBy(run func(time.Duration)) {
	run(l.warmup)
	l.measuring = true
	m, before := l.measure(), l.done
	run(l.duration)
	m.stop(l.done - before)
}

// record keeps how long an operation took that began at a time.
func (l *load) record(began int64) {
	if l.measuring {
		l.took = append(l.took, int32(min(l.now()-began, 2e9)))
	}
}
