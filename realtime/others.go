package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// elsewhere returns what reaches the namespace's sockets on other servers, if
// there may be any that b means.
func (b *Broadcast) elsewhere(n *Namespace) (adapter.Cluster, bool) {
	c, able := n.adapter.(adapter.Cluster)
	return c, able && !b.target.Local
}

// FetchSockets returns the sockets that the broadcast reaches, on all servers.
// When servers do not answer in time, or until ctx ends, it returns those of the
// others, and a *[MissingError] that names them.
// https://socket.io/docs/v4/server-instance/#fetchsockets
func (b *Broadcast) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	local := b.Sockets()
	sockets := make([]*RemoteSocket, len(local))
	for i, s := range local {
		sockets[i] = &RemoteSocket{namespace: s.namespace, id: s.id, local: s, rooms: s.Rooms(), values: s.values.snapshot()}
	}
	var missing error
	for _, n := range b.spaces() {
		c, able := b.elsewhere(n)
		if !able {
			continue
		}
		others, err := c.FetchSockets(ctx, b.target)
		for _, s := range others {
			sockets = append(sockets, newRemoteSocket(n, s))
		}
		if err != nil && missing == nil {
			missing = missingError(err)
		}
	}
	if missing == nil {
		missing = ctx.Err()
	}
	return sockets, missing
}

// missingError returns what users are told of an error of a cluster.
func missingError(err error) error {
	var e *adapter.MissingError
	if !errors.As(err, &e) {
		return err
	}
	return &MissingError{IDs: e.Sockets, Others: e.Others, Nodes: e.Nodes, Unnamed: e.Unnamed, Err: e.Err}
}

// SocketsJoin puts the sockets that the broadcast reaches into rooms. It goes on
// after an error, and returns the first; it does not wait for other servers.
func (b *Broadcast) SocketsJoin(rooms ...string) error {
	first := b.command(func(c adapter.Cluster) error { return c.SocketsJoin(b.target, slices.Clone(rooms)) })
	for _, s := range b.Sockets() {
		if err := s.Join(rooms...); first == nil {
			first = err
		}
	}
	return first
}

// SocketsLeave takes the sockets that the broadcast reaches out of rooms.
func (b *Broadcast) SocketsLeave(rooms ...string) error {
	err := b.command(func(c adapter.Cluster) error { return c.SocketsLeave(b.target, slices.Clone(rooms)) })
	for _, s := range b.Sockets() {
		s.Leave(rooms...)
	}
	return err
}

// DisconnectSockets disconnects the sockets that the broadcast reaches, as
// [Socket.Disconnect] does.
func (b *Broadcast) DisconnectSockets(close bool) error {
	err := b.command(func(c adapter.Cluster) error { return c.DisconnectSockets(b.target, close) })
	for _, s := range b.Sockets() {
		s.Disconnect(close)
	}
	return err
}

// command has the other servers do something, and returns the first error.
func (b *Broadcast) command(do func(adapter.Cluster) error) (first error) {
	for _, n := range b.spaces() {
		if c, able := b.elsewhere(n); able {
			if err := do(c); first == nil {
				first = err
			}
		}
	}
	return first
}

