package realtime

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// Conn is one client's connection: what an [Engine] is given, and what the
// sockets of a client share. All methods may be called concurrently.
type Conn struct {
	session    *engineio.Session
	introduced introduction
	logger     *slog.Logger

	mu        sync.Mutex // guards the rest
	ended     string     // the reason, once it has ended
	onMessage func([]byte, bool)
	onClose   []func(string)
	onDrain   []func()
	onUpgrade []func(string)
	onBeat    []func()
}

func newConn(session *engineio.Session, from *origin, logger *slog.Logger) *Conn {
	return &Conn{session: session, introduced: introduction{from: from, time: from.time}, logger: logger}
}

// ID returns the Engine.IO session id, a secret between client and server.
func (c *Conn) ID() string { return c.session.ID() }

// Transport returns the current transport, "polling", "websocket" or
// "webtransport".
func (c *Conn) Transport() string { return c.session.Transport() }

// Protocol returns the revision of Engine.IO that the client speaks, 4, or 3
// where Config.AllowEIO3 is set.
func (c *Conn) Protocol() int { return c.session.Protocol() }

// Handshake returns what the client connected with.
func (c *Conn) Handshake() *Handshake { return c.introduced.handshake() }

// Buffered returns how many bytes wait for the client.
func (c *Conn) Buffered() int { return c.session.Buffered() }

// Send sends a text message, past Socket.IO if the connection carries that. It
// never waits.
func (c *Conn) Send(text string) error { return c.send(engineio.Text([]byte(text))) }

// SendBinary sends a binary message, which it copies, as Send does.
func (c *Conn) SendBinary(data []byte) error { return c.send(engineio.Binary(data)) }

func (c *Conn) send(p engineio.Packet) error { return sendError(c.session.Send(p)) }

// SendContext is Send, but waits for room when more than Config.MaxBuffered
// waits for the client. It returns the cause with which ctx ended before.
func (c *Conn) SendContext(ctx context.Context, text string) error {
	return sendError(c.session.SendContext(ctx, engineio.Text([]byte(text))))
}

// OnMessage sets the function that receives messages, one at a time and in
// order. The data is only valid until it returns; until then the client is not
// read from, and its answers to pings are late, too. A panic in it closes the connection. It is not called for the
// connection of a [Socket].
func (c *Conn) OnMessage(f func(data []byte, binary bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onMessage = f
}

// OnClose adds a function that is called once, when the connection has ended, or
// at once when it has already. Like those of OnDrain, OnUpgrade and OnHeartbeat
// it must not wait.
func (c *Conn) OnClose(f func(reason string)) {
	c.mu.Lock()
	ended := c.ended
	if ended == "" {
		c.onClose = append(c.onClose[:len(c.onClose):len(c.onClose)], f)
	}
	c.mu.Unlock()
	if ended != "" {
		connHandler{c}.protect(func() { f(ended) })
	}
}

// OnDrain adds a function that is called when everything that waited for the
// client has been written to the network.
func (c *Conn) OnDrain(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onDrain = append(c.onDrain[:len(c.onDrain):len(c.onDrain)], f)
}

// OnUpgrade adds a function that is called with the new transport when the
// connection has changed it.
func (c *Conn) OnUpgrade(f func(transport string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onUpgrade = append(c.onUpgrade[:len(c.onUpgrade):len(c.onUpgrade)], f)
}

// OnHeartbeat adds a function that is called when the client has answered a
// ping.
func (c *Conn) OnHeartbeat(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onBeat = append(c.onBeat[:len(c.onBeat):len(c.onBeat)], f)
}

// Close closes the connection after what was sent has left.
func (c *Conn) Close() { c.session.Close() }

// connHandler is a Conn as the engine sees it.
type connHandler struct{ conn *Conn }

// Message implements engineio.Handler.
func (h connHandler) Message(data []byte, binary bool) error {
	h.conn.mu.Lock()
	f := h.conn.onMessage
	h.conn.mu.Unlock()
	if f == nil {
		return nil
	}
	return h.protect(func() { f(data, binary) })
}

// Drained implements engineio.Drainer.
func (h connHandler) Drained() {
	h.conn.mu.Lock()
	fs := h.conn.onDrain
	h.conn.mu.Unlock()
	for _, f := range fs {
		h.protect(f)
	}
}

// Upgraded implements engineio.Upgrader.
func (h connHandler) Upgraded(_, to string) {
	h.conn.mu.Lock()
	fs := h.conn.onUpgrade
	h.conn.mu.Unlock()
	for _, f := range fs {
		h.protect(func() { f(to) })
	}
}

// Heartbeat implements engineio.Heartbeater.
func (h connHandler) Heartbeat() {
	h.conn.mu.Lock()
	fs := h.conn.onBeat
	h.conn.mu.Unlock()
	for _, f := range fs {
		h.protect(f)
	}
}

// Closed implements engineio.Handler.
func (h connHandler) Closed(reason string) {
	h.conn.mu.Lock()
	if h.conn.ended != "" { // it was made after that
		h.conn.mu.Unlock()
		return
	}
	h.conn.ended = reason
	fs := h.conn.onClose
	h.conn.mu.Unlock()
	for _, f := range fs {
		h.protect(func() { f(reason) })
	}
}

// protect runs user code, and returns an error when it panics.
func (h connHandler) protect(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("handler panicked: %v", v)
			h.conn.logger.Error("realtime: handler panicked", "sid", h.conn.ID(), "panic", v, "stack", string(debug.Stack()))
		}
	}()
	f()
	return nil
}
