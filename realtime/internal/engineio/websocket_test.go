package engineio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// listener is the Handler of a test's session.
type listener struct {
	messages chan string
	closed   chan string
}

func (r listener) Message(data []byte, binary bool) error {
	r.messages <- string(data)
	return nil
}

func (r listener) Closed(reason string) { r.closed <- reason }

// newListened returns a server whose sessions and handlers come out of the
// channels.
func newListened(config Config) (*Server, chan *Session, listener) {
	config.PingInterval, config.PingTimeout, config.UpgradeTimeout = 25*time.Second, 20*time.Second, 10*time.Second
	if config.MaxPayload == 0 {
		config.MaxPayload = 1000
	}
	config.MaxBuffered = 1 << 20
	config.AllowUpgrades = true
	config.Transports = []string{Polling, WebSocket}
	config.Logger = slog.New(slog.DiscardHandler)
	sessions, r := make(chan *Session, 16), listener{make(chan string, 16), make(chan string, 16)}
	return NewServer(config, func(s *Session, _ *http.Request) Handler {
		sessions <- s
		return r
	}), sessions, r
}

// rawClient is a WebSocket client that may break every rule.
type rawClient struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// hijacked is a ResponseWriter whose connection is conn.
type hijacked struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// upgradeRequest returns the request of a WebSocket handshake.
func upgradeRequest(query string, header ...string) *http.Request {
	r := httptest.NewRequest("GET", "/engine.io/?EIO=4&transport=websocket"+query, nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(name, value)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// dialRaw connects to server and returns the client behind its handshake, and
// the headers of the answer.
func dialRaw(t *testing.T, server *Server, header ...string) (*rawClient, http.Header) {
	t.Helper()
	here, there := net.Pipe()
	w := hijacked{httptest.NewRecorder(), there}
	server.ServeHTTP(w, upgradeRequest("", header...))
	if w.Code != http.StatusSwitchingProtocols {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	c := &rawClient{t, here, bufio.NewReader(here)}
	if opcode, data := c.frame(); opcode != 0x80|opText || data[0] != typeOpen {
		t.Fatalf("the session began with %x %q", opcode, data)
	}
	return c, w.Header()
}

// appendFrame appends a masked frame; first is its first byte.
func appendFrame(dst []byte, first byte, payload string) []byte {
	start := len(dst)
	dst = append(dst, newFrame(first&0x0f, len(payload)).frame...)
	dst[start] = first
	dst[start+1] |= 0x80
	dst = append(dst, 0, 0, 0, 0) // a mask that changes nothing
	return append(dst, payload...)
}

// send sends frames in one write, or nothing more when the server hangs up.
func (c *rawClient) send(frames []byte) { c.conn.Write(frames) }

// frame reads the next frame from the server.
func (c *rawClient) frame() (first byte, payload []byte) {
	c.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		c.t.Fatal(err)
	}
	size := int(head[1])
	switch head[1] {
	case 126:
		var b [2]byte
		io.ReadFull(c.r, b[:])
		size = int(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		io.ReadFull(c.r, b[:])
		size = int(binary.BigEndian.Uint64(b[:]))
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		c.t.Fatal(err)
	}
	return head[0], payload
}

// expectClose reads a close frame with the code alone, answers it and expects
// the end.
func (c *rawClient) expectClose(code int) {
	c.t.Helper()
	first, payload := c.frame()
	if first != 0x80|opClose || len(payload) != 2 || int(binary.BigEndian.Uint16(payload)) != code {
		c.t.Errorf("got frame %x %x instead of a close with %d", first, payload, code)
	}
	c.send(appendFrame(nil, 0x80|opClose, string(payload)))
	if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
		c.t.Errorf("after the close: %v", err)
	}
}

func repeat(n int, first byte, payload string) (frames []byte) {
	for range n {
		frames = appendFrame(frames, first, payload)
	}
	return frames
}

func TestMaxFragments(t *testing.T) {
	const final = 0x80
	for _, test := range []struct {
		name   string
		limit  int
		frames []byte
		want   string // the message, or "" for a close with 1008
	}{
		{"at the limit", 4, joined(appendFrame(nil, opText, "4a"), repeat(2, 0, "b"), repeat(1, final, "c")), "abbc"},
		{"one more", 4, joined(appendFrame(nil, opText, "4a"), repeat(3, 0, "b"), repeat(1, final, "c")), ""},
		{"empty ones", 4, joined(appendFrame(nil, opText, "4a"), repeat(100, 0, "")), ""},
		{"nothing but empty ones", 4, joined(appendFrame(nil, opBinary, ""), repeat(4, 0, "")), ""},
		{"control frames do not count", 4, joined(appendFrame(nil, opText, "4a"), repeat(9, final|0xa, "pong"), repeat(1, final, "b")), "ab"},
		{"each message anew", 2, joined(repeat(9, final|opText, "3"), appendFrame(nil, final|opText, "4a")), "a"},
		{"no limit", 0, joined(appendFrame(nil, opText, "4a"), repeat(100, 0, ""), repeat(1, final, "b")), "ab"},
		{"masses behind it", 4, joined(appendFrame(nil, opText, "4a"), repeat(10000, 0, "bb")), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, _, r := newListened(Config{MaxFragments: test.limit})
				c, _ := dialRaw(t, server)
				go c.send(test.frames)
				if test.want != "" {
					expect(t, <-r.messages, test.want)
					c.conn.Close()
					expect(t, <-r.closed, ReasonTransportClose)
				} else {
					c.expectClose(1008)
					expect(t, <-r.closed, ReasonTransportError)
				}
				server.Shutdown(t.Context())
			})
		})
	}
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// A client that does not answer a close frame for a breach has closeGrace.
func TestBreachWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, r := newListened(Config{MaxPayload: 10})
		c, _ := dialRaw(t, server)
		go c.send(appendFrame(nil, 0x80|opText, strings.Repeat("4", 1000)))
		if first, payload := c.frame(); first != 0x80|opClose || !bytes.Equal(payload, []byte{0x03, 0xf1}) {
			t.Errorf("got frame %x %x instead of a close with 1009", first, payload)
		}
		expect(t, <-r.closed, ReasonTransportError)
		start := time.Now()
		if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		if waited := time.Since(start); waited != closeGrace {
			t.Errorf("the connection ended after %v", waited)
		}
		server.Shutdown(t.Context())
	})
}

