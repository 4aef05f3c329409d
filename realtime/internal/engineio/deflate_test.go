package engineio

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"
)

// inflated is what a client does with a compressed message.
func inflated(t *testing.T, payload []byte) string {
	t.Helper()
	r := flate.NewReader(io.MultiReader(bytes.NewReader(payload), strings.NewReader(deflateTail)))
	data, err := io.ReadAll(r)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // no block is marked as the last
		t.Fatal(err)
	}
	return string(data)
}

func TestDeflateOffers(t *testing.T) {
	const agreed = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
	for _, test := range []struct {
		deflate *Deflate
		offer   string
		want    string
	}{
		{nil, "permessage-deflate", ""},
		{&Deflate{}, "", ""},
		{&Deflate{}, "x-unknown", ""},
		{&Deflate{}, "permessage-deflate", agreed},
		{&Deflate{}, "permessage-deflate; client_max_window_bits", agreed},
		{&Deflate{}, "permessage-deflate; client_max_window_bits=9; client_no_context_takeover", agreed},
		{&Deflate{}, "permessage-deflate; server_no_context_takeover", agreed},
		{&Deflate{}, "permessage-deflate; server_max_window_bits=9", ""}, // our window is of 15 bits
		{&Deflate{}, "permessage-deflate; server_max_window_bits=9, permessage-deflate", agreed},
		{&Deflate{}, "permessage-deflate; nonsense", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			server, _, _ := newListened(Config{Deflate: test.deflate})
			c, header := dialRaw(t, server, "Sec-WebSocket-Extensions", test.offer)
			if got := header.Get("Sec-WebSocket-Extensions"); got != test.want {
				t.Errorf("%q was answered %q, want %q", test.offer, got, test.want)
			}
			c.conn.Close()
			server.Shutdown(t.Context())
		})
	}
}

// Which packets leave compressed.
func TestDeflate(t *testing.T) {
	long, noise := strings.Repeat("hello ", 400), make([]byte, 4000)
	rand.Read(noise)
	const compressed = bitRSV1 | 0x80
	for _, test := range []struct {
		name   string
		offer  string
		packet Packet
		first  byte
		want   string
	}{
		{"text", "permessage-deflate", Text([]byte(long)), compressed | opText, "4" + long},
		{"binary", "permessage-deflate", Binary([]byte(long)), compressed | opBinary, long},
		{"at the threshold", "permessage-deflate", Text([]byte(long[:999])), compressed | opText, "4" + long[:999]},
		{"under the threshold", "permessage-deflate", Text([]byte(long[:998])), 0x80 | opText, "4" + long[:998]},
		{"marked", "permessage-deflate", Text([]byte(long)).Uncompressed(), 0x80 | opText, "4" + long},
		{"noise", "permessage-deflate", Binary(noise), 0x80 | opBinary, string(noise)},
		{"not agreed on", "", Text([]byte(long)), 0x80 | opText, "4" + long},
	} {
		for _, shared := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server, sessions, _ := newListened(Config{Deflate: &Deflate{Threshold: 1000}})
					c, _ := dialRaw(t, server, "Sec-WebSocket-Extensions", test.offer)
					packets := []Packet{test.packet}
					if shared {
						server.Share(packets)
					}
					(<-sessions).Send(packets...)
					first, payload := c.frame()
					got := string(payload)
					if first&bitRSV1 != 0 {
						got = inflated(t, payload)
					}
					if first != test.first || got != test.want {
						t.Errorf("got %x and %.40q… of %d bytes", first, got, len(got))
					}
					c.conn.Close()
					server.Shutdown(t.Context())
				})
			})
		}
	}
}

// However many sessions a packet goes to, it is compressed once.
func TestDeflateShared(t *testing.T) {
	server := NewServer(Config{Deflate: &Deflate{}}, nil)
	packets := []Packet{Text([]byte(strings.Repeat("a", 2000))), Text([]byte("short"))}
	server.Share(packets)
	frames := make([]*byte, 100)
	var group sync.WaitGroup
	for i := range frames {
		group.Go(func() {
			p := server.deflater.apply(packets[0])
			frames[i] = &p.frame[0]
		})
	}
	group.Wait()
	for _, f := range frames {
		if f != frames[0] || f == &packets[0].frame[0] {
			t.Fatal("the packet was compressed more than once, or not at all")
		}
	}
	if packets[1].deflated != nil {
		t.Error("a packet that will not be compressed was prepared")
	}
	NewServer(Config{}, nil).Share(packets[1:])
	if packets[1].deflated != nil {
		t.Error("a packet was prepared for a server that does not compress")
	}
}

