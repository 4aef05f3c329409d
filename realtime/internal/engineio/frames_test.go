package engineio

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// outcome is an outlet that keeps what it is given.
type outcome struct {
	messages []string
	pings    []string
	breaches []error
	closed   bool
	farewell string
}

func (o *outcome) message(data []byte, binary bool) {
	kind := "text "
	if binary {
		kind = "binary "
	}
	o.messages = append(o.messages, kind+string(data))
}
func (o *outcome) ping(payload []byte) { o.pings = append(o.pings, string(payload)) }
func (o *outcome) breach(err error)    { o.breaches = append(o.breaches, err) }

// taken returns what comes of wire in pieces of at most size bytes.
func taken(f *frames, wire []byte, size int) *outcome {
	o := &outcome{}
	wire = slices.Clone(wire)
	for piece := range slices.Chunk(wire, max(size, 1)) {
		farewell, closed := f.take(piece, o)
		if closed {
			o.closed, o.farewell = true, string(farewell)
			break
		}
		clear(piece) // whoever keeps it is found out
	}
	return o
}

// deflatedText returns text compressed as a message is.
func deflatedText(text string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 1)
	io.WriteString(w, text)
	w.Flush()
	return strings.TrimSuffix(b.String(), deflateTail)
}

// masked masks the only frame of which wire consists.
func masked(wire []byte, mask uint32) []byte {
	n := headerSize(wire)
	wire = slices.Clone(wire)
	for i := range 4 {
		wire[n-4+i] = byte(mask >> (8 * i))
	}
	for i := range wire[n:] {
		wire[n+i] ^= byte(mask >> (8 * (i % 4)))
	}
	return wire
}

