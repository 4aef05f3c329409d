package realtime

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Socket is one client in one namespace. It is made when the client joins, and
// not used again after its "disconnect".
// https://socket.io/docs/v4/server-socket-instance/
type Socket struct {
	namespace *Namespace
	client    *client
	handshake *Handshake
	inbox     inbox
	values    values
	on        listeners
	bucket    bucket      // of the session's reader
	watched   atomic.Bool // somebody watches what goes out

	// Set by connect, before anybody else knows the socket.
	id        string
	pid       string // the secret to come back with; "" where clients cannot
	recovered bool
	heir      *Socket // whose values the next socket gets, when the client has left before this one did

	mu     sync.Mutex // guards the rest
	state  state
	early  []engineio.Packet // sent before the client was told that it has joined
	use    []func(string, Args) error
	acks   map[int64]*pendingAck
	ctx    context.Context // made when first asked for
	cancel context.CancelCauseFunc
	reason string   // once disconnected
	joined bool     // it got into the namespace, at some time
	known  bool     // the adapter knows it
	rooms  []string // that it wants to be in, while joining, or was in, while "disconnecting" runs
	joins  int      // rooms that it has joined, or more
}

type state int

const (
	joining state = iota
	connected
	disconnected
)

func newSocket(n *Namespace, c *client, h *Handshake) *Socket {
	s := &Socket{namespace: n, client: c, handshake: h}
	s.inbox.init(n.server.config.MaxPending, n.server.config.MaxBuffered, &n.server.handlers)
	s.bucket = newBucket(n.server.config.EventRate, n.server.config.EventBurst)
	return s
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
func (s *Socket) Handshake() *Handshake { return s.handshake }

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
func (s *Socket) Set(key string, value any) { s.values.Set(key, value) }

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
			s.cancel(&DisconnectError{Reason: s.reason})
		}
	}
	return s.ctx
}

// Join puts the socket into rooms. It returns [ErrTooManyRooms] when it might be
// in more than Config.MaxRooms then, and joins none.
// https://socket.io/docs/v4/rooms/
func (s *Socket) Join(rooms ...string) error {
	limit := s.namespace.server.config.MaxRooms
	s.mu.Lock()
	if !s.known { // in a middleware: the adapter does not know it yet
		defer s.mu.Unlock()
		if len(s.rooms)+len(rooms) > limit {
			return ErrTooManyRooms
		}
		if s.state == joining {
			s.rooms = append(s.rooms, rooms...)
		}
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
	known := s.known
	if !known {
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
// and so all its sockets. What was sent before still arrives.
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
	s.mu.Lock()
	if s.state == connected {
		s.client.session.Send(s.client.packet(parser.Disconnect, s.namespace.name, nil)...)
	}
	s.mu.Unlock()
	s.close(ReasonServerDisconnect)
}

// connect is what the inbox runs first: what a client that was here before asks
// for, the middleware, the answer to the client, and the handlers of
// "connection".
func (s *Socket) connect() {
	n := s.namespace
	config := &n.server.config
	var session adapter.Session
	var offset string
	if config.Recovery != nil && s.client.session.Protocol() != 3 {
		session, offset, s.recovered = s.restore()
		s.id, s.pid = session.ID, session.PID
		if !s.recovered {
			s.pid = newSecret()
		}
	}
	if s.id == "" {
		s.id = s.client.socketID(n.name)
	}
	if !s.recovered || config.Recovery.RunMiddleware {
		if refusal := n.hooks.admit(s); refusal != nil {
			s.refuse(refusal)
			return
		}
	}
	var missed []adapter.Packet
	if s.recovered {
		missed, s.recovered = n.adapter.(adapter.Recoverer).Resume(s, session, offset)
	}
	if !s.recovered {
		if session.PID != "" {
			s.pid = newSecret() // the client must know that it begins anew
		}
		n.adapter.Add(s)
	}
	if s.pid != "" {
		s.remember()
	}
	s.mu.Lock()
	s.known = true
	rooms := s.rooms
	s.joins = len(rooms) + len(session.Rooms)
	s.mu.Unlock()
	n.adapter.Join(s.id, rooms...)
	if !s.confirm(missed) {
		s.mu.Lock()
		reason := s.reason
		s.mu.Unlock()
		s.depart(reason)
		return
	}
	config.Metrics.Add(MetricSockets, n.name, 1)
	s.client.admitted()
	s.welcome()
}

// refuse tells the client, if it is still there, that it may not join.
func (s *Socket) refuse(refusal *Error) {
	s.mu.Lock()
	waits := s.state == joining
	s.mu.Unlock()
	s.namespace.server.config.Metrics.Add(MetricRefused, s.namespace.name, 1)
	s.close(ReasonServerDisconnect) // before the client knows, who may try again at once
	if waits {
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
	return true
}

// welcome calls the handlers of "connection".
func (s *Socket) welcome() {
	config := &s.namespace.server.config
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
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == disconnected:
		return ErrNotConnected
	case s.state == joining:
		s.early = append(s.early, frames...)
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

// close disconnects the socket, once. Its rooms are left at once; the handlers
// of "disconnecting" and "disconnect" are the last that its inbox runs.
func (s *Socket) close(reason string) {
	s.mu.Lock()
	if s.state == disconnected {
		s.mu.Unlock()
		return
	}
	s.state, s.reason = disconnected, reason
	s.early, s.rooms = nil, nil
	cancel, acks, known, joined := s.cancel, s.acks, s.known, s.joined
	s.acks = nil
	s.mu.Unlock()

	cause := &DisconnectError{Reason: reason}
	if cancel != nil {
		cancel(cause)
	}
	s.client.remove(s, reason == ReasonServerDisconnect)
	var rooms []string
	if known {
		rooms = s.depart(reason)
	}
	if joined {
		s.namespace.server.config.Metrics.Add(MetricSockets, s.namespace.name, -1)
	}
	for _, ack := range acks {
		if ack.callback == nil {
			ack.settle(s, Args{}, cause)
		}
	}
	s.inbox.close(func() {
		for _, ack := range acks {
			if ack.callback != nil {
				ack.settle(s, Args{}, cause)
			}
		}
		if joined {
			s.setRooms(rooms)
			s.emitLocal("disconnecting", reason)
			s.setRooms(nil)
			s.emitLocal("disconnect", reason)
		}
		s.namespace.server.release(s.namespace)
		s.client.ended(s)
	})
}

// welcomed reports whether the socket ever got into its namespace. The handlers
// of one that did not never run.
func (s *Socket) welcomed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joined
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
			n := s.namespace
			n.server.panics.Add(1)
			n.server.config.Metrics.Add(MetricPanics, n.name, 1)
			n.server.config.Logger.Error("realtime: handler panicked", "event", event, "namespace", n.name,
				"socket", s.id, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	f()
	return true
}

var _ adapter.Socket = (*Socket)(nil)
