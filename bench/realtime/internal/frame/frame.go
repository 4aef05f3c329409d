// Package frame reads and writes the frames of RFC 6455 as the benchmark's programs need them: whole, without
// extensions, in memory.
package frame

import "encoding/binary"

// Opcodes, section 5.2.
const (
	Text   = 1
	Binary = 2
	Close  = 8
	Ping   = 9
	Pong   = 10
)

// MaxHeader is the length of the longest header, the masking key included.
const MaxHeader = 14

// A Header is what stands before the payload.
type Header struct {
	Op      byte
	Masked  bool
	Key     [4]byte
	Len     int // of the header itself, the masking key included
	Payload int // bytes that follow
}

// Parse returns the header that b begins with; false if b ends within it.
func Parse(b []byte) (Header, bool) {
	if len(b) < 2 {
		return Header{}, false
	}
	h := Header{Op: b[0] & 15, Masked: b[1]&128 != 0, Len: 2, Payload: int(b[1] & 127)}
	switch h.Payload {
	case 126:
		h.Len = 4
	case 127:
		h.Len = 10
	}
	if len(b) < h.Len {
		return Header{}, false
	}
	switch h.Len {
	case 4:
		h.Payload = int(binary.BigEndian.Uint16(b[2:]))
	case 10:
		h.Payload = int(binary.BigEndian.Uint64(b[2:]))
	}
	if h.Masked {
		if len(b) < h.Len+4 {
			return Header{}, false
		}
		h.Key = [4]byte(b[h.Len:])
		h.Len += 4
	}
	return h, true
}

// HeaderLen returns the length of the header that AppendHeader writes.
func HeaderLen(payload int) int {
	switch {
	case payload < 126:
		return 2
	case payload < 1<<16:
		return 4
	}
	return 10
}

// AppendHeader appends the header of a frame as servers write it, unmasked.
func AppendHeader(dst []byte, op byte, payload int) []byte {
	dst = append(dst, 128|op)
	switch {
	case payload < 126:
		return append(dst, byte(payload))
	case payload < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(payload))
	}
	return binary.BigEndian.AppendUint64(append(dst, 127), uint64(payload))
}

// Append appends a whole frame as servers write it.
func Append(dst []byte, op byte, payload []byte) []byte {
	return append(AppendHeader(dst, op, len(payload)), payload...)
}

// AppendMasked appends a whole frame as clients write it. The key is always the same: nothing here stands between
// proxies that it would have to confuse.
func AppendMasked(dst []byte, op byte, payload []byte) []byte {
	key := [4]byte{0x3a, 0x91, 0xc5, 0x57}
	second := len(dst) + 1
	dst = AppendHeader(dst, op, len(payload))
	dst[second] |= 128
	dst = append(dst, key[:]...)
	start := len(dst)
	dst = append(dst, payload...)
	Mask(dst[start:], key)
	return dst
}

// Mask masks or unmasks a payload in place.
func Mask(p []byte, key [4]byte) {
	k := uint64(binary.LittleEndian.Uint32(key[:]))
	k |= k << 32
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^k)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= key[i&3]
	}
}
