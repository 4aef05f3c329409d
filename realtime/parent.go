package realtime

import (
	"context"
	"regexp"
	"slices"
	"sync"
	"time"
)

// ParentNamespace stands for the namespaces that clients make by joining them:
// they inherit its handlers and middleware, also later ones, which are called
// before their own. [Server.OfPattern] and [Server.OfFunc] return one.
// https://socket.io/docs/v4/namespaces/#dynamic-namespaces
type ParentNamespace struct {
	server  *Server
	pattern *regexp.Regexp // or nil, and then it is
	allowed func(string, *Handshake) bool
	hooks   hooks

	mu       sync.Mutex   // guards the rest
	children []*Namespace // replaced, never changed
}

// allows reports whether a client may make a namespace with that name.
func (p *ParentNamespace) allows(name string, by *introduction) bool {
	if p.pattern != nil {
		return p.pattern.MatchString(name)
	}
	return p.allowed(name, by.handshake())
}

// Children returns the namespaces there are.
func (p *ParentNamespace) Children() []*Namespace {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.children
}

func (p *ParentNamespace) add(n *Namespace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.children = append(p.children[:len(p.children):len(p.children)], n)
}

func (p *ParentNamespace) remove(n *Namespace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.children = slices.DeleteFunc(slices.Clone(p.children), func(c *Namespace) bool { return c == n })
}

// On is [Namespace.On] for every child.
func (p *ParentNamespace) On(event string, fn any) Listener {
	return p.hooks.add(event, fn, false, false)
}

// Once is On for a handler that is called at most once, for the first child.
func (p *ParentNamespace) Once(event string, fn any) Listener {
	return p.hooks.add(event, fn, true, false)
}

// Off removes all handlers of an event.
func (p *ParentNamespace) Off(event string) { p.hooks.on.drop(eventKey(event)) }

// OnAny is [Namespace.OnAny] for every child.
func (p *ParentNamespace) OnAny(fn func(s *Socket, event string, args Args)) Listener {
	return p.hooks.onAny(fn)
}

// OnAnyOutgoing is [Namespace.OnAnyOutgoing] for every child.
func (p *ParentNamespace) OnAnyOutgoing(fn func(s *Socket, event string, args Args)) Listener {
	return p.hooks.onAnyOutgoing(fn)
}

// Use is [Namespace.Use] for every child.
func (p *ParentNamespace) Use(middleware func(*Socket) error) { p.hooks.use(middleware) }

// Emit sends an event to all sockets of all children.
func (p *ParentNamespace) Emit(event string, args ...any) error { return p.all().Emit(event, args...) }

// EmitWithAck is [Broadcast.EmitWithAck] to all sockets of all children.
func (p *ParentNamespace) EmitWithAck(ctx context.Context, event string, args ...any) ([]Answer, error) {
	return p.all().EmitWithAck(ctx, event, args...)
}

// Send emits "message".
func (p *ParentNamespace) Send(args ...any) error { return p.all().Send(args...) }

// To returns a broadcast to the sockets of all children in any of the rooms.
func (p *ParentNamespace) To(rooms ...string) *Broadcast { return p.all().To(rooms...) }

// In is [ParentNamespace.To].
func (p *ParentNamespace) In(rooms ...string) *Broadcast { return p.all().To(rooms...) }

// Except returns a broadcast to all sockets of all children but those in the
// rooms.
func (p *ParentNamespace) Except(rooms ...string) *Broadcast { return p.all().Except(rooms...) }

// Volatile returns a broadcast to all sockets of all children that can take an
// event at once.
func (p *ParentNamespace) Volatile() *Broadcast { return p.all().Volatile() }

// Local returns a broadcast to all sockets of all children on this server.
func (p *ParentNamespace) Local() *Broadcast { return p.all().Local() }

// Compress returns a broadcast to all sockets of all children that is compressed
// or not; see [Broadcast.Compress].
func (p *ParentNamespace) Compress(compress bool) *Broadcast { return p.all().Compress(compress) }

// Timeout returns a broadcast to all sockets of all children whose answers are
// awaited for d at most.
func (p *ParentNamespace) Timeout(d time.Duration) *Broadcast { return p.all().Timeout(d) }

func (p *ParentNamespace) all() *Broadcast { return &Broadcast{parent: p} }
