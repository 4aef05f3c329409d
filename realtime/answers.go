package realtime

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Answer is one socket's acknowledgement of a broadcast.
type Answer struct {
	ID   string // of the socket
	Args Args
}

// MissingError says which sockets did not acknowledge a broadcast, and why there
// was no more waiting for them.
type MissingError struct {
	IDs []string // of the sockets, sorted
	Err error    // ErrAckTimeout, the cause with which a context ended, or a *DisconnectError
}

// Error tells how many are missing.
func (e *MissingError) Error() string {
	return fmt.Sprintf("realtime: %d sockets did not answer: %v", len(e.IDs), e.Err)
}

// Unwrap returns Err.
func (e *MissingError) Unwrap() error { return e.Err }

// EmitWithAck sends an event and waits until all sockets that it reaches have
// answered, or have gone, the time that Timeout gave is over, or ctx ends. It
// returns the answers there are, in the order in which they came, and a
// *[MissingError] when that is not all. With no sockets there are no answers.
// https://socket.io/docs/v4/broadcasting-events/#with-acknowledgements
func (b *Broadcast) EmitWithAck(ctx context.Context, event string, args ...any) ([]Answer, error) {
	if b.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, b.timeout, ErrAckTimeout)
		defer cancel()
	}
	g, err := b.gather(event, args)
	if err != nil {
		return nil, err
	}
	return g.wait(ctx)
}

// ask is EmitWithAck with a callback.
func (b *Broadcast) ask(event string, args []any, done func(error, []Answer)) error {
	g, err := b.gather(event, args)
	if err != nil {
		return err
	}
	server := b.server()
	server.handlers.Go(runFunc(func() {
		ctx := context.Background()
		if b.timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, b.timeout, ErrAckTimeout)
			defer cancel()
		}
		answers, err := g.wait(ctx)
		server.protect("acknowledgement of "+event, func() { done(err, answers) })
	}))
	return nil
}

func (b *Broadcast) server() *Server {
	if b.parent != nil {
		return b.parent.server
	}
	return b.namespace.server
}

// gathering collects the answers to a broadcast.
type gathering struct {
	all chan struct{} // closed when nobody is waited for

	mu      sync.Mutex // guards the rest
	waiting map[string]asked
	answers []Answer
	missing []string
	why     error
}

// asked is a socket that owes an answer, and the number of that.
type asked struct {
	socket *Socket
	id     int64
}

// gather sends an event to the sockets that b means and returns what collects
// their answers.
func (b *Broadcast) gather(event string, args []any) (*gathering, error) {
	if err := checkEvent(event); err != nil {
		return nil, fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	g := &gathering{all: make(chan struct{}), waiting: make(map[string]asked)}
	var deliver []func()
	for _, n := range b.spaces() {
		id := n.ackID()
		frames, err := n.encode(id, event, args, "")
		if err != nil {
			return nil, fmt.Errorf("realtime: emit %q: %w", event, err)
		}
		sockets := n.adapter.Sockets(b.target)
		for _, s := range sockets {
			s := s.(*Socket)
			g.waiting[s.id] = asked{s, id}
		}
		deliver = append(deliver, func() {
			p := adapter.Packet{Frames: frames, Volatile: b.volatile, Plain: b.plain}
			host{n}.Deliver(p, sockets)
			host{n}.Delivered(p, sockets)
		})
	}
	if len(g.waiting) == 0 {
		close(g.all)
		return g, nil
	}
	for _, a := range g.asked() {
		a.socket.client.await(1) // a handler may wait for its own socket's answer, too
		if err := a.socket.expect(a.id, &pendingAck{gather: g}, 0); err != nil {
			g.settle(a.socket.id, Args{}, err)
		}
	}
	for _, f := range deliver {
		f()
	}
	return g, nil
}

// asked returns who is waited for.
func (g *gathering) asked() []asked {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Values(g.waiting))
}

// settle takes a socket's answer, or the error why there is none. It is called
// once for each.
func (g *gathering) settle(id string, args Args, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting[id].socket.client.await(-1)
	delete(g.waiting, id)
	if err != nil {
		g.missing = append(g.missing, id)
		g.why = err
	} else {
		g.answers = append(g.answers, Answer{id, args})
	}
	if len(g.waiting) == 0 {
		close(g.all)
	}
}

// wait returns the answers, all or those there are when ctx ends.
func (g *gathering) wait(ctx context.Context) ([]Answer, error) {
	select {
	case <-g.all:
	case <-ctx.Done():
		for _, a := range g.asked() {
			if p := a.socket.forget(a.id); p != nil {
				p.settle(a.socket, Args{}, context.Cause(ctx))
			}
		}
		<-g.all // who took an answer is about to settle it
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.missing) == 0 {
		return g.answers, nil
	}
	slices.Sort(g.missing)
	return g.answers, &MissingError{g.missing, g.why}
}
