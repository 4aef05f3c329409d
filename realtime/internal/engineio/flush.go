package engineio

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// flusher writes what many sessions have to send, one session after the other,
// without ever waiting for a client. Its goroutine exists while there is
// something to write, and waits for more while there are connections that have no
// reader of their own: making one is mostly that its stack has to grow, each time.
//
// It is what makes sending cheap. Who emits an event only queues it and goes on;
// by the time that the flusher runs, everybody else who could run has queued
// what they had, and each session's packets leave in one write. A session whose
// client does not take them all at once gets a goroutine that waits for it.
type flusher struct {
	tasks *sync.WaitGroup

	attempt attempt   // the goroutine's
	spare   []*outbox // the goroutine's

	mu      sync.Mutex // guards the rest
	dirty   []*outbox
	running bool
	stays   bool      // waits for more
	more    sync.Cond // for it
}

// maxDirty is how many sessions a flusher keeps memory for.
const maxDirty = 4096

// flushers are as many as goroutines can run at a time.
type flushers struct {
	all   []*flusher
	next  atomic.Uint32
	tasks sync.WaitGroup // waited for when no session is left
}

func newFlushers() *flushers {
	f := &flushers{}
	for range runtime.GOMAXPROCS(0) {
		one := &flusher{tasks: &f.tasks}
		one.more.L = &one.mu
		f.all = append(f.all, one)
	}
	return f
}

// one returns the flusher for a new session.
func (f *flushers) one() *flusher { return f.all[int(f.next.Add(1))%len(f.all)] }

// stay has the goroutines wait for more when there is nothing to write, or not.
func (f *flushers) stay(stays bool) {
	for _, one := range f.all {
		one.mu.Lock()
		one.stays = stays
		one.more.Signal()
		one.mu.Unlock()
	}
}

// add has an outbox flushed.
func (f *flusher) add(o *outbox) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirty = append(f.dirty, o)
	if !f.running {
		f.running = true
		f.tasks.Go(f.run)
	} else if f.stays && len(f.dirty) == 1 {
		f.more.Signal()
	}
}

func (f *flusher) run() {
	for {
		runtime.Gosched() // whoever can run may have more to send to the same sessions,
		runtime.Gosched() // and so may those from whom something has come meanwhile
		f.mu.Lock()
		if len(f.dirty) == 0 && f.stays {
			f.more.Wait()
			f.mu.Unlock()
			continue
		}
		dirty := f.dirty
		if len(dirty) == 0 {
			f.running = false
			f.mu.Unlock()
			return
		}
		f.dirty, f.spare = f.spare, nil
		f.mu.Unlock()
		for i, o := range dirty {
			o.flush(f)
			dirty[i] = nil
		}
		if cap(dirty) <= maxDirty {
			f.spare = dirty[:0]
		}
	}
}

// trier is a sink that can write without waiting.
type trier interface {
	sink

	// tries reports whether it can.
	tries() bool

	// tryWrite writes packets, as many as the client takes. It returns how many
	// need not be written again, and whether write must be called, with the rest
	// or with none, because it has kept a part of what those were.
	tryWrite(packets []Packet, a *attempt) (done int, blocked bool, err error)
}

// flush writes what is queued, as far as that is possible without waiting.
func (o *outbox) flush(f *flusher) {
	o.mu.Lock()
	t, able := o.sink.(trier)
	if !able || o.closed { // the last packets may be waited for
		o.mu.Unlock()
		o.drain.Go(o.run)
		return
	}
	batch, size := o.vacate(nil)
	o.mu.Unlock()
	o.count.add(MetricBuffered, "", -size)
	done, blocked, err := t.tryWrite(batch, &f.attempt)
	o.sent(batch[:done], t.name())
	if err != nil {
		o.close(false)
		o.drain.Go(o.run)
	} else if blocked {
		rest := slices.Clone(batch[done:])
		clear(batch[done:]) // which is not to be recycled
		o.drain.Go(func() {
			o.write(rest)
			o.run()
		})
	}
	recycle(batch)
	if err != nil || blocked {
		return
	}
	o.mu.Lock()
	if o.queue.len() > 0 || o.closed {
		o.mu.Unlock()
		f.add(o)
		return
	}
	o.draining = false
	o.mu.Unlock()
	if o.drainer != nil {
		o.drainer.Drained()
	}
}
