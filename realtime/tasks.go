package realtime

import (
	"runtime"
	"sync"
)

// tasks runs functions in goroutines of its own and counts them. Unlike a
// sync.WaitGroup it may be waited for while others begin.
//
// A goroutine that has run one waits for the next: what it costs to make a new
// one is mostly that its stack has to grow, each time. Those that wait are few,
// and gone after close.
type tasks struct {
	mu     sync.Mutex // guards the rest
	n      int        // functions that run
	none   chan struct{}
	idle   []chan func() // of goroutines that wait, each with room for one
	closed bool
}

// spare is how many goroutines may wait for work, for each that can run at a
// time.
const spare = 64

// Go runs f.
func (t *tasks) Go(f func()) {
	t.mu.Lock()
	t.n++
	last := len(t.idle) - 1
	if last < 0 {
		t.mu.Unlock()
		go t.work(f)
		return
	}
	idle := t.idle[last]
	t.idle[last] = nil
	t.idle = t.idle[:last]
	t.mu.Unlock()
	idle <- f
}

// work runs f, and then what it is given.
func (t *tasks) work(f func()) {
	next := make(chan func(), 1)
	for ; f != nil; f = <-next {
		f()
		if !t.done(next) {
			return
		}
	}
}

// done notes that a function has run, and whether its goroutine shall wait for
// another.
func (t *tasks) done(next chan func()) bool {
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

// close ends the goroutines that wait. Functions may still be run.
func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, idle := range t.idle {
		close(idle)
	}
	t.idle = nil
}

// finished returns a channel that is closed when no function runs.
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
