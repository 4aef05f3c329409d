package realtime

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Socket is one client in one namespace. It is made when the client joins, and
// not used again after its "disconnect".
// https://socket.io/docs/v4/server-socket-instance/
type Socket struct {
	client     *client
	introduced introduction
	namespace  *Namespace // set before anybody else knows the socket
	inbox      inbox
	values     values
	on         listeners
	bucket     *bucket                     // of the session's reader; nil without a limit
	use        atomic.Pointer[middlewares] // what Use has added, or nil; written with mu held
	watched    atomic.Bool                 // somebody watches what goes out
	draining   atomic.Bool                 // OnDrain's functions wait for their turn
	gone       atomic.Bool                 // the client has it no longer; written with its mu held
	open       atomic.Bool                 // its state is connected; written with mu held
	heeds      atomic.Bool                 // the handlers of its events run; written with mu held

	// Set by connect, before anybody else knows the socket.
	recovered bool
	id        string
	pid       string // the secret to come back with; "" where clients cannot

	legacy *legacy // of who takes it out of the adapter, and then of the inbox

	mu     sync.Mutex        // guards the rest
	early  []engineio.Packet // sent before the client was told that it has joined
	acks   map[int64]*pendingAck
	ctx    context.Context // made when first asked for
	cancel context.CancelCauseFunc
	end    *end // once disconnected
	state  state
	joined bool     // it got into the namespace, at some time
	known  bool     // the adapter knows it
	rooms  []string // that it wants to be in, while joining, or was in, while "disconnecting" runs
	joins  int      // rooms that it has joined, or more
}

// end is when and why a socket was disconnected.
type end struct {
	reason string
	at     time.Time
}

// middlewares are functions given to Use. They do not change.
type middlewares []func(event string, args Args) error

type state uint8

const (
	joining state = iota
	connected
	disconnected
)

func newSocket(c *client, auth []byte) *Socket {
	config := &c.server.config
	return &Socket{client: c, introduced: introduction{from: c.origin, auth: auth, time: time.Now().UnixNano()},
		inbox: inbox{client: c}, bucket: newBucket(config.EventRate, config.EventBurst)}
}

// newSecret returns 20 random, URL-safe characters.
func newSecret() string {
	var b [15]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ID returns the socket's id, which the client knows as socket.id. It is no
// secret, and the name of a room that the socket is always in.
func (s *Socket) ID() string { return s.id }

// Namespace returns the namespace the socket is in.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Handshake returns what the client connected with.
func (s *Socket) Handshake() *Handshake { return s.introduced.handshake() }

// Conn returns the connection that the socket shares with the client's sockets
// in other namespaces.
func (s *Socket) Conn() *Conn { return s.client.connection() }

// Transport returns what carries the connection now, "polling", "websocket" or
// "webtransport".
func (s *Socket) Transport() string { return s.client.session.Transport() }

// Recovered reports whether the socket goes on where a connection that broke
// left it; see [Recovery].
func (s *Socket) Recovered() bool { return s.recovered }

// Connected reports whether the socket has joined its namespace and not been
// disconnected.
func (s *Socket) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == connected
}

// Buffered returns how many bytes wait for the client, in all its namespaces.
func (s *Socket) Buffered() int { return s.client.session.Buffered() }

// Set keeps a value with the socket; the reference has socket.data for it. A
// socket that was recovered has the values it had.
func (s *Socket) Set(key string, value any) {
	s.values.Set(key, value)
	s.changed()
}

// Value returns the value that Set kept, or nil; see [ValueOf].
func (s *Socket) Value(key string) any { return s.values.Value(key) }

// Context returns a context that ends when the socket is disconnected, with a
// *[DisconnectError] as its cause.
func (s *Socket) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancelCause(context.Background())
		if s.state == disconnected {
			s.cancel(&DisconnectError{Reason: s.end.reason})
		}
	}
	return s.ctx
}

// Join puts the socket into rooms. It returns [ErrTooManyRooms] when it might be
// in more than Config.MaxRooms then, and joins none. One that has been
// disconnected joins none, either.
// https://socket.io/docs/v4/rooms/
func (s *Socket) Join(rooms ...string) error {
	limit := s.namespace.server.config.MaxRooms
	s.mu.Lock()
	if s.state == disconnected { // and another may go on under its id
		s.mu.Unlock()
		return nil
	}
	if !s.known { // in a middleware: the adapter does not know it yet
		defer s.mu.Unlock()
		if len(s.rooms)+len(rooms) > limit {
			return ErrTooManyRooms
		}
		s.rooms = append(s.rooms, rooms...)
		return nil
	}
	s.joins += len(rooms)
	over := s.joins > limit
	s.mu.Unlock()
	if over && !s.recount(len(rooms)) {
		return ErrTooManyRooms
	}
	s.namespace.adapter.Join(s.id, rooms...)
	return nil
}

