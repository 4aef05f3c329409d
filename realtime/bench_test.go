package realtime_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// The benchmarks run a whole server on connections that are only memory, so that
// what they count is the package's own work and not the kernel's. Run them with
// -count 10 for benchstat.

// benchWorld is a server and its wires.
type benchWorld struct {
	b       testing.TB
	server  *realtime.Server
	accepts chan net.Conn
	wires   []*wire
	left    chan struct{} // a socket has disconnected

	// What the server has written to all wires, and how much is waited for.
	written, goal atomic.Int64
	reached       chan struct{}
}

// newBenchWorld returns a server whose sockets are in the room "all", answer
// "echo", and take "note" without an answer.
func newBenchWorld(b testing.TB) *benchWorld {
	w := &benchWorld{
		b: b,
		server: realtime.NewServer(realtime.Config{
			PingInterval: time.Hour, // a ping would be counted
			Logger:       slog.New(slog.DiscardHandler),
		}),
		accepts: make(chan net.Conn),
		left:    make(chan struct{}, 1),
		reached: make(chan struct{}, 1),
	}
	w.server.On("connection", func(s *realtime.Socket) {
		s.Join("all")
		s.On("echo", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
		s.On("typed", func(p person) person { return p })
		s.On("note", func(person) {})
		s.On("disconnect", func(string) { w.left <- struct{}{} })
	})
	h := &http.Server{Handler: w.server}
	served := make(chan struct{})
	go func() {
		h.Serve(wireListener{w})
		close(served)
	}()
	b.Cleanup(func() {
		go func() { // one for each socket
			for range w.left {
			}
		}()
		for _, wire := range w.wires {
			wire.Close()
		}
		w.server.Shutdown(context.Background())
		close(w.accepts)
		<-served
		h.Close()
		close(w.left)
	})
	return w
}

type person struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
	User string `json:"user"`
}

const someone = `{"id":12345,"text":"hello, wo","user":"alice"}`

// join connects a client and returns when it has joined the namespace and is
// in its room.
func (w *benchWorld) join() *wire {
	c := &wire{world: w}
	c.changed.L = &c.mu
	w.accepts <- c
	c.feed([]byte("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" +
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
	c.until(`"pingTimeout":`)
	c.feed(masked("40"))
	c.until(`40{"sid":`)
	c.feed(masked(`420["echo"]`))
	c.until(`430[]`)
	c.mu.Lock()
	c.heard, c.deaf = nil, true
	c.mu.Unlock()
	return c
}

// crowd connects n clients.
func (w *benchWorld) crowd(n int) {
	for range n {
		w.wires = append(w.wires, w.join())
	}
}

// await returns when the server has written so many bytes since a moment.
func (w *benchWorld) await(since, n int64) {
	w.goal.Store(since + n)
	for w.written.Load() < since+n {
		<-w.reached
	}
}

// every calls do in a loop and has the server keep up: after each batch of calls
// it waits for what they make the server write. So no client is ever too slow.
func (w *benchWorld) every(b *testing.B, batch int, bytes int64, do func()) {
	b.ReportAllocs()
	b.ResetTimer()
	since := w.written.Load()
	for n := 1; b.Loop(); n++ {
		do()
		if n%batch == 0 {
			w.await(since, int64(n)*bytes)
		}
	}
}

// framed is how many bytes a message takes, written by a server.
func framed(message string) int64 {
	switch n := len(message); {
	case n < 126:
		return int64(n + 2)
	case n < 1<<16:
		return int64(n + 4)
	default:
		return int64(n + 10)
	}
}

// masked is the frame of a text message, written by a client. Its key is zero.
func masked(message string) []byte {
	f := []byte{0x81}
	if n := len(message); n < 126 {
		f = append(f, 0x80|byte(n))
	} else {
		f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(n))
	}
	return append(append(f, 0, 0, 0, 0), message...)
}

// A wire is a connection in memory: what the server reads is fed to it, what it
// writes is counted. Deadlines that are not over yet are ignored.
type wire struct {
	world *benchWorld

	mu      sync.Mutex
	changed sync.Cond
	in      []byte
	heard   []byte
	deaf    bool // what comes now is counted, and forgotten
	over    bool // the deadline for reading
	closed  bool
}

func (c *wire) feed(p []byte) {
	c.mu.Lock()
	c.in = append(c.in, p...)
	c.mu.Unlock()
	c.changed.Broadcast()
}

// until waits for what the server writes.
func (c *wire) until(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !bytes.Contains(c.heard, []byte(text)) {
		if c.closed {
			c.world.b.Errorf("the server closed the connection; it wrote %q", c.heard)
			return
		}
		c.changed.Wait()
	}
}

func (c *wire) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.in) == 0 {
		switch {
		case c.closed:
			return 0, io.EOF
		case c.over:
			return 0, os.ErrDeadlineExceeded
		}
		c.changed.Wait()
	}
	n := copy(p, c.in)
	c.in = c.in[:copy(c.in, c.in[n:])]
	return n, nil
}

