package cluster

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// space is the adapter of a namespace: it knows the sockets of its own server,
// and says to the other nodes what concerns theirs.
type space struct {
	*adapter.Memory // of the sockets of this server

	node      *node
	host      adapter.Namespace
	name      string
	keeps     bool        // clients may come back
	announces atomic.Bool // the node says in the namespace that it is there, for other software
	chronicle *chronicle  // that the engine's log makes of it, or nil
	lane      lane
	interest  interest
}

func newSpace(n *node, host adapter.Namespace) *space {
	s := &space{node: n, host: host, name: host.Name(), keeps: host.Retention().Sessions > 0}
	s.lane.init(&n.running)
	s.interest.init(s)
	keepsItself := s.keeps && n.log == nil
	s.Memory = adapter.NewMemory(local{host, s, keepsItself}).(*adapter.Memory)
	return s
}

// patience is how long a namespace waits for its engine.
const patience = 5 * time.Second

// open begins to receive.
func (s *space) open() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.node.engine.Open(ctx, s.name); err != nil {
		s.node.warn("cluster: a namespace does not hear the other nodes yet", "namespace", s.name, "error", err)
	}
	if s.node.mixed == nil {
		return
	}
	if n, err := s.node.mixed.Count(ctx, s.name); err == nil && n < 0 {
		s.announces.Store(true)
		s.node.publish(&Message{Type: InitialHeartbeat, Namespace: s.name})
	}
}

// Close implements adapter.Adapter.
func (s *space) Close() error {
	s.node.forget(s)
	if s.announces.Load() {
		s.node.publish(&Message{Type: AdapterClose, Namespace: s.name})
	}
	s.node.engine.Shut(s.name)
	s.interest.close()
	s.lane.close()
	return s.Memory.Close()
}

// local is the namespace as the adapter of its own sockets sees it.
type local struct {
	adapter.Namespace
	space *space
	keeps bool
}

// Retention implements adapter.Host.
func (l local) Retention() adapter.Retention {
	if !l.keeps {
		return adapter.Retention{}
	}
	return l.Namespace.Retention()
}

// WatchesRooms implements adapter.Host.
func (l local) WatchesRooms() bool { return l.space.interest.watches() || l.Namespace.WatchesRooms() }

// Room implements adapter.Host.
func (l local) Room(event adapter.RoomEvent, room, id string) {
	l.space.interest.room(event, room)
	if l.Namespace.WatchesRooms() {
		l.Namespace.Room(event, room, id)
	}
}

// interested reports whether something for one of the rooms, or for everybody,
// reaches anybody here, or may do so when what came before it has been done.
func (s *space) interested(rooms []string) bool {
	if s.chronicle == nil {
		return !s.lane.idle() || s.Occupied(rooms...)
	}
	resumed := s.chronicle.resumed.Load()
	if !s.lane.idle() || s.Occupied(rooms...) {
		return true
	}
	s.chronicle.asked.Store(resumed)
	return false
}

// reaches reports whether a target may mean a socket of this server.
func (s *space) reaches(t adapter.Target) bool {
	if t.Socket != "" {
		return s.Occupied(t.Socket)
	}
	return s.Occupied(t.Rooms...)
}

// elsewhere reports whether a target may mean sockets of other nodes.
func (s *space) elsewhere(t adapter.Target) bool {
	return !t.Local && (t.Socket == "" || !s.Occupied(t.Socket))
}

// Offset implements adapter.Recoverer: each node marks packets for its own
// sockets.
func (s *space) Offset() string { return "" }

// Broadcast implements adapter.Adapter.
func (s *space) Broadcast(p adapter.Packet, t adapter.Target) error {
	var err error
	if s.elsewhere(t) {
		err = s.publish(&Message{Type: Broadcast, Target: t, Frames: p.Frames, Volatile: p.Volatile, Plain: p.Plain, Keep: p.Keep})
	}
	s.deliver(p, t)
	return err
}

