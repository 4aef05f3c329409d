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
// What goes to many sessions is one [Packet], whose frame they share until it is
// copied into the memory of a write. What goes to one is lent, see [Lend]: its frame
// is made in the sender's memory, and copied into a [run], as it will be written.
//
// Packets come in through the goroutine of a POST request or the reader of a
// WebSocket or stream, one at a time a session. [Handler.Message] may wait: then
// the client is not read from, and TCP pushes back.
//
// # The way in of a WebSocket
//
// The WebSocket library answers the handshake, and is let go of. From then on
// bytes are read into a pooled buffer, which is taken when they are there: a
// connection that waits holds none. [frames] takes apart all that came in one
// read, and unmasks a message where it lies; what did not come whole is the only
// thing that is copied. Each message goes to the connection's [inlet], which
// knows what it carries: a session, an upgrade under way, or nothing that anybody
// wants. The session's own lock is taken once a read.
//
// Who reads depends on the connection. On Linux, one of plain TCP has no goroutine
// while it waits: the [poller] watches it, and its few goroutines read from those
// that have something, one after the other, as long as that need not wait. One
// round of that is a batch: handlers run, then the flusher writes what they had to
// say, and only then is it asked who is next; the more there is to do, the more is
// done with one write. Any other connection of the system's has a reader, and is
// read by its file descriptor; one of TLS, say, keeps a small buffer besides.
// Compressed messages are inflated when they are whole.
//
// # Other nodes
//
// In a cluster a session's requests may reach any node, which passes them to the
// one that has the session: foreign.go begins that story.
//
// # Goroutines
//
//	poller    where there is one: one that waits for events, one more for each
//	          processor, and one for each connection whose reading has to wait,
//	          while there are connections
//	reader    one a WebSocket that the poller does not read, from the upgrade to its
//	          end; that of a stream is the goroutine that called Server.ServeStream
//	flusher   one a processor, while there is something to write, or the poller has
//	          connections
//	drain     one a session, while its client does not take all at once, or its
//	          connection is not one to be tried, such as of TLS
//	net/http  one a request, for the length of a poll or of a POST
//	foreign   one a request that has reached another node, where the session is;
//	          a connection that it holds for another has two, and is a reader there
//
// One timer sends the pings of all sessions and finds whoever does not answer, see
// [pulse]. Every reader, flusher and drain, and those of the poller, are waited for
// by [Server.Shutdown].
//
// # Locks
//
// Server.mu, Session.mu, the pulse's, the outbox's and the poller's are leaves: none
// is held while another is taken, but for the flusher's under the last two, nor
// during I/O or a call of the handler. Session.in, which
// serialises incoming packets, is the exception: it is held during
// Handler.Message and before any of them.
package engineio
