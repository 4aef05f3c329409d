package realtime

import (
	"sync"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// scratch is memory to encode in that is used again: by what is sent to one
// session, until it has been, for one.
type scratch struct{ text []byte }

var scratches = sync.Pool{New: func() any { return &scratch{make([]byte, 0, 1<<10)} }}

// maxScratch is the capacity in bytes above which such memory is not kept.
const maxScratch = 64 << 10

func newScratch() *scratch { return scratches.Get().(*scratch) }

func (s *scratch) release() {
	if cap(s.text) <= maxScratch {
		scratches.Put(s)
	}
}

// appendPacket appends a packet to dst, as the engine sends it, which lies in the
// scratch: it is valid until that is released or used again.
func (s *scratch) appendPacket(dst []engineio.Packet, c *Config, p *parser.Outgoing, plain bool) ([]engineio.Packet, error) {
	codec, able := c.Codec.(parser.Appender)
	if !able {
		frames, err := c.Codec.Encode(*p)
		return appendFrames(dst, frames, plain), err
	}
	text, attachments, err := codec.Append(s.text[:engineio.Headroom], *p)
	if err != nil {
		return nil, err
	}
	s.text = text
	from := len(dst)
	dst = engineio.Lend(dst, text)
	for _, data := range attachments {
		dst = append(dst, engineio.Binary(data))
	}
	uncompressed(dst[from:], plain)
	return dst, nil
}

// appendFrames appends frames as packets of the engine.
func appendFrames(dst []engineio.Packet, frames []parser.Frame, plain bool) []engineio.Packet {
	if dst == nil {
		dst = make([]engineio.Packet, 0, len(frames))
	}
	from := len(dst)
	for _, f := range frames {
		p := engineio.Text
		if f.Binary {
			p = engineio.Binary
		}
		dst = append(dst, p(f.Data))
	}
	uncompressed(dst[from:], plain)
	return dst
}

// uncompressed marks packets to leave as they are, if they shall.
func uncompressed(packets []engineio.Packet, plain bool) {
	if plain {
		for i, p := range packets {
			packets[i] = p.Uncompressed()
		}
	}
}
