package engineio

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errPeer   = errors.New("engineio: the other node is gone")
	errReset  = errors.New("engineio: the other node gave up")
	errSilent = errors.New("engineio: the other node is silent")
	errGap    = errors.New("engineio: messages of the other node are missing")
	errCrowd  = errors.New("engineio: too much is under way between the nodes")
)

// lane is an exchange of two nodes for one request or connection: messages both
// ways, in order. When one is missing the lane is broken, and never closed up. Data
// has a window: who sends it waits until the other has taken what came before.
//
// At each end one goroutine at a time sends ordered messages, and one receives.
type lane struct {
	foreign *foreign
	key     laneKey
	kind    laneKind
	sent    atomic.Uint32 // ordered messages

	wake chan struct{} // capacity 1: there is a message
	room chan struct{} // capacity 1: there is room in the window
	done chan struct{} // closed with its end

	taken   uint64 // bytes of data, the receiver's
	granted uint64 // that the other has been told of, the receiver's
	size    int    // of the data that is being handled, the receiver's

	mu       sync.Mutex // guards the rest
	expected uint32
	inbox    []message
	err      error  // why it has ended
	unacked  uint64 // bytes of data that were sent
	acked    uint64 // and taken by the other
	letGo    func() // has a poll end, or nil
	goes     bool   // it has to
	pump     *pump  // of the connection that this node holds for the other, or nil
}

// laneKey is what a node knows a lane by.
type laneKey struct {
	node  string
	id    uint64
	asked bool // by this node
}

// laneWindow is how many bytes of data may be on their way.
const laneWindow = 256 << 10

func newLane(f *foreign, key laneKey, kind laneKind) *lane {
	return &lane{foreign: f, key: key, kind: kind,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), done: make(chan struct{})}
}

// open begins an exchange with another node. It waits a moment for one that has not
// been heard of, unless ctx ends.
func (f *foreign) open(ctx context.Context, node string, o opening) (*lane, error) {
	l := newLane(f, laneKey{node, f.next.Add(1), true}, o.kind)
	f.mu.Lock()
	if f.closed || len(f.lanes) >= maxLanes {
		f.mu.Unlock()
		return nil, errCrowd
	}
	f.lanes[l.key] = l
	o.letGo = o.kind == lanePoll && f.leaving
	f.mu.Unlock()
	if err := f.await(ctx, l, o.append(nil)); err != nil {
		l.end(err)
		return nil, err
	}
	return l, nil
}

// send sends a message, in parts where it is long.
func (l *lane) send(kind messageKind, body []byte) error {
	for {
		part := body[:min(len(body), maxChunk)]
		body = body[len(part):]
		if err := l.sendPart(kind, part, len(body) > 0); err != nil || len(body) == 0 {
			return err
		}
	}
}

func (l *lane) sendPart(kind messageKind, part []byte, more bool) error {
	var flags byte
	var seq uint32
	if l.key.asked {
		flags |= flagAsker
	}
	if more {
		flags |= flagMore
	}
	if kind.ordered() {
		seq = l.sent.Add(1) - 1
	}
	return l.foreign.peers.Send(l.key.node, newMessage(kind, flags, l.key.id, seq, part))
}

// sendData sends data when there is room in the window for it. It gives up after
// the timeout, unless that is 0.
func (l *lane) sendData(body []byte, timeout time.Duration) error {
	var late <-chan time.Time
	for {
		l.mu.Lock()
		err, full := l.err, l.unacked-l.acked >= laneWindow
		part := body[:min(len(body), maxChunk)]
		if !full {
			l.unacked += uint64(len(part))
		}
		l.mu.Unlock()
		switch {
		case err != nil:
			return err
		case !full:
			body = body[len(part):]
			if err := l.sendPart(messageData, part, len(body) > 0); err != nil || len(body) == 0 {
				return err
			}
			continue
		}
		if late == nil && timeout > 0 {
			late = time.After(timeout)
		}
		select {
		case <-l.room:
		case <-l.done:
		case <-late:
			return errSilent
		}
	}
}

// onLetGo has f called when the poll is to end, now if it was to already.
func (l *lane) onLetGo(f func()) {
	l.mu.Lock()
	l.letGo = f
	goes := l.goes
	l.mu.Unlock()
	if goes {
		f()
	}
}

// release has the poll end.
func (l *lane) release() {
	l.mu.Lock()
	l.goes = true
	f := l.letGo
	l.mu.Unlock()
	if f != nil {
		f()
	}
}

// carried makes the connection known that this node holds for the other.
func (l *lane) carried(p *pump) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pump = p
}

// leave closes the connection that this node holds for the other.
func (l *lane) leave() {
	l.mu.Lock()
	p := l.pump
	l.mu.Unlock()
	if p != nil {
		p.leave()
	}
}

// end ends the lane at this end. What has arrived may still be received.
func (l *lane) end(err error) {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return
	}
	l.err = err
	close(l.done)
	l.mu.Unlock()
	f := l.foreign
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lanes[l.key] == l {
		delete(f.lanes, l.key)
		f.checkEmpty()
	}
}

// ended reports whether the lane has ended.
func (l *lane) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err != nil
}

// reset ends the lane at both ends, and drops what has arrived. Nothing happens
// when it has ended.
func (l *lane) reset(err error) {
	if !l.ended() {
		l.send(messageReset, nil)
	}
	l.close(err)
}

// close ends the lane at this end, and drops what has arrived.
func (l *lane) close(err error) {
	l.end(err)
	l.mu.Lock()
	size := 0
	for _, m := range l.inbox {
		size += len(m.body)
	}
	l.inbox = nil
	l.mu.Unlock()
	l.foreign.bytes.Add(-int64(size))
}