func (c *wire) Write(p []byte) (int, error) {
	c.mu.Lock()
	deaf := c.deaf
	if !deaf {
		c.heard = append(c.heard, p...)
	}
	c.mu.Unlock()
	if !deaf {
		c.changed.Broadcast()
		return len(p), nil
	}
	if w := c.world; w.written.Add(int64(len(p))) >= w.goal.Load() {
		select {
		case w.reached <- struct{}{}:
		default:
		}
	}
	return len(p), nil
}

func (c *wire) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.changed.Broadcast()
	return nil
}

func (c *wire) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.over = !t.IsZero() && !t.After(time.Now())
	c.mu.Unlock()
	c.changed.Broadcast()
	return nil
}

func (c *wire) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *wire) SetWriteDeadline(time.Time) error { return nil }
func (c *wire) LocalAddr() net.Addr              { return wireAddr{} }
func (c *wire) RemoteAddr() net.Addr             { return wireAddr{} }

type wireAddr struct{}

func (wireAddr) Network() string { return "memory" }
func (wireAddr) String() string  { return "memory" }

type wireListener struct{ world *benchWorld }

func (l wireListener) Accept() (net.Conn, error) {
	if c, ok := <-l.world.accepts; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l wireListener) Close() error   { return nil }
func (l wireListener) Addr() net.Addr { return wireAddr{} }

// What an event costs from the client to its handler and back.
func BenchmarkDispatch(b *testing.B) {
	tests := []struct{ name, event, answer string }{
		{"echo", `421["echo",` + someone + `]`, `431[` + someone + `]`},
		{"typed", `421["typed",` + someone + `]`, `431[` + someone + `]`},
	}
	for _, test := range tests {
		for _, batch := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/batch=%d", test.name, batch), func(b *testing.B) {
				w := newBenchWorld(b)
				w.crowd(1)
				events := bytes.Repeat(masked(test.event), batch)
				n := 0
				w.every(b, batch, framed(test.answer), func() {
					if n%batch == 0 {
						w.wires[0].feed(events)
					}
					n++
				})
			})
		}
	}
}

// What a message to one socket costs.
func BenchmarkEmit(b *testing.B) {
	p := person{12345, "hello, wo", "alice"}
	for _, size := range []int{0, 1000} {
		text := strings.Repeat("x", size)
		b.Run(fmt.Sprintf("text=%d", size), func(b *testing.B) {
			w := newBenchWorld(b)
			w.crowd(1)
			s := w.server.Sockets()[0]
			message := framed(`42["tick",` + someone + `,"` + text + `"]`)
			w.every(b, 100, message, func() { s.Emit("tick", p, text) })
		})
	}
}

// What a message to many costs; half of them are in the room "some".
func BenchmarkBroadcast(b *testing.B) {
	p := person{12345, "hello, wo", "alice"}
	message := framed(`42["tick",` + someone + `]`)
	for _, n := range []int{1, 10, 100, 1000} {
		for _, target := range []struct {
			name string
			of   func(s *realtime.Server) *realtime.Broadcast
		}{
			{"everybody", func(s *realtime.Server) *realtime.Broadcast { return s.Local() }},
			{"room", func(s *realtime.Server) *realtime.Broadcast { return s.To("all") }},
			{"rooms", func(s *realtime.Server) *realtime.Broadcast { return s.To("all", "some") }},
			{"except", func(s *realtime.Server) *realtime.Broadcast { return s.To("all").Except("some") }},
		} {
			b.Run(fmt.Sprintf("%s/sockets=%d", target.name, n), func(b *testing.B) {
				w := newBenchWorld(b)
				w.crowd(n)
				for i, s := range w.server.Sockets() {
					if i%2 == 1 {
						s.Join("some")
					}
				}
				broadcast := target.of(w.server)
				receivers := int64(len(broadcast.Sockets()))
				w.every(b, 10, receivers*message, func() { broadcast.Emit("tick", p) })
			})
		}
	}
}

// What going into a room and out of it costs, by how many others are in it, and
// how many other rooms there are.
func BenchmarkJoinLeave(b *testing.B) {
	for _, others := range []int{0, 1000} {
		b.Run(fmt.Sprintf("members=%d", others), func(b *testing.B) {
			w := newBenchWorld(b)
			w.crowd(1 + others)
			sockets := w.server.Sockets()
			for _, s := range sockets[1:] {
				s.Join("room")
			}
			b.ReportAllocs()
			for b.Loop() {
				sockets[0].Join("room")
				sockets[0].Leave("room")
			}
		})
	}
	b.Run("rooms=5000", func(b *testing.B) {
		w := newBenchWorld(b)
		w.crowd(1)
		s := w.server.Sockets()[0]
		for i := range 5000 {
			s.Join(fmt.Sprint(i))
		}
		b.ReportAllocs()
		for b.Loop() {
			s.Join("room")
			s.Leave("room")
		}
	})
}

// What a client costs that connects by WebSocket, joins the namespace and a
// room, sends one event, and leaves.
func BenchmarkSession(b *testing.B) {
	w := newBenchWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		w.join().Close()
		<-w.left
	}
}
