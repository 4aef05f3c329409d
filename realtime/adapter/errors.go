package adapter

import "errors"

var (
	// ErrNoNode is returned for a message to a node that is not there, or not known
	// yet.
	ErrNoNode = errors.New("there is no such node in the cluster")

	// ErrNodeGone is why a node that has left the cluster, or was silent for too
	// long, is not waited for any more.
	ErrNodeGone = errors.New("the node has left the cluster")

	// ErrSocketGone is why a socket that was disconnected is not waited for any
	// more.
	ErrSocketGone = errors.New("the socket was disconnected")

	// ErrBusy is returned for what cannot be sent to the other nodes, because the
	// engine between them does not take it, and too much waits for it already.
	ErrBusy = errors.New("too much waits for the other nodes; is the engine between them reachable?")

	// ErrClosed is returned by a node, or an emitter, that has been closed.
	ErrClosed = errors.New("it has been closed, and says nothing more to the cluster")
)
