package realtime_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"
)

// client is a bare client that speaks packets. It answers pings by itself,
// unless it is deaf.
type client struct {
	w        *world
	incoming chan string // text packets as they are, binary ones as "b" and base64
	sendText func(string)
	closed   func()
	stopped  chan struct{}
	deaf     atomic.Bool
	pings    atomic.Int64
}

var dialers = []struct {
	name string
	dial func(*world) *client
}{
	{"polling", dialPolling},
	{"websocket", dialWebSocket},
	{"upgrade", dialUpgrade},
}

const base = "http://test/socket.io/?EIO=4&transport="

// send sends a text packet; sendRaw is the same for packets that break rules.
func (c *client) send(packet string)    { c.sendText(packet) }
func (c *client) sendRaw(packet string) { c.sendText(packet) }
func (c *client) sendBinary(data string) {
	c.sendText("b" + base64.StdEncoding.EncodeToString([]byte(data)))
}

// receive takes a packet that came in.
func (c *client) receive(packet string) {
	switch {
	case packet == "2":
		c.pings.Add(1)
		if !c.deaf.Load() {
			c.sendText("3")
		}
	case packet == "6":
	default:
		c.incoming <- packet
	}
}

func (c *client) next() string {
	c.w.t.Helper()
	packet, open := <-c.incoming
	if !open {
		c.w.t.Fatal("the connection was closed")
	}
	return packet
}

func (c *client) expect(want string) {
	c.w.t.Helper()
	if got := c.next(); got != want {
		c.w.t.Errorf("got %s, want %s", got, want)
	}
}

func (c *client) expectPrefix(want string) {
	c.w.t.Helper()
	if got := c.next(); !strings.HasPrefix(got, want) {
		c.w.t.Errorf("got %s, want %s…", got, want)
	}
}

func (c *client) expectBinary(want string) {
	c.w.t.Helper()
	c.expect("b" + base64.StdEncoding.EncodeToString([]byte(want)))
}

// close ends the connection and waits for the client's goroutine.
func (c *client) close() {
	c.closed()
	for range c.incoming {
	}
	<-c.stopped
}

// join joins the namespace "/".
func (c *client) join() *client {
	c.w.t.Helper()
	c.send("40")
	c.expectPrefix(`40{"sid":"`)
	return c
}

func newClient(w *world) *client {
	return &client{w: w, incoming: make(chan string, 1000), stopped: make(chan struct{})}
}

func (w *world) transport() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: w.listen.dial}}
}

func dialWebSocket(w *world) *client {
	w.t.Helper()
	return openWebSocket(w).join()
}

// openWebSocket connects without joining a namespace.
func openWebSocket(w *world) *client {
	w.t.Helper()
	ws, _, err := websocket.Dial(context.Background(), base+"websocket", &websocket.DialOptions{HTTPClient: w.transport()})
	if err != nil {
		w.t.Fatal(err)
	}
	c := newClient(w)
	c.speak(ws)
	c.expectPrefix(`0{"sid":"`)
	return c
}

// speak makes ws the client's connection.
func (c *client) speak(ws *websocket.Conn) {
	ws.SetReadLimit(-1)
	c.closed = func() { ws.CloseNow() }
	c.sendText = func(packet string) {
		kind, data := websocket.MessageText, []byte(packet)
		if rest, binary := strings.CutPrefix(packet, "b"); binary {
			kind = websocket.MessageBinary
			data, _ = base64.StdEncoding.DecodeString(rest)
		}
		ws.Write(context.Background(), kind, data)
	}
	go func() {
		defer close(c.stopped)
		defer close(c.incoming)
		for {
			kind, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			packet := string(data)
			if kind == websocket.MessageBinary {
				packet = "b" + base64.StdEncoding.EncodeToString(data)
			}
			c.receive(packet)
		}
	}()
}

// openPolling opens a session and returns its URL.
func openPolling(w *world, hc *http.Client) string {
	w.t.Helper()
	res, err := hc.Get(base + "polling")
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var open struct{ SID string }
	body, _ := io.ReadAll(res.Body)
	if err := json.Unmarshal(body[1:], &open); err != nil {
		w.t.Fatalf("handshake %q: %v", body, err)
	}
	return base + "polling&sid=" + open.SID
}

func dialPolling(w *world) *client {
	w.t.Helper()
	hc := w.transport()
	url := openPolling(w, hc)
	c := newClient(w)
	ctx, cancel := context.WithCancel(context.Background())
	var posting sync.Mutex // one POST at a time, says the protocol
	c.sendText = func(packet string) {
		posting.Lock()
		defer posting.Unlock()
		res, err := hc.Post(url, "text/plain", strings.NewReader(packet))
		if err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
	}
	c.closed = func() {
		c.sendText("1")
		cancel()
	}
	go func() {
		defer close(c.stopped)
		defer hc.CloseIdleConnections()
		defer close(c.incoming)
		for {
			req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
			if err != nil {
				return
			}
			res, err := hc.Do(req)
			if err != nil {
				return
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != 200 {
				return
			}
			for packet := range strings.SplitSeq(string(body), "\x1e") {
				c.receive(packet)
			}
			if c.deaf.Load() {
				<-ctx.Done()
				return
			}
		}
	}()
	return c.join()
}

func dialUpgrade(w *world) *client {
	w.t.Helper()
	hc := w.transport()
	url := openPolling(w, hc)
	ws, _, err := websocket.Dial(context.Background(), strings.Replace(url, "polling", "websocket", 1), &websocket.DialOptions{HTTPClient: w.transport()})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx := context.Background()
	ws.Write(ctx, websocket.MessageText, []byte("2probe"))
	if _, data, err := ws.Read(ctx); err != nil || string(data) != "3probe" {
		w.t.Fatalf("probe: %q, %v", data, err)
	}
	ws.Write(ctx, websocket.MessageText, []byte("5"))
	hc.CloseIdleConnections()
	c := newClient(w)
	c.speak(ws)
	return c.join()
}
