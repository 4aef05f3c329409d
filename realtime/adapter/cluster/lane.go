package cluster

import "sync"

// lane does things one after the other, in the order in which they came, in a
// goroutine that it owns only while there are any.
type lane struct {
	running *sync.WaitGroup

	mu     sync.Mutex // guards the rest
	room   sync.Cond  // there is room again
	queue  []job
	held   int // bytes
	busy   bool
	closed bool
}

type job struct {
	size int
	do   func()
}

// laneLimit is how many bytes may wait. Then who receives waits, and the engine
// with it.
const laneLimit = 64 << 20

func (l *lane) init(running *sync.WaitGroup) {
	l.running = running
	l.room.L = &l.mu
}

// do has f done, unless the lane is closed.
func (l *lane) do(size int, f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.held > laneLimit && !l.closed {
		l.room.Wait()
	}
	if l.closed {
		return
	}
	l.queue = append(l.queue, job{size, f})
	l.held += size
	if !l.busy {
		l.busy = true
		l.running.Go(l.run)
	}
}

// idle reports whether everything has been done.
func (l *lane) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.busy
}

func (l *lane) run() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) > 0 {
		jobs := l.queue
		l.queue = nil
		l.mu.Unlock()
		done := 0
		for _, j := range jobs {
			j.do()
			done += j.size
		}
		l.mu.Lock()
		l.held -= done
		l.room.Broadcast()
	}
	l.busy = false
}

// close drops what waits, and takes nothing more.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.queue = true, nil
	l.room.Broadcast()
}
