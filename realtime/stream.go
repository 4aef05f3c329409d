package realtime

import (
	"net/http"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// Stream is a connection to one client that carries bytes both ways, reliably
// and in order, such as the bidirectional stream of a WebTransport session. Its
// Close ends the connection at once, both ways, and may be called concurrently
// with everything else, and more than once.
type Stream = engineio.Stream

// ServeStream serves a client over stream, until it ends, and closes it. It is
// for transports that net/http does not carry; package
// github.com/zocalo-go/zocalo/realtime/webtransport calls it. Config.Transports
// must allow "webtransport". The stream was asked for by r, which goes through
// Config.Middleware, Config.AllowRequest and the check of its origin, and may be
// used for something else once ServeStream has returned. Its client's first
// packet opens a session or takes over one that began by polling.
func (s *Server) ServeStream(stream Stream, r *http.Request) {
	s.config.serveStream(stream, r, s.engine.ServeStream)
}

// ServeStream serves a client over stream, as [Server.ServeStream] does.
func (e *Engine) ServeStream(stream Stream, r *http.Request) {
	e.config.serveStream(stream, r, e.engine.ServeStream)
}

// serveStream calls serve inside the middleware, so that what keeps other
// requests out keeps streams out, too. There is nobody left to answer: what
// middleware writes is dropped.
func (c *Config) serveStream(stream Stream, r *http.Request, serve func(Stream, *http.Request)) {
	defer stream.Close()
	if c.under(r) {
		c.wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { serve(stream, r) })).ServeHTTP(make(dropped), r)
	}
}

// dropped is the answer to a request that was answered already.
type dropped http.Header

func (d dropped) Header() http.Header         { return http.Header(d) }
func (d dropped) Write(p []byte) (int, error) { return len(p), nil }
func (d dropped) WriteHeader(int)             {}
