package engineio

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrClosed is returned for a packet that a closed session cannot send.
	ErrClosed = errors.New("engineio: session closed")

	// ErrSlow is returned for a packet that does not fit under the limits.
	ErrSlow = errors.New("engineio: client reads too slowly")

	errGone     = errors.New("engineio: client went away")
	errTaken    = errors.New("engineio: another has the door")
	errAttached = errors.New("engineio: session uses a WebSocket")
)

// sink writes packets to a carrier, whole and in order. finish ends the
// connection after them. Only one goroutine at a time calls it.
type sink interface {
	write([]Packet) error
	finish()
	name() string // of the transport
}

// outbox holds the packets that leave one session, oldest first. Any goroutine
// may add; they leave through one door at a time, the poll that claimed it or
// the sink that attached. The rules of its door:
//
//   - add never waits: what does not fit is ErrSlow, and Config.Overflow says
//     what comes of it.
//   - packets added in one call leave adjacent, in one batch.
//   - while the door is held, for an upgrade, a poll that stood there is let go
//     with noop, and one that comes then waits holdPatience before. A poll still
//     takes what there is: its client switches only when it has the answer.
//   - a closed outbox still gives what it had left, once.
type outbox struct {
	config  *Config
	count   counter       // not called with mu held
	drainer Drainer       // nil for none; set before the door is first opened
	wake    chan struct{} // capacity 1: there is something for the poll to see; nil where there are no polls
	flusher *flusher      // nil for none
	drain   sync.WaitGroup

	mu       sync.Mutex // guards the rest
	queue    queue
	farewell []Packet      // what a poll gets last, alone
	room     chan struct{} // closed when there is more room, or will be none; nil while nobody waits
	claimed  bool          // a poll stands at the door
	held     bool          // an upgrade is under way
	letGo    bool          // the poll that stands at the door may go
	closed   bool
	runs     bool // the sink takes them
	draining bool // the flusher, or a goroutine, takes packets to the sink
	sink     sink // non-nil once a carrier has the door
}

func newOutbox(c *Config, polled bool) outbox {
	var wake chan struct{}
	if polled {
		wake = make(chan struct{}, 1)
	}
	return outbox{config: c, count: c.Count, wake: wake}
}

// add queues packets together. It returns [ErrClosed] or ErrSlow.
func (o *outbox) add(packets ...Packet) error { return o.addWhile(nil, packets) }

// addWhile is add while open is set, or nil. Whether it is, is seen by who has the
// lock, so that what is added by who has cleared it comes later.
func (o *outbox) addWhile(open *atomic.Bool, packets []Packet) error {
	_, err := o.tryAdd(packets, open, false, false)
	if err == ErrSlow {
		o.count.add(MetricDropped, DroppedOverflow, len(packets))
	}
	return err
}

// addWhenRoom is add, but waits for room. It returns the cause of ctx when that
// ends before. With only, it adds nothing.
func (o *outbox) addWhenRoom(ctx context.Context, packets []Packet, only bool) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		room, err := o.tryAdd(packets, nil, true, only)
		if err != ErrSlow {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
		}
	}
}

// tryAdd is addWhile without the counting. With wait, ErrSlow comes with a channel
// that is closed when another try may succeed; with only, nothing is added.
func (o *outbox) tryAdd(packets []Packet, open *atomic.Bool, wait, only bool) (room <-chan struct{}, err error) {
	size := weigh(packets)
	o.mu.Lock()
	if o.closed || open != nil && !open.Load() {
		o.mu.Unlock()
		return nil, ErrClosed
	}
	gone, freed, ok := o.queue.makeRoom(o.config, len(packets), size)
	if !ok {
		if wait && o.room == nil {
			o.room = make(chan struct{})
		}
		room = o.room
		o.mu.Unlock()
		return room, ErrSlow
	}
	delta := -freed
	if !only {
		delta += size
		o.queue.add(packets, size, o.runs)
		o.start()
	}
	o.mu.Unlock()
	if o.count != nil {
		o.settle(gone, delta)
	}
	return nil, nil
}

