package engineio

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"
)

// frames takes the frames of one client apart, RFC 6455, section 5, from bytes
// that come in pieces of any size. It keeps none of them but a header that is not
// whole, and what has come of a message that is not: a message in one frame, in
// one piece, is unmasked and passed on where it lies.
//
// It belongs to the connection's reader.
type frames struct {
	limit    int  // bytes of a message, inclusive, once it is inflated
	most     int  // frames of a message, the empty ones, too; 0 is no limit
	inflates bool // messages may be compressed

	stray bool // nothing is passed on any more, but the close frame is looked for
	lost  bool // nor that: where a frame begins is not known

	head   [maxHeader]byte // what has come of a header that is not whole
	have   uint8           // how many bytes
	inside bool            // a header has been read, and not all of its payload
	first  byte            // of that frame: FIN, RSV and opcode
	mask   uint32          // for the next byte of it and those after
	left   int64           // bytes of it to come

	kind       byte   // of the message under way: opText, opBinary, or 0 for none
	compressed bool   // that message is
	count      int    // its frames
	body       []byte // what has come of its payload, in the memory of buf
	buf        buffer
	control    []byte // what has come of a control frame's payload
}

// outlet receives what frames find. The bytes are only valid until it returns.
type outlet interface {
	message(data []byte, binary bool)
	ping(payload []byte)

	// breach is called once at most, and nothing after it but what ends the
	// connection.
	breach(err error)
}

// What a client may do wrong.
var (
	errLarge     = errors.New("engineio: message exceeds MaxPayload")
	errFragments = errors.New("engineio: message exceeds MaxFragments")
	errFrame     = errors.New("engineio: WebSocket frame against the rules")
	errText      = errors.New("engineio: text is not UTF-8")
	errInflate   = errors.New("engineio: message cannot be inflated")
)

const (
	bitFinal  = 0x80
	bitRSV1   = 0x40
	bitsRSV   = 0x70
	bitMasked = 0x80

	opControl  = 8   // the bit of control frames
	maxControl = 125 // bytes of their payload
	maxHeader  = 14
)

// take takes the next bytes, in which it writes, and passes on what they hold. It
// returns the payload of the close frame when it comes to that, after which
// nothing counts.
func (f *frames) take(p []byte, to outlet) (farewell []byte, closed bool) {
	for !f.lost {
		if !f.inside {
			n, whole, err := f.header(p)
			if p = p[n:]; !whole {
				break
			}
			if err != nil {
				f.fail(err, to)
				continue // with the payload, if it is known where that ends
			}
		}
		n := int(min(f.left, int64(len(p))))
		part := p[:n]
		p = p[n:]
		f.left -= int64(n)
		f.inside = f.left > 0
		f.mask = unmask(part, f.mask)
		if f.first&opControl == 0 {
			f.data(part, to)
		} else if farewell, closed = f.controls(part, to); closed {
			return farewell, true
		}
		if f.inside {
			break
		}
	}
	return nil, false
}

// fail passes on that the client breaks the rules.
func (f *frames) fail(err error, to outlet) {
	f.lost = f.lost || err == errFrame
	f.drop()
	if !f.stray {
		f.stray = true
		to.breach(err)
	}
}

// header reads the next header, or as much of it as p holds. It returns how many
// bytes of p that was, whether it is whole, and what is wrong with it then.
func (f *frames) header(p []byte) (n int, whole bool, err error) {
	h := p
	if n = headerSize(p); f.have > 0 || n > len(p) {
		for n = 0; int(f.have) < headerSize(f.head[:f.have]); n++ {
			if n == len(p) {
				return n, false, nil
			}
			f.head[f.have] = p[n]
			f.have++
		}
		h = f.head[:f.have]
		f.have = 0
	}
	first, second := h[0], h[1]
	size := uint64(second &^ bitMasked)
	switch h = h[2:]; size {
	case 126:
		size = uint64(binary.BigEndian.Uint16(h))
		h = h[2:]
	case 127:
		size = binary.BigEndian.Uint64(h)
		h = h[8:]
	}
	if second&bitMasked == 0 || size > 1<<62 {
		return n, true, errFrame
	}
	f.inside, f.first, f.left, f.mask = true, first, int64(size), binary.LittleEndian.Uint32(h)
	return n, true, f.judge()
}

