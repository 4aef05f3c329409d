package realtime

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Answer is one socket's acknowledgement of a broadcast.
type Answer struct {
	ID   string // of the socket
	Args Args
}

// MissingError says which sockets did not acknowledge a broadcast, and which
// servers of the cluster did not say what they should have, and why there was no
// more waiting for them.
type MissingError struct {
	IDs     []string // of sockets, sorted
	Others  int      // sockets of servers that do not tell their ids
	Nodes   []string // names of servers, sorted
	Unnamed int      // servers whose names are not known
	Err     error    // ErrAckTimeout, the cause with which a context ended, a *DisconnectError, or adapter.ErrNodeGone
}

// Error tells how many are missing, and the servers' names.
func (e *MissingError) Error() string {
	var missing []string
	if n := len(e.IDs) + e.Others; n > 0 {
		missing = append(missing, fmt.Sprintf("%d sockets", n))
	}
	if n := len(e.Nodes); n > 0 {
		missing = append(missing, "servers "+strings.Join(e.Nodes, ", "))
	}
	if e.Unnamed > 0 {
		missing = append(missing, fmt.Sprintf("%d unnamed servers", e.Unnamed))
	}
	return fmt.Sprintf("realtime: %s did not answer: %v", strings.Join(missing, " and "), e.Err)
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
	g, err := b.gather(ctx, event, args)
	if err != nil {
		return nil, err
	}
	return g.wait(ctx)
}

// ask is EmitWithAck with a callback.
func (b *Broadcast) ask(event string, args []any, done func(error, []Answer)) error {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if b.timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, b.timeout, ErrAckTimeout)
	}
	g, err := b.gather(ctx, event, args)
	if err != nil {
		cancel()
		return err
	}
	server := b.server()
	server.handlers.Go(runFunc(func() {
		defer cancel()
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
	all     chan struct{}                      // closed when no socket of this server is waited for
	others  []func() error                     // wait for the sockets of other servers
	settled func(id string, a Args, err error) // is told of each, if not nil

	mu      sync.Mutex // guards the rest
	waiting map[string]asked
	answers []Answer
	missing MissingError
}

// asked is a socket that owes an answer, and the number of that.
type asked struct {
	socket *Socket
	id     int64
}

// gather sends an event to the sockets that b means and returns what collects
// their answers, which must be waited for.
func (b *Broadcast) gather(ctx context.Context, event string, args []any) (*gathering, error) {
	if err := checkEvent(event); err != nil {
		return nil, fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	g := &gathering{all: make(chan struct{}), waiting: make(map[string]asked)}
	var deliver []func()
	for _, n := range b.spaces() {
		id := n.ackID()
		frames, err := n.encode(id, event, args, "")
		if err == nil {
			err = g.askOthers(ctx, b, n, event, args)
		}
		if err != nil {
			return nil, fmt.Errorf("realtime: emit %q: %w", event, err)
		}
		deliver = append(deliver, g.ask(n, id, adapter.Packet{Frames: frames, Volatile: b.volatile, Plain: b.plain}, b.target))
	}
	g.begin()
	for _, f := range deliver {
		f()
	}
	return g, nil
}

// ask notes that the sockets of a namespace that a target means are to answer
// under that number. What it returns sends them the event.
func (g *gathering) ask(n *Namespace, id int64, p adapter.Packet, t adapter.Target) (deliver func()) {
	sockets := n.adapter.Sockets(t)
	for _, s := range sockets {
		s := s.(*Socket)
		g.waiting[s.id] = asked{s, id}
	}
	return func() {
		host{n}.Deliver(p, sockets)
		host{n}.Delivered(p, sockets)
	}
}

// begin awaits the answers of all sockets that were noted.
func (g *gathering) begin() {
	if len(g.waiting) == 0 {
		close(g.all)
	}
	for _, a := range g.asked() {
		a.socket.client.await(1) // a handler may wait for its own socket's answer, too
		if err := a.socket.expect(a.id, &pendingAck{gather: g}, 0); err != nil {
			g.settle(a.socket.id, Args{}, err)
		}
	}
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
	switch {
	case g.settled != nil:
		g.settled(id, args, err)
	case err != nil:
		g.missing.IDs = append(g.missing.IDs, id)
		g.missing.Err = err
	default:
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
	for _, wait := range g.others {
		g.miss(wait())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	missing := g.missing
	if missing.Err == nil {
		return g.answers, nil
	}
	slices.Sort(missing.IDs)
	slices.Sort(missing.Nodes)
	return g.answers, &missing
}
