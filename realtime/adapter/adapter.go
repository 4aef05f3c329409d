// Package adapter is the contract between a Socket.IO namespace and whatever
// knows which sockets are in which rooms: [Memory] for a server on its own,
// others for the nodes of a cluster. It plays the part of
// https://socket.io/docs/v4/adapter/.
//
// Start with [Adapter], what a namespace asks, [Host], what an adapter may ask
// of its namespace, and [Target], which sockets a packet is meant for. An
// adapter that can do more implements [Recoverer], [Messenger], or [Cluster],
// too. A [Provider] is what a server's configuration names: it opens the
// server's [Node], which makes the adapters of its namespaces.
//
// All methods may be called concurrently. An adapter calls its host without
// holding a lock, except where [Host] allows it, and never in a goroutine of its
// own making unless Close waits for it.
package adapter

import (
	"context"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Adapter knows the sockets of one namespace and their rooms.
//
// A socket is in the room of its own id from Add to Remove.
type Adapter interface {
	// Add makes a socket of this server known.
	Add(s Socket)

	// Remove makes it unknown and returns the rooms it was in.
	Remove(id string) (rooms []string)

	// Join and Leave put a known socket into rooms and take it out of them.
	// They ignore an unknown one.
	Join(id string, rooms ...string)
	Leave(id string, rooms ...string)

	// Rooms returns the rooms a socket is in, its own id first, or nil when it
	// is unknown.
	Rooms(id string) []string

	// Sockets returns the sockets of this server that a target means.
	Sockets(t Target) []Socket

	// Broadcast has every socket that the target means receive the packet, once
	// each. It does not wait for them.
	Broadcast(p Packet, t Target) error

	// Close ends the adapter's work.
	Close() error
}

// Recoverer is an Adapter that remembers what was sent, so that a client which
// lost its connection for a moment gets what it missed:
// https://socket.io/docs/v4/connection-state-recovery. It keeps the packets that
// have an Offset, in the order in which sockets received them.
type Recoverer interface {
	Adapter

	// Offset returns an offset for the next packet. It marks the packet for the
	// client, which tells it when it comes back. It is "" where Broadcast itself
	// marks the packets that have Keep.
	Offset() string

	// Persist is Remove for a socket that may come back: its session, with the
	// rooms it was in, is kept.
	Persist(id string, s Session) (rooms []string)

	// Restore takes the session with that PID, if it is kept and everything since
	// the offset is, too. The offset is that of the last packet the client
	// received, or "" when it received none since it first connected.
	Restore(pid, offset string) (Session, bool)

	// Resume is Add for a socket whose session was restored: it is in the
	// session's rooms again. It returns the packets that the client missed, in
	// order; packets broadcast from then on are delivered to the socket. It
	// reports false, and does nothing, when packets have been lost meanwhile.
	Resume(s Socket, session Session, offset string) (missed []Packet, able bool)

	// Sessions returns how many sessions are kept.
	Sessions() int
}

// Session is what remains of a socket that may come back.
type Session struct {
	PID   string // the secret by which its client knows it
	ID    string // of the socket
	Rooms []string
	Data  any // what the namespace wants to have back
	State any // of the adapter that keeps it
}

// Sharer is a Recoverer that keeps sessions where other nodes find them, from the
// time a socket is added on, so that its client can come back to any of them. The
// Data of its sessions is a [json.Marshaler] on its way in, which may be asked at
// any time, and may be a [json.RawMessage] on its way out.
type Sharer interface {
	Recoverer

	// Update notes that the Data of the session with that PID has changed. It does
	// not wait.
	Update(pid string)

	// Flush waits until everything that has changed is kept, or ctx ends: then it
	// returns the cause.
	Flush(ctx context.Context) error
}

// Retention is what a [Recoverer] keeps.
type Retention struct {
	Sessions time.Duration // how long a session
	Packets  time.Duration // how long a packet, at most
	Bytes    int           // of packets, at most
	Most     int           // sessions, at most; 0 for any number

	// Expired, if not nil, is told of sessions that are not kept any more, though
	// their clients have not come back.
	Expired func(Session)
}

// Messenger is an Adapter that reaches the namespace's other servers.
type Messenger interface {
	Adapter

	// ServerSideEmit has Host.ServerSide called with the message on every other
	// server. With answer it waits for what they return, until ctx ends: then it
	// returns those answers there are, and the cause.
	ServerSideEmit(ctx context.Context, message []byte, answer bool) ([][]byte, error)
}

// Socket is a socket of this server.
type Socket interface {
	ID() string
}

// Host is the namespace that an adapter works for.
type Host interface {
	// Name returns the namespace's name, such as "/".
	Name() string

	// Retention returns what a Recoverer has to keep; nothing where clients
	// cannot come back.
	Retention() Retention

	// Deliver sends a packet to sockets of this server. It keeps neither the
	// slice nor waits for a client, and may be called with a lock held.
	Deliver(p Packet, sockets []Socket)

	// Delivered shows who watches what was delivered. It calls user code.
	Delivered(p Packet, sockets []Socket)

	// WatchesRooms reports whether anybody wants Room called.
	WatchesRooms() bool

	// Room tells that something has happened to a room on this server; id is the
	// socket that joined or left, or "". It calls user code.
	Room(event RoomEvent, room, id string)

	// ServerSide takes a message of another server's and returns the answer.
	ServerSide(message []byte) []byte
}

// RoomEvent is something that happens to a room:
// https://socket.io/docs/v4/rooms/#room-events.
type RoomEvent string

// The events of rooms.
const (
	CreateRoom RoomEvent = "create-room" // a first socket is in it
	DeleteRoom RoomEvent = "delete-room" // the last one has left it
	JoinRoom   RoomEvent = "join-room"
	LeaveRoom  RoomEvent = "leave-room"
)

// Packet is an encoded event. Its bytes are immutable.
type Packet struct {
	Frames   []parser.Frame
	Offset   string // under which it can be sent again, if it has one yet
	Keep     bool   // it may have to be sent again
	Volatile bool   // drop it for a socket that cannot take it at once
	Plain    bool   // do not compress it
}

// Target says which sockets a packet is meant for: those in any of Rooms, or
// all of the namespace when Rooms is empty, but none that is in a room of
// Except.
type Target struct {
	Socket string // only the socket with that id, whatever else it says; or ""
	Rooms  []string
	Except []string
	Local  bool // only sockets of this server
}