func TestClientFrames(t *testing.T) {
	const final = bitFinal
	frame := func(first byte, payload string) []byte { return masked(appendFrame(nil, first, payload), 0xdeadbeef) }
	header := func(b ...byte) []byte { return b }
	long, kb := strings.Repeat("é", 50), strings.Repeat("x", 1000)
	for _, test := range []struct {
		name     string
		wire     []byte
		messages []string
		pings    []string
		breach   error
		farewell string // with a colon in front of it when there is one
	}{
		{name: "nothing"},
		{name: "two messages", wire: joined(frame(final|opText, "4a"), frame(final|opBinary, "b")), messages: []string{"text 4a", "binary b"}},
		{name: "an empty message", wire: frame(final|opText, ""), messages: []string{"text "}},
		{name: "as large as may be", wire: frame(final|opBinary, kb), messages: []string{"binary " + kb}},
		{name: "in fragments, and a ping between them", wire: joined(frame(opText, "4"), frame(0, ""), frame(final|opPing, "?"), frame(final, long)),
			messages: []string{"text 4" + long}, pings: []string{"?"}},
		{name: "a letter in two fragments", wire: joined(frame(opText, "\xc3"), frame(final, "\xa9")), messages: []string{"text é"}},
		{name: "a pong that nobody asked for", wire: frame(final|opPong, "!")},
		{name: "compressed", wire: frame(final|bitRSV1|opText, deflatedText(kb)), messages: []string{"text " + kb}},
		{name: "compressed, in fragments", messages: []string{"text " + kb, "text 4"},
			wire: joined(frame(bitRSV1|opText, deflatedText(kb)[:3]), frame(final, deflatedText(kb)[3:]), frame(final|opText, "4"))},

		{name: "close", wire: joined(frame(final|opClose, "\x03\xe8bye"), frame(final|opText, "late")), farewell: ":\x03\xe8bye"},
		{name: "close without a code", wire: frame(final|opClose, ""), farewell: ":"},

		{name: "one byte too large", wire: frame(final|opBinary, kb+"x"), breach: errLarge},
		{name: "too large together", wire: joined(frame(opBinary, kb), frame(final, "x")), breach: errLarge},
		{name: "of a length that is told alone", wire: header(final|opText, bitMasked|127, 0, 0, 0xff, 0, 0, 0, 0, 0, 1, 2, 3, 4), breach: errLarge},
		{name: "too large when inflated", wire: frame(final|bitRSV1|opText, deflatedText(strings.Repeat("0", 1<<20))), breach: errLarge},
		{name: "too large, and then closed", wire: joined(frame(final|opBinary, kb+"x"), frame(final|opText, "4"), frame(final|opPing, "?"), frame(final|opClose, "")),
			breach: errLarge, farewell: ":"},
		{name: "too many fragments", wire: joined(frame(opText, ""), repeat(10, 0, ""), frame(final|opClose, "")), breach: errFragments, farewell: ":"},
		{name: "no UTF-8", wire: joined(frame(final|opText, "\xff"), frame(final|opText, "4"), frame(final|opClose, "")), breach: errText, farewell: ":"},
		{name: "half a letter", wire: frame(final|opText, "4\xc3"), breach: errText},
		{name: "compressed nonsense", wire: frame(final|bitRSV1|opText, "\xff\xff\xff"), breach: errInflate},

		{name: "not masked", wire: header(final|opText, 1, '4'), breach: errFrame},
		{name: "not masked, and more", wire: joined(header(final|opText, 1, '4'), frame(final|opText, "4"), frame(final|opClose, "")), breach: errFrame},
		{name: "RSV1 without a compressed message", wire: joined(frame(opText, "4"), frame(final|bitRSV1, "4")), breach: errFrame},
		{name: "RSV1 in a ping", wire: frame(final|bitRSV1|opPing, ""), breach: errFrame},
		{name: "RSV2", wire: frame(final|0x20|opText, "4"), breach: errFrame},
		{name: "RSV3", wire: frame(final|0x10|opText, "4"), breach: errFrame},
		{name: "opcode 3", wire: frame(final|3, ""), breach: errFrame},
		{name: "opcode 7", wire: frame(final|7, ""), breach: errFrame},
		{name: "opcode 11", wire: frame(final|11, ""), breach: errFrame},
		{name: "opcode 15", wire: frame(final|15, ""), breach: errFrame},
		{name: "a ping of 126 bytes", wire: frame(final|opPing, kb[:126]), breach: errFrame},
		{name: "a ping of 125 bytes", wire: frame(final|opPing, kb[:125]), pings: []string{kb[:125]}},
		{name: "a fragmented ping", wire: frame(opPing, "?"), breach: errFrame},
		{name: "a fragmented close", wire: frame(opClose, ""), breach: errFrame},
		{name: "continuation of nothing", wire: frame(0, "4"), breach: errFrame},
		{name: "the last of nothing", wire: joined(frame(final|opText, "4"), frame(final, "4")), messages: []string{"text 4"}, breach: errFrame},
		{name: "a message within a message", wire: joined(frame(opText, "4"), frame(final|opText, "4")), breach: errFrame},
		{name: "a negative length", wire: header(final|opText, bitMasked|127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4), breach: errFrame},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 7, 100, len(test.wire)} {
				f := &frames{limit: 1000, most: 10, inflates: true}
				o := taken(f, test.wire, size)
				if !slices.Equal(o.messages, test.messages) || !slices.Equal(o.pings, test.pings) {
					t.Errorf("in pieces of %d: messages %q, pings %q", size, o.messages, o.pings)
				}
				if test.breach == nil && o.breaches != nil || test.breach != nil && !slices.Equal(o.breaches, []error{test.breach}) {
					t.Errorf("in pieces of %d: breaches %v, want %v", size, o.breaches, test.breach)
				}
				if o.closed != (test.farewell != "") || o.closed && ":"+o.farewell != test.farewell {
					t.Errorf("in pieces of %d: closed %v with %q", size, o.closed, o.farewell)
				}
			}
		})
	}
}

// What claims to be large costs nothing until it comes.
func TestFramesKeepLittle(t *testing.T) {
	f := &frames{limit: 1 << 30}
	taken(f, []byte{bitFinal | opBinary, bitMasked | 127, 0, 0, 0, 0, 0x3f, 0, 0, 0, 1, 2, 3, 4, 5}, 100)
	if !f.inside || cap(f.body) > maxPooled {
		t.Errorf("%d bytes are kept for one", cap(f.body))
	}
}

// silence is an outlet that nothing comes out of.
type silence struct{}

func (silence) message([]byte, bool) {}
func (silence) ping([]byte)          {}
func (silence) breach(error)         {}

