package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// On registers a handler of an event that the client emits, or of "disconnect"
// or "disconnecting", which are called with the reason, a string. The package
// documentation says what functions may look like; one that cannot work panics
// here. Several handlers of an event run in the order of registration.
func (s *Socket) On(event string, fn any) Listener { return s.listen(event, fn, false) }

// Once is On for a handler that is called at most once.
func (s *Socket) Once(event string, fn any) Listener { return s.listen(event, fn, true) }

func (s *Socket) listen(name string, fn any, once bool) Listener {
	return s.on.add(event(name), compile(name, fn, true), once, false)
}

// Off removes all handlers of an event; [Listener.Off] removes one.
func (s *Socket) Off(name string) { s.on.drop(event(name)) }

// RemoveAllListeners removes the handlers of all events.
func (s *Socket) RemoveAllListeners() { s.on.dropEvents() }

// EventNames returns the events that have handlers, sorted.
func (s *Socket) EventNames() []string { return s.on.names() }

// OnAny registers a function that is called for every event of the client,
// before the event's own handlers.
// https://socket.io/docs/v4/listening-to-events/#catch-all-listeners
func (s *Socket) OnAny(fn func(event string, args Args)) Listener { return s.onAny(fn, false) }

// PrependAny is OnAny for a function that is called before all others.
func (s *Socket) PrependAny(fn func(event string, args Args)) Listener { return s.onAny(fn, true) }

func (s *Socket) onAny(fn func(string, Args), first bool) Listener {
	if fn == nil {
		panic("realtime: OnAny of a nil function")
	}
	return s.on.add(key{kind: anyIncoming}, handler{fn: fn}, false, first)
}

// OffAny removes all functions of OnAny and PrependAny.
func (s *Socket) OffAny() { s.on.drop(key{kind: anyIncoming}) }

// OnAnyOutgoing registers a function that is called for every event that is
// sent to the client, broadcasts included, but not acknowledgements. It is
// called by who emits, after that, and must not wait.
func (s *Socket) OnAnyOutgoing(fn func(event string, args Args)) Listener {
	return s.onAnyOutgoing(fn, false)
}

// PrependAnyOutgoing is OnAnyOutgoing for a function that is called before all
// others.
func (s *Socket) PrependAnyOutgoing(fn func(event string, args Args)) Listener {
	return s.onAnyOutgoing(fn, true)
}

func (s *Socket) onAnyOutgoing(fn func(string, Args), first bool) Listener {
	if fn == nil {
		panic("realtime: OnAnyOutgoing of a nil function")
	}
	s.watched.Store(true)
	return s.on.add(key{kind: anyOutgoing}, handler{fn: fn}, false, first)
}

// OffAnyOutgoing removes all functions of OnAnyOutgoing and PrependAnyOutgoing.
func (s *Socket) OffAnyOutgoing() { s.on.drop(key{kind: anyOutgoing}) }

// OnError registers a function that is told why an event of the client did not
// reach its handlers: what a function of Use returned, an *[ArgumentError], or
// [ErrRateLimited]. The client's own event "error" is one like any other.
func (s *Socket) OnError(fn func(err error)) Listener {
	if fn == nil {
		panic("realtime: OnError of a nil function")
	}
	return s.on.add(key{kind: ofErrors}, handler{fn: fn}, false, false)
}

// OnDrain registers a function that is called when everything that waited for
// the client has been written to the network. It runs among the socket's
// handlers, once for all that has happened before it.
func (s *Socket) OnDrain(fn func()) Listener {
	if fn == nil {
		panic("realtime: OnDrain of a nil function")
	}
	s.client.drains.Store(true)
	return s.on.add(key{kind: ofDrain}, handler{fn: fn}, false, false)
}

