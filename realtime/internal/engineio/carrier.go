package engineio

// carrier is a connection that carries one session both ways for as long as it
// lives: a WebSocket or a stream. A long-poll is none.
//
// read belongs to one goroutine, the connection's reader, and so do write and
// finish to another, the drain of the session's outbox; abort may be called by
// anybody.
type carrier interface {
	// write, finish and name are those of a sink.
	sink

	// read waits for the next message and reads it into buf. It returns
	// errPacket, errLarge or errFragments, after which it may be called on for
	// what the client sends before it closes, or the error that ended the
	// connection.
	read(buf *buffer) (data []byte, binary bool, err error)

	// abort ends the connection at once. A blocked read or write returns.
	abort()
}
