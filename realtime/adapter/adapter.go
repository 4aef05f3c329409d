// Package adapter is the contract between a Socket.IO namespace and whatever
// knows which sockets are in which rooms: [Memory] for a server on its own,
// others for the nodes of a cluster. It plays the part of
// https://socket.io/docs/v4/adapter/.
//
// Start with [Adapter], what a namespace asks, [Host], what an adapter may ask
// of its namespace, and [Target], which sockets a packet is meant for.
//
// All methods may be called concurrently. An adapter calls its host without
// holding a lock, and never in a goroutine of its own making unless Close waits
// for it.
package adapter

import "github.com/zocalo-go/zocalo/realtime/parser"

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

// Socket is a socket of this server.
type Socket interface {
	ID() string
}

// Host is the namespace that an adapter works for.
type Host interface {
	// Name returns the namespace's name, such as "/".
	Name() string

	// Deliver sends a packet to sockets of this server. It keeps neither the
	// slice nor waits for a client.
	Deliver(p Packet, sockets []Socket)
}

// Factory makes the adapter of a namespace.
type Factory func(Host) Adapter

// Packet is an encoded packet, in the frames of package parser. Its bytes are
// immutable.
type Packet struct {
	Frames   []parser.Frame
	Volatile bool // drop it for a socket that cannot take it at once
}

// Target says which sockets a packet is meant for: those in any of Rooms, or
// all of the namespace when Rooms is empty, but none that is in a room of
// Except.
type Target struct {
	Rooms  []string
	Except []string
	Local  bool // only sockets of this server
}
