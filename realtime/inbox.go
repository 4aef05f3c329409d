package realtime

import "sync"

// inbox runs one socket's handlers one at a time, in the order of its events.
// It owns a goroutine only while there is something to run.
type inbox struct {
	limit   int
	running *tasks // of all inboxes of a server

	mu     sync.Mutex // guards the rest
	room   sync.Cond  // there is room, or it is closed
	queue  []func()
	busy   bool // a goroutine runs what is queued
	closed bool
}

func (in *inbox) init(limit int, running *tasks) {
	in.limit, in.running = limit, running
	in.room.L = &in.mu
}

// add queues f. It waits for room, which stops whoever reads from the client
// and so, in the end, the client. It reports false when the inbox is closed.
func (in *inbox) add(f func()) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for len(in.queue) >= in.limit && !in.closed {
		in.room.Wait()
	}
	if in.closed {
		return false
	}
	in.push(f)
	return true
}

// close has last run after everything that is queued, and takes nothing more.
// It does not wait.
func (in *inbox) close(last func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return
	}
	in.closed = true
	in.push(last)
	in.room.Broadcast()
}

func (in *inbox) push(f func()) {
	in.queue = append(in.queue, f)
	if !in.busy {
		in.busy = true
		in.running.Go(in.run)
	}
}

func (in *inbox) run() {
	for {
		in.mu.Lock()
		if len(in.queue) == 0 {
			in.queue, in.busy = nil, false
			in.mu.Unlock()
			return
		}
		f := in.queue[0]
		in.queue[0] = nil
		in.queue = in.queue[1:]
		in.room.Signal()
		in.mu.Unlock()
		f()
	}
}

// tasks counts running goroutines. Unlike a sync.WaitGroup it may be waited for
// while others begin.
type tasks struct {
	mu   sync.Mutex // guards the rest
	n    int
	none chan struct{} // closed when n is 0; made when it is waited for
}

func (t *tasks) Go(f func()) {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
	go func() {
		defer t.done()
		f()
	}()
}

func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
}

// idle returns a channel that is closed when no goroutine runs.
func (t *tasks) idle() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.none == nil {
		t.none = make(chan struct{})
		none := t.none
		if t.n == 0 {
			close(t.none)
			t.none = nil
		}
		return none
	}
	return t.none
}