// addAlways queues a packet of the protocol, without which the client would be
// taken for gone, whatever the limits. There is hardly ever more than one of them.
func (o *outbox) addAlways(p Packet) {
	delta := 0
	defer func() { o.settle(0, delta) }() // after the unlock
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		delta = p.size()
		o.queue.add([]Packet{p}, delta, false)
		o.start()
	}
}

// addVolatile queues packets if they can leave at once, or may wait by
// Config.Overflow, and reports whether it did.
func (o *outbox) addVolatile(packets ...Packet) bool {
	gone, delta, ok := o.tryAddVolatile(packets)
	o.settle(gone, delta)
	return ok
}

// tryAddVolatile is addVolatile without the counting: it returns how many
// packets were dropped and how many bytes there are more.
func (o *outbox) tryAddVolatile(packets []Packet) (gone, delta int, ok bool) {
	size := weigh(packets)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return len(packets), 0, false
	}
	if o.config.Overflow == OverflowDropOldest {
		gone, freed, ok := o.queue.makeRoom(o.config, len(packets), size)
		if !ok {
			return len(packets), 0, false
		}
		o.queue.addVolatile(packets, size)
		o.start()
		return gone, size - freed, true
	}
	open := o.sink != nil || o.claimed
	if o.held || o.draining || !open || o.queue.len() > 0 {
		return len(packets), 0, false
	}
	o.queue.add(packets, size, o.runs)
	o.start()
	return 0, size, true
}

// settle counts volatile packets that were dropped, and a change of what waits.
func (o *outbox) settle(gone, delta int) {
	o.count.add(MetricDropped, DroppedVolatile, gone)
	o.count.add(MetricBuffered, "", delta)
}

// vacate removes all packets from the queue, and wakes who waits for room. mu is
// held.
func (o *outbox) vacate(spare []Packet) (packets []Packet, size int) {
	o.wakeWaiting()
	return o.queue.take(spare)
}

// wakeWaiting has who waits for room try again. mu is held.
func (o *outbox) wakeWaiting() {
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// start wakes the poll or starts the drain. mu is held.
func (o *outbox) start() {
	switch {
	case o.sink == nil:
		select {
		case o.wake <- struct{}{}:
		default:
		}
	case !o.draining && (o.queue.len() > 0 || o.closed):
		o.draining = true
		if o.runs {
			o.flusher.add(o)
		} else {
			o.drain.Go(o.run)
		}
	}
}

// run takes batches to the sink until there is nothing left, so that an idle
// session owns no goroutine. When the outbox was closed it finishes the sink.
func (o *outbox) run() {
	var spare []Packet
	wrote := false
	for {
		o.mu.Lock()
		batch, size := o.vacate(spare)
		if len(batch) == 0 {
			s := o.sink
			o.queue.rest()
			last := o.closed
			o.draining = last // the sink is finished once
			o.mu.Unlock()
			if last {
				s.finish()
			} else if wrote && o.drainer != nil {
				o.drainer.Drained()
			}
			return
		}
		o.mu.Unlock()
		o.count.add(MetricBuffered, "", -size)
		wrote = o.write(batch)
		free(batch)
		spare = batch[:0]
	}
}

// write writes packets to the sink, waits for that, and reports whether it could.
func (o *outbox) write(packets []Packet) bool {
	err := o.sink.write(packets)
	if err != nil {
		o.close(false)
		return false
	}
	o.sent(packets, o.sink.name())
	return true
}

// sent counts packets that a sink has written.
func (o *outbox) sent(packets []Packet, transport string) {
	if o.count == nil {
		return
	}
	count, size := 0, 0
	for i := range packets {
		n, payload := packets[i].contents()
		count += n
		size += payload
	}
	o.count.add(MetricPacketsOut, transport, count)
	o.count.add(MetricBytesOut, transport, size)
}

// emptied tells the drainer after a poll has taken all there was.
func (o *outbox) emptied() {
	if o.drainer == nil {
		return
	}
	o.mu.Lock()
	empty := !o.closed && o.queue.len() == 0
	o.mu.Unlock()
	if empty {
		o.drainer.Drained()
	}
}

// claim takes the door for a poll. It returns errTaken when another poll or a
// sink has it, and [ErrClosed] when there will be nothing to take. After success
// the poll must take, which gives the door back.
func (o *outbox) claim() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.claimed || o.sink != nil:
		return errTaken
	case o.closed && o.emptyLocked():
		return ErrClosed
	}
	o.claimed = true
	return nil
}

