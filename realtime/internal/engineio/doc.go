// Package engineio is the connection layer of Socket.IO: an Engine.IO v4
// server (protocol revision 4, EIO=4) over HTTP long-polling, WebSocket and
// streams such as those of WebTransport, with the upgrade from the first to the
// others and the heartbeat. Clients of revision 3 may be let in, by translation.
//
// Start with [Server], which answers the HTTP requests, [Session], one
// client's connection whatever carries it, and [Handler], what the layer above
// does with a session's messages.
//
// The protocol is that of
// https://github.com/socketio/socket.io/tree/main/docs/engine.io-protocol.
//
// # One queue out, one way in
//
// Packets leave a session through its outbox, which has one door: a long-poll
// claims it for the length of its request, a WebSocket or a stream attaches to
// it for good. Adding to an outbox never waits, unless it is asked to by
// [Session.SendContext]; what comes of a client too slow for its limits is for
// Config.Overflow to say, by default it loses the session.
//
// Packets come in through the goroutine of a POST request or the reader of a
// WebSocket or stream, one at a time a session. [Handler.Message] may wait: then
// the client is not read from, and TCP pushes back.
//
// # Goroutines
//
//	reader    one a WebSocket, from the upgrade to its end; that of a stream is
//	          the goroutine that called Server.ServeStream
//	flusher   one a processor, while there is something to write
//	drain     one a session, while its client does not take all at once, or its
//	          connection is not one to be tried, such as of TLS
//	net/http  one a request, for the length of a poll or of a POST
//
// A timer a session sends the pings and closes whoever does not answer. Every
// reader, flusher and drain is waited for by [Server.Shutdown].
//
// # Locks
//
// Server.mu, Session.mu and the outbox's are leaves: none is held while
// another is taken, nor during I/O or a call of the handler. Session.in, which
// serialises incoming packets, is the exception: it is held during
// Handler.Message and before any of them.
package engineio
