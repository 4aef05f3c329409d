package engineio

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// polled is a server that is reached over TCP, and that answers a message with itself.
type polled struct {
	*Server
	web   *httptest.Server
	ended chan string   // why the sessions did
	hold  chan struct{} // what the handler of "wait" waits for
}

type echoing struct {
	*polled
	*Session
}

func (h echoing) Message(data []byte, binary bool) error {
	switch string(data) {
	case "wait":
		<-h.hold
	case "last":
		h.ended <- "last"
	}
	return h.Send(Text(append([]byte(nil), data...)))
}

func (h echoing) Closed(reason string) { h.ended <- reason }

func newPolled(t *testing.T) *polled {
	town := &polled{ended: make(chan string, 1000), hold: make(chan struct{})}
	town.Server = NewServer(Config{PingInterval: time.Hour, PingTimeout: time.Hour, UpgradeTimeout: time.Minute, MaxPayload: 1 << 20,
		MaxBuffered: 1 << 24, AllowUpgrades: true, Transports: []string{Polling, WebSocket}, Logger: slog.New(slog.DiscardHandler)},
		func(s *Session, _ *http.Request) Handler { return echoing{town, s} })
	town.web = httptest.NewServer(town)
	t.Cleanup(func() {
		if err := town.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		town.web.Close()
		if p := town.poller; p.epoll != nil || p.idle > 0 || p.polling || len(p.conns) > 0 {
			t.Error("after the last connection something is left of the poller")
		}
	})
	return town
}

// dial connects, sending frames in the write of the handshake.
func (w *polled) dial(t *testing.T, early ...byte) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", w.web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var b bytes.Buffer
	upgradeRequest("").Write(&b)
	conn.Write(append(b.Bytes(), early...))
	c := &rawClient{t, conn, bufio.NewReader(conn)}
	if r, err := http.ReadResponse(c.r, nil); err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(r, err)
	}
	if _, data := c.frame(); data[0] != typeOpen {
		t.Fatalf("the session began with %q", data)
	}
	return c
}

func (c *rawClient) expect(want string) {
	c.t.Helper()
	if _, got := c.frame(); string(got) != want {
		c.t.Fatalf("got %q, want %q", got, want)
	}
}

// Connections that wait have no goroutine, and are answered all the same.
func TestPollerHasNoGoroutineForEach(t *testing.T) {
	town := newPolled(t)
	before := runtime.NumGoroutine()
	clients := make([]*rawClient, 200)
	for i := range clients {
		clients[i] = town.dial(t)
	}
	for range 3 {
		for _, c := range clients {
			c.send(maskedText("4hello"))
		}
		for _, c := range clients {
			c.expect("4hello")
		}
	}
	if n := runtime.NumGoroutine() - before; n > 100 {
		t.Errorf("%d goroutines for %d connections", n, len(clients))
	}
}

// What came with the handshake, and what came with the end, is not lost; the end
// is not overlooked.
func TestPollerFirstAndLast(t *testing.T) {
	town := newPolled(t)
	for range 100 {
		c := town.dial(t, maskedText("4first")...)
		c.expect("4first")
		c.send(maskedText("4last"))
		c.conn.(*net.TCPConn).CloseWrite()
		expect(t, <-town.ended, "last")
		expect(t, <-town.ended, ReasonTransportClose)
	}
}

// A message of any size arrives, in pieces of any size, also when it is more than
// is read in a row.
func TestPollerPieces(t *testing.T) {
	town := newPolled(t)
	c := town.dial(t)
	want := "4" + strings.Repeat("x", 700_000)
	wire := appendFrame(nil, bitFinal|opText, want)
	for from := 0; from < len(wire); {
		n := min(1+from*3, len(wire)-from)
		c.send(wire[from : from+n])
		from += n
	}
	c.expect(want)
}

// A handler that waits keeps no other connection waiting, whatever their number.
func TestPollerGoesOnWhileHandlersWait(t *testing.T) {
	town := newPolled(t)
	var stuck []*rawClient
	for range 50 {
		c := town.dial(t)
		c.send(maskedText("4wait"))
		stuck = append(stuck, c)
		other := town.dial(t)
		other.send(maskedText("4on"))
		other.expect("4on")
	}
	close(town.hold)
	for _, c := range stuck {
		c.expect("4wait")
	}
}

// A connection may be cut from any side at any time; each session ends once.
func TestPollerCut(t *testing.T) {
	town := newPolled(t)
	const n = 100
	var clients sync.WaitGroup
	for i := range n {
		c := town.dial(t)
		clients.Go(func() {
			if c.send(maskedText("4hello")); i%2 == 0 {
				c.conn.Close()
				return
			}
			io.Copy(io.Discard, c.conn)
		})
	}
	town.mu.Lock()
	var sessions []*Session
	for _, s := range town.sessions {
		sessions = append(sessions, s)
	}
	town.mu.Unlock()
	for _, s := range sessions {
		clients.Go(s.Abort)
	}
	clients.Wait()
	for range n {
		<-town.ended
	}
	town.dial(t).conn.Close() // and it goes on after the last has gone
	<-town.ended
}

// Who always has more to be read does not make the queue grow.
func TestPollerQueue(t *testing.T) {
	p := newPoller(nil)
	a, b := &webSocket{}, &webSocket{}
	p.push(a)
	for range 1000 {
		p.push(b)
		if p.take() != a {
			t.Fatal("they are not taken in order")
		}
		a, b = b, a
	}
	if n := cap(p.ready); n > 8 {
		t.Errorf("memory for %d of 2 connections", n)
	}
}
