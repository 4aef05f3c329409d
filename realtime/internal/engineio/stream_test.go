package engineio

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// streams allows WebTransport beside the others.
func streams() Config { return Config{Transports: []string{Polling, WebSocket, WebTransport}} }

// serveStream serves the other end of a new stream in the background. served is
// closed when that is over.
func (w *world) serveStream(query string, headers ...string) (client *streamClient, served chan struct{}) {
	here, there := net.Pipe()
	r := httptest.NewRequest("CONNECT", "/engine.io/?transport=webtransport"+query, nil)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	served = make(chan struct{})
	go func() {
		defer close(served)
		w.server.ServeStream(there, r)
	}()
	return &streamClient{w.t, here}, served
}

// streamClient is the client's end of a stream. It knows nothing of the code
// under test but its frames.
type streamClient struct {
	t *testing.T
	net.Conn
}

// send sends one frame, unless the server has hung up.
func (c *streamClient) send(isBinary bool, data string) {
	c.Write(appendStreamFrame(nil, isBinary, data))
}

func appendStreamFrame(dst []byte, isBinary bool, data string) []byte {
	start := len(dst)
	switch n := len(data); {
	case n < 126:
		dst = append(dst, byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	if isBinary {
		dst[start] |= 0x80
	}
	return append(dst, data...)
}

// next reads a frame: "b" and the data for a binary one, "closed" for the end.
func (c *streamClient) next() string {
	c.t.Helper()
	var head [9]byte
	if _, err := io.ReadFull(c, head[:1]); err != nil {
		if !errors.Is(err, io.EOF) {
			c.t.Error(err)
		}
		return "closed"
	}
	size := uint64(head[0] & 0x7f)
	switch size {
	case 126:
		io.ReadFull(c, head[1:3])
		size = uint64(binary.BigEndian.Uint16(head[1:]))
	case 127:
		io.ReadFull(c, head[1:9])
		size = binary.BigEndian.Uint64(head[1:])
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(c, data); err != nil {
		c.t.Fatal(err)
	}
	if head[0]&0x80 != 0 {
		return "b" + string(data)
	}
	return string(data)
}

// openStream opens a session on a stream.
func (w *world) openStream() (c *streamClient, p *peer) {
	w.t.Helper()
	c, _ = w.serveStream("&EIO=4")
	c.send(false, "0")
	if got := c.next(); !strings.HasPrefix(got, `0{"sid":"`) || !strings.Contains(got, `"upgrades":[]`) {
		w.t.Errorf("handshake %q", got)
	}
	return c, <-w.peers
}

func TestStream(t *testing.T) {
	inWorld(t, streams(), func(w *world) {
		c, p := w.openStream()
		expect(t, p.Transport(), WebTransport)
		for _, size := range []int{0, 1, 124, 125, 126, 1000, 65534, 65535, 65536, 99999} {
			text := strings.Repeat("é", size/2)
			c.send(false, "4"+text)
			expect(t, c.next(), "4"+text)
			c.send(true, text)
			expect(t, c.next(), "b"+text)
		}
		p.Send(Text([]byte("a")), Binary([]byte{1}), Text(bytes.Repeat([]byte("x"), corkSize)), Text([]byte("b")))
		for _, want := range []string{"4a", "b\x01", "4" + strings.Repeat("x", corkSize), "4b"} {
			expect(t, c.next(), want)
		}
		p.told()
		expect(t, c.next(), "2") // after 25 s
		p.expect(t, "drained")
		c.send(false, "3")
		p.expect(t, "heartbeat")
		c.Close()
		p.expect(t, "closed: "+ReasonTransportClose)
	})
}

// An empty binary message leaves as base64, as official clients take a frame
// without payload for an error.
func TestStreamEmptyBinary(t *testing.T) {
	inWorld(t, streams(), func(w *world) {
		c, p := w.openStream()
		p.Send(Binary(nil))
		var frame [2]byte
		io.ReadFull(c, frame[:])
		expect(t, string(frame[:]), "\x01b")
		c.Close()
	})
}

func TestStreamPingTimeout(t *testing.T) {
	inWorld(t, streams(), func(w *world) {
		start := time.Now()
		c, p := w.openStream()
		expect(t, c.next(), "2")
		expect(t, c.next(), "closed")
		if d := time.Since(start); d != 45*time.Second {
			t.Errorf("it took %v", d)
		}
		p.expect(t, "drained", "drained", "closed: "+ReasonPingTimeout)
	})
}

func TestStreamUpgrade(t *testing.T) {
	inWorld(t, streams(), func(w *world) {
		res := w.get(base + Polling)
		if !strings.Contains(res.body, `"upgrades":["websocket","webtransport"]`) {
			t.Errorf("handshake %s", res.body)
		}
		p, id := <-w.peers, sid(t, res.body)
		url := base + Polling + "&sid=" + id
		c, served := w.serveStream("&EIO=4&sid=" + id)
		c.send(false, `0{"sid":"`+id+`"}`)
		c.send(false, "2probe")
		expect(t, c.next(), "3probe")
		second, over := w.serveStream("")
		second.send(false, `0{"sid":"`+id+`"}`)
		expect(t, second.next(), "closed")
		<-over
		w.poll(url, "6")
		p.told()
		p.Send(Text([]byte("waits")))
		c.send(false, "5")
		expect(t, c.next(), "4waits")
		if told := p.told(); !slices.Equal(slices.Sorted(slices.Values(told)), []string{"drained", "upgraded: polling webtransport"}) {
			t.Errorf("the handler was told %q", told)
		}
		expect(t, p.Transport(), WebTransport)
		c.send(false, "4echo")
		expect(t, c.next(), "4echo")
		if got := w.get(url); got.StatusCode != 400 {
			t.Errorf("a poll after the upgrade: %d %s", got.StatusCode, got.body)
		}
		if n := w.tally.of(MetricUpgrades + " webtransport"); n != 1 {
			t.Errorf("%d upgrades", n)
		}
		p.told()
		c.Close()
		<-served
		p.expect(t, "closed: "+ReasonTransportClose)
	})
}

// A stream that fails before it has taken over leaves polling as it was.
func TestStreamUpgradeFails(t *testing.T) {
	for name, fail := range map[string]func(c *streamClient){
		"closes":      func(c *streamClient) { c.Close() },
		"is silent":   func(c *streamClient) {},
		"no probe":    func(c *streamClient) { c.send(false, "5") },
		"no packet":   func(c *streamClient) { c.send(false, "x") },
		"a message":   func(c *streamClient) { c.send(true, "x") },
		"too large":   func(c *streamClient) { c.send(false, strings.Repeat("4", 2000)) },
		"stops there": func(c *streamClient) { c.send(false, "2probe"); c.next() },
	} {
		t.Run(name, func(t *testing.T) {
			config := streams()
			config.MaxPayload = 1000
			inWorld(t, config, func(w *world) {
				url, p := w.open()
				c, served := w.serveStream("")
				c.send(false, `0{"sid":"`+p.ID()+`"}`)
				fail(c)
				<-served
				p.Send(Text([]byte("hello")))
				w.poll(url, "4hello")
				expect(t, p.Transport(), Polling)
				p.Close()
				w.poll(url, "1")
			})
		})
	}
}

func TestStreamRefusals(t *testing.T) {
	refuse := func(c *Config) {
		c.AllowRequest = func(*http.Request) error { return errors.New("no") }
	}
	for _, test := range []struct {
		name    string
		query   string
		origin  string
		first   string // the greeting, as it is on the wire
		change  func(*Config)
		refused string // the code
	}{
		{"not configured", "", "", "\x010", func(c *Config) { c.Transports = nil }, "0"},
		{"another revision", "&EIO=3", "", "\x010", nil, "5"},
		{"another origin", "", "https://elsewhere.example", "\x010", nil, "4"},
		{"AllowRequest", "", "", "\x010", refuse, "4"},
		{"no open packet", "", "", "\x012", nil, "3"},
		{"binary", "", "", "\x810", nil, "3"},
		{"empty", "", "", "\x00", nil, "3"},
		{"no JSON", "", "", "\x020{", nil, "3"},
		{"no sid", "", "", "\x030{}", nil, "3"},
		{"sid is no string", "", "", "\x0a0{\"sid\":1}", nil, "3"},
		{"unknown sid", "", "", "\x0e0{\"sid\":\"abc\"}", nil, "1"},
		{"__proto__", "", "", "\x140{\"sid\":\"__proto__\"}", nil, "1"},
		{"too large", "", "", "\x7f\xff\xff\xff\xff\xff\xff\xff\xff0", nil, "3"},
		{"silence", "", "", "", nil, "3"},
		{"half a header", "", "", "\x7e\x00", nil, "3"},
		{"half a packet", "", "", "\x200{", nil, "3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := streams()
			if test.change != nil {
				test.change(&config)
			}
			inWorld(t, config, func(w *world) {
				start := time.Now()
				headers := []string{}
				if test.origin != "" {
					headers = []string{"Origin", test.origin}
				}
				c, served := w.serveStream(test.query, headers...)
				go c.Write([]byte(test.first))
				expect(t, c.next(), "closed")
				<-served
				if n := w.tally.of(MetricRefusals + " " + test.refused); n != 1 {
					t.Errorf("refusals: %v", w.tally.totals)
				}
				if d := time.Since(start); d != 0 && d != 10*time.Second {
					t.Errorf("it took %v", d)
				}
				if n := w.server.Count(); n != 0 {
					t.Errorf("%d sessions", n)
				}
			})
		})
	}
}

// Over HTTP there is no such transport.
func TestStreamOverHTTP(t *testing.T) {
	inWorld(t, streams(), func(w *world) {
		if got := w.get(base + WebTransport); got.StatusCode != 400 || got.body != `{"code":0,"message":"Transport unknown"}` {
			t.Errorf("%d %s", got.StatusCode, got.body)
		}
	})
}

func TestStreamBreaches(t *testing.T) {
	for _, test := range []struct {
		name   string
		wire   string
		reason string
	}{
		{"at the limit", "\x7e\x03\xe84" + strings.Repeat("x", 999), ""},
		{"one more", "\x7e\x03\xe94" + strings.Repeat("x", 1000), ReasonTransportError},
		{"2^64-1 bytes", "\x7f\xff\xff\xff\xff\xff\xff\xff\xff4", ReasonTransportError},
		{"no packet", "\x03abc", ReasonParseError},
		{"empty", "\x00", ReasonParseError},
		{"not UTF-8", "\x024\xff", ReasonParseError},
		{"bad base64", "\x02b!", ReasonParseError},
		{"its own ping", "\x012", ReasonTransportError},
		{"close", "\x011", ReasonTransportClose},
		{"empty binary", "\x80", ""},
		{"length longer than it must be", "\x7f\x00\x00\x00\x00\x00\x00\x00\x024x", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := streams()
			config.MaxPayload = 1000
			inWorld(t, config, func(w *world) {
				start := time.Now()
				c, p := w.openStream()
				p.told()
				go c.Write([]byte(test.wire))
				if test.reason != "" {
					expect(t, c.next(), "closed")
					p.expect(t, "closed: "+test.reason)
					if d := time.Since(start); d != streamGrace {
						t.Errorf("it took %v", d)
					}
				} else {
					c.next()
					p.expect(t, "drained")
					c.Close()
				}
			})
		})
	}
}

// What was sent before a shutdown arrives.
func TestStreamShutdown(t *testing.T) {
	inWorld(t, streams(), func(w *world) {
		c, p := w.openStream()
		silent, over := w.serveStream("")
		p.told()
		p.Send(Text([]byte("last words")))
		done := make(chan error)
		go func() { done <- w.server.Shutdown(w.t.Context()) }()
		expect(t, c.next(), "4last words")
		expect(t, c.next(), "closed")
		if told := p.told(); told[len(told)-1] != "closed: "+ReasonForcedClose {
			t.Errorf("the handler was told %q", told)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		expect(t, silent.next(), "closed")
		<-over
		late, over := w.serveStream("")
		expect(t, late.next(), "closed")
		<-over
	})
}

// When its context ends, Shutdown does not wait for a client that does not read.
func TestStreamCut(t *testing.T) {
	inWorld(t, streams(), func(w *world) {
		_, p := w.openStream()
		p.told()
		p.Send(Text([]byte("nobody reads this")))
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		if err := w.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		p.expect(t, "closed: "+ReasonForcedClose)
	})
}

// A write that takes longer than a ping and its answer may ends the session.
func TestStreamSlow(t *testing.T) {
	inWorld(t, streams(), func(w *world) {
		c, p := w.openStream()
		p.told()
		start := time.Now()
		p.Send(Text([]byte("nobody reads this")))
		stop := time.AfterFunc(26*time.Second, func() { c.send(false, "3") }) // it lives
		defer stop.Stop()
		expect(t, <-p.log, "heartbeat")
		expect(t, <-p.log, "closed: "+ReasonTransportClose)
		if d := time.Since(start); d > 51*time.Second {
			t.Errorf("it took %v", d)
		}
		c.Close()
	})
}

// What a stream says it can hear: the packets that were written, however their
// bytes come in.
func FuzzStream(f *testing.F) {
	for _, seed := range []string{"", "\x010", "\x014\x80\x81x", "\x7e\x00\x024x", "\x7f\x00\x00\x00\x00\x00\x00\x00\x024x", "\x01b\x03b==", "\x7e\x01\x004" + strings.Repeat("y", 255)} {
		f.Add([]byte(seed), uint16(1))
	}
	f.Fuzz(func(t *testing.T, wire []byte, chunk uint16) {
		packets, err := readStream(wire, int(chunk)+1)
		whole, again := readStream(wire, len(wire)+1)
		if !slices.EqualFunc(packets, whole, same) || (err == nil) != (again == nil) {
			t.Fatalf("%x in pieces of %d: %v, %v, and at once: %v, %v", wire, chunk+1, packets, err, whole, again)
		}
		var out sliceStream
		if err := (&stream{Stream: &out}).write(packets); err != nil {
			t.Fatal(err)
		}
		third, err := readStream(out.wire, int(chunk)+1)
		if !slices.EqualFunc(packets, third, same) || err != io.EOF {
			t.Fatalf("%v became %x, and that %v, %v", packets, out.wire, third, err)
		}
	})
}

func same(a, b Packet) bool { return bytes.Equal(a.frame, b.frame) }

// readStream reads packets up to the first error.
func readStream(wire []byte, chunk int) (packets []Packet, err error) {
	s := newStream(&sliceStream{wire: wire, chunk: chunk}, &Config{MaxPayload: 1000})
	for {
		var buf buffer
		data, binary, err := s.read(&buf)
		p := Binary(data)
		if err == nil && !binary {
			var decoded received
			if decoded, err = decodePacket(data); decoded.binary {
				p = Binary(decoded.data)
			} else {
				p = textPacket(decoded.kind, decoded.data)
			}
		}
		buf.release(data)
		if err != nil {
			return packets, err
		}
		packets = append(packets, p)
	}
}

// sliceStream reads from wire, chunk bytes at a time, and writes to it.
type sliceStream struct {
	net.Conn
	wire  []byte
	chunk int
}

func (s *sliceStream) Read(p []byte) (int, error) {
	if len(s.wire) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.chunk)], s.wire)
	s.wire = s.wire[n:]
	return n, nil
}

func (s *sliceStream) Write(p []byte) (int, error) {
	s.wire = append(s.wire, p...)
	return len(p), nil
}

func (s *sliceStream) SetWriteDeadline(time.Time) error { return nil }