// take waits for packets and removes them all, for the poll that has the claim.
// It returns the noop packet while the door is held, [ErrClosed] when there
// will be no more, errAttached when a WebSocket took over, and errGone when the
// poll's client went away, in which case nothing was removed.
func (o *outbox) take(ctx context.Context) ([]Packet, error) {
	var patience <-chan time.Time
	expired := false
	for {
		batch, held, err := o.tryTake(ctx, expired)
		if batch != nil || err != nil {
			return batch, err
		}
		if held && patience == nil {
			patience = time.After(holdPatience)
		}
		select {
		case <-o.wake:
		case <-ctx.Done():
		case <-patience:
			expired = true
		}
	}
}

// holdPatience is how long a poll waits for an upgrade to be finished, as in
// the reference. A client may poll right behind the packet that finishes it.
const holdPatience = 100 * time.Millisecond

// tryTake is take without the waiting: it returns neither packets nor an error
// when there is nothing yet, and whether that is because the door is held; a
// poll whose patience has expired gets noop then. The door is given back together with the packets,
// so that who closes the outbox knows whether anybody is there to take the rest.
func (o *outbox) tryTake(ctx context.Context, expired bool) (batch []Packet, held bool, err error) {
	taken := 0
	defer func() { o.count.add(MetricBuffered, "", -taken) }() // after the unlock
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, false, errGone // keeps the door: nobody may take it before the session has ended
	case o.sink != nil:
		err = errAttached
	case o.queue.len() > 0:
		batch, taken = o.vacate(nil)
	case !o.closed && (o.letGo || o.held && expired):
		batch = []Packet{noop}
	case o.held && !o.closed:
		return nil, true, nil
	case len(o.farewell) > 0:
		batch, o.farewell = o.farewell, nil
	case o.closed:
		err = ErrClosed
	default:
		return nil, false, nil
	}
	o.claimed, o.letGo = false, false
	return batch, false, err
}

// hold closes the door for an upgrade, or opens it again: a waiting poll is let
// go and packets wait for the WebSocket.
func (o *outbox) hold(held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = held
	o.letGo = held && o.claimed
	o.start()
}

// letPollGo has the poll that stands at the door go with what there is, or noop.
func (o *outbox) letPollGo() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.letGo = o.claimed
	o.start()
}

// attach gives the door to s for good, also that of a closed outbox. A waiting
// poll is let go.
func (o *outbox) attach(s sink) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.farewell = nil
	select {
	case o.wake <- struct{}{}: // for the poll that stands at the door
	default:
	}
	o.held = false
	t, able := s.(trier)
	o.sink, o.runs = s, able && o.flusher != nil && t.tries()
	o.start()
}

// close refuses further packets. With flush, those that wait still leave;
// without it they are dropped. A poll gets the farewell after them, in an answer
// of its own, because clients drop what comes together with a close packet; a
// sink is finished instead. It reports whether something remains for a poll yet
// to come.
func (o *outbox) close(flush bool, farewell ...Packet) (left bool) {
	dropped := 0
	defer func() { o.count.add(MetricBuffered, "", -dropped) }() // after the unlock
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.closed = true
	o.wakeWaiting() // there will be no room
	if !flush {
		_, dropped = o.vacate(nil)
	}
	if o.sink == nil {
		o.farewell = farewell
	}
	o.start()
	if o.claimed && (o.queue.len() == 0 || len(o.farewell) == 0) {
		return false // one answer is enough, and somebody waits for it
	}
	return !o.emptyLocked()
}

// discard drops what is left in a closed outbox.
func (o *outbox) discard() {
	o.mu.Lock()
	_, dropped := o.vacate(nil)
	o.farewell = nil
	o.mu.Unlock()
	o.count.add(MetricBuffered, "", -dropped)
}

// empty reports whether a poll would find nothing.
func (o *outbox) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.emptyLocked()
}

func (o *outbox) emptyLocked() bool {
	return o.sink != nil || o.queue.len() == 0 && len(o.farewell) == 0
}

// buffered returns how many bytes wait.
func (o *outbox) buffered() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queue.bytes
}