// script builds what a client sends from the bytes of a fuzzer's input: mostly
// within the rules.
func script(kinds []byte) (wire []byte) {
	for i, kind := range kinds {
		first := []byte{0, bitFinal, opText, opBinary, bitFinal | opText, bitFinal | opPing, bitFinal | opPong, bitFinal | opClose,
			bitFinal | opBinary, bitFinal | opText, bitRSV1 | bitFinal | opText, opPing, bitFinal | 11, 0x20 | opText, bitFinal | opBinary, bitFinal | opText}[kind&15]
		payload := strings.Repeat("ä", []int{0, 1, 2, 62, 63, 150, 1000, 40000, 0, 3, 7, 33, 64, 80, 90, 200}[kind>>4])
		if first&0x0f == opClose {
			payload = "\x03\xe8" + payload[:min(len(payload), 124)]
		}
		if first&bitRSV1 != 0 {
			payload = deflatedText(payload)
		}
		wire = append(wire, masked(appendFrame(nil, first, payload), uint32(i)*2654435761)...)
	}
	return wire
}

// What comes of a client's bytes is what the library makes of them, up to the
// first that breaks the rules; and the same in pieces of any size.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{4, 8, 0x25, 0x36, 2, 0x10, 1, 7}, []byte{}, uint64(1), false)
	f.Add([]byte{0x2a, 0x33, 0x50, 0x60, 5, 0x71, 4}, []byte{0x88, 0x80, 0, 0, 0, 0}, uint64(2), true)
	f.Add([]byte{4, 11}, []byte{0x81, 0xfe, 0, 0}, uint64(3), true)
	f.Fuzz(func(t *testing.T, kinds, raw []byte, seed uint64, deflate bool) {
		if len(kinds) > 200 {
			return
		}
		wire := append(script(kinds), raw...)
		want := ofLibrary(t, wire, deflate)
		random := rand.New(rand.NewPCG(seed, 0))
		for _, size := range []int{len(wire), 1 + random.IntN(20), 1 + random.IntN(5000)} {
			got := taken(&frames{limit: 1 << 30, inflates: deflate}, wire, size)
			if !slices.Equal(got.messages, want.messages) {
				t.Fatalf("pieces of %d: %.200q, the library %.200q", size, got.messages, want.messages)
			}
			if got.closed && len(got.breaches) == 0 && want.breaches != nil && len(got.farewell) > 1 && validCode(uint16(got.farewell[0])<<8|uint16(got.farewell[1])) {
				t.Fatalf("pieces of %d: closed, the library %v", size, want.breaches)
			}
			if again := len(got.breaches) > 1; again || len(got.breaches) == 0 && !got.closed && want.closed {
				t.Fatalf("pieces of %d: %v, the library %v, closed %v", size, got.breaches, want.breaches, want.closed)
			}
		}
	})
}

// ofLibrary returns what comes of wire when the WebSocket library reads it. It
// leaves texts to its caller to judge.
func ofLibrary(t *testing.T, wire []byte, deflate bool) *outcome {
	mode, header := websocket.CompressionDisabled, ""
	if deflate {
		mode, header = websocket.CompressionNoContextTakeover, "permessage-deflate"
	}
	conn := &playback{data: wire}
	w := hijacked{httptest.NewRecorder(), conn}
	c, err := websocket.Accept(w, upgradeRequest("", "Sec-WebSocket-Extensions", header), &websocket.AcceptOptions{CompressionMode: mode})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	o := &outcome{}
	for {
		kind, data, err := c.Read(context.Background())
		switch {
		case websocket.CloseStatus(err) != -1:
			o.closed = true
			return o
		case err != nil:
			o.breaches = []error{err}
			return o
		case kind == websocket.MessageText && !utf8.Valid(data):
			o.breaches = []error{errText}
			return o
		}
		o.message(data, kind == websocket.MessageBinary)
	}
}

// endless is a connection that has no end of its own.
type endless struct{ net.Conn }

func (endless) Write(p []byte) (int, error)      { return len(p), nil }
func (endless) Close() error                     { return nil }
func (endless) SetDeadline(time.Time) error      { return nil }
func (endless) SetWriteDeadline(time.Time) error { return nil }

// playback is a connection over which data comes, and then the end.
type playback struct {
	endless
	data []byte
}

func (p *playback) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, net.ErrClosed // the library takes io.EOF for the end of a message
	}
	n := copy(b, p.data)
	p.data = p.data[n:]
	return n, nil
}

// BenchmarkFrames takes messages apart, as many as come in one read.
func BenchmarkFrames(b *testing.B) {
	for _, size := range []int{16, 1024} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			wire := repeat(8000/(size+8), bitFinal|opBinary, strings.Repeat("x", size))
			f, to := &frames{limit: 1 << 20, most: 1000}, silence{}
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				f.take(wire, to)
			}
		})
	}
}
