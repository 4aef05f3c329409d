package realtime

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// listener is a handler registered for an event.
type listener struct {
	handler *handler
	once    bool
}

// On registers a handler of an event that the client emits, or of "disconnect"
// or "disconnecting", which are called with the reason, a string. The package
// documentation says what functions may look like; one that cannot work panics
// here. Several handlers of an event run in the order of registration.
func (s *Socket) On(event string, fn any) { s.listen(event, fn, false) }

// Once is On for a handler that is called at most once.
func (s *Socket) Once(event string, fn any) { s.listen(event, fn, true) }

// On registers fn as [Socket.On] does, for those who want the compiler to check
// its type.
func On[T any](s *Socket, event string, fn func(context.Context, T) error) { s.On(event, fn) }

func (s *Socket) listen(event string, fn any, once bool) {
	h := compile(event, fn, true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners == nil {
		s.listeners = make(map[string][]listener)
	}
	l := s.listeners[event]
	s.listeners[event] = append(l[:len(l):len(l)], listener{h, once})
}

// Off removes all handlers of an event.
func (s *Socket) Off(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, event)
}

// OnAny registers a function that is called for every event of the client,
// before the event's own handlers.
func (s *Socket) OnAny(fn func(event string, args Args)) {
	if fn == nil {
		panic("realtime: OnAny of a nil function")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anyone = append(s.anyone[:len(s.anyone):len(s.anyone)], fn)
}

// take returns the handlers of an event, and forgets those that run once.
func (s *Socket) take(event string) []listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.listeners[event]
	if slices.ContainsFunc(l, func(l listener) bool { return l.once }) {
		s.listeners[event] = slices.DeleteFunc(slices.Clone(l), func(l listener) bool { return l.once })
	}
	return l
}

// onEvent queues an event of the client. It is called by the session's reader,
// and may wait for room.
func (s *Socket) onEvent(p *parser.Packet) {
	if p.Args == nil { // an event without payload means nothing
		return
	}
	s.inbox.add(p.Size(), func() {
		if !s.welcomed() {
			return
		}
		event, args := p.Event, Args{p.Args, p.Attachments}
		ack := s.answer(p.ID)
		s.mu.Lock()
		anyone := s.anyone
		s.mu.Unlock()
		for _, f := range anyone {
			s.protect(event, func() { f(event, args) })
		}
		s.dispatch(event, args, ack)
	})
}

// emitLocal calls the handlers of an event of the server's own making.
func (s *Socket) emitLocal(event string, arg any) {
	raw, err := json.Marshal(arg)
	if err != nil {
		panic("realtime: " + err.Error()) // our own argument always marshals
	}
	s.dispatch(event, Args{raw: [][]byte{raw}}, s.answer(parser.NoID))
}

// dispatch runs the handlers of an event one after the other.
func (s *Socket) dispatch(event string, args Args, ack Ack) {
	listeners := s.take(event)
	if len(listeners) == 0 {
		return
	}
	ctx := s.Context()
	for _, l := range listeners {
		finished := s.protect(event, func() {
			if err := l.handler.call(ctx, args, ack); err != nil {
				s.namespace.server.config.Logger.Warn("realtime: arguments do not fit the handler", "event", event,
					"namespace", s.namespace.name, "socket", s.id, "error", err)
			}
		})
		if !finished {
			ack(failure(fmt.Errorf("internal error")))
		}
	}
}

// answer returns the Ack of the event with that number. It works once.
func (s *Socket) answer(id int64) Ack {
	if id == parser.NoID {
		return func(...any) {}
	}
	var answered atomic.Bool
	return func(args ...any) {
		if answered.Swap(true) {
			return
		}
		p := parser.Outgoing{Type: parser.Ack, Namespace: s.namespace.name, ID: id, Args: args}
		frames, err := parser.JSON.Encode(p)
		if err != nil {
			s.namespace.server.config.Logger.Error("realtime: an acknowledgement cannot be sent", "namespace", s.namespace.name,
				"socket", s.id, "error", err)
			p.Args = []any{failure(fmt.Errorf("internal error"))}
			frames, _ = parser.JSON.Encode(p)
		}
		s.send(false, packets(frames)...)
	}
}

// Emit sends an event to the client. When the last argument is a function, it
// is called with the client's answer: its parameters are those of a handler,
// and when the first is an error, it receives why there is no answer. It runs
// among the socket's handlers. Emit returns [ErrNotConnected], [ErrSlowClient],
// or why an argument cannot be marshalled.
func (s *Socket) Emit(event string, args ...any) error { return s.emit(false, event, args) }

// Volatile returns an emitter whose events are dropped when the client cannot
// take them at once.
func (s *Socket) Volatile() *Broadcast { return s.namespace.To(s.id).Volatile() }

func (s *Socket) emit(volatile bool, event string, args []any) error {
	if err := checkEvent(event); err != nil {
		return err
	}
	id := int64(parser.NoID)
	if n := len(args); n > 0 && isFunc(args[n-1]) {
		id = s.expect(newCallback(event, args[n-1]))
		args = args[:n-1]
	}
	frames, err := s.namespace.encode(id, event, args)
	if err != nil {
		s.forget(id)
		return fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	if err := s.send(volatile, packets(frames)...); err != nil {
		s.forget(id)
		return fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	return nil
}

// EmitWithAck sends an event and waits for the client's answer. It returns what
// Emit returns, the cause with which ctx ended, or a *[DisconnectError].
// https://socket.io/docs/v4/emitting-events/#acknowledgements
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	if err := checkEvent(event); err != nil {
		return Args{}, err
	}
	wait := make(chan result, 1)
	id := s.expect(&pendingAck{wait: wait})
	frames, err := s.namespace.encode(id, event, args)
	if err == nil {
		err = s.send(false, packets(frames)...)
	}
	if err != nil {
		s.forget(id)
		return Args{}, fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	s.inbox.awaitClient(1)
	defer s.inbox.awaitClient(-1)
	select {
	case r := <-wait:
		return r.args, r.err
	case <-ctx.Done():
		s.forget(id)
		return Args{}, fmt.Errorf("realtime: no answer to %q: %w", event, context.Cause(ctx))
	case <-s.Context().Done():
		return Args{}, context.Cause(s.Context())
	}
}
