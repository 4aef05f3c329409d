package realtime

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// Engine is a bare Engine.IO server, without Socket.IO on top, for protocols of
// one's own: messages, text and binary, over polling and WebSocket with the
// upgrade and the heartbeat. It is an http.Handler.
type Engine struct {
	config Config
	engine *engineio.Server
}

// NewEngine returns an engine that calls onConnection for each client, before
// the client is read from. Of config it uses what concerns the connection.
// It panics when an option cannot work.
func NewEngine(config Config, onConnection func(*Conn)) *Engine {
	e := &Engine{config: config.withDefaults()}
	e.engine = engineio.NewServer(e.config.engine(), func(s *engineio.Session, r *http.Request) engineio.Handler {
		c := &Conn{session: s, handshake: newHandshake(r)}
		onConnection(c)
		return connHandler{c, e.config.Logger}
	})
	return e
}

// ServeHTTP answers the requests of clients.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.config.under(r) {
		http.NotFound(w, r)
		return
	}
	e.engine.ServeHTTP(w, r)
}

// ClientsCount returns the number of connected clients.
func (e *Engine) ClientsCount() int { return e.engine.Count() }

// Shutdown refuses new clients, closes those there are after what was sent has
// left, and waits for the engine's goroutines. When ctx ends first it drops
// what is left and returns the cause.
func (e *Engine) Shutdown(ctx context.Context) error { return e.engine.Shutdown(ctx) }

// Close is Shutdown without waiting.
func (e *Engine) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e.engine.Shutdown(ctx)
	return nil
}

// Conn is one client of an [Engine]. All methods may be called concurrently.
type Conn struct {
	session   *engineio.Session
	handshake *Handshake

	mu        sync.Mutex // guards the rest
	onMessage func([]byte, bool)
	onClose   func(string)
}

// ID returns the Engine.IO session id, a secret between client and server.
func (c *Conn) ID() string { return c.session.ID() }

// Transport returns the current transport, "polling" or "websocket".
func (c *Conn) Transport() string { return c.session.Transport() }

// Handshake returns what the client connected with.
func (c *Conn) Handshake() *Handshake { return c.handshake }

// Send sends a text message. It never waits.
func (c *Conn) Send(text string) error { return c.send(engineio.Text([]byte(text))) }

// SendBinary sends a binary message, which it copies. It never waits.
func (c *Conn) SendBinary(data []byte) error { return c.send(engineio.Binary(data)) }

func (c *Conn) send(p engineio.Packet) error {
	switch err := c.session.Send(p); err {
	case engineio.ErrClosed:
		return ErrNotConnected
	case engineio.ErrSlow:
		return ErrSlowClient
	default:
		return err
	}
}

// OnMessage sets the function that receives messages, one at a time and in
// order. The data is only valid until it returns; until then the client is not
// read from. A panic in it closes the connection.
func (c *Conn) OnMessage(f func(data []byte, binary bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onMessage = f
}

// OnClose sets the function that is called once, when the connection has ended.
// It must not wait.
func (c *Conn) OnClose(f func(reason string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onClose = f
}

// Close closes the connection after what was sent has left.
func (c *Conn) Close() { c.session.Close() }

// connHandler is a Conn as the engine sees it.
type connHandler struct {
	conn   *Conn
	logger *slog.Logger
}

func (h connHandler) Message(data []byte, binary bool) error {
	h.conn.mu.Lock()
	f := h.conn.onMessage
	h.conn.mu.Unlock()
	if f == nil {
		return nil
	}
	return h.protect(func() { f(data, binary) })
}

// protect runs user code, and returns an error when it panics.
func (h connHandler) protect(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("handler panicked: %v", v)
			h.logger.Error("realtime: handler panicked", "sid", h.conn.ID(), "panic", v, "stack", string(debug.Stack()))
		}
	}()
	f()
	return nil
}

func (h connHandler) Closed(reason string) {
	h.conn.mu.Lock()
	f := h.conn.onClose
	h.conn.mu.Unlock()
	if f != nil {
		h.protect(func() { f(reason) })
	}
}