// The frames are counted right however their bytes come in.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{1, 0, 0, 2, 8, 200, 126, 127}, uint64(1))
	f.Add([]byte{255, 130, 9, 0, 0, 0}, uint64(2))
	f.Fuzz(func(t *testing.T, kinds []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		var wire []byte
		count, most, closed := 0, 0, false
		for _, kind := range kinds {
			first, size := []byte{0, 0x80, 1, 2, 0x81, 0x89, 0x8a, 0x88}[kind%8], []int{0, 1, 125, 126, 300, 70000}[kind/8%6]
			if first&opControl != 0 {
				size %= 126
				closed = closed || first&0x0f == opClose
			} else {
				if first&0x0f != opContinuation {
					count = 0
				}
				count++
				most = max(most, count)
			}
			wire = appendFrame(wire, first, strings.Repeat("x", size))
		}
		for _, limit := range []int{0, most, most - 1} {
			fr := frames{limit: limit}
			for rest := wire; len(rest) > 0; {
				n := min(1+random.IntN(1+random.IntN(4000)), len(rest))
				fr.pass(rest[:n])
				rest = rest[n:]
			}
			if want := limit > 0 && limit < most; fr.exceeded != want || fr.closed != closed || fr.part != partFirst {
				t.Fatalf("%d frames, limit %d: exceeded %v, closed %v, part %v", most, limit, fr.exceeded, fr.closed, fr.part)
			}
		}
	})
}

// endless is a connection that a client sends the same bytes over for ever.
type endless struct {
	net.Conn
	data []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.data[e.at:])
	e.at = (e.at + n) % len(e.data)
	return n, nil
}

func (e *endless) SetDeadline(time.Time) error      { return nil }
func (e *endless) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkRead reads messages of 1 KB.
func BenchmarkRead(b *testing.B) {
	server, _, _ := newListened(Config{MaxPayload: 1 << 20, MaxFragments: 1000})
	conn := &endless{data: repeat(64, 0x82, strings.Repeat("x", 1024))}
	ws, err := server.acceptWebSocket(hijacked{httptest.NewRecorder(), conn}, upgradeRequest(""))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		var buf buffer
		data, _, err := ws.read(&buf)
		if err != nil {
			b.Fatal(err)
		}
		buf.release(data)
	}
}