// askOthers has sockets of other servers answer, too.
func (g *gathering) askOthers(ctx context.Context, b *Broadcast, n *Namespace, event string, args []any) error {
	c, able := b.elsewhere(n)
	if !able {
		return nil
	}
	frames, err := n.encode(parser.NoID, event, args, "") // each server numbers its own
	if err != nil {
		return err
	}
	p := adapter.Packet{Frames: frames, Volatile: b.volatile, Plain: b.plain}
	wait, err := c.Ask(ctx, p, b.target, func(a adapter.Answer) {
		packet, err := parser.DecodeFrames(n.codec(), a.Frames)
		if err != nil {
			n.server.config.Logger.Warn("realtime: another server sent an answer that is none", "namespace", n.name, "error", err)
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.answers = append(g.answers, Answer{a.Socket, Args{n.codec(), packet.Args, packet.Attachments}})
	})
	if err == nil {
		g.others = append(g.others, wait)
	}
	return err
}

// miss notes what is missing of other servers.
func (g *gathering) miss(err error) {
	if err == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var e *adapter.MissingError
	if errors.As(err, &e) {
		g.missing.IDs = append(g.missing.IDs, e.Sockets...)
		g.missing.Nodes = append(g.missing.Nodes, e.Nodes...)
		g.missing.Others += e.Others
		g.missing.Unnamed += e.Unnamed
		err = e.Err
	}
	if g.missing.Err == nil {
		g.missing.Err = err
	}
}

func (n *Namespace) codec() parser.Codec { return n.server.config.Codec }

// Codec implements adapter.Namespace.
func (h host) Codec() parser.Codec { return h.namespace.codec() }

// matching returns a broadcast to the sockets of this server that a target means.
func (h host) matching(t adapter.Target) *Broadcast {
	t.Local = true
	return &Broadcast{namespace: h.namespace, target: t}
}

// SocketsJoin implements adapter.Namespace.
func (h host) SocketsJoin(t adapter.Target, rooms []string) {
	if err := h.matching(t).SocketsJoin(rooms...); err != nil {
		h.namespace.server.config.Logger.Warn("realtime: another server's SocketsJoin", "namespace", h.namespace.name, "error", err)
	}
}

// SocketsLeave implements adapter.Namespace.
func (h host) SocketsLeave(t adapter.Target, rooms []string) { h.matching(t).SocketsLeave(rooms...) }

// DisconnectSockets implements adapter.Namespace.
func (h host) DisconnectSockets(t adapter.Target, close bool) {
	h.matching(t).DisconnectSockets(close)
}

// FetchSockets implements adapter.Namespace.
func (h host) FetchSockets(t adapter.Target) []adapter.RemoteSocket {
	var all []adapter.RemoteSocket
	for _, s := range h.matching(t).Sockets() {
		handshake, err := json.Marshal(s.Handshake())
		if err != nil {
			handshake = []byte("{}")
		}
		all = append(all, adapter.RemoteSocket{ID: s.id, Handshake: handshake, Rooms: s.Rooms(), Data: s.values.json(s.warn)})
	}
	return all
}

// warn logs that something about the socket cannot be told to other servers.
func (s *Socket) warn(what string, err error) {
	s.namespace.server.config.Logger.Warn("realtime: a value of a socket cannot be told to other servers", "key", what,
		"namespace", s.namespace.name, "socket", s.id, "error", err)
}

// Ask implements adapter.Namespace.
func (h host) Ask(ctx context.Context, p adapter.Packet, t adapter.Target, answered func(adapter.Answer), missing func(string)) ([]string, error) {
	n := h.namespace
	event, err := parser.DecodeFrames(n.codec(), p.Frames)
	if err != nil {
		return nil, err
	}
	id := n.ackID()
	p.Frames, err = n.codec().Encode(parser.Outgoing{Type: parser.Event, Namespace: n.name, ID: id, Event: event.Event, Args: event.Values(n.codec())})
	if err != nil {
		return nil, err
	}
	g := &gathering{all: make(chan struct{}), waiting: make(map[string]asked)}
	g.settled = func(socket string, args Args, err error) {
		var frames []parser.Frame
		if err == nil {
			frames, err = n.codec().Encode(parser.Outgoing{Type: parser.Ack, Namespace: n.name, Args: args.Values()})
		}
		if err != nil {
			missing(socket)
		} else {
			answered(adapter.Answer{Socket: socket, Frames: frames})
		}
	}
	deliver := g.ask(n, id, p, t)
	sockets := make([]string, 0, len(g.waiting))
	for socket := range g.waiting {
		sockets = append(sockets, socket)
	}
	g.begin()
	deliver()
	n.server.handlers.Go(runFunc(func() { g.wait(ctx) }))
	return sockets, nil
}

var _ adapter.Namespace = host{}
