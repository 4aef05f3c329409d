package engineio

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// Packet types, the first character of a text packet.
const (
	typeOpen    = '0'
	typeClose   = '1'
	typePing    = '2'
	typePong    = '3'
	typeMessage = '4'
	typeUpgrade = '5'
	typeNoop    = '6'
)

// WebSocket opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

// separator stands between the packets of a polling payload.
const separator = 0x1e

// errPacket is what decoding returns for anything that is no packet.
var errPacket = errors.New("engineio: invalid packet")

// Packet is an encoded packet on its way out. It holds the bytes of a whole
// WebSocket frame, so that what goes to a thousand clients is encoded once. A
// Packet is immutable and may be shared between sessions, unless it is lent.
type Packet struct {
	frame    []byte
	header   int32     // bytes of frame before its payload
	plain    bool      // it is not to be compressed
	lent     bool      // frame is somebody else's
	place    uint8     // in a queue, in a group that may be let go; see queue
	run      *run      // it stands for several, whose frames are frame; nil for most
	deflated *deflated // its compressed form, which sessions share; nil if they do not
}

// Text returns the message packet that carries text, which is copied. The text
// must be UTF-8.
func Text(text []byte) Packet { return textPacket(typeMessage, text) }

// Binary returns the message packet that carries data, which is copied.
func Binary(data []byte) Packet {
	p := newFrame(opBinary, len(data))
	p.frame = append(p.frame, data...)
	return p
}

func textPacket(kind byte, text []byte) Packet {
	p := newFrame(opText, 1+len(text))
	p.frame = append(append(p.frame, kind), text...)
	return p
}

// Headroom is how many bytes [Lend] needs before a text.
const Headroom = 10 + 1

// Lend appends the message packet that carries the text which buf has behind its
// first Headroom bytes, in which it writes. The packet is lent: it is a part of
// buf, and only to be used before that changes. What is sent of it is a copy.
func Lend(dst []Packet, buf []byte) []Packet {
	size := len(buf) - (Headroom - 1)
	header := frameHeader(size)
	frame := buf[Headroom-1-header:]
	appendHeader(frame[:0], opText, size)
	frame[header] = typeMessage
	dst = append(dst, Packet{})
	p := &dst[len(dst)-1] // in place: a processor waits for a struct that it copies while it is being written
	p.frame, p.header, p.lent = frame, int32(header), true
	return dst
}

// owned returns p, or a copy of one that is lent.
func (p Packet) owned() Packet {
	if p.lent {
		p.frame, p.lent = bytes.Clone(p.frame), false
	}
	return p
}

// Owned appends packets to dst which may be kept, copies of those that are lent.
func Owned(dst, packets []Packet) []Packet {
	for _, p := range packets {
		dst = append(dst, p.owned())
	}
	return dst
}

// newFrame starts a frame with room for a payload of size bytes.
func newFrame(opcode byte, size int) Packet {
	header := frameHeader(size)
	return Packet{frame: appendHeader(make([]byte, 0, header+size), opcode, size), header: int32(header)}
}

// frameHeader returns how many bytes come before a payload of size bytes.
func frameHeader(size int) int {
	switch {
	case size < 126:
		return 2
	case size < 1<<16:
		return 4
	}
	return 10
}

// appendHeader appends the header of an unmasked, unfragmented frame, as RFC 6455,
// section 5.2 wants it from a server, with a payload of size bytes.
func appendHeader(b []byte, opcode byte, size int) []byte {
	const final = 0x80
	switch frameHeader(size) {
	case 2:
		return append(b, final|opcode, byte(size))
	case 4:
		return binary.BigEndian.AppendUint16(append(b, final|opcode, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(b, final|opcode, 127), uint64(size))
}

// Uncompressed returns the packet marked to leave as it is, even where others
// are compressed.
func (p Packet) Uncompressed() Packet {
	p.plain = true
	return p
}

// isPlain reports whether p is marked so. It keeps those it travels with in a
// payload from being compressed, too.
func (p Packet) isPlain() bool { return p.plain }

func (p Packet) binary() bool { return p.frame[0]&0x0f == opBinary }

func (p Packet) payload() []byte { return p.frame[p.header:] }

// size is what the packet weighs in an outbox, in bytes: itself, and what it
// takes to keep it.
func (p Packet) size() int { return len(p.frame) + 64 }

// appendPayload appends packets as the body of a long-polling answer.
func appendPayload(dst []byte, packets []Packet) []byte {
	for i, p := range packets {
		if i > 0 {
			dst = append(dst, separator)
		}
		payload := p.payload()
		if p.binary() {
			dst = append(dst, 'b')
			dst = base64.StdEncoding.AppendEncode(dst, payload)
		} else {
			dst = append(dst, payload...)
		}
	}
	return dst
}

// received is a decoded packet on its way in. Its data is only valid until the
// buffer it was read into is used again.
type received struct {
	kind   byte
	data   []byte
	binary bool
	size   int // bytes of the packet as it came
}

// decodePacket decodes a text packet: a type and its data, or the base64 form
// of a binary message.
func decodePacket(text []byte) (received, error) {
	if len(text) == 0 {
		return received{}, errPacket
	}
	switch kind := text[0]; {
	case kind == 'b':
		return decodeBase64(text, 1)
	case kind >= typeOpen && kind <= typeNoop:
		return received{kind: kind, data: text[1:], size: len(text)}, nil
	}
	return received{}, errPacket
}

// decodeBase64 decodes a binary message whose base64 comes after prefix bytes.
func decodeBase64(text []byte, prefix int) (received, error) {
	data := make([]byte, base64.StdEncoding.DecodedLen(len(text)-prefix))
	n, err := base64.StdEncoding.Decode(data, text[prefix:])
	if err != nil {
		return received{}, errPacket
	}
	return received{kind: typeMessage, data: data[:n], binary: true, size: len(text)}, nil
}

// cutPacket decodes the first packet of a payload, and returns what comes after
// it, nil for the end.
func cutPacket(body []byte) (p received, rest []byte, err error) {
	packet, rest, _ := bytes.Cut(body, []byte{separator})
	p, err = decodePacket(packet)
	return p, rest, err
}
