package realtime

import (
	"errors"
	"fmt"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Namespace is a channel of its own on the shared connection: it has its own
// sockets, handlers, middleware and rooms.
// https://socket.io/docs/v4/namespaces/
type Namespace struct {
	name    string
	server  *Server
	adapter adapter.Adapter

	mu         sync.Mutex // guards the rest, which is replaced and never changed
	middleware []func(*Socket) error
	connected  []func(*Socket)
}

func newNamespace(s *Server, name string) *Namespace {
	n := &Namespace{name: name, server: s}
	n.adapter = s.config.Adapter(host{n})
	return n
}

// Name returns the namespace's name, such as "/" or "/admin".
func (n *Namespace) Name() string { return n.name }

// On registers fn, a func(*Socket), for "connection", or "connect", which is
// the same: it is called for each socket that joins the namespace, before the
// socket's own handlers. It panics for any other event or function.
func (n *Namespace) On(event string, fn any) {
	if event != "connection" && event != "connect" {
		panic(fmt.Sprintf("realtime: On(%q) on a namespace: the event is \"connection\"; events of a client are registered on its *realtime.Socket", event))
	}
	f, ok := fn.(func(*Socket))
	if !ok || f == nil {
		panic(fmt.Sprintf("realtime: handler of %q is %T; give a func(*realtime.Socket)", event, fn))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.connected = append(n.connected[:len(n.connected):len(n.connected)], f)
}

// Use adds a middleware, which is called before a socket joins the namespace,
// in the order of registration. An error refuses the socket: the client gets it
// as "connect_error"; an *[Error] carries data. A middleware may wait.
// https://socket.io/docs/v4/middlewares/
func (n *Namespace) Use(middleware func(*Socket) error) {
	if middleware == nil {
		panic("realtime: Use of a nil middleware")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.middleware = append(n.middleware[:len(n.middleware):len(n.middleware)], middleware)
}

// admit runs the middleware for s and returns why s may not join, or nil.
func (n *Namespace) admit(s *Socket) *Error {
	n.mu.Lock()
	middleware := n.middleware
	n.mu.Unlock()
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

// welcome calls the handlers of "connection".
func (n *Namespace) welcome(s *Socket) {
	n.mu.Lock()
	connected := n.connected
	n.mu.Unlock()
	for _, f := range connected {
		s.protect("connection", func() { f(s) })
	}
}

// Emit sends an event to all sockets of the namespace.
// It fails when an argument cannot be marshalled.
func (n *Namespace) Emit(event string, args ...any) error { return n.all().Emit(event, args...) }

// To returns a broadcast to the sockets in any of the rooms.
func (n *Namespace) To(rooms ...string) *Broadcast { return n.all().To(rooms...) }

// In is [Namespace.To].
func (n *Namespace) In(rooms ...string) *Broadcast { return n.all().To(rooms...) }

// Except returns a broadcast to all sockets but those in the rooms.
func (n *Namespace) Except(rooms ...string) *Broadcast { return n.all().Except(rooms...) }

// Volatile returns a broadcast to all sockets that can take an event at once.
func (n *Namespace) Volatile() *Broadcast { return n.all().Volatile() }

// Sockets returns the sockets of the namespace, in no order.
func (n *Namespace) Sockets() []*Socket { return n.all().Sockets() }

// Socket returns the socket with that id, or nil.
func (n *Namespace) Socket(id string) *Socket {
	for _, s := range n.To(id).Sockets() {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (n *Namespace) all() *Broadcast { return &Broadcast{namespace: n} }

// host is the namespace as its adapter sees it.
type host struct{ namespace *Namespace }

func (h host) Name() string { return h.namespace.name }

func (h host) Deliver(p adapter.Packet, sockets []adapter.Socket) {
	frames := packets(p.Frames)
	for _, s := range sockets {
		s.(*Socket).send(p.Volatile, frames...)
	}
}

// encode returns the frames of an event.
func (n *Namespace) encode(id int64, event string, args []any) ([]parser.Frame, error) {
	return parser.JSON.Encode(parser.Outgoing{Type: parser.Event, Namespace: n.name, ID: id, Event: event, Args: args})
}

// packets returns frames as the engine sends them.
func packets(frames []parser.Frame) []engineio.Packet {
	all := make([]engineio.Packet, len(frames))
	for i, frame := range frames {
		if frame.Binary {
			all[i] = engineio.Binary(frame.Data)
		} else {
			all[i] = engineio.Text(frame.Data)
		}
	}
	return all
}
