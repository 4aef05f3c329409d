package parser

import "encoding/json"

// Codec turns packets into frames and back. [JSON] is the default one, package
// msgpack has another. Both ends of a connection must use the same.
//
// A Codec may be used concurrently, and two of them must be comparable with ==.
type Codec interface {
	// Encode returns the frames of a packet, at least one, which must leave in
	// this order with no other frame between. They may share the byte slices of
	// the arguments. It fails when an argument cannot be marshalled.
	Encode(p Outgoing) ([]Frame, error)

	// NewDecoder returns the decoder of one connection.
	NewDecoder(limits Limits) Decoder

	// Unmarshal decodes one of a packet's Args, or its Data, into what dst points
	// to. Byte slices in it may be shared with arg and attachments.
	Unmarshal(arg []byte, attachments [][]byte, dst any) error

	// JSON returns one of a packet's Args, or its Data, as JSON text, in which
	// binary parts are base64. It may return arg itself.
	JSON(arg []byte, attachments [][]byte) ([]byte, error)
}

// Appender is a Codec whose packets begin with a text, and that can append it to
// memory which is there already.
type Appender interface {
	Codec

	// Append is Encode, but appends the text to dst and returns the attachments
	// apart. It keeps nothing of dst.
	Append(dst []byte, p Outgoing) (text []byte, attachments [][]byte, err error)
}

// Decoder puts the packets of one connection together from its frames. It
// belongs to one goroutine at a time.
type Decoder interface {
	// Decode takes a frame, of which it keeps nothing, and returns the packet that
	// it completes, or nil. After an error, which wraps ErrInvalid, the connection
	// is beyond repair and should be closed.
	Decode(data []byte, binary bool) (*Packet, error)
}

// Frame is one message of the engine: text, or binary.
type Frame struct {
	Data   []byte
	Binary bool
}

// Outgoing is a packet to encode.
type Outgoing struct {
	// Type is Connect, Disconnect, Event, Ack or ConnectError. A codec finds out
	// itself whether an event or an ack is a binary one.
	Type      Type
	Namespace string
	ID        int64 // NoID for none

	Event string // the name of an Event
	Args  []any  // of an Event or an Ack
	Data  any    // the payload of the other types, nil for none
}

// Raw is an argument as it came in: Data and Attachments are those of a
// [Packet], Codec is the one that decoded it, nil for [JSON]. As an argument of
// an [Outgoing] it goes out again unchanged, through the same codec; through
// another it is converted.
type Raw struct {
	Codec       Codec
	Data        []byte
	Attachments [][]byte
}

// Unmarshal decodes the argument into what dst points to.
func (r Raw) Unmarshal(dst any) error { return r.codec().Unmarshal(r.Data, r.Attachments, dst) }

// MarshalJSON returns the argument as JSON text, with binary parts as base64.
func (r Raw) MarshalJSON() ([]byte, error) { return r.codec().JSON(r.Data, r.Attachments) }

// UnmarshalJSON makes r a copy of the JSON text, without attachments. Package
// msgpack decodes into a Raw as well, and keeps its own form.
func (r *Raw) UnmarshalJSON(text []byte) error {
	*r = Raw{Data: append([]byte(nil), text...)}
	return nil
}

func (r *Raw) codec() Codec {
	if r.Codec == nil {
		return JSON
	}
	return r.Codec
}

var (
	_ json.Marshaler   = Raw{}
	_ json.Unmarshaler = (*Raw)(nil)
)

// The limits of a decoder that names none.
const (
	// DefaultMaxAttachments is how many attachments the reference accepts.
	DefaultMaxAttachments = 10
	// DefaultMaxDepth is deeper than any payload that somebody wrote.
	DefaultMaxDepth = 1000
)

// Limits bound what a decoder accepts. The zero value is the default.
type Limits struct {
	MaxAttachments int // of a packet; 0 means DefaultMaxAttachments
	MaxDepth       int // of arrays and objects in each other; 0 means DefaultMaxDepth
}

// WithDefaults returns the limits with the default in the place of each zero.
// It panics when one is negative.
func (l Limits) WithDefaults() Limits {
	if l.MaxAttachments < 0 || l.MaxDepth < 0 {
		panic("parser: negative limit; use 0 for the default")
	}
	if l.MaxAttachments == 0 {
		l.MaxAttachments = DefaultMaxAttachments
	}
	if l.MaxDepth == 0 {
		l.MaxDepth = DefaultMaxDepth
	}
	return l
}
