package engineio

// carrier is a connection that carries one session both ways for as long as it
// lives: a WebSocket or a stream. A long-poll is none.
//
// serve belongs to one goroutine, the connection's reader, and so do write and
// finish to another, the drain of the session's outbox; abort may be called by
// anybody.
type carrier interface {
	// write, finish and name are those of a sink.
	sink

	// serve reads messages and passes them to in, until the connection has ended.
	// A client that breaks the rules is a breach, and is read on until it has
	// closed its side.
	serve(in *inlet)

	// abort ends the connection at once. A blocked read or write returns.
	abort()
}
