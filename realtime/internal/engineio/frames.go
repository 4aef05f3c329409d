package engineio

import "errors"

var errFragments = errors.New("engineio: message exceeds MaxFragments")

// frames follows the frames that a client sends, as RFC 6455, section 5.2 has
// them, where their bytes come in. The WebSocket library puts the frames of a
// message together and does not tell how many there were: a message of a
// million empty ones costs its sender little and passes every limit in bytes.
//
// It belongs to the reader. What breaks the protocol is the library's to find.
type frames struct {
	limit    int    // frames of a message; 0 is none
	count    int    // frames of the message so far
	skip     uint64 // bytes up to the next header, or up to its next part
	part     headerPart
	opcode   byte
	masked   bool
	length   uint64 // of the payload, as far as it has been read
	exceeded bool   // a message had more frames than the limit
	closed   bool   // the client's close frame has passed
}

// headerPart says which part of a frame's header comes next.
type headerPart byte

const (
	partFirst  headerPart = iota // FIN and opcode
	partSecond                   // MASK and length
	partLength                   // skip bytes of extended length
	partRest                     // skip bytes of mask and payload
)

const (
	opContinuation = 0
	opControl      = 8 // the bit of control frames
)

// pass takes the next bytes.
func (f *frames) pass(p []byte) {
	for len(p) > 0 {
		b := p[0]
		switch f.part {
		case partFirst:
			f.first(b)
		case partSecond:
			f.masked, f.length = b&0x80 != 0, uint64(b&0x7f)
			switch f.length {
			case 126:
				f.part, f.skip, f.length = partLength, 2, 0
			case 127:
				f.part, f.skip, f.length = partLength, 8, 0
			default:
				f.payload()
			}
		case partLength:
			f.length = f.length<<8 | uint64(b)
			if f.skip--; f.skip == 0 {
				f.payload()
			}
		case partRest:
			n := min(f.skip, uint64(len(p)))
			p = p[n:]
			if f.skip -= n; f.skip == 0 {
				f.end()
			}
			continue
		}
		p = p[1:]
	}
}

// first takes the byte that begins a frame.
func (f *frames) first(b byte) {
	f.opcode, f.part = b&0x0f, partSecond
	if f.opcode&opControl != 0 { // they may stand between the frames of a message
		return
	}
	if f.opcode != opContinuation {
		f.count = 0
	}
	f.count++
	if f.limit > 0 && f.count > f.limit {
		f.exceeded = true
	}
}

// payload begins with what follows the length.
func (f *frames) payload() {
	f.part, f.skip = partRest, f.length
	if f.masked {
		f.skip += 4
	}
	if f.skip == 0 {
		f.end()
	}
}

// end follows the last byte of a frame.
func (f *frames) end() {
	f.part = partFirst
	f.closed = f.closed || f.opcode == opClose
}
