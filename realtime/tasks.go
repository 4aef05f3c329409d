package realtime

import (
	"runtime"
	"sync"
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
// and gone after close.
type tasks struct {
	mu     sync.Mutex // guards the rest
	n      int        // runners that run
	none   chan struct{}
	idle   []chan runner // of goroutines that wait, each with room for one
	closed bool
}

// spare is how many goroutines may wait for work, for each that can run at a
// time.
const spare = 64

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
	return true
}

// close ends the goroutines that wait. Runners may still be run.
func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
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
