package realtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Namespace is a channel of its own on the shared connection: it has its own
// sockets, handlers, middleware and rooms.
// https://socket.io/docs/v4/namespaces/
type Namespace struct {
	name    string
	server  *Server
	parent  *ParentNamespace // or nil
	adapter adapter.Adapter
	hooks   hooks
	values  values

	predecessor <-chan struct{} // closed when the adapter of the namespace is closed that had the name before, or nil

	nextAck   atomic.Int64  // acks are numbered together, since a broadcast has one number for all
	opened    chan struct{} // closed when there is an adapter
	announced chan struct{} // closed when the handlers of "new_namespace" have run

	mu          sync.Mutex           // guards the rest
	recoverable map[string][]*Socket // by the secret to come back with; replaced, never changed

	// Guarded by the server's mu.
	dynamic  bool // it may go
	users    int  // sockets that it has
	acquired int  // and has had
	sweeper  *time.Timer
}

// acquire notes one socket more. The server's mu is held.
func (n *Namespace) acquire() {
	n.users++
	n.acquired++
}

// hooks are what a namespace, or the parent of some, calls for its sockets.
type hooks struct {
	parent *hooks // whose come first
	on     listeners

	mu         sync.Mutex // guards middleware, which is replaced and never changed
	middleware []func(*Socket) error
	outgoing   atomic.Bool // somebody watches what goes out
	rooms      atomic.Bool // somebody watches rooms
}

func newNamespace(s *Server, name string, parent *ParentNamespace) *Namespace {
	n := &Namespace{name: name, server: s, parent: parent, opened: make(chan struct{}), announced: make(chan struct{})}
	if parent != nil {
		n.dynamic = true
		n.hooks.parent = &parent.hooks
	}
	if s.config.Recovery != nil {
		n.recoverable = make(map[string][]*Socket)
	}
	return n
}

// open makes the namespace's adapter, which may take its time. That of one with the same name which has just been
// removed comes to its end before: it would put an end to what the new one has subscribed to, too.
func (n *Namespace) open() {
	if n.predecessor != nil {
		<-n.predecessor
	}
	n.adapter = n.server.node.Adapter(host{n})
	if _, able := n.adapter.(adapter.Recoverer); !able && n.recoverable != nil {
		panic(fmt.Sprintf("realtime: Config.Recovery needs an adapter.Recoverer, which %T is not", n.adapter))
	}
	if n.parent != nil {
		n.parent.add(n)
	}
	n.inherit()
	close(n.opened)
}

// Name returns the namespace's name, such as "/" or "/admin".
func (n *Namespace) Name() string { return n.name }

// Server returns the server that the namespace belongs to.
func (n *Namespace) Server() *Server { return n.server }

// Set keeps a value with the namespace.
func (n *Namespace) Set(key string, value any) { n.values.Set(key, value) }

// Value returns the value that Set kept, or nil.
func (n *Namespace) Value(key string) any { return n.values.Value(key) }

// On registers fn for one of these events:
//
//	connection     func(*Socket), for each socket that joins the namespace,
//	               before the socket's own handlers; "connect" is the same
//	create-room    func(room string), when a first socket is in a room
//	delete-room    func(room string), when the last one has left it
//	join-room      func(room, id string), when a socket joins a room
//	leave-room     func(room, id string), when it leaves it
//	new_namespace  func(*Namespace), only on the server: when one was made, before
//	               a client joins it
//
// and for any other event, which is one that another server of the cluster
// sends by ServerSideEmit, any function that [Socket.On] takes; it must answer
// before it returns. Those of rooms are called by who joins or leaves, and must
// not wait; the room of a socket's own id counts, too. On panics when the
// function does not fit the event.
func (n *Namespace) On(event string, fn any) Listener {
	return n.hooks.add(event, fn, false, n.name == "/")
}

// Once is On for a handler that is called at most once.
func (n *Namespace) Once(event string, fn any) Listener {
	return n.hooks.add(event, fn, true, n.name == "/")
}

