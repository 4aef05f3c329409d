package realtime

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// RemoteSocket is what is known of a socket that may be on any server of a
// cluster: [Broadcast.FetchSockets] returns them as they are at that time.
// https://socket.io/docs/v4/server-instance/#fetchsockets
type RemoteSocket struct {
	namespace *Namespace
	id        string
	local     *Socket    // on this server, or nil
	handshake *Handshake // otherwise
	rooms     []string
	values    map[string]any
}

// newRemoteSocket returns the socket of another server.
func newRemoteSocket(n *Namespace, r adapter.RemoteSocket) *RemoteSocket {
	s := &RemoteSocket{namespace: n, id: r.ID, rooms: slices.Clone(r.Rooms), handshake: new(Handshake), values: valuesOf(r.Data)}
	if i := slices.Index(s.rooms, s.id); i > 0 { // its own comes first
		copy(s.rooms[1:], s.rooms[:i])
		s.rooms[0] = s.id
	}
	if err := json.Unmarshal(r.Handshake, s.handshake); err != nil {
		n.server.config.Logger.Warn("realtime: another server told of a handshake that is none", "namespace", n.name, "error", err)
	}
	return s
}

// ID returns the socket's id.
func (s *RemoteSocket) ID() string { return s.id }

// Namespace returns the namespace the socket is in.
func (s *RemoteSocket) Namespace() *Namespace { return s.namespace }

// Handshake returns what the client connected with.
func (s *RemoteSocket) Handshake() *Handshake {
	if s.local != nil {
		return s.local.Handshake()
	}
	return s.handshake
}

// Rooms returns the rooms the socket was in, its own id first.
func (s *RemoteSocket) Rooms() []string { return slices.Clone(s.rooms) }

// Value returns the value that Socket.Set kept, or nil; see [ValueOf].
func (s *RemoteSocket) Value(key string) any { return plainValue(s.values[key]) }

// Emit sends an event to the socket.
func (s *RemoteSocket) Emit(event string, args ...any) error {
	return s.itself().Emit(event, args...)
}

// EmitWithAck sends an event and waits for the client's answer. It fails with a
// *[MissingError] when there is none.
func (s *RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	answers, err := s.itself().EmitWithAck(ctx, event, args...)
	if err != nil {
		return Args{}, err
	}
	if len(answers) == 0 {
		return Args{}, ErrNotConnected
	}
	return answers[0].Args, nil
}

// Join puts the socket into rooms.
func (s *RemoteSocket) Join(rooms ...string) error { return s.itself().SocketsJoin(rooms...) }

// Leave takes the socket out of rooms.
func (s *RemoteSocket) Leave(rooms ...string) error { return s.itself().SocketsLeave(rooms...) }

// Disconnect disconnects the socket; see [Socket.Disconnect].
func (s *RemoteSocket) Disconnect(close bool) error { return s.itself().DisconnectSockets(close) }

func (s *RemoteSocket) itself() *Broadcast {
	b := s.namespace.all()
	b.target.Socket = s.id
	return b
}
