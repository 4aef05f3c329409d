package adapter

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Provider is what connects a server to others, or to none: Config.Adapter of
// package realtime. One may be given to several servers, each of which opens it.
type Provider interface {
	// Open makes the server a node. It neither fails nor waits: an engine that
	// cannot be reached is tried again, and logged.
	Open(s Server) Node
}

// Server is what a node has to know of its server.
type Server struct {
	Logger *slog.Logger
	Codec  parser.Codec // of its packets
}

// Factory is a [Provider] for servers that know of no others.
type Factory func(Host) Adapter

// Open implements [Provider].
func (f Factory) Open(Server) Node { return alone{f} }

// Node is a server's part of a cluster: it makes the adapters of the server's
// namespaces, knows the other nodes, and carries messages between them. All
// methods may be called concurrently.
type Node interface {
	// ID returns the node's name, which no other node has, nor has had: letters
	// and digits. It is "" for a server that is no part of a cluster.
	ID() string

	// Nodes returns the names of the other nodes, sorted, as far as they are
	// known. Those of other software, which have no part in Send and Handle, are
	// not among them.
	Nodes() []string

	// Adapter makes the adapter of a namespace.
	Adapter(n Namespace) Adapter

	// Send sends a message to the functions that another node has given to Handle
	// for the topic; to those of all other nodes where node is "". It waits for
	// nothing. Messages of one node to another arrive in order, or not at all. It
	// fails with [ErrNoNode] when there is no such node, and with [ErrBusy].
	Send(node, topic string, message []byte) error

	// Handle makes f receive the messages of a topic. It must not wait, and not
	// keep the message.
	Handle(topic string, f func(from string, message []byte))

	// Watch makes f hear of nodes that come and go, in order, beginning with those
	// there are. It must not wait.
	Watch(f func(node string, there bool))

	// Close takes leave of the other nodes, after all adapters have been closed. What
	// was sent before is sent still, unless ctx ends.
	Close(ctx context.Context) error
}

// alone is the node of a server that knows of no others.
type alone struct{ factory Factory }

func (alone) ID() string                          { return "" }
func (alone) Nodes() []string                     { return nil }
func (a alone) Adapter(n Namespace) Adapter       { return a.factory(n) }
func (alone) Handle(string, func(string, []byte)) {}
func (alone) Watch(func(string, bool))            {}
func (alone) Close(context.Context) error         { return nil }

func (alone) Send(node, _ string, _ []byte) error {
	if node == "" {
		return nil // to all of none
	}
	return ErrNoNode
}

// Cluster is an Adapter of a namespace that has sockets on other nodes, too. Its
// Broadcast reaches them unless the target says Local, and returns before they
// have it. The other methods are about the other nodes alone: its own server has
// done there what is to be done.
type Cluster interface {
	Messenger

	// Ask has the sockets of other nodes that the target means receive an event
	// which wants an acknowledgement, and calls answered with each that comes, one
	// at a time. It does not wait; who has called it must call wait, which waits for
	// all of them, or until ctx ends: then, and when sockets or nodes have gone, it
	// returns a *[MissingError].
	Ask(ctx context.Context, p Packet, t Target, answered func(Answer)) (wait func() error, err error)

	// FetchSockets returns the sockets of other nodes that the target means. When
	// nodes do not answer in time, or until ctx ends, it returns those of the
	// others, and a *[MissingError].
	FetchSockets(ctx context.Context, t Target) ([]RemoteSocket, error)

	// SocketsJoin and SocketsLeave put the sockets of other nodes that the target
	// means into rooms, and take them out of them. DisconnectSockets disconnects
	// them. They do not wait for it.
	SocketsJoin(t Target, rooms []string) error
	SocketsLeave(t Target, rooms []string) error
	DisconnectSockets(t Target, close bool) error
}

// Answer is a socket's acknowledgement.
type Answer struct {
	Socket string         // its id, or "" where its node does not tell
	Frames []parser.Frame // an encoded packet of type parser.Ack, whose ID means nothing
}

// RemoteSocket is what is known of another node's socket.
type RemoteSocket struct {
	ID        string          `json:"id"`
	Handshake json.RawMessage `json:"handshake"` // an object as the reference has it
	Rooms     []string        `json:"rooms"`     // its own id first, unless another software says otherwise
	Data      json.RawMessage `json:"data"`      // an object, or nothing
}

// MissingError says whose answers are missing.
type MissingError struct {
	Nodes   []string // that have not said everything they should have, sorted
	Unnamed int      // nodes of other software of which the same is true
	Sockets []string // that have not acknowledged a broadcast, sorted
	Others  int      // sockets of which the same is true, whose nodes do not tell their ids
	Err     error    // why they are not waited for any more: [ErrNodeGone], or the cause with which a context ended
}

// Error names the nodes, and counts the sockets.
func (e *MissingError) Error() string {
	var missing []string
	if n := len(e.Nodes); n > 0 {
		missing = append(missing, fmt.Sprintf("nodes %s", strings.Join(e.Nodes, ", ")))
	}
	if e.Unnamed > 0 {
		missing = append(missing, fmt.Sprintf("%d unnamed nodes", e.Unnamed))
	}
	if n := len(e.Sockets) + e.Others; n > 0 {
		missing = append(missing, fmt.Sprintf("%d sockets", n))
	}
	return fmt.Sprintf("no answer from %s: %v", strings.Join(missing, " and "), e.Err)
}

// Unwrap returns Err.
func (e *MissingError) Unwrap() error { return e.Err }

// Namespace is a [Host] that does what other nodes ask for. Its methods see to
// the sockets of its own server alone, whatever Target.Local says. They call
// user code.
type Namespace interface {
	Host

	// Codec returns what encodes and decodes the frames of the namespace's packets.
	Codec() parser.Codec

	// SocketsJoin and SocketsLeave put sockets into rooms, and take them out of
	// them; DisconnectSockets disconnects them.
	SocketsJoin(t Target, rooms []string)
	SocketsLeave(t Target, rooms []string)
	DisconnectSockets(t Target, close bool)

	// FetchSockets describes sockets.
	FetchSockets(t Target) []RemoteSocket

	// Session returns the PID and the Data of a socket whose client may come back,
	// or none.
	Session(s Socket) (Session, bool)

	// Owners returns the sockets that have that PID now, with "" all whose clients may
	// come back. What it returns breaks their connections, because their client has
	// come to another node, and waits until their handlers have ended, or ctx ends. A
	// socket that comes in between is not among them.
	Owners(pid string) (abandon func(ctx context.Context))

	// Ask sends an event that wants an acknowledgement, and returns whom it has
	// sent it to. It calls answered with each answer, and missing with each socket
	// that has gone or when ctx has ended. Each socket is named once, but for those
	// that are named when Ask itself fails.
	Ask(ctx context.Context, p Packet, t Target, answered func(Answer), missing func(socket string)) (sockets []string, err error)
}
