// Package cluster is what is the same for all adapters that connect several
// servers: who the other nodes are, which messages go between them, and who waits
// for whose answer. What carries the messages is an [Engine].
//
// Start with [New], which makes what realtime's Config.Adapter wants from an
// engine; [Engine], what one has to do, and [Message], what it carries. [NewHub] is an
// engine between servers of one process, for tests. An [Outlet] is for who is no
// node, and has something to say.
//
// # The law
//
// Only a node's own monotonic clock counts: that of others, or of an engine, may
// be wrong by hours. A node is known by its messages, and forgotten after
// Options.HeartbeatTimeout without one, or when it says goodbye. Who waits for it
// is told then.
//
// Emitting never waits for an engine: what is said to the other nodes queues, in
// order, and a single goroutine gives it to the engine, again and again while that
// is out of reach. Options.MaxQueued bounds it. A message that a retry has sent
// twice is taken once; see [CopyingEngine] for logs that then have it twice.
//
// # Goroutines
//
//	sender      one a node, from Open to Close: gives messages to the engine, and sends heartbeats
//	lane        one a namespace, while there is something to do: does what other nodes ask for, in order
//	saver       one a namespace of which something is kept, while that has changed: saves it
//	lease       one a namespace of which something is kept, with each heartbeat: saves how far its clients are
//	claim       one for each session that another node asks for, or that was given to this one too late
//	expiry      one for each session that has expired, or node that is gone: tells of what nobody has come back to
//	outlet      one an Outlet, while something is being sent
//	request     one for each server-side event with an answer, and each broadcast with acknowledgements, that came in
//
// Close waits for all of them, and the engine's for its own.
package cluster
