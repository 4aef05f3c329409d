package realtime

import (
	"fmt"
	"slices"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Broadcast sends to many sockets of a namespace at once. It is immutable: its
// methods return a changed copy, so that one may be kept and used again.
// https://socket.io/docs/v4/broadcasting-events/
type Broadcast struct {
	namespace *Namespace       // or
	parent    *ParentNamespace // all of whose namespaces are meant
	target    adapter.Target
	volatile  bool
	plain     bool
	timeout   time.Duration // 0 for none
}

// To adds rooms: the broadcast reaches the sockets in any of them, each once.
func (b *Broadcast) To(rooms ...string) *Broadcast {
	c := *b
	c.target.Rooms = slices.Concat(b.target.Rooms, rooms)
	return &c
}

// In is [Broadcast.To].
func (b *Broadcast) In(rooms ...string) *Broadcast { return b.To(rooms...) }

// Except leaves out the sockets in any of the rooms. A socket's id is a room,
// too.
func (b *Broadcast) Except(rooms ...string) *Broadcast {
	c := *b
	c.target.Except = slices.Concat(b.target.Except, rooms)
	return &c
}

// Volatile drops the event for a client that cannot take it at once; but see
// [OverflowDropOldest].
func (b *Broadcast) Volatile() *Broadcast {
	c := *b
	c.volatile = true
	return &c
}

// Local restricts the broadcast to clients of this server.
func (b *Broadcast) Local() *Broadcast {
	c := *b
	c.target.Local = true
	return &c
}

// Compress says whether the event is compressed where Config.PerMessageDeflate
// or Config.HTTPCompression allows it, which is the default.
func (b *Broadcast) Compress(compress bool) *Broadcast {
	c := *b
	c.plain = !compress
	return &c
}

// Timeout bounds the wait for acknowledgements.
func (b *Broadcast) Timeout(d time.Duration) *Broadcast {
	c := *b
	c.timeout = positive(d)
	return &c
}

// spaces returns the namespaces that are meant.
func (b *Broadcast) spaces() []*Namespace {
	if b.parent != nil {
		return b.parent.Children()
	}
	return []*Namespace{b.namespace}
}

// Emit sends an event. It is encoded once and never waits for a client. It
// fails when the name is reserved or an argument cannot be marshalled.
//
// When the last argument is a func(error, []Answer), it is called, in a
// goroutine of its own, with what EmitWithAck would return.
func (b *Broadcast) Emit(event string, args ...any) error {
	if n := len(args); n > 0 && isFunc(args[n-1]) {
		done, ok := args[n-1].(func(error, []Answer))
		if !ok || done == nil {
			return fmt.Errorf("realtime: emit %q: the callback of a broadcast is a func(error, []realtime.Answer), not %T", event, args[n-1])
		}
		return b.ask(event, args[:n-1], done)
	}
	if err := checkEvent(event); err != nil {
		return fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	for _, n := range b.spaces() {
		if err := b.emit(n, event, args); err != nil {
			return fmt.Errorf("realtime: emit %q: %w", event, err)
		}
	}
	return nil
}

func (b *Broadcast) emit(n *Namespace, event string, args []any) error {
	offset, keep := "", !b.volatile
	if keep {
		offset = n.offset()
	}
	frames, err := n.encode(parser.NoID, event, args, offset)
	if err != nil {
		return err
	}
	return n.adapter.Broadcast(adapter.Packet{Frames: frames, Offset: offset, Keep: keep, Volatile: b.volatile, Plain: b.plain}, b.target)
}

// Send emits "message".
func (b *Broadcast) Send(args ...any) error { return b.Emit("message", args...) }

// Sockets returns the sockets that the broadcast reaches on this server.
func (b *Broadcast) Sockets() []*Socket {
	var sockets []*Socket
	for _, n := range b.spaces() {
		matching := n.adapter.Sockets(b.target)
		sockets = slices.Grow(sockets, len(matching))
		for _, s := range matching {
			sockets = append(sockets, s.(*Socket))
		}
	}
	return sockets
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

// Local returns a broadcast to all sockets of this server but this one.
func (s *Socket) Local() *Broadcast { return s.Broadcast().Local() }