// Off removes all handlers of an event.
func (n *Namespace) Off(event string) { n.hooks.on.drop(eventKey(event)) }

// OnAny registers a function that is called for every event of every client in
// the namespace, before the socket's own handlers and among them.
func (n *Namespace) OnAny(fn func(s *Socket, event string, args Args)) Listener {
	return n.hooks.onAny(fn)
}

// OnAnyOutgoing registers a function that is called for every event to every
// client in the namespace, by who emits; see [Socket.OnAnyOutgoing].
func (n *Namespace) OnAnyOutgoing(fn func(s *Socket, event string, args Args)) Listener {
	return n.hooks.onAnyOutgoing(fn)
}

// Use adds a middleware, which is called before a socket joins the namespace,
// in the order of registration. An error refuses the socket: the client gets it
// as "connect_error"; an *[Error] carries data. A middleware may wait.
// https://socket.io/docs/v4/middlewares/
func (n *Namespace) Use(middleware func(*Socket) error) { n.hooks.use(middleware) }

func (h *hooks) add(event string, fn any, once, main bool) Listener {
	fault := func(want string) {
		panic(fmt.Sprintf("realtime: handler of %q is %T; give a %s", event, fn, want))
	}
	switch event {
	case "connection", "connect":
		if f, ok := fn.(func(*Socket)); !ok || f == nil {
			fault("func(*realtime.Socket); events of a client are registered on its *realtime.Socket")
		}
	case "create-room", "delete-room":
		if f, ok := fn.(func(string)); !ok || f == nil {
			fault("func(room string)")
		}
		h.rooms.Store(true)
	case "join-room", "leave-room":
		if f, ok := fn.(func(string, string)); !ok || f == nil {
			fault("func(room, id string)")
		}
		h.rooms.Store(true)
	case "new_namespace":
		if f, ok := fn.(func(*Namespace)); !ok || f == nil {
			fault("func(*realtime.Namespace)")
		}
		if !main {
			panic("realtime: On(\"new_namespace\") on a namespace; register it on the *realtime.Server")
		}
	default:
		return h.on.add(eventKey(event), compile(event, fn, true), once, false)
	}
	return h.on.add(eventKey(event), handler{fn: fn}, once, false)
}

// eventKey is the key of a namespace's event, of which one has two names.
func eventKey(name string) key {
	if name == "connect" {
		name = "connection"
	}
	return event(name)
}

func (h *hooks) onAny(fn func(*Socket, string, Args)) Listener {
	if fn == nil {
		panic("realtime: OnAny of a nil function")
	}
	return h.on.add(key{kind: anyIncoming}, handler{fn: fn}, false, false)
}

func (h *hooks) onAnyOutgoing(fn func(*Socket, string, Args)) Listener {
	if fn == nil {
		panic("realtime: OnAnyOutgoing of a nil function")
	}
	h.outgoing.Store(true)
	return h.on.add(key{kind: anyOutgoing}, handler{fn: fn}, false, false)
}

func (h *hooks) use(middleware func(*Socket) error) {
	if middleware == nil {
		panic("realtime: Use of a nil middleware")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.middleware = append(h.middleware[:len(h.middleware):len(h.middleware)], middleware)
}

// each calls f with each handler of a key, the parent's first.
func (h *hooks) each(k key, f func(fn any)) {
	if h.parent != nil {
		h.parent.each(k, f)
	}
	for _, l := range h.on.take(k) {
		if l.signature == nil {
			f(l.fn)
		}
	}
}

// admit runs the middleware for s and returns why s may not join, or nil.
func (h *hooks) admit(s *Socket) *Error {
	if h.parent != nil {
		if refusal := h.parent.admit(s); refusal != nil {
			return refusal
		}
	}
	h.mu.Lock()
	middleware := h.middleware
	h.mu.Unlock()
	for _, f := range middleware {
		refusal := &Error{Message: "internal error"}
		if s.protect("middleware", func() { refusal = refusalOf(f(s)) }); refusal != nil {
			return refusal
		}
	}
	return nil
}

// refusalOf returns what a client is told of a middleware's error. A nil *Error
// is none.
func refusalOf(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Message: err.Error()}
}

