package engineio

import (
	"context"
	"errors"
	"sync"
)

var (
	// ErrClosed is returned for a packet that a closed session cannot send.
	ErrClosed = errors.New("engineio: session closed")

	// ErrSlow is returned for a packet that does not fit under the limit.
	ErrSlow = errors.New("engineio: client reads too slowly")

	errGone     = errors.New("engineio: client went away")
	errAttached = errors.New("engineio: session uses a WebSocket")
)

// sink writes packets to a WebSocket, whole and in order. finish ends the
// connection after them. Only one goroutine at a time calls it.
type sink interface {
	write([]Packet) error
	finish()
}

// outbox holds the packets that leave one session, oldest first. Any goroutine
// may add; they leave through one door at a time, the poll that claimed it or
// the sink that attached. The rules of its door:
//
//   - add never waits: what does not fit is ErrSlow, and the session's end.
//   - packets added in one call leave adjacent, in one batch.
//   - while the door is held, for an upgrade, packets wait and a poll gets noop.
//   - a closed outbox still gives what it had left, once.
type outbox struct {
	limit int           // bytes that may wait
	wake  chan struct{} // capacity 1: there is something for the poll to see
	drain sync.WaitGroup

	mu       sync.Mutex // guards the rest
	packets  []Packet
	bytes    int
	claimed  bool // a poll stands at the door
	held     bool // an upgrade is under way
	closed   bool
	draining bool // a goroutine takes packets to the sink
	sink     sink // non-nil once a WebSocket has the door
}

func newOutbox(limit int) outbox {
	return outbox{limit: limit, wake: make(chan struct{}, 1)}
}

// add queues packets together. It returns [ErrClosed] or ErrSlow.
func (o *outbox) add(packets ...Packet) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	size := 0
	for _, p := range packets {
		size += p.size()
	}
	if o.bytes > 0 && o.bytes+size > o.limit {
		return ErrSlow
	}
	o.push(packets, size)
	return nil
}

// addVolatile queues packets only if they can leave at once, and reports
// whether it did.
func (o *outbox) addVolatile(packets ...Packet) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	open := o.sink != nil || o.claimed
	if o.closed || o.held || o.draining || !open || len(o.packets) > 0 {
		return false
	}
	size := 0
	for _, p := range packets {
		size += p.size()
	}
	o.push(packets, size)
	return true
}

// push appends and sees that somebody takes. mu is held.
func (o *outbox) push(packets []Packet, size int) {
	o.packets = append(o.packets, packets...)
	o.bytes += size
	o.start()
}

// start wakes the poll or starts the drain. mu is held.
func (o *outbox) start() {
	switch {
	case o.sink == nil:
		select {
		case o.wake <- struct{}{}:
		default:
		}
	case !o.draining && (len(o.packets) > 0 || o.closed):
		o.draining = true
		o.drain.Go(o.run)
	}
}

// run takes batches to the sink until there is nothing left, so that an idle
// session owns no goroutine. When the outbox was closed it finishes the sink.
func (o *outbox) run() {
	var spare []Packet
	for {
		o.mu.Lock()
		batch, s := o.packets, o.sink
		o.packets, o.bytes = spare, 0
		if len(batch) == 0 {
			o.packets = nil
			last := o.closed
			o.draining = last // the sink is finished once
			o.mu.Unlock()
			if last {
				s.finish()
			}
			return
		}
		o.mu.Unlock()
		if err := s.write(batch); err != nil {
			o.close(false)
		}
		clear(batch)
		spare = batch[:0]
	}
}

// claim takes the door for a poll and reports false when another poll has it.
// The poll gives it back with release.
func (o *outbox) claim() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.claimed || o.sink != nil {
		return false
	}
	o.claimed = true
	return true
}

func (o *outbox) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claimed = false
}

// take waits for packets and removes them all, for the poll that has the claim.
// It returns the noop packet while the door is held, [ErrClosed] when there
// will be no more, errAttached when a WebSocket took over, and errGone when the
// poll's client went away, in which case nothing was removed.
func (o *outbox) take(ctx context.Context) ([]Packet, error) {
	for {
		if ctx.Err() != nil {
			return nil, errGone
		}
		o.mu.Lock()
		switch batch := o.packets; {
		case o.sink != nil:
			o.mu.Unlock()
			return nil, errAttached
		case o.held && !o.closed:
			o.mu.Unlock()
			return []Packet{noop}, nil
		case len(batch) > 0:
			o.packets, o.bytes = nil, 0
			o.mu.Unlock()
			return batch, nil
		case o.closed:
			o.mu.Unlock()
			return nil, ErrClosed
		}
		o.mu.Unlock()
		select {
		case <-o.wake:
		case <-ctx.Done():
		}
	}
}

// hold closes the door for an upgrade, or opens it again: a waiting poll is let
// go and packets wait for the WebSocket.
func (o *outbox) hold(held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = held
	o.start()
}

// attach gives the door to s for good. A waiting poll is let go.
func (o *outbox) attach(s sink) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	select {
	case o.wake <- struct{}{}: // for the poll that stands at the door
	default:
	}
	o.held = false
	o.sink = s
	o.start()
	return nil
}

// close refuses further packets. With flush, those that wait still leave;
// without it they are dropped. A poll gets the farewell after them, a sink is
// finished instead. It reports whether packets remain for a poll yet to come.
func (o *outbox) close(flush bool, farewell ...Packet) (left bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.closed = true
	if !flush {
		o.packets = nil
	}
	if o.sink == nil {
		o.packets = append(o.packets, farewell...)
	}
	o.start()
	return o.sink == nil && !o.claimed && len(o.packets) > 0
}

// buffered returns how many bytes wait.
func (o *outbox) buffered() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}
