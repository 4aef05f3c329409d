package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// The form in which nodes of this package write messages to each other:
//
//	'Z' version type flags, then each field that the type has
//
// Numbers are unsigned varints, texts and bytes have their length before them.
// Every message begins with its node, receiver, namespace and rooms, so that one
// that is of no interest is dropped before the rest is read.
const (
	magic   = 'Z'
	version = 1
)

// ErrForeign is returned for bytes that are no message of this version.
var ErrForeign = errors.New("not a message of this version of the cluster")

// Limits of what is believed of a message.
const (
	maxList  = 1 << 20 // elements of a list
	maxFrame = 1 << 30
)

const (
	flagVolatile = 1 << iota
	flagPlain
	flagKeep
	flagClose
	flagAbsent
	flagAnswer // Data is there
	flagNative
)

func (m *Message) flags() (flags byte) {
	for i, set := range [...]bool{m.Volatile, m.Plain, m.Keep, m.Close, m.Absent, m.Data != nil, m.Native} {
		if set {
			flags |= 1 << i
		}
	}
	return flags
}

// AppendBinary appends the message, as ParseMessage reads it. Its Offset is none
// of it. It never fails.
func (m *Message) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, magic, version, byte(m.Type), m.flags())
	b = appendText(b, m.Node)
	b = appendText(b, m.To)
	b = appendText(b, m.Namespace)
	b = appendText(b, m.Target.Socket)
	b = appendTexts(b, m.Target.Rooms)
	b = appendTexts(b, m.Target.Except)
	b = binary.AppendUvarint(b, m.Seq)
	b = appendText(b, m.Request)
	b = binary.AppendUvarint(b, uint64(max(0, m.Timeout)))
	b = binary.AppendUvarint(b, uint64(len(m.Frames)))
	for _, f := range m.Frames {
		kind := byte(0)
		if f.Binary {
			kind = 1
		}
		b = appendText(append(b, kind), f.Data)
	}
	b = appendTexts(b, m.Rooms)
	b = binary.AppendUvarint(b, uint64(max(0, m.Count)))
	b = appendTexts(b, m.IDs)
	b = binary.AppendUvarint(b, uint64(len(m.Sockets)))
	for _, s := range m.Sockets {
		b = appendText(b, s.ID)
		b = appendText(b, s.Handshake)
		b = appendTexts(b, s.Rooms)
		b = appendText(b, s.Data)
	}
	b = appendText(b, m.Topic)
	return appendText(b, m.Data), nil
}

func appendText[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTexts(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

// ParseMessage reads what AppendBinary has written. The message shares the bytes.
// An error wraps [ErrForeign].
func ParseMessage(b []byte) (*Message, error) {
	if len(b) < 4 || b[0] != magic {
		return nil, fmt.Errorf("%w: somebody else's; give each cluster a prefix of its own", ErrForeign)
	}
	if b[1] != version {
		return nil, fmt.Errorf("%w: it has version %d, this node speaks %d; run the same release on all nodes", ErrForeign, b[1], version)
	}
	flags := b[3]
	r := reader{b: b[4:]}
	m := &Message{Type: Type(b[2]), Volatile: flags&flagVolatile != 0, Plain: flags&flagPlain != 0, Keep: flags&flagKeep != 0,
		Close: flags&flagClose != 0, Absent: flags&flagAbsent != 0, Native: flags&flagNative != 0}
	m.Node, m.To, m.Namespace = r.text(), r.text(), r.text()
	m.Target = adapter.Target{Socket: r.text(), Rooms: r.texts(), Except: r.texts()}
	m.Seq, m.Request, m.Timeout = r.number(), r.text(), time.Duration(r.number())
	for range r.length() {
		kind := r.byte()
		m.Frames = append(m.Frames, parser.Frame{Data: r.bytes(), Binary: kind == 1})
	}
	m.Rooms, m.Count, m.IDs = r.texts(), int(min(r.number(), maxList)), r.texts()
	for range r.length() {
		m.Sockets = append(m.Sockets, adapter.RemoteSocket{ID: r.text(), Handshake: r.bytes(), Rooms: r.texts(), Data: r.bytes()})
	}
	m.Topic = r.text()
	if data := r.bytes(); flags&flagAnswer != 0 {
		m.Data = data
	}
	if r.failed || len(r.b) > 0 || m.Timeout < 0 {
		return nil, fmt.Errorf("%w: it is damaged", ErrForeign)
	}
	return m, nil
}

// reader reads fields. After the first that is not there, all are empty.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) fail() {
	r.failed, r.b = true, nil
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// length reads how many elements follow, each of a byte at least.
func (r *reader) length() int {
	n := r.number()
	if n > uint64(len(r.b)) || n > maxList {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.b)) || n > maxFrame {
		r.fail()
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) texts() []string {
	n := r.length()
	if n == 0 {
		return nil
	}
	list := make([]string, 0, min(n, 64))
	for range n {
		list = append(list, r.text())
	}
	return list
}
