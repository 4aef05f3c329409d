package engineio

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// What revision 3 of the protocol, that of socket.io-client 2, does otherwise:
// https://github.com/socketio/socket.io/blob/main/docs/engine.io-protocol/v3.md.
//
//   - a payload gives the length of each packet, in UTF-16 code units; one that
//     has binary packets is all bytes, unless the client wants base64.
//   - a binary packet begins with its type, in base64 as in a WebSocket frame.
//   - the client sends the pings.
//
// Inside, everything is as in revision 4; what follows translates.

// Marks of the binary framing of a payload.
const (
	markText   = 0
	markBinary = 1
	markLength = 0xff // ends the digits of a length
)

// appendPayload3 appends packets as the body of a long-polling answer, and
// reports whether that is binary.
func appendPayload3(dst []byte, packets []Packet, asBase64 bool) (body []byte, binary bool) {
	binary = !asBase64 && slices.ContainsFunc(packets, Packet.binary)
	for _, p := range packets {
		payload := p.payload()
		switch {
		case binary && p.binary():
			dst = appendLength(append(dst, markBinary), 1+len(payload))
			dst = append(append(dst, typeMessage-'0'), payload...)
		case binary:
			dst = appendLength(append(dst, markText), len(payload))
			dst = append(dst, payload...)
		case p.binary():
			dst = strconv.AppendInt(dst, int64(2+base64.StdEncoding.EncodedLen(len(payload))), 10)
			dst = base64.StdEncoding.AppendEncode(append(dst, ':', 'b', typeMessage), payload)
		default:
			dst = strconv.AppendInt(dst, int64(utf16Len(payload)), 10)
			dst = append(append(dst, ':'), payload...)
		}
	}
	return dst, binary
}

// appendLength appends n as the binary framing has it: its digits as bytes, and
// what ends them.
func appendLength(dst []byte, n int) []byte {
	start := len(dst)
	dst = strconv.AppendInt(dst, int64(n), 10)
	for i := start; i < len(dst); i++ {
		dst[i] -= '0'
	}
	return append(dst, markLength)
}

// utf16Len returns how many UTF-16 code units the UTF-8 text has.
func utf16Len(text []byte) (n int) {
	for _, b := range text {
		n += units(b)
	}
	return n
}

// units returns how many UTF-16 code units begin with the byte b of UTF-8 text.
func units(b byte) int {
	switch {
	case b&0xc0 == 0x80: // continues what was counted
		return 0
	case b >= 0xf0: // a surrogate pair
		return 2
	default:
		return 1
	}
}

// cutText3 decodes the first packet of a payload, which is valid UTF-8, and
// returns what comes after it, nil for the end.
func cutText3(body []byte) (p received, rest []byte, err error) {
	n, rest, err := cutLength(body, '0', ':')
	if err != nil {
		return p, nil, err
	}
	end := 0
	for end < len(rest) && units(rest[end]) <= n {
		n -= units(rest[end])
		end++
	}
	if n > 0 { // too short, or it ends within a surrogate pair
		return p, nil, errPacket
	}
	text, rest := rest[:end], rest[end:]
	if len(rest) == 0 {
		rest = nil
	}
	if len(text) == 0 { // which the reference ignores
		return received{kind: typeNoop}, rest, nil
	}
	p, err = decodePacket3(text)
	return p, rest, err
}

// cutBinary3 is cutText3 for the binary framing.
func cutBinary3(body []byte) (p received, rest []byte, err error) {
	if len(body) == 0 || body[0] > markBinary {
		return p, nil, errPacket
	}
	n, rest, err := cutLength(body[1:], 0, markLength)
	if err != nil || n > len(rest) {
		return p, nil, errPacket
	}
	packet, rest := rest[:n], rest[n:]
	if len(rest) == 0 {
		rest = nil
	}
	switch {
	case body[0] == markBinary:
		p, err = decodeBinary3(packet)
	case !utf8.Valid(packet):
		err = errPacket
	default:
		p, err = decodePacket3(packet)
	}
	return p, rest, err
}

// cutLength decodes the length that b begins with: digits, of which the first
// is zero, up to end. No length that fits into a body has more than 10 of them, or
// is more than an int holds.
func cutLength(b []byte, zero, end byte) (n int, rest []byte, err error) {
	for i, c := range b {
		switch digit := c - zero; {
		case c == end && i > 0:
			return n, b[i+1:], nil
		case digit > 9 || i == 10 || n > (math.MaxInt-int(digit))/10:
			return 0, nil, errPacket
		default:
			n = n*10 + int(digit)
		}
	}
	return 0, nil, errPacket
}

// decodePacket3 decodes a text packet: as in revision 4, but for the type of a
// base64 one.
func decodePacket3(text []byte) (received, error) {
	if len(text) == 0 || text[0] != 'b' {
		return decodePacket(text)
	}
	if len(text) == 1 || text[1] != typeMessage {
		return received{}, errPacket
	}
	return decodeBase64(text, 2)
}

// decodeBinary3 decodes a binary packet.
func decodeBinary3(data []byte) (received, error) {
	if len(data) == 0 || data[0] != typeMessage-'0' {
		return received{}, errPacket
	}
	return received{kind: typeMessage, data: data[1:], binary: true, size: len(data)}, nil
}

// carrier3 carries a session of revision 3: what is written to it is as in
// revision 4. What is read is for the inlet to translate.
type carrier3 struct {
	carrier
	base64 bool // binary packets go out as text
}

func (c *carrier3) write(packets []Packet) error {
	if slices.ContainsFunc(packets, Packet.binary) {
		packets = slices.Clone(packets)
		for i, p := range packets {
			packets[i] = p.revision3(c.base64)
		}
	}
	return c.carrier.write(packets)
}

// revision3 returns p as its frame is in revision 3.
func (p Packet) revision3(asBase64 bool) Packet {
	if !p.binary() {
		return p
	}
	payload := p.payload()
	var q Packet
	if asBase64 {
		q = textPacket('b', base64.StdEncoding.AppendEncode([]byte{typeMessage}, payload))
	} else {
		q = newFrame(opBinary, 1+len(payload))
		q.frame = append(append(q.frame, typeMessage-'0'), payload...)
	}
	q.plain = p.plain
	return q
}