// publish says something to the other nodes that have the namespace.
func (s *space) publish(m *Message) error {
	m.Namespace = s.name
	return s.node.publish(m)
}

// deliver sends a packet to sockets of this server.
func (s *space) deliver(p adapter.Packet, t adapter.Target) {
	if p.Keep && s.keeps {
		offset := s.Memory.Offset()
		if frames, err := parser.AppendString(s.host.Codec(), p.Frames, offset); err == nil {
			p.Frames, p.Offset = frames, offset
		} else {
			s.node.Refuse(err)
			return
		}
	}
	s.Memory.Broadcast(p, t) // which never fails
}

// SocketsJoin implements adapter.Cluster.
func (s *space) SocketsJoin(t adapter.Target, rooms []string) error {
	return s.command(&Message{Type: SocketsJoin, Target: t, Rooms: rooms})
}

// SocketsLeave implements adapter.Cluster.
func (s *space) SocketsLeave(t adapter.Target, rooms []string) error {
	return s.command(&Message{Type: SocketsLeave, Target: t, Rooms: rooms})
}

// DisconnectSockets implements adapter.Cluster.
func (s *space) DisconnectSockets(t adapter.Target, close bool) error {
	return s.command(&Message{Type: DisconnectSockets, Target: t, Close: close})
}

func (s *space) command(m *Message) error {
	if !s.elsewhere(m.Target) {
		return nil
	}
	return s.publish(m)
}

// FetchSockets implements adapter.Cluster.
func (s *space) FetchSockets(ctx context.Context, t adapter.Target) ([]adapter.RemoteSocket, error) {
	if !s.elsewhere(t) {
		return nil, nil
	}
	var sockets []adapter.RemoteSocket
	err := s.request(ctx, &Message{Type: FetchSockets, Target: t}, func(m *Message) { sockets = append(sockets, m.Sockets...) })
	return sockets, err
}

// ServerSideEmit implements adapter.Messenger.
func (s *space) ServerSideEmit(ctx context.Context, message []byte, answer bool) ([][]byte, error) {
	m := &Message{Type: ServerSideEmit, Data: message}
	if !answer {
		return nil, s.publish(m)
	}
	var answers [][]byte
	err := s.request(ctx, m, func(m *Message) {
		if m.Data != nil {
			answers = append(answers, m.Data)
		}
	})
	return answers, err
}

// request sends a request and waits for the answers, for no longer than the
// option says.
func (s *space) request(ctx context.Context, m *Message, answer func(*Message)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.node.options.RequestTimeout, errSilent)
	defer cancel()
	m.Timeout = remaining(ctx)
	r, err := s.ask(m, answer)
	if err != nil {
		return err
	}
	return r.wait(ctx)
}

// remaining returns how long there is until ctx ends, or 0 when it has no end.
func remaining(ctx context.Context) time.Duration {
	deadline, has := ctx.Deadline()
	if !has {
		return 0
	}
	return max(time.Until(deadline), 1)
}

// Ask implements adapter.Cluster.
func (s *space) Ask(ctx context.Context, p adapter.Packet, t adapter.Target, answered func(adapter.Answer)) (func() error, error) {
	if !s.elsewhere(t) {
		return func() error { return nil }, nil
	}
	m := &Message{Type: Broadcast, Target: t, Frames: p.Frames, Volatile: p.Volatile, Plain: p.Plain, Timeout: remaining(ctx)}
	r, err := s.ask(m, func(m *Message) {
		socket := ""
		if len(m.IDs) > 0 {
			socket = m.IDs[0]
		}
		answered(adapter.Answer{Socket: socket, Frames: m.Frames})
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		err := r.wait(ctx)
		if err != nil {
			s.publish(&Message{Type: BroadcastCancel, Native: true, Request: r.id})
		}
		return err
	}, nil
}

var (
	_ adapter.Cluster   = (*space)(nil)
	_ adapter.Recoverer = (*space)(nil)
)
