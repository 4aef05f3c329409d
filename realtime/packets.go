package realtime

import (
	"sync"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// scratch is where packets are encoded before the engine makes frames of them,
// which are as large as they have to be.
var scratch = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// maxScratch is the capacity in bytes above which such memory is not kept.
const maxScratch = 64 << 10

// appendPacket appends a packet to dst, as the engine sends it.
func (c *Config) appendPacket(dst []engineio.Packet, p parser.Outgoing, plain bool) ([]engineio.Packet, error) {
	codec, able := c.Codec.(parser.Appender)
	if !able {
		frames, err := c.Codec.Encode(p)
		return appendFrames(dst, frames, plain), err
	}
	buf := scratch.Get().(*[]byte)
	text, attachments, err := codec.Append((*buf)[:0], p)
	if err != nil {
		scratch.Put(buf)
		return nil, err
	}
	dst = appendMessage(dst, engineio.Text(text), plain)
	for _, data := range attachments {
		dst = appendMessage(dst, engineio.Binary(data), plain)
	}
	if cap(text) <= maxScratch {
		*buf = text
		scratch.Put(buf)
	}
	return dst, nil
}

// appendFrames appends frames as packets of the engine.
func appendFrames(dst []engineio.Packet, frames []parser.Frame, plain bool) []engineio.Packet {
	if dst == nil {
		dst = make([]engineio.Packet, 0, len(frames))
	}
	for _, f := range frames {
		p := engineio.Text
		if f.Binary {
			p = engineio.Binary
		}
		dst = appendMessage(dst, p(f.Data), plain)
	}
	return dst
}

func appendMessage(dst []engineio.Packet, p engineio.Packet, plain bool) []engineio.Packet {
	if plain {
		p = p.Uncompressed()
	}
	return append(dst, p)
}
