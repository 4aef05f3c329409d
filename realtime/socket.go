package realtime

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Socket is one client in one namespace. It is made when the client joins, and
// not used again after its "disconnect".
// https://socket.io/docs/v4/server-socket-instance/
type Socket struct {
	id        string
	namespace *Namespace
	client    *client
	handshake *Handshake
	inbox     inbox

	mu        sync.Mutex // guards the rest
	state     state
	early     []engineio.Packet // sent before the client was told that it has joined
	listeners map[string][]listener
	anyone    []func(string, Args)
	values    map[string]any
	acks      map[int64]*pendingAck
	nextAck   int64
	ctx       context.Context // made when first asked for
	cancel    context.CancelCauseFunc
	reason    string   // once disconnected
	joined    bool     // it got into the namespace, at some time
	rooms     []string // that it wants to be in, while joining, or was in, while "disconnecting" runs
}

type state int

const (
	joining state = iota
	connected
	disconnected
)

func newSocket(n *Namespace, c *client, h *Handshake) *Socket {
	var id [15]byte
	rand.Read(id[:])
	s := &Socket{id: base64.RawURLEncoding.EncodeToString(id[:]), namespace: n, client: c, handshake: h}
	s.inbox.init(n.server.config.MaxPending, n.server.config.MaxBuffered, &n.server.handlers)
	return s
}

// ID returns the socket's id, which the client knows as socket.id. It is no
// secret, and the name of a room that the socket is always in.
func (s *Socket) ID() string { return s.id }

// Namespace returns the namespace the socket is in.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Handshake returns what the client connected with.
func (s *Socket) Handshake() *Handshake { return s.handshake }

// Transport returns what carries the connection now, "polling" or "websocket".
func (s *Socket) Transport() string { return s.client.session.Transport() }

// Connected reports whether the socket has joined its namespace and not been
// disconnected.
func (s *Socket) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == connected
}

// Set keeps a value with the socket, for its lifetime.
func (s *Socket) Set(key string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = make(map[string]any)
	}
	s.values[key] = value
}

// Value returns the value that Set kept, or nil.
func (s *Socket) Value(key string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key]
}

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

// Join puts the socket into rooms. https://socket.io/docs/v4/rooms/
func (s *Socket) Join(rooms ...string) {
	s.mu.Lock()
	if s.state == joining { // in a middleware: the adapter does not know it yet
		s.rooms = append(s.rooms, rooms...)
	}
	s.mu.Unlock()
	s.namespace.adapter.Join(s.id, rooms...)
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...string) { s.namespace.adapter.Leave(s.id, rooms...) }

// Rooms returns the rooms the socket is in, its own id first. In a handler of
// "disconnecting" they are those it was in; later there are none.
func (s *Socket) Rooms() []string {
	s.mu.Lock()
	rooms, known := s.rooms, s.state == connected
	s.mu.Unlock()
	if !known {
		return slices.Clone(rooms)
	}
	return s.namespace.adapter.Rooms(s.id)
}

// Broadcast returns a broadcast to all sockets of the namespace but this one.
func (s *Socket) Broadcast() *Broadcast { return s.namespace.Except(s.id) }

// To returns a broadcast to the sockets in any of the rooms, but this one.
func (s *Socket) To(rooms ...string) *Broadcast { return s.Broadcast().To(rooms...) }

// In is [Socket.To].
func (s *Socket) In(rooms ...string) *Broadcast { return s.To(rooms...) }

// Except returns a broadcast to all sockets but this one and those in the
// rooms.
func (s *Socket) Except(rooms ...string) *Broadcast { return s.Broadcast().Except(rooms...) }

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
		frames, _ := parser.JSON.Encode(parser.Outgoing{Type: parser.Disconnect, Namespace: s.namespace.name, ID: parser.NoID})
		s.client.session.Send(packets(frames)...)
	}
	s.mu.Unlock()
	s.close(ReasonServerDisconnect)
}

// connect is what the inbox runs first: the middleware, the answer to the
// client, and the handlers of "connection".
func (s *Socket) connect() {
	if refusal := s.namespace.admit(s); refusal != nil {
		s.mu.Lock()
		refused := s.state == joining
		s.mu.Unlock()
		if refused {
			s.client.refuse(s.namespace.name, refusal)
		}
		s.close(ReasonServerDisconnect)
		return
	}
	s.namespace.adapter.Add(s)
	s.mu.Lock()
	rooms := s.rooms
	s.mu.Unlock()
	s.namespace.adapter.Join(s.id, rooms...)
	welcome, err := parser.JSON.Encode(parser.Outgoing{Type: parser.Connect, Namespace: s.namespace.name, ID: parser.NoID, Data: struct {
		SID string `json:"sid"`
	}{s.id}})
	if err != nil {
		panic("realtime: " + err.Error()) // a string always marshals
	}
	s.mu.Lock()
	if s.state == disconnected {
		s.mu.Unlock()
		s.namespace.adapter.Remove(s.id)
		return
	}
	s.client.session.Send(packets(welcome)...)
	if len(s.early) > 0 {
		s.client.session.Send(s.early...)
	}
	s.state, s.joined, s.early, s.rooms = connected, true, nil, nil
	s.mu.Unlock()
	s.client.admitted()
	s.namespace.welcome(s)
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
	switch err := s.client.session.Send(frames...); err {
	case engineio.ErrClosed:
		return ErrNotConnected
	case engineio.ErrSlow:
		return ErrSlowClient
	default:
		return err
	}
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
	cancel, acks := s.cancel, s.acks
	s.acks = nil
	s.mu.Unlock()

	cause := &DisconnectError{Reason: reason}
	if cancel != nil {
		cancel(cause)
	}
	s.client.remove(s, reason == ReasonServerDisconnect)
	rooms := s.namespace.adapter.Remove(s.id)
	s.inbox.close(func() {
		for _, ack := range acks {
			ack.settle(s, Args{}, cause)
		}
		if !s.welcomed() {
			return
		}
		s.setRooms(rooms)
		s.emitLocal("disconnecting", reason)
		s.setRooms(nil)
		s.emitLocal("disconnect", reason)
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
			s.namespace.server.panics.Add(1)
			s.namespace.server.config.Logger.Error("realtime: handler panicked", "event", event, "namespace", s.namespace.name,
				"socket", s.id, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	f()
	return true
}

var _ adapter.Socket = (*Socket)(nil)
