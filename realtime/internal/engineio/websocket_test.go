package engineio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
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

// What the client of a WebSocket is answered by the connection itself.
func TestControlFrames(t *testing.T) {
	const final = bitFinal
	for _, test := range []struct {
		name   string
		frames []byte
		first  byte
		want   string
		reason string
	}{
		{"a ping", appendFrame(nil, final|opPing, "hello"), final | opPong, "hello", ""},
		{"a close", appendFrame(nil, final|opClose, "\x03\xe8bye"), final | opClose, "\x03\xe8", ReasonTransportClose},
		{"a close without a code", appendFrame(nil, final|opClose, ""), final | opClose, "", ReasonTransportClose},
		{"a code that must not be sent", appendFrame(nil, final|opClose, "\x03\xed"), final | opClose, "\x03\xea", ReasonTransportClose},
		{"half a code", appendFrame(nil, final|opClose, "\x03"), final | opClose, "\x03\xea", ReasonTransportClose},
		{"a reason that is no text", appendFrame(nil, final|opClose, "\x03\xe8\xff"), final | opClose, "\x03\xef", ReasonTransportClose},
		{"a frame without a mask", []byte{final | opText, 1, '4'}, final | opClose, "\x03\xea", ReasonTransportError},
		{"an unknown opcode", appendFrame(nil, final|3, "4"), final | opClose, "\x03\xea", ReasonTransportError},
		{"a text that is none", appendFrame(nil, final|opText, "4\xff"), final | opClose, "\x03\xef", ReasonParseError},
		{"an unknown packet", appendFrame(nil, final|opText, "x"), final | opClose, "", ReasonParseError},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, _, r := newListened(Config{})
				c, _ := dialRaw(t, server)
				go c.send(test.frames)
				if first, payload := c.frame(); first != test.first || string(payload) != test.want {
					t.Errorf("answered with %x %x", first, payload)
				}
				if test.reason != "" {
					expect(t, <-r.closed, test.reason)
				}
				c.conn.Close()
				server.Shutdown(t.Context())
			})
		})
	}
}

// Messages of any size come through, over a connection of the system's and over
// one of TLS, compressed or not, with pings between them.
func TestConnections(t *testing.T) {
	for _, test := range []struct {
		name    string
		tls     bool
		deflate *Deflate
	}{{"TCP", false, nil}, {"TLS", true, nil}, {"TCP, compressed", false, &Deflate{}}, {"TLS, compressed", true, &Deflate{}}} {
		t.Run(test.name, func(t *testing.T) {
			server, _, r := newListened(Config{MaxPayload: 1 << 20, MaxFragments: 1000, Deflate: test.deflate})
			front := httptest.NewUnstartedServer(server)
			if test.tls {
				front.StartTLS()
			} else {
				front.Start()
			}
			defer front.Close()
			options := &websocket.DialOptions{HTTPClient: front.Client()}
			if test.deflate != nil {
				options.CompressionMode = websocket.CompressionNoContextTakeover
			}
			ws, _, err := websocket.Dial(t.Context(), front.URL+"/?EIO=4&transport=websocket", options)
			if err != nil {
				t.Fatal(err)
			}
			defer ws.CloseNow()
			reader := make(chan struct{})
			go func() { // takes the pongs
				defer close(reader)
				for err := error(nil); err == nil; _, _, err = ws.Read(t.Context()) {
				}
			}()
			for _, size := range []int{0, 1, 124, 125, 126, 5000, 8191, 8192, 8193, 70000, 1 << 20} {
				if err := ws.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := strings.Repeat("0123456789abcdef", size/16+1)[:size]
				if err := ws.Write(t.Context(), websocket.MessageBinary, []byte(want)); err != nil {
					t.Fatal(err)
				}
				if got := <-r.messages; got != want {
					t.Errorf("%d bytes came as %d", len(want), len(got))
				}
			}
			ws.CloseNow()
			<-reader
			expect(t, <-r.closed, ReasonTransportClose)
			if err := server.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