// recount corrects the number of rooms joined, some of which the socket may have
// left, or joined twice. It reports whether so many more fit.
func (s *Socket) recount(more int) bool {
	in := len(s.namespace.adapter.Rooms(s.id)) - 1 // its own is none that it has joined
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joins = in
	if in+more > s.namespace.server.config.MaxRooms {
		return false
	}
	s.joins += more
	return true
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...string) {
	s.mu.Lock()
	known := s.known && s.state != disconnected
	if s.state == joining && !known {
		s.rooms = slices.DeleteFunc(s.rooms, func(room string) bool { return slices.Contains(rooms, room) })
	}
	s.mu.Unlock()
	if known {
		s.namespace.adapter.Leave(s.id, rooms...)
	}
}

// Rooms returns the rooms the socket is in, its own id first. In a handler of
// "disconnecting" they are those it was in; later there are none.
func (s *Socket) Rooms() []string {
	s.mu.Lock()
	rooms, connected := s.rooms, s.state == connected
	s.mu.Unlock()
	if !connected {
		return slices.Clone(rooms)
	}
	return s.namespace.adapter.Rooms(s.id)
}

// Disconnect puts the client out of the namespace, with the reason
// [ReasonServerDisconnect]. With close, it closes the client's whole connection
// and so all its sockets. What was sent before still arrives; events of the
// client that still wait for their handlers are dropped. In a middleware it
// refuses the socket.
func (s *Socket) Disconnect(close bool) {
	if !close {
		s.putOut()
		return
	}
	for _, sibling := range s.client.all() {
		sibling.putOut()
	}
	s.client.session.Close()
}

// putOut disconnects the socket and tells the client.
func (s *Socket) putOut() {
	// The client is told when the socket is gone, since it may join again at once.
	switch s.close(ReasonServerDisconnect) {
	case connected:
		s.client.session.Send(s.client.packet(parser.Disconnect, s.namespace.name, nil)...)
	case joining:
		s.client.refuse(s.namespace.name, &Error{Message: ReasonServerDisconnect})
	}
}

// connect is what the inbox runs first: what a client that was here before asks
// for, the middleware, the answer to the client, and the handlers of
// "connection".
func (s *Socket) connect() {
	n := s.namespace
	config := &n.server.config
	recovers := config.Recovery != nil && s.client.session.Protocol() != 3
	var session adapter.Session
	var offset string
	if recovers {
		session, offset, s.recovered = s.restore()
	}
	if s.recovered {
		s.id = session.ID
	} else {
		s.anew(recovers)
	}
	admitted := !s.recovered || config.Recovery.RunMiddleware
	if admitted && !s.admit() {
		return
	}
	var missed []adapter.Packet
	if s.recovered {
		missed, s.recovered = n.adapter.(adapter.Recoverer).Resume(s, session, offset)
		if !s.recovered && !s.lose(admitted) {
			return
		}
	}
	if !s.recovered {
		n.adapter.Add(s)
	}
	s.own()
	s.mu.Lock()
	s.known = true
	gone, end, rooms := s.state == disconnected, s.end, s.rooms
	s.joins = len(rooms) + len(session.Rooms)
	s.mu.Unlock()
	if gone { // and who closed it did not know that it was known
		s.depart(end.reason, false)
		return
	}
	n.adapter.Join(s.id, rooms...)
	config.Metrics.Add(MetricSockets, n.name, 1) // before the client knows, which may ask at once
	if !s.confirm(missed) {
		config.Metrics.Add(MetricSockets, n.name, -1)
		return
	}
	s.client.admitted()
	s.welcome()
}

// lose has the socket begin anew, because what it missed is no longer kept. It
// reports false when a middleware refuses it, unless it is admitted already.
func (s *Socket) lose(admitted bool) bool {
	s.disown()
	s.mu.Lock()
	s.early = nil // of what it cannot go on with
	s.mu.Unlock()
	if admitted { // by its id, and with its values
		s.pid = newSecret()
		return true
	}
	s.anew(true)
	s.values.replace(nil)
	return s.admit()
}

// admit runs the middleware. When that refuses the socket, it tells the client,
// and reports false.
func (s *Socket) admit() bool {
	refusal := s.namespace.hooks.admit(s)
	if refusal != nil {
		s.refuse(refusal)
	}
	return refusal == nil
}

// refuse tells the client, if it is still there, that it may not join.
func (s *Socket) refuse(refusal *Error) {
	s.namespace.server.config.Metrics.Add(MetricRefused, s.namespace.name, 1)
	if s.close(ReasonServerDisconnect) == joining {
		s.client.refuse(s.namespace.name, refusal)
	}
}