// Use adds a middleware for the client's events: it is called for each of them,
// after OnAny, and before the event's handlers, which do not run when it returns
// an error; that is acknowledged, and reported to OnError.
// https://socket.io/docs/v4/server-api/#socketusefn
func (s *Socket) Use(middleware func(event string, args Args) error) {
	if middleware == nil {
		panic("realtime: Use of a nil middleware")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	use := append(slices.Clip(s.middleware()), middleware)
	s.use.Store(&use)
}

// middleware returns what Use has added, which does not change.
func (s *Socket) middleware() middlewares {
	if use := s.use.Load(); use != nil {
		return *use
	}
	return nil
}

// onEvent queues an event of the client. It is called by the session's reader,
// and may wait for room.
func (s *Socket) onEvent(p *parser.Packet) {
	if p.Args == nil { // an event without payload means nothing
		return
	}
	config := &s.namespace.server.config
	s.count(MetricEventsIn)
	s.namespace.server.observer.Load().received("in", s, p)
	if !s.bucket.take() {
		config.Metrics.Add(MetricDropped, "rate", 1)
		s.answer(p)(failure(ErrRateLimited))
		s.enqueue(job{do: func() { s.report(p.Event, ErrRateLimited) }})
		return
	}
	config.Metrics.Add(MetricPending, "", 1)
	if !s.enqueue(job{event: p, of: s, size: p.Size()}) {
		config.Metrics.Add(MetricPending, "", -1)
	}
}

// enqueue queues what is to be done for a packet of the client. Where it had to
// wait for room the client was not read from, and is not to blame for a pong that
// stands behind the packet.
func (s *Socket) enqueue(j job) bool {
	added, waited := s.inbox.put(j)
	if waited {
		s.client.session.Excuse()
	}
	return added
}

// handle is what the inbox runs for an event: it shows it to who wants to see
// all, and runs its handlers unless a middleware objects. Those of a socket that
// never got into its namespace do not run, nor those of one that the server has
// put out of it.
func (s *Socket) handle(p *parser.Packet) {
	s.namespace.server.config.Metrics.Add(MetricPending, "", -1)
	if !s.heeds.Load() {
		return
	}
	args := Args{s.namespace.server.config.Codec, p.Args, p.Attachments}
	ack := s.answer(p)
	if s.namespace.hooks.have(anyIncoming) || s.on.have(anyIncoming) {
		s.showIncoming(p.Event, args)
	}
	if err := s.pass(p.Event, args); err != nil {
		ack(failure(err))
		s.report(p.Event, err)
		return
	}
	s.dispatch(p.Event, args, ack)
}

// showIncoming calls the functions of OnAny.
func (s *Socket) showIncoming(event string, args Args) {
	s.namespace.hooks.each(key{kind: anyIncoming}, func(fn any) {
		s.protect(event, func() { fn.(func(*Socket, string, Args))(s, event, args) })
	})
	for _, l := range s.on.of(key{kind: anyIncoming}) {
		s.protect(event, func() { l.fn.(func(string, Args))(event, args) })
	}
}

// pass runs the middleware for an event and returns why it may not pass, or nil.
func (s *Socket) pass(event string, args Args) error {
	for _, f := range s.middleware() {
		err := errInternal
		if s.protect(event, func() { err = f(event, args) }); err != nil {
			return err
		}
	}
	return nil
}

var errInternal = errors.New("internal error")

// emitLocal calls the handlers of an event of the server's own making.
func (s *Socket) emitLocal(event string, arg any) {
	raw, err := json.Marshal(arg)
	if err != nil {
		panic("realtime: " + err.Error()) // our own argument always marshals
	}
	s.dispatch(event, Args{codec: parser.JSON, raw: [][]byte{raw}}, noAck)
}

// dispatch runs the handlers of an event one after the other.
func (s *Socket) dispatch(name string, args Args, ack Ack) {
	listeners := s.on.take(event(name))
	if len(listeners) == 0 {
		return
	}
	config := &s.namespace.server.config
	if config.Trace == nil {
		var none context.Context
		s.serve(none, listeners, name, args, ack)
		return
	}
	config.traced(s.Context(), s, name, func(ctx context.Context) error { return s.serve(ctx, listeners, name, args, ack) })
}

// serve calls handlers and returns the last error. Without a context they get
// the socket's.
func (s *Socket) serve(ctx context.Context, listeners []listener, name string, args Args, ack Ack) (failed error) {
	for _, l := range listeners {
		if ctx == nil && l.context {
			ctx = s.Context()
		}
		err := s.call(ctx, l.handler, name, args, ack)
		if err == nil {
			continue
		}
		failed = err
		var unfit *ArgumentError
		if errors.As(err, &unfit) {
			s.count(MetricBadArguments)
			s.report(name, err)
		}
	}
	return failed
}

// call calls one handler. A panic is acknowledged as an error.
func (s *Socket) call(ctx context.Context, h handler, name string, args Args, ack Ack) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.panicked(name, v)
			err = errInternal
			ack(failure(err))
		}
	}()
	return h.call(ctx, args, ack, s.namespace.server.config.Validate)
}

