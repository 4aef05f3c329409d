package realtime

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// host is the namespace as its adapter sees it.
type host struct{ namespace *Namespace }

// Name implements adapter.Host.
func (h host) Name() string { return h.namespace.name }

// Retention implements adapter.Host.
func (h host) Retention() adapter.Retention { return h.namespace.server.config.retention() }

// Deliver implements adapter.Host.
func (h host) Deliver(p adapter.Packet, sockets []adapter.Socket) {
	frames := appendFrames(nil, p.Frames, p.Plain)
	if len(sockets) > 1 {
		h.namespace.server.engine.Share(frames)
	}
	for _, s := range sockets {
		s.(*Socket).send(p.Volatile, frames...)
	}
}

// Delivered implements adapter.Host.
func (h host) Delivered(p adapter.Packet, sockets []adapter.Socket) {
	h.namespace.server.config.Metrics.Add(MetricEventsOut, h.namespace.name, int64(len(sockets)))
	if o := h.namespace.server.observer.Load(); o != nil {
		o.sent(h.namespace, p.Frames, p.Offset, sockets...)
	}
	for _, s := range sockets {
		if s := s.(*Socket); s.isWatched() {
			s.show(p.Frames, p.Offset)
		}
	}
}

// WatchesRooms implements adapter.Host.
func (h host) WatchesRooms() bool { return h.namespace.hooks.watchesRooms() }

// Room implements adapter.Host.
func (h host) Room(what adapter.RoomEvent, room, id string) {
	h.namespace.hooks.each(event(string(what)), func(fn any) {
		h.namespace.server.protect(string(what), func() {
			switch fn := fn.(type) {
			case func(string):
				fn(room)
			case func(string, string):
				fn(room, id)
			}
		})
	})
}

// ServerSide implements adapter.Host. The message is a JSON array that begins
// with the event's name, the answer one of the acknowledgement's arguments, or
// nil for none.
func (h host) ServerSide(message []byte) []byte {
	n := h.namespace
	var parts []json.RawMessage
	var name string
	if json.Unmarshal(message, &parts) != nil || len(parts) == 0 || json.Unmarshal(parts[0], &name) != nil {
		n.server.config.Logger.Error("realtime: another server sent what is no event", "namespace", n.name)
		return nil
	}
	var mu sync.Mutex // guards first: a handler may answer late, in vain
	var first []byte
	ack := func(args ...any) {
		text, err := json.Marshal(append([]any{}, args...))
		if err != nil {
			n.server.config.Logger.Error("realtime: an acknowledgement cannot be sent", "event", name, "error", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = text
		}
	}
	for _, l := range n.hooks.on.take(event(name)) {
		if l.signature == nil {
			continue
		}
		n.server.protect(name, func() {
			if err := l.call(context.Background(), rawArgs(parts[1:]), ack, n.server.config.Validate); err != nil {
				n.server.config.Logger.Warn("realtime: a server-side event failed", "event", name, "namespace", n.name, "error", err)
			}
		})
	}
	mu.Lock()
	defer mu.Unlock()
	return first
}

func rawArgs(parts []json.RawMessage) Args {
	args := Args{codec: parser.JSON, raw: make([][]byte, len(parts))}
	for i, part := range parts {
		args.raw[i] = part
	}
	return args
}

func (n *Namespace) serverSideEmit(ctx context.Context, answer bool, name string, args []any) ([]Args, error) {
	switch name {
	case "connection", "new_namespace", "create-room", "delete-room", "join-room", "leave-room":
		return nil, fmt.Errorf("realtime: server-side emit %q: the name is the server's own; choose another", name)
	}
	if err := checkEvent(name); err != nil {
		return nil, fmt.Errorf("realtime: server-side emit %q: %w", name, err)
	}
	m, able := n.adapter.(adapter.Messenger)
	if !able {
		return nil, nil
	}
	message, err := json.Marshal(append([]any{name}, args...))
	if err != nil {
		return nil, fmt.Errorf("realtime: server-side emit %q: %w", name, err)
	}
	answers, err := m.ServerSideEmit(ctx, message, answer)
	if err != nil {
		err = fmt.Errorf("realtime: server-side emit %q: %w", name, missingError(err))
	}
	var all []Args
	for _, text := range answers {
		var parts []json.RawMessage
		if json.Unmarshal(text, &parts) == nil {
			all = append(all, rawArgs(parts))
		}
	}
	return all, err
}
