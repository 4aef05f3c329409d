package parser

import (
	"errors"
	"strconv"
	"sync/atomic"
)

// Type is the type of a packet.
type Type byte

// The types of packets. The first character of a packet is its type.
const (
	Connect Type = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent
	BinaryAck
)

// String returns the protocol's name of the type.
func (t Type) String() string {
	names := [...]string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"}
	if int(t) < len(names) {
		return names[t]
	}
	return "Type(" + strconv.Itoa(int(t)) + ")"
}

// NoID is the ID of a packet that has none.
const NoID = -1

// Packet is a Socket.IO packet that came in.
//
// The arguments of an event or an ack are in Args, those of an event without its
// name. Args is nil when there is not even a list of them: such an event means
// nothing. Other types have their payload, or nothing, in Data. Both are in the
// form of the codec, which alone can read them: with [JSON], JSON texts, and
// Attachments are the byte strings that their placeholders stand for, all of
// which are in range.
type Packet struct {
	Type      Type // Event or Ack for the binary types, too
	taken     uint32
	Namespace string
	ID        int64  // NoID when the packet has none
	Event     string // the name of an event; one that is a number as it was written

	Data        []byte
	Args        [][]byte
	Attachments [][]byte
}

// TakeID returns the ID to who asks first, and NoID to all others, so that a packet is answered once. It may be called
// by several goroutines.
func (p *Packet) TakeID() int64 {
	if atomic.SwapUint32(&p.taken, 1) == 0 {
		return p.ID
	}
	return NoID
}

// Size returns about how many bytes of memory the packet holds.
func (p *Packet) Size() int {
	const header = 24 // of a slice
	size := len(p.Event) + len(p.Data) + header*(len(p.Args)+len(p.Attachments))
	for _, arg := range p.Args {
		size += len(arg)
	}
	for _, attachment := range p.Attachments {
		size += len(attachment)
	}
	return size
}

// ErrInvalid is wrapped by every error that a bad packet causes.
var ErrInvalid = errors.New("invalid Socket.IO packet")

// Reserved reports whether name cannot be the name of an event on the wire:
// https://socket.io/docs/v4/emit-cheatsheet/#reserved-events.
func Reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
