package realtime

import "sync"

// inbox runs one socket's handlers one at a time, in the order of its events.
// It owns a goroutine only while there is something to run.
type inbox struct {
	limit   int
	running *sync.WaitGroup // counts the goroutines of all inboxes of a server

	mu     sync.Mutex // guards the rest
	room   sync.Cond  // there is room, or it is closed
	queue  []func()
	busy   bool // a goroutine runs what is queued
	closed bool
}

func (in *inbox) init(limit int, running *sync.WaitGroup) {
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
