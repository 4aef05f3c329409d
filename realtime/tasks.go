package realtime

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// runner is what a goroutine does. A pointer is one without further memory.
type runner interface{ run() }

// runFunc is a function as a runner.
type runFunc func()

func (f runFunc) run() { f() }

// tasks has runners run in goroutines of its own and counts them. Unlike a
// sync.WaitGroup it may be waited for while others begin.
//
// A goroutine that has run one waits for the next: what it costs to make a new
// one is mostly that its stack has to grow, each time. Those that wait are few,
// and go when they were not needed for a while.
type tasks struct {
	mu     sync.Mutex // guards the rest
	n      int        // runners that run
	none   chan struct{}
	idle   []chan runner // of goroutines that wait, each with room for one, the last first to be used
	unused int           // of idle, how many were not needed since the last sweep
	sweeps *time.Timer   // nil while none is due
	closed bool
}

// spare is how many goroutines may wait for work, for each that can run at a
// time.
const spare = 64

// patience is how long a goroutine waits for work, or twice as long.
const patience = time.Second

// Go has r run.
func (t *tasks) Go(r runner) {
	t.mu.Lock()
	t.n++
	last := len(t.idle) - 1
	if last < 0 {
		t.mu.Unlock()
		go t.work(r)
		return
	}
	idle := t.idle[last]
	t.idle[last] = nil
	t.idle = t.idle[:last]
	t.unused = min(t.unused, last)
	t.mu.Unlock()
	idle <- r
}

// work has r run, and then what it is given.
func (t *tasks) work(r runner) {
	next := make(chan runner, 1)
	for ; r != nil; r = <-next {
		r.run()
		if !t.done(next) {
			return
		}
	}
}

// done notes that a runner has run, and reports whether its goroutine shall wait
// for another.
func (t *tasks) done(next chan runner) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
	if t.closed || len(t.idle) >= spare*runtime.GOMAXPROCS(0) {
		return false
	}
	t.idle = append(t.idle, next)
	if t.sweeps == nil {
		t.unused = 0
		t.sweeps = time.AfterFunc(patience, t.sweep)
	}
	return true
}

// sweep ends the goroutines that were not needed since the last time.
func (t *tasks) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	for _, idle := range t.idle[:t.unused] {
		close(idle)
	}
	t.idle = slices.Delete(t.idle, 0, t.unused)
	if t.unused = len(t.idle); t.unused > 0 {
		t.sweeps.Reset(patience)
	} else {
		t.sweeps = nil
	}
}

// close ends the goroutines that wait. Runners may still be run.
func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.sweeps != nil {
		t.sweeps.Stop()
	}
	for _, idle := range t.idle {
		close(idle)
	}
	t.idle = nil
}

// finished returns a channel that is closed when no runner runs.
func (t *tasks) finished() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	none := t.none
	if none == nil {
		none = make(chan struct{})
		if t.n == 0 {
			close(none)
		} else {
			t.none = none
		}
	}
	return none
}
