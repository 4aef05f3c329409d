package realtime

import (
	"fmt"
	"slices"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Broadcast sends to many sockets of a namespace at once. It is immutable: its
// methods return a changed copy, so that one may be kept and used again.
// https://socket.io/docs/v4/broadcasting-events/
type Broadcast struct {
	namespace *Namespace
	target    adapter.Target
	volatile  bool
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

// Volatile drops the event for a client that cannot take it at once.
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

// Emit sends an event. It is encoded once and never waits for a client. It
// fails when the name is reserved or an argument cannot be marshalled.
func (b *Broadcast) Emit(event string, args ...any) error {
	if err := checkEvent(event); err != nil {
		return err
	}
	frames, err := b.namespace.encode(parser.NoID, event, args)
	if err != nil {
		return fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	return b.namespace.adapter.Broadcast(adapter.Packet{Frames: frames, Volatile: b.volatile}, b.target)
}

// Sockets returns the sockets that the broadcast reaches on this server.
func (b *Broadcast) Sockets() []*Socket {
	matching := b.namespace.adapter.Sockets(b.target)
	sockets := make([]*Socket, len(matching))
	for i, s := range matching {
		sockets[i] = s.(*Socket)
	}
	return sockets
}

// Join puts the sockets that the broadcast reaches into rooms.
func (b *Broadcast) Join(rooms ...string) {
	for _, s := range b.Sockets() {
		s.Join(rooms...)
	}
}

// Leave takes the sockets that the broadcast reaches out of rooms.
func (b *Broadcast) Leave(rooms ...string) {
	for _, s := range b.Sockets() {
		s.Leave(rooms...)
	}
}

// Disconnect disconnects the sockets that the broadcast reaches, as
// [Socket.Disconnect] does.
func (b *Broadcast) Disconnect(close bool) {
	for _, s := range b.Sockets() {
		s.Disconnect(close)
	}
}

// checkEvent returns an error for a name that no event may have on the wire.
func checkEvent(name string) error {
	if parser.Reserved(name) {
		return fmt.Errorf("realtime: emit %q: the name is reserved by the protocol; choose another", name)
	}
	return nil
}