// A client's messages are inflated, and the limit is that of what comes out.
func TestInflateLimit(t *testing.T) {
	d := newDeflater(&Deflate{Threshold: 1})
	compress := func(text string) []byte {
		p := d.deflate(textPacket(typeMessage, []byte(text)))
		return appendFrame(nil, p.frame[0], string(p.frame[p.header:]))
	}
	synctest.Test(t, func(t *testing.T) {
		server, _, r := newListened(Config{Deflate: &Deflate{}, MaxPayload: 1 << 20})
		c, _ := dialRaw(t, server, "Sec-WebSocket-Extensions", "permessage-deflate")
		text := strings.Repeat("x", 1<<20-1)
		c.send(compress(text))
		if got := <-r.messages; got != text {
			t.Errorf("%d bytes became %d", len(text), len(got))
		}
		bomb := compress(strings.Repeat("x", 8<<20))
		if len(bomb) > 1<<20 {
			t.Fatalf("the bomb has %d bytes", len(bomb))
		}
		go c.send(bomb)
		c.expectClose(1009)
		expect(t, <-r.closed, ReasonTransportError)
		server.Shutdown(t.Context())
	})
}

// The library's own client, which inflates by itself.
func TestDeflateWithClient(t *testing.T) {
	for name, mode := range map[string]websocket.CompressionMode{
		"takeover": websocket.CompressionContextTakeover, "no takeover": websocket.CompressionNoContextTakeover,
		"off": websocket.CompressionDisabled,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, sessions, r := newListened(Config{Deflate: &Deflate{}, MaxPayload: 1 << 20})
				transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					here, there := net.Pipe()
					listener := make(once, 1)
					listener <- there
					go http.Serve(listener, server)
					return here, nil
				}}
				c, _, err := websocket.Dial(t.Context(), "http://x/?EIO=4&transport=websocket", &websocket.DialOptions{
					HTTPClient: &http.Client{Transport: transport}, CompressionMode: mode, CompressionThreshold: 1})
				if err != nil {
					t.Fatal(err)
				}
				session := <-sessions
				c.SetReadLimit(-1)
				c.Read(t.Context())
				for _, text := range []string{"short", strings.Repeat("a long text ", 1000), strings.Repeat("a long text ", 20000)} {
					c.Write(t.Context(), websocket.MessageText, []byte("4"+text))
					if got := <-r.messages; got != text {
						t.Fatalf("%d bytes became %d", len(text), len(got))
					}
					session.Send(Text([]byte(text)))
					_, got, err := c.Read(t.Context())
					if err != nil || string(got) != "4"+text {
						t.Fatalf("%d bytes became %d: %v", len(text), len(got), err)
					}
				}
				c.CloseNow()
				server.Shutdown(t.Context())
			})
		})
	}
}

// once is a listener of one connection.
type once chan net.Conn

func (o once) Accept() (net.Conn, error) {
	select {
	case c := <-o:
		return c, nil
	default:
		return nil, net.ErrClosed
	}
}

func (o once) Close() error   { return nil }
func (o once) Addr() net.Addr { return &net.UnixAddr{} }

// BenchmarkDeflate sends 4 KB to 1000 clients.
func BenchmarkDeflate(b *testing.B) {
	for _, test := range []struct {
		name    string
		deflate *Deflate
		share   bool
	}{{"off", nil, true}, {"shared", &Deflate{}, true}, {"each", &Deflate{}, false}} {
		b.Run(test.name, func(b *testing.B) {
			server, _, _ := newListened(Config{Deflate: test.deflate})
			sockets := make([]*webSocket, 1000)
			for i := range sockets {
				ws, err := server.acceptWebSocket(hijacked{httptest.NewRecorder(), &drain{}},
					upgradeRequest("", "Sec-WebSocket-Extensions", "permessage-deflate"))
				if err != nil {
					b.Fatal(err)
				}
				sockets[i] = ws
			}
			text := []byte(strings.Repeat(`{"id":17,"text":"hello"},`, 160))
			b.ReportAllocs()
			for b.Loop() {
				packets := []Packet{Text(text)}
				if test.share {
					server.Share(packets)
				}
				for _, ws := range sockets {
					ws.write([]Packet{packets[0]})
				}
			}
		})
	}
}

// drain is a connection that takes everything.
type drain struct{ endless }

func (*drain) Write(p []byte) (int, error) { return len(p), nil }
