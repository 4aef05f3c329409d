package realtime

import (
	"context"
	"fmt"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Emitter sends to one socket in a way of its own: [Socket.Volatile],
// [Socket.Compress] and [Socket.Timeout] return one. It is immutable, its
// methods return a changed copy.
type Emitter struct {
	socket   *Socket
	volatile bool
	plain    bool
	timeout  time.Duration   // 0 for none
	room     context.Context // until which it waits for room, or nil
}

// Emit sends an event to the client. When the last argument is a function, it
// is called with the client's answer: its parameters are those of a handler,
// and when the first is an error, it receives why there is no answer. It runs
// among the socket's handlers. Emit returns [ErrNotConnected], [ErrSlowClient],
// [ErrTooManyAcks], or why an argument cannot be marshalled.
func (s *Socket) Emit(event string, args ...any) error {
	return Emitter{socket: s}.Emit(event, args...)
}

// EmitWithAck sends an event and waits for the client's answer. It returns what
// Emit returns, the cause with which ctx ended, or a *[DisconnectError].
// https://socket.io/docs/v4/emitting-events/#acknowledgements
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	return Emitter{socket: s}.EmitWithAck(ctx, event, args...)
}

// EmitContext is Emit, but when more than Config.MaxBuffered waits for the
// client already, it waits until there is room again. It returns the cause with
// which ctx ended before.
func (s *Socket) EmitContext(ctx context.Context, event string, args ...any) error {
	return Emitter{socket: s}.EmitContext(ctx, event, args...)
}

// Send emits "message".
func (s *Socket) Send(args ...any) error { return s.Emit("message", args...) }

// Volatile returns an emitter whose events are dropped when the client cannot
// take them at once; but see [OverflowDropOldest].
// https://socket.io/docs/v4/emitting-events/#volatile-events
func (s *Socket) Volatile() Emitter { return Emitter{socket: s, volatile: true} }

// Compress returns an emitter whose events are compressed, where
// Config.PerMessageDeflate or Config.HTTPCompression says so, which is the
// default, or not.
func (s *Socket) Compress(compress bool) Emitter { return Emitter{socket: s, plain: !compress} }

// Timeout returns an emitter that waits for an acknowledgement for d at most: a
// callback gets [ErrAckTimeout] then.
func (s *Socket) Timeout(d time.Duration) Emitter { return Emitter{socket: s}.Timeout(d) }

// Volatile is [Socket.Volatile].
func (e Emitter) Volatile() Emitter {
	e.volatile = true
	return e
}

// Compress is [Socket.Compress].
func (e Emitter) Compress(compress bool) Emitter {
	e.plain = !compress
	return e
}

// Timeout is [Socket.Timeout].
func (e Emitter) Timeout(d time.Duration) Emitter {
	e.timeout = positive(d)
	return e
}

// positive returns d, or the shortest time when d is over already.
func positive(d time.Duration) time.Duration { return max(d, 1) }

// Broadcast is [Socket.Broadcast] in the emitter's way.
func (e Emitter) Broadcast() *Broadcast {
	b := e.socket.Broadcast()
	b.volatile, b.plain, b.timeout = e.volatile, e.plain, e.timeout
	return b
}

// To is [Socket.To] in the emitter's way.
func (e Emitter) To(rooms ...string) *Broadcast { return e.Broadcast().To(rooms...) }

// In is [Emitter.To].
func (e Emitter) In(rooms ...string) *Broadcast { return e.To(rooms...) }

// Except is [Socket.Except] in the emitter's way.
func (e Emitter) Except(rooms ...string) *Broadcast { return e.Broadcast().Except(rooms...) }

// Send emits "message".
func (e Emitter) Send(args ...any) error { return e.Emit("message", args...) }

// Emit is [Socket.Emit].
func (e Emitter) Emit(event string, args ...any) error {
	if n := len(args); n > 0 && isFunc(args[n-1]) {
		p := newCallback(event, args[n-1])
		return e.ask(e.socket.namespace.ackID(), p, e.timeout, event, args[:n-1])
	}
	return e.emit(parser.NoID, event, args)
}

// EmitContext is [Socket.EmitContext].
func (e Emitter) EmitContext(ctx context.Context, event string, args ...any) error {
	e.room = ctx
	return e.emit(parser.NoID, event, args)
}

// EmitWithAck is [Socket.EmitWithAck]. It also ends with the emitter's Timeout.
func (e Emitter) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	if e.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.timeout, ErrAckTimeout)
		defer cancel()
	}
	s := e.socket
	wait := make(chan result, 1)
	id := s.namespace.ackID()
	if err := e.ask(id, &pendingAck{wait: wait}, 0, event, args); err != nil {
		return Args{}, err
	}
	s.client.await(1)
	defer s.client.await(-1)
	select {
	case r := <-wait:
		return r.args, r.err
	case <-ctx.Done():
		if s.forget(id) != nil {
			s.count(MetricAcksMissing)
		}
		return Args{}, fmt.Errorf("realtime: no answer to %q: %w", event, context.Cause(ctx))
	}
}

