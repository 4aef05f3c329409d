package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Outlet gives messages to the engine of a cluster for a program that is no node
// of it: package emitter is what users have. Its methods may be called
// concurrently; what is sent meanwhile goes to the engine together.
type Outlet struct {
	engine Engine
	ctx    context.Context // of what the engine is given
	cancel context.CancelFunc

	running sync.WaitGroup // the goroutine that gives messages to the engine, while there are any

	mu     sync.Mutex // guards the rest
	queue  []*outgoing
	busy   bool // the goroutine runs
	closed bool
}

// outgoing is a message on its way, for whom somebody waits.
type outgoing struct {
	message *Message
	done    chan error // capacity 1
	flight  *flight    // that has taken it, or nil while it queues
}

// flight is what the engine is given at a time. It is given up when nobody waits
// for it any more.
type flight struct {
	waiting int
	cancel  context.CancelFunc
}

// NewOutlet makes the engine of a provider that [New] has made, or is a [Hub]. It
// panics when the provider is none of a cluster, or when the engine cannot start.
func NewOutlet(p adapter.Provider, s adapter.Server) *Outlet {
	if h, is := p.(*Hub); is {
		p = h.Provider
	}
	of, is := p.(provider)
	if !is {
		panic(fmt.Sprintf("cluster: %T connects no servers; give what a package such as realtime/adapter/redis makes for Config.Adapter", p))
	}
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	if s.Codec == nil {
		s.Codec = parser.JSON
	}
	o := &Outlet{engine: of.engine(s)}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	if err := o.engine.Start(emitterID, deaf{}); err != nil {
		panic(fmt.Sprintf("cluster: %v", err))
	}
	return o
}

// deaf is the Receiver of an Outlet.
type deaf struct{}

func (deaf) Receive(*Message)                  {}
func (deaf) Interested(string, ...string) bool { return false }
func (deaf) Lost(string)                       {}
func (deaf) Refuse(error)                      {}

// SendsOnly reports whether a Receiver wants nothing: an engine that is started
// with it need not begin to receive. Its namespaces are never opened.
func SendsOnly(r Receiver) bool {
	_, is := r.(deaf)
	return is
}

// Send sends a message, and returns when the engine has taken it, or cannot. When
// ctx ends first it returns the cause: the message may have been sent then, and
// may be otherwise, unless nothing could be sent at all. Messages that a caller
// sends one after the other arrive in that order.
func (o *Outlet) Send(ctx context.Context, m *Message) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.Node = emitterID
	out := &outgoing{message: m, done: make(chan error, 1)}
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return adapter.ErrClosed
	}
	o.queue = append(o.queue, out)
	if !o.busy {
		o.busy = true
		o.running.Go(o.drain)
	}
	o.mu.Unlock()
	select {
	case err := <-out.done:
		return err
	case <-ctx.Done():
		o.abandon(out)
		return context.Cause(ctx)
	}
}

// abandon notes that nobody waits for a message any more.
func (o *Outlet) abandon(out *outgoing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := out.flight
	if f == nil {
		o.queue = slices.DeleteFunc(o.queue, func(other *outgoing) bool { return other == out })
		return
	}
	if f.waiting--; f.waiting == 0 {
		f.cancel()
	}
}

// drain gives the engine what is queued.
func (o *Outlet) drain() {
	for {
		o.mu.Lock()
		n := min(len(o.queue), batch)
		if n == 0 {
			o.busy = false
			o.mu.Unlock()
			return
		}
		outs := slices.Clone(o.queue[:n])
		o.queue = slices.Delete(o.queue, 0, n)
		ctx, cancel := context.WithCancel(o.ctx)
		f := &flight{n, cancel}
		messages := make([]*Message, n)
		for i, out := range outs {
			out.flight, messages[i] = f, out.message
		}
		o.mu.Unlock()
		o.fly(ctx, outs, messages)
		cancel()
	}
}

// fly gives the engine messages, and tells who waits for each what came of it. One
// that cannot be sent at all does not keep the others; once the engine is out of
// reach they all fail, for it is who has sent them who knows whether they are of use
// later.
func (o *Outlet) fly(ctx context.Context, outs []*outgoing, messages []*Message) {
	for len(outs) > 0 {
		sent, err := o.engine.Publish(ctx, messages)
		if err == nil {
			sent = len(outs)
		}
		for i, out := range outs {
			switch {
			case i < sent:
				out.done <- nil
			case i == sent || !errors.Is(err, ErrUnfit):
				out.done <- err
			}
		}
		if err == nil || !errors.Is(err, ErrUnfit) || sent == len(outs) {
			return
		}
		outs, messages = outs[sent+1:], messages[sent+1:]
	}
}

// Close takes nothing more, waits until what is being sent has been, and ends the
// engine.
func (o *Outlet) Close() error {
	o.mu.Lock()
	closed := o.closed
	o.closed = true
	o.mu.Unlock()
	o.running.Wait()
	if closed {
		return nil
	}
	o.cancel()
	return o.engine.Close()
}
