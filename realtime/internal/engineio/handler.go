package engineio

// Handler receives what one session has to say. Its methods are called one at
// a time, except that Closed may be called during Message. A Handler that is
// also a [Drainer], an [Upgrader] or a [Heartbeater] hears of that, too.
type Handler interface {
	// Message receives a message in the order the client sent it. The data is
	// only valid until Message returns. While it does not return the client is
	// not read from. A message that returns an error ends the session with
	// ReasonForcedClose.
	Message(data []byte, binary bool) error

	// Closed is called once, when the session has ended and nothing can be
	// sent any more. It must not wait.
	Closed(reason string)
}

// Drainer is a [Handler] that is told when all packets have left.
type Drainer interface {
	// Drained is called when an outbox that held packets has become empty, after
	// they were written to the transport. It may send, and must not wait. It may
	// run concurrently with itself and with all other methods, and with a Closed
	// that comes just then.
	Drained()
}

// Upgrader is a [Handler] that is told when its session changes its transport.
type Upgrader interface {
	// Upgraded is called by the reader of the new transport, before any message
	// that comes by it. It must not wait.
	Upgraded(from, to string)
}

// Heartbeater is a [Handler] that is told when its client was heard to live.
type Heartbeater interface {
	// Heartbeat is called after the client's part of the heartbeat, one at a
	// time with Message. It must not wait.
	Heartbeat()
}