// ask emits an event whose answer p awaits, for no longer than timeout unless
// that is 0. It either fails or has p settled.
func (e Emitter) ask(id int64, p *pendingAck, timeout time.Duration, event string, args []any) error {
	if err := e.socket.expect(id, p, timeout); err != nil {
		return fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	if err := e.emit(id, event, args); err != nil && e.socket.forget(id) != nil {
		p.stop()
		return err
	}
	return nil
}

// emit sends an event.
func (e Emitter) emit(id int64, event string, args []any) error {
	err := checkEvent(event)
	if err == nil {
		err = e.transmit(id, event, args)
	}
	if err != nil {
		return fmt.Errorf("realtime: emit %q: %w", event, err)
	}
	return nil
}

func (e Emitter) transmit(id int64, event string, args []any) error {
	s, n := e.socket, e.socket.namespace
	if id == parser.NoID && !e.volatile && s.mayComeBack() {
		return e.record(event, args, n.offset())
	}
	if s.isWatched() || n.server.observer.Load() != nil {
		return e.transmitWatched(id, event, args)
	}
	p := n.outgoing(id, event, args)
	scratch := newScratch()
	defer scratch.release()
	var room [1]engineio.Packet
	packets, err := scratch.appendPacket(room[:0], &n.server.config, &p, e.plain)
	if err != nil {
		return err
	}
	return e.send(packets)
}

// transmitWatched is transmit for an event that somebody is to see, as well.
func (e Emitter) transmitWatched(id int64, event string, args []any) error {
	s, n := e.socket, e.socket.namespace
	frames, err := n.encode(id, event, args, "")
	if err != nil {
		return err
	}
	if err := e.send(appendFrames(nil, frames, e.plain)); err != nil {
		return err
	}
	n.observeSent(frames, s)
	if s.isWatched() {
		s.show(frames, "")
	}
	return nil
}

// send gives an event's packets to the session.
func (e Emitter) send(packets []engineio.Packet) (err error) {
	s := e.socket
	if e.room == nil || !s.Connected() {
		err = s.send(e.volatile, packets...)
	} else {
		err = sendError(s.client.session.SendContext(e.room, packets...))
	}
	if err == nil {
		s.namespace.server.config.Metrics.Add(MetricEventsOut, s.namespace.name, 1)
	}
	return err
}

// record sends an event by way of the adapter, which remembers it for a client
// that comes back.
func (e Emitter) record(event string, args []any, offset string) error {
	s, n := e.socket, e.socket.namespace
	frames, err := n.encode(parser.NoID, event, args, offset)
	if err != nil {
		return err
	}
	if e.room != nil {
		err := s.client.session.WaitRoom(e.room, appendFrames(nil, frames, e.plain)...)
		if err != nil && !(err == engineio.ErrClosed && s.mayComeBack()) {
			return sendError(err)
		}
	}
	return n.adapter.Broadcast(adapter.Packet{Frames: frames, Offset: offset, Keep: true, Plain: e.plain}, adapter.Target{Socket: s.id})
}

// mayComeBack reports whether what the socket is sent may have to be sent again,
// because it is connected, or its client was until a moment ago.
func (s *Socket) mayComeBack() bool {
	if s.namespace.recoverable == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.joined || s.pid == "":
		return false
	case s.state == disconnected:
		return recoverable(s.end.reason) && time.Since(s.end.at) < s.namespace.server.config.Recovery.MaxDisconnection
	}
	return true
}

// isWatched reports whether anybody wants to see what goes out to the socket.
func (s *Socket) isWatched() bool { return s.watched.Load() || s.namespace.hooks.watchesOutgoing() }

// show calls the functions of OnAnyOutgoing with an event that was sent.
func (s *Socket) show(frames []parser.Frame, offset string) {
	p := s.namespace.reread(frames)
	if p == nil {
		return
	}
	args := Args{s.namespace.server.config.Codec, p.Args, p.Attachments}
	if offset != "" {
		args.raw = args.raw[:len(args.raw)-1]
	}
	s.namespace.hooks.each(key{kind: anyOutgoing}, func(fn any) {
		s.protect(p.Event, func() { fn.(func(*Socket, string, Args))(s, p.Event, args) })
	})
	for _, l := range s.on.of(key{kind: anyOutgoing}) {
		s.protect(p.Event, func() { l.fn.(func(string, Args))(p.Event, args) })
	}
}

// reread returns the packet that frames of the server's own hold, or nil.
func (n *Namespace) reread(frames []parser.Frame) (p *parser.Packet) {
	config := &n.server.config
	decoder := config.Codec.NewDecoder(parser.Limits{MaxAttachments: max(1, len(frames))})
	for _, f := range frames {
		var err error
		if p, err = decoder.Decode(f.Data, f.Binary); err != nil {
			config.Logger.Error("realtime: the codec cannot read what it wrote", "namespace", n.name, "error", err)
			return nil
		}
	}
	return p
}

// checkEvent returns an error for a name that no event may have on the wire.
func checkEvent(name string) error {
	if parser.Reserved(name) {
		return fmt.Errorf("the name is reserved by the protocol; choose another")
	}
	return nil
}

// encode returns the frames of an event. An offset becomes its last argument,
// where the official clients look for it, and leave it.
func (n *Namespace) encode(id int64, event string, args []any, offset string) ([]parser.Frame, error) {
	if offset != "" {
		args = append(args[:len(args):len(args)], offset)
	}
	return n.server.config.Codec.Encode(n.outgoing(id, event, args))
}

func (n *Namespace) outgoing(id int64, event string, args []any) parser.Outgoing {
	return parser.Outgoing{Type: parser.Event, Namespace: n.name, ID: id, Event: event, Args: args}
}

// ackID returns a number for an acknowledgement.
func (n *Namespace) ackID() int64 { return n.nextAck.Add(1) - 1 }

// offset returns an offset for a packet that may have to be sent again, or "".
func (n *Namespace) offset() string {
	if r, able := n.adapter.(adapter.Recoverer); able && n.recoverable != nil {
		return r.Offset()
	}
	return ""
}