// have reports whether there may be handlers of that kind.
func (h *hooks) have(k kind) bool { return h.on.have(k) || h.parent != nil && h.parent.have(k) }

// watchesOutgoing reports whether anybody wants to see what goes out.
func (h *hooks) watchesOutgoing() bool {
	return h.outgoing.Load() || h.parent != nil && h.parent.watchesOutgoing()
}

// watchesRooms reports whether anybody wants to know about rooms.
func (h *hooks) watchesRooms() bool {
	return h.rooms.Load() || h.parent != nil && h.parent.watchesRooms()
}

// Emit sends an event to all sockets of the namespace, as [Broadcast.Emit] does.
func (n *Namespace) Emit(event string, args ...any) error { return n.all().Emit(event, args...) }

// EmitWithAck is [Broadcast.EmitWithAck] to all sockets of the namespace.
func (n *Namespace) EmitWithAck(ctx context.Context, event string, args ...any) ([]Answer, error) {
	return n.all().EmitWithAck(ctx, event, args...)
}

// Send emits "message".
func (n *Namespace) Send(args ...any) error { return n.all().Send(args...) }

// To returns a broadcast to the sockets in any of the rooms.
func (n *Namespace) To(rooms ...string) *Broadcast { return n.all().To(rooms...) }

// In is [Namespace.To].
func (n *Namespace) In(rooms ...string) *Broadcast { return n.all().To(rooms...) }

// Except returns a broadcast to all sockets but those in the rooms.
func (n *Namespace) Except(rooms ...string) *Broadcast { return n.all().Except(rooms...) }

// Volatile returns a broadcast to all sockets that can take an event at once.
func (n *Namespace) Volatile() *Broadcast { return n.all().Volatile() }

// Local returns a broadcast to all sockets of this server.
func (n *Namespace) Local() *Broadcast { return n.all().Local() }

// Compress returns a broadcast to all sockets that is compressed or not; see
// [Broadcast.Compress].
func (n *Namespace) Compress(compress bool) *Broadcast { return n.all().Compress(compress) }

// Timeout returns a broadcast to all sockets whose answers are awaited for d at
// most.
func (n *Namespace) Timeout(d time.Duration) *Broadcast { return n.all().Timeout(d) }

// Sockets returns the sockets of the namespace on this server, in no order.
func (n *Namespace) Sockets() []*Socket { return n.all().Sockets() }

// FetchSockets is [Broadcast.FetchSockets] of all sockets of the namespace.
func (n *Namespace) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return n.all().FetchSockets(ctx)
}

// SocketsJoin puts all sockets of the namespace into rooms.
func (n *Namespace) SocketsJoin(rooms ...string) error { return n.all().SocketsJoin(rooms...) }

// SocketsLeave takes all sockets of the namespace out of rooms.
func (n *Namespace) SocketsLeave(rooms ...string) error { return n.all().SocketsLeave(rooms...) }

// DisconnectSockets disconnects all sockets of the namespace; see
// [Socket.Disconnect].
func (n *Namespace) DisconnectSockets(close bool) error { return n.all().DisconnectSockets(close) }

// Rooms returns the rooms of this server's sockets, sorted, without those of their
// ids.
func (n *Namespace) Rooms() []string {
	var rooms []string
	for _, s := range n.Sockets() {
		if in := n.adapter.Rooms(s.id); len(in) > 1 { // it may just have gone
			rooms = append(rooms, in[1:]...)
		}
	}
	slices.Sort(rooms)
	return slices.Compact(rooms)
}

// Socket returns the socket with that id on this server, or nil.
func (n *Namespace) Socket(id string) *Socket {
	for _, s := range n.To(id).Sockets() {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (n *Namespace) all() *Broadcast { return &Broadcast{namespace: n} }
