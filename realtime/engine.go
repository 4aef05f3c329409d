package realtime

import (
	"context"
	"net/http"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// Engine is a bare Engine.IO server, without Socket.IO on top, for protocols of
// one's own: messages, text and binary, over polling and WebSocket with the
// upgrade and the heartbeat. It is an http.Handler.
type Engine struct {
	config  Config
	engine  *engineio.Server
	handler http.Handler
}

// NewEngine returns an engine that calls onConnection for each client, before
// the client is read from. Of config it uses what concerns the connection.
// It panics when an option cannot work.
func NewEngine(config Config, onConnection func(*Conn)) *Engine {
	e := &Engine{config: config.withDefaults()}
	e.engine = engineio.NewServer(e.config.engine(), func(s *engineio.Session, r *http.Request) engineio.Handler {
		c := newConn(s, e.config.newOrigin(r), e.config.Logger)
		h := connHandler{c}
		if h.protect(func() { onConnection(c) }) != nil {
			s.Abort()
		}
		return h
	})
	e.handler = e.config.wrap(e.engine)
	return e
}

// ServeHTTP answers the requests of clients.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.config.under(r) {
		http.NotFound(w, r)
		return
	}
	e.handler.ServeHTTP(w, r)
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
