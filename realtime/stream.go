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
// Config.AllowRequest and the check of its origin, and may be used for something
// else once ServeStream has returned. Its client's first packet opens a session
// or takes over one that began by polling.
func (s *Server) ServeStream(stream Stream, r *http.Request) {
	if !s.config.under(r) {
		stream.Close()
		return
	}
	s.engine.ServeStream(stream, r)
}

// ServeStream serves a client over stream, as [Server.ServeStream] does.
func (e *Engine) ServeStream(stream Stream, r *http.Request) {
	if !e.config.under(r) {
		stream.Close()
		return
	}
	e.engine.ServeStream(stream, r)
}