// report tells who wants to know why an event did not reach its handlers.
func (s *Socket) report(name string, err error) {
	listeners := s.on.of(key{kind: ofErrors})
	level := s.namespace.server.config.Logger.Warn
	if len(listeners) > 0 || err == ErrRateLimited { // which is counted, and as frequent as the client likes
		level = s.namespace.server.config.Logger.Debug
	}
	level("realtime: an event did not reach its handler", "event", name, "namespace", s.namespace.name, "socket", s.id, "error", err)
	for _, l := range listeners {
		s.protect("error", func() { l.fn.(func(error))(err) })
	}
}

// drained calls the functions of OnDrain. The engine calls it, and does not
// wait.
func (s *Socket) drained() {
	if s.draining.Swap(true) {
		return // it will be told in a moment
	}
	s.inbox.addNow(func() {
		s.draining.Store(false)
		for _, l := range s.on.of(key{kind: ofDrain}) {
			s.protect("drain", l.fn.(func()))
		}
	})
}

// answer returns the Ack of the event p. It works once: who takes the packet's
// number answers.
func (s *Socket) answer(p *parser.Packet) Ack {
	if p.ID == parser.NoID {
		return noAck
	}
	return func(args ...any) {
		if id := p.TakeID(); id != parser.NoID {
			s.acknowledge(id, args)
		}
	}
}

// acknowledge sends the answer to the event with that number.
func (s *Socket) acknowledge(id int64, args []any) {
	config := &s.namespace.server.config
	p := parser.Outgoing{Type: parser.Ack, Namespace: s.namespace.name, ID: id, Args: args}
	scratch := newScratch()
	defer scratch.release()
	var room [1]engineio.Packet
	packets, err := []engineio.Packet(nil), errInternal
	s.protect("acknowledgement", func() { packets, err = scratch.appendPacket(room[:0], config, &p, false) }) // it calls MarshalJSON
	if err != nil {
		config.Logger.Error("realtime: an acknowledgement cannot be sent", "namespace", s.namespace.name, "socket", s.id, "error", err)
		p.Args = []any{failure(errInternal)}
		if packets, err = scratch.appendPacket(nil, config, &p, false); err != nil {
			return // a codec that cannot write a text
		}
	}
	s.send(false, packets...)
	if s.namespace.server.observer.Load() != nil {
		if frames, err := config.Codec.Encode(p); err == nil {
			s.namespace.observeSent(frames, s)
		}
	}
}

// noAck is the answer to an event that wants none.
func noAck(...any) {}

// On registers fn as [Socket.On] does, for those who want the compiler to check
// its type. The client's acknowledgement is empty, or the error.
func On[T any](s *Socket, event string, fn func(context.Context, T) error) Listener {
	return s.On(event, fn)
}

// Handle registers fn as [Socket.On] does, for those who want the compiler to
// check its types. What it returns is the acknowledgement.
func Handle[Req, Res any](s *Socket, event string, fn func(context.Context, Req) (Res, error)) Listener {
	return s.On(event, fn)
}

// Call emits an event with one argument and waits for the client's answer, of
// which it returns the first value. It fails as [Socket.EmitWithAck] does, or
// with an *[ArgumentError] when the answer is no Res.
func Call[Req, Res any](ctx context.Context, s *Socket, event string, req Req) (Res, error) {
	var res Res
	args, err := s.EmitWithAck(ctx, event, req)
	if err != nil {
		return res, err
	}
	if err := args.Decode(&res); err != nil {
		return res, fmt.Errorf("realtime: answer to %q: %w", event, err)
	}
	return res, nil
}
