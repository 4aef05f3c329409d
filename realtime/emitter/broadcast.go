package emitter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Broadcast sends to many sockets at once. It is immutable: its methods return a
// changed copy, so that one may be kept and used again.
// https://socket.io/docs/v4/broadcasting-events/
type Broadcast struct {
	emitter  *Emitter
	target   adapter.Target
	volatile bool
	plain    bool
}

// To adds rooms: the broadcast reaches the sockets in any of them, each once. A
// socket's id is a room, too.
func (b *Broadcast) To(rooms ...string) *Broadcast {
	c := *b
	c.target.Rooms = slices.Concat(b.target.Rooms, rooms)
	return &c
}

// In is [Broadcast.To].
func (b *Broadcast) In(rooms ...string) *Broadcast { return b.To(rooms...) }

// Except leaves out the sockets in any of the rooms.
func (b *Broadcast) Except(rooms ...string) *Broadcast {
	c := *b
	c.target.Except = slices.Concat(b.target.Except, rooms)
	return &c
}

// Volatile drops the event for a client that cannot take it at once, or that is
// gone for a moment. Whether the engine has taken it is told as ever.
func (b *Broadcast) Volatile() *Broadcast {
	c := *b
	c.volatile = true
	return &c
}

// Compress says whether the event is compressed where the servers'
// Config.PerMessageDeflate or Config.HTTPCompression allows it, which is the
// default.
func (b *Broadcast) Compress(compress bool) *Broadcast {
	c := *b
	c.plain = !compress
	return &c
}

// Emit sends an event. It returns when the engine has taken it, which a server
// hears some time later. It fails when the name is reserved or an argument cannot
// be marshalled; when the engine cannot be reached, or not in time; and with an
// error that wraps [cluster.ErrUnfit] when the engine can carry nothing so large.
// On an engine that keeps packets, clients that come back get it, too.
func (b *Broadcast) Emit(event string, args ...any) error {
	err := checkArgs(args)
	if err == nil {
		err = checkEvent(event)
	}
	var frames []parser.Frame
	if err == nil {
		frames, err = b.emitter.options.Codec.Encode(parser.Outgoing{Type: parser.Event, Namespace: b.emitter.namespace, ID: parser.NoID, Event: event, Args: args})
	}
	if err == nil {
		err = b.emitter.send(&cluster.Message{Type: cluster.Broadcast, Target: b.target, Frames: frames,
			Volatile: b.volatile, Plain: b.plain, Keep: !b.volatile})
	}
	return wrap("emit", event, err)
}

// Send emits "message".
func (b *Broadcast) Send(args ...any) error { return b.Emit("message", args...) }

// SocketsJoin puts the sockets that the broadcast reaches into rooms.
func (b *Broadcast) SocketsJoin(rooms ...string) error {
	return wrap("sockets join", "", b.emitter.send(&cluster.Message{Type: cluster.SocketsJoin, Target: b.target, Rooms: slices.Clone(rooms)}))
}

// SocketsLeave takes the sockets that the broadcast reaches out of rooms.
func (b *Broadcast) SocketsLeave(rooms ...string) error {
	return wrap("sockets leave", "", b.emitter.send(&cluster.Message{Type: cluster.SocketsLeave, Target: b.target, Rooms: slices.Clone(rooms)}))
}

// DisconnectSockets disconnects the sockets that the broadcast reaches: from the
// namespace, or with close from all, by ending their connections.
func (b *Broadcast) DisconnectSockets(close bool) error {
	return wrap("disconnect sockets", "", b.emitter.send(&cluster.Message{Type: cluster.DisconnectSockets, Target: b.target, Close: close}))
}

// errSilent is why a call has ended though its context has not.
var errSilent = errors.New("the engine has not taken it in time; is it reachable? See Options.Timeout")

// wrap says what has failed.
func wrap(what, event string, err error) error {
	switch {
	case err == nil:
		return nil
	case event == "":
		return fmt.Errorf("emitter: %s: %w", what, err)
	default:
		return fmt.Errorf("emitter: %s %q: %w", what, event, err)
	}
}