// headerSize returns how many bytes the header has that begins with h, as far as
// h tells.
func headerSize(h []byte) int {
	if len(h) < 2 {
		return 2
	}
	n := 2
	if h[1]&bitMasked != 0 {
		n += 4
	}
	switch h[1] &^ bitMasked {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	return n
}

// judge returns what is wrong with the frame whose header has been read: by
// section 5.2, which bits and opcodes there are; by 5.4, which frames make a
// message; by 5.5, what a control frame may be; and by the limits. The limits come
// last: what breaks them is skipped, so it must be known where that ends.
func (f *frames) judge() error {
	opcode, final, rsv := f.first&0x0f, f.first&bitFinal != 0, f.first&bitsRSV
	if opcode&opControl != 0 {
		if opcode > opPong || !final || rsv != 0 || f.left > maxControl {
			return errFrame
		}
		return nil
	}
	first := opcode != opContinuation
	if opcode > opBinary || first == (f.kind != 0) || rsv != 0 && (rsv != bitRSV1 || !first || !f.inflates) {
		return errFrame
	}
	if first {
		f.kind, f.compressed, f.count = opcode, rsv != 0, 0
	}
	f.count++
	switch {
	case f.stray:
		return nil
	case f.most > 0 && f.count > f.most:
		return errFragments
	case f.left > int64(f.bound()-len(f.body)):
		return errLarge
	}
	return nil
}

// bound is how large the message under way may be, in bytes on the wire.
func (f *frames) bound() int {
	if f.compressed { // which may cost a little, where there is nothing to gain
		return f.limit + f.limit/8 + 1024
	}
	return f.limit
}

// data takes the next bytes of a message.
func (f *frames) data(part []byte, to outlet) {
	last := !f.inside && f.first&bitFinal != 0
	kind := f.kind
	if last {
		f.kind = 0
	}
	if f.stray {
		return
	}
	if !last || f.compressed || len(f.body) > 0 {
		if f.body == nil {
			f.body = f.buf.take()
		}
		f.body = append(f.body, part...)
		part = f.body
	}
	if last {
		f.pass(part, kind, to)
		f.drop()
	}
}

// pass passes a message on.
func (f *frames) pass(data []byte, kind byte, to outlet) {
	if f.compressed {
		var buf buffer
		inflated, err := inflate(buf.take(), data, f.limit)
		defer func() { buf.release(inflated) }()
		if err != nil {
			f.fail(err, to)
			return
		}
		data = inflated
	}
	if kind == opText && !utf8.Valid(data) {
		f.fail(errText, to)
		return
	}
	to.message(data, kind == opBinary)
}

// drop lets go of what has come of a message.
func (f *frames) drop() {
	f.buf.release(f.body)
	f.buf, f.body = buffer{}, nil
}

// controls takes the next bytes of a control frame, and returns the payload of
// a close frame that is whole.
func (f *frames) controls(part []byte, to outlet) (farewell []byte, closed bool) {
	if f.inside || len(f.control) > 0 {
		f.control = append(f.control, part...)
		part = f.control
	}
	if f.inside {
		return nil, false
	}
	f.control = nil
	switch f.first & 0x0f {
	case opClose:
		return part, true
	case opPing:
		if !f.stray {
			to.ping(part)
		}
	}
	return nil, false
}

// unmask applies a mask to b, RFC 6455, section 5.3, and returns it as it is for
// the bytes that follow.
func unmask(b []byte, mask uint32) uint32 {
	wide := uint64(mask)<<32 | uint64(mask)
	for len(b) >= 32 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^wide)
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^wide)
		binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^wide)
		b = b[32:]
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(mask)
		mask = bits.RotateLeft32(mask, -8)
	}
	return mask
}