// confirm tells the client that it has joined, and sends it what it has missed
// and what it was sent meanwhile. It reports false when the client has gone.
func (s *Socket) confirm(missed []adapter.Packet) bool {
	c := s.client
	var answer any
	if c.session.Protocol() != 3 {
		answer = struct {
			SID string `json:"sid"`
			PID string `json:"pid,omitempty"`
		}{s.id, s.pid}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == disconnected {
		return false
	}
	frames := c.packet(parser.Connect, s.namespace.name, answer)
	for _, p := range missed {
		frames = appendFrames(frames, p.Frames, p.Plain)
	}
	c.session.Send(append(frames, s.early...)...)
	s.state, s.joined, s.early, s.rooms = connected, true, nil, nil
	s.open.Store(true)
	s.heeds.Store(true)
	return true
}

// welcome calls the handlers of "connection".
func (s *Socket) welcome() {
	config := &s.namespace.server.config
	s.namespace.server.observer.Load().lifecycle(s, "connection", "")
	config.traced(s.traceContext(), s, "connection", func(ctx context.Context) error {
		s.namespace.hooks.each(event("connection"), func(fn any) {
			s.protect("connection", func() { fn.(func(*Socket))(s) })
		})
		return nil
	})
}

// traceContext is the socket's context where somebody wants it.
func (s *Socket) traceContext() context.Context {
	if s.namespace.server.config.Trace == nil {
		return nil
	}
	return s.Context()
}

// send gives frames to the session, adjacent. It never waits and calls nothing
// back, so that it may be called under the socket's lock.
func (s *Socket) send(volatile bool, frames ...engineio.Packet) error {
	if s.open.Load() && !volatile { // and if the session sees that it still is
		return sendError(s.client.session.SendWhile(&s.open, frames...))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == disconnected:
		return ErrNotConnected
	case s.state == joining:
		s.early = engineio.Owned(s.early, frames)
		return nil
	case volatile:
		s.client.session.SendVolatile(frames...)
		return nil
	}
	return sendError(s.client.session.Send(frames...))
}

// sendError returns the public error for one of the engine's.
func sendError(err error) error {
	switch err {
	case engineio.ErrClosed:
		return ErrNotConnected
	case engineio.ErrSlow:
		return ErrSlowClient
	}
	return err
}

// close disconnects the socket, once, and returns the state it was in. Its rooms
// are left at once; the handlers of "disconnecting" and "disconnect" are the last
// that its inbox runs.
func (s *Socket) close(reason string) (was state) {
	s.mu.Lock()
	was = s.state
	if was == disconnected {
		s.mu.Unlock()
		return was
	}
	s.state, s.end = disconnected, &end{reason, time.Now()}
	s.open.Store(false)
	if reason == ReasonServerDisconnect { // events that came before are no longer wanted
		s.heeds.Store(false)
	}
	s.early, s.rooms = nil, nil
	cancel, known, joined := s.cancel, s.known, s.joined
	acks := s.unanswered(func(p *pendingAck) bool { return p.callback.signature == nil })
	s.mu.Unlock()

	cause := &DisconnectError{Reason: reason}
	if cancel != nil {
		cancel(cause)
	}
	s.client.remove(s, reason == ReasonServerDisconnect)
	var rooms []string
	if known {
		rooms = s.depart(reason, joined)
	}
	if joined {
		s.namespace.server.config.Metrics.Add(MetricSockets, s.namespace.name, -1)
	}
	for _, ack := range acks {
		ack.settle(s, Args{}, cause)
	}
	s.inbox.close(func() {
		s.mu.Lock()
		callbacks := s.unanswered(func(*pendingAck) bool { return true })
		s.mu.Unlock()
		for _, ack := range callbacks {
			ack.settle(s, Args{}, cause)
		}
		if joined {
			s.namespace.server.observer.Load().lifecycle(s, "disconnect", reason)
			s.setRooms(rooms)
			s.emitLocal("disconnecting", reason)
			s.setRooms(nil)
			s.emitLocal("disconnect", reason)
		}
		s.bequeath()
		s.namespace.server.release(s.namespace)
		s.client.ended(s)
	})
	return was
}

// unanswered takes those out of what is awaited that f returns true for. mu is
// held.
func (s *Socket) unanswered(f func(*pendingAck) bool) (acks []*pendingAck) {
	maps.DeleteFunc(s.acks, func(_ int64, p *pendingAck) bool {
		out := f(p)
		if out {
			acks = append(acks, p)
		}
		return out
	})
	return acks
}

func (s *Socket) setRooms(rooms []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rooms = rooms
}

// protect runs user code and reports whether it returned without a panic.
func (s *Socket) protect(event string, f func()) (ok bool) {
	defer func() {
		if ok {
			return
		}
		if v := recover(); v != nil {
			s.panicked(event, v)
		}
	}()
	f()
	return true
}

// panicked logs and counts a panic of user code, from which it was recovered.
func (s *Socket) panicked(event string, v any) {
	n := s.namespace
	n.server.panics.Add(1)
	n.server.config.Metrics.Add(MetricPanics, n.name, 1)
	n.server.config.Logger.Error("realtime: handler panicked", "event", event, "namespace", n.name,
		"socket", s.id, "panic", v, "stack", string(debug.Stack()))
}

var _ adapter.Socket = (*Socket)(nil)
