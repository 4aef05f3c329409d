package engineio

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Deflate has a WebSocket's messages compressed by permessage-deflate, RFC 7692,
// for clients that offer it. Each message is compressed by itself, without
// context takeover in either direction, so that what goes to many clients is
// compressed once, and an idle connection keeps no window.
type Deflate struct {
	// Threshold is the size in bytes from which a packet is compressed. Default
	// 1024.
	Threshold int

	// Level is that of compress/flate, from 1, the fastest, to 9, the smallest.
	// Default 1: on JSON it leaves some tenth more than 6, in a third of the time.
	Level int
}

// deflater compresses packets by the options of a Deflate. All methods may be
// called concurrently, and of a nil one.
type deflater struct {
	threshold int
	writers   sync.Pool // of *deflateWriter
}

// deflateWriter is what compressing a message takes, about 1 MB.
type deflateWriter struct {
	*flate.Writer
	out bytes.Buffer
}

// newDeflater returns nil for nil. It panics when the level is none.
func newDeflater(options *Deflate) *deflater {
	if options == nil {
		return nil
	}
	d := &deflater{threshold: options.Threshold}
	if d.threshold == 0 {
		d.threshold = 1024
	}
	level := options.Level
	if level == 0 {
		level = flate.BestSpeed
	}
	if level < flate.BestSpeed || level > flate.BestCompression {
		panic(fmt.Sprintf("engineio: Deflate.Level is %d; give one from %d to %d, or 0 for the default", level, flate.BestSpeed, flate.BestCompression))
	}
	d.writers.New = func() any {
		w := &deflateWriter{}
		w.Writer, _ = flate.NewWriter(&w.out, level) // fails only for a level that is none
		return w
	}
	return d
}

// deflated is the compressed form of a packet, made by the first who needs it.
type deflated struct {
	once   sync.Once
	packet Packet
}

// Share has packets that are about to be sent to many sessions compressed once
// for all of them, if it comes to that; it changes them in place. Without
// Config.Deflate it does nothing.
func (s *Server) Share(packets []Packet) {
	for i := range packets {
		if p := &packets[i]; s.deflater.wants(*p) && p.deflated == nil {
			p.deflated = new(deflated)
		}
	}
}

// wants reports whether p is to be compressed.
func (d *deflater) wants(p Packet) bool {
	return d != nil && !p.plain && len(p.payload()) >= d.threshold
}

// apply returns p as it leaves over a connection that compresses.
func (d *deflater) apply(p Packet) Packet {
	switch {
	case !d.wants(p):
		return p
	case p.deflated == nil:
		return d.deflate(p)
	}
	p.deflated.once.Do(func() { p.deflated.packet = d.deflate(p) })
	return p.deflated.packet
}

// deflateTail is what RFC 7692, section 7.2.1 leaves out at the end of a message.
const deflateTail = "\x00\x00\xff\xff"

// deflate returns p compressed, or p itself when that is not smaller.
func (d *deflater) deflate(p Packet) Packet {
	w := d.writers.Get().(*deflateWriter)
	defer d.writers.Put(w)
	w.out.Reset()
	w.Reset(&w.out)
	w.Write(p.payload()) // to memory: neither fails
	w.Flush()
	payload := bytes.TrimSuffix(w.out.Bytes(), []byte(deflateTail))
	if len(payload) >= len(p.payload()) {
		return p
	}
	compressed := newFrame(p.frame[0]&0x0f|bitRSV1, len(payload))
	compressed.frame = append(compressed.frame, payload...)
	return compressed
}

// inflater is what inflating a message takes, about 40 KB.
type inflater struct {
	io.ReadCloser // a flate.Resetter
	in            bytes.Reader
}

var inflaters = sync.Pool{New: func() any {
	i := &inflater{}
	i.ReadCloser = flate.NewReader(&i.in)
	return i
}}

// inflate appends what data inflates to, but no more than limit bytes, to dst. It
// may write past the end of data. It returns errLarge or errInflate.
func inflate(dst, data []byte, limit int) ([]byte, error) {
	i := inflaters.Get().(*inflater)
	defer inflaters.Put(i)
	i.in.Reset(append(data, deflateTail+lastBlock...))
	i.ReadCloser.(flate.Resetter).Reset(&i.in, nil)
	dst, err := appendAll(dst, i, int64(limit))
	i.in.Reset(nil)
	if err != nil && err != errLarge {
		err = errInflate
	}
	return dst, err
}

// lastBlock is an empty block that says that it is the last.
const lastBlock = "\x01\x00\x00\xff\xff"

// deflates reports whether the answer to a WebSocket handshake agrees on
// permessage-deflate.
func deflates(answer http.Header) bool {
	return strings.HasPrefix(answer.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
}
