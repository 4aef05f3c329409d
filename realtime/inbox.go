package realtime

import (
	"sync"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// inbox runs one socket's handlers one at a time, in the order of its events.
// It owns a goroutine only while there is something to run.
type inbox struct {
	client *client // whose limits it has

	mu      sync.Mutex // guards the rest
	room    *sync.Cond // there is room, or it is closed; nil while nobody has waited
	queue   *[]job     // from queues; nil while it is idle
	next    int        // the first in queue that has not been taken
	taken   int32      // those before it that run, one after the other
	waiters int32      // who waits for room
	held    int        // bytes in queue from next on
	busy    bool       // a goroutine runs what is queued
	closed  bool
	ended   bool          // it is closed, and everything has run
	done    chan struct{} // closed then; nil while nobody asked for it
}

// queues are for inboxes that have something to run, which are few at a time.
var queues = sync.Pool{New: func() any { q := make([]job, 0, 16); return &q }}

// maxQueue is how long a queue is kept for the next inbox, in jobs.
const maxQueue = 256

// job is what a handler runs for, an event or anything else, and the bytes it
// holds.
type job struct {
	event *parser.Packet // that socket takes, or nil
	of    *Socket
	do    func()
	size  int
}

// overhead is about what an event takes besides its own bytes. Without it, a
// client whose answer is awaited could fill the memory with the smallest.
const overhead = 256

// finished returns a channel that is closed when it is closed and everything has
// run.
func (in *inbox) finished() <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.done == nil {
		in.done = make(chan struct{})
		if in.ended {
			close(in.done)
		}
	}
	return in.done
}

// add queues f, which holds size bytes. It waits for room, which stops whoever
// reads from the client and so, in the end, the client. It reports false when
// the inbox is closed.
func (in *inbox) add(size int, f func()) bool {
	added, _ := in.put(job{do: f, size: size})
	return added
}

// put is add for any job. It also reports whether it has waited.
func (in *inbox) put(j job) (added, waited bool) {
	j.size += overhead
	in.mu.Lock()
	defer in.mu.Unlock()
	for !in.closed && in.full(j.size) {
		if in.room == nil {
			in.room = sync.NewCond(&in.mu)
		}
		waited = true
		in.waiters++
		in.room.Wait()
		in.waiters--
	}
	if in.closed {
		return false, waited
	}
	in.push(j)
	return true, waited
}

// full reports whether there is no room: for Config.MaxPending events, and for
// Config.MaxBuffered bytes with what it takes to keep them, unless it is one
// alone. Those that were taken together count until the last of them has begun.
// Who waits for an answer of the client must not wait in vain because it stands
// behind events: then only their bytes are limited. mu is held.
func (in *inbox) full(size int) bool {
	if in.queue == nil {
		return false
	}
	waiting := len(*in.queue) - in.next + int(max(0, in.taken-1))
	if waiting == 0 {
		return false
	}
	config := &in.client.server.config
	return waiting >= config.MaxPending && in.client.urgent.Load() == 0 || in.held+size > config.MaxBuffered
}

// look has who waits for room look again whether there is some.
func (in *inbox) look() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.wake()
}

// wake has all who wait for room look whether there is some. mu is held.
func (in *inbox) wake() {
	if in.room != nil {
		in.room.Broadcast()
	}
}

// addNow queues f without waiting for room, unless the inbox is closed.
func (in *inbox) addNow(f func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.closed {
		in.push(job{do: f})
	}
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
	in.push(job{do: last})
	in.wake()
}

// push queues j. mu is held.
func (in *inbox) push(j job) {
	if in.queue == nil {
		in.queue = queues.Get().(*[]job)
	}
	*in.queue = append(*in.queue, j)
	in.held += j.size
	if !in.busy {
		in.busy = true
		in.client.server.handlers.Go(in)
	}
}

// run runs what is queued, in a goroutine that it has until there is no more.
func (in *inbox) run() {
	for {
		jobs := in.take()
		if jobs == nil {
			return
		}
		for i := range jobs {
			if j := &jobs[i]; j.event != nil {
				j.of.handle(j.event)
			} else {
				j.do()
			}
		}
	}
}

// What is taken together at most: it is no longer limited, and not let go of
// before the last of it has run.
const (
	maxTaken      = 16      // jobs
	maxTakenBytes = 8 << 10 // bytes, but for the last job
)

// take takes the next jobs out of the queue, which do not change until the next
// time: those that came by one read, mostly, so that they cost one lock together.
// While somebody waits for room it takes one. When there is none, the inbox is
// idle, and its queue is another's.
func (in *inbox) take() []job {
	in.mu.Lock()
	defer in.mu.Unlock()
	waiting := in.forget()
	most := int32(min(maxTaken, len(waiting)))
	if in.waiters > 0 {
		most = min(1, most)
		in.wake()
	}
	if most == 0 {
		in.rest()
		return nil
	}
	for bytes := 0; in.taken < most && bytes < maxTakenBytes; in.taken++ {
		bytes += waiting[in.taken].size
		in.held -= waiting[in.taken].size
	}
	in.next += int(in.taken)
	return waiting[:in.taken]
}

// forget lets go of the jobs that were taken, and returns those that wait. mu is
// held.
func (in *inbox) forget() []job {
	q := in.queue
	clear((*q)[in.next-int(in.taken) : in.next])
	in.taken = 0
	if in.next > len(*q)/2 { // it may never come to be empty
		n := copy(*q, (*q)[in.next:])
		clear((*q)[n:])
		*q, in.next = (*q)[:n], 0
	}
	return (*q)[in.next:]
}

// rest makes the inbox idle, and its queue another's. mu is held.
func (in *inbox) rest() {
	if cap(*in.queue) <= maxQueue {
		queues.Put(in.queue)
	}
	in.queue, in.busy = nil, false
	if in.ended = in.closed; in.ended && in.done != nil {
		close(in.done)
	}
}
