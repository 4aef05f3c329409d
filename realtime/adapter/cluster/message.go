package cluster

import (
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Type says what a message is.
type Type byte

// The types up to AdapterClose are those of npm's socket.io-adapter, with its
// numbers, so that engines which carry Node's messages map them one to one. Those
// behind are between nodes of this package alone.
const (
	InitialHeartbeat       Type = 1 + iota // a node is new, and asks the others to say that they are there
	Heartbeat                              // it is still there
	Broadcast                              // Target, Frames; with a Request it wants acknowledgements
	SocketsJoin                            // Target, Rooms
	SocketsLeave                           // Target, Rooms
	DisconnectSockets                      // Target, Close
	FetchSockets                           // Target, Request
	FetchSocketsResponse                   // Sockets
	ServerSideEmit                         // Data; with a Request it wants an answer
	ServerSideEmitResponse                 // Data
	BroadcastClientCount                   // Count, and IDs where they are known
	BroadcastAck                           // Frames, and in IDs the socket where it is known
	AdapterClose                           // the node has gone
)

// The types that only nodes of this package know; they are always native.
const (
	BroadcastGone   Type = 100 + iota // IDs of sockets that will not answer
	BroadcastCancel                   // the Request wants no more answers
	Direct                            // Data for those who handle the Topic
)

// Message is what one node tells others. Once it has been given away it is not
// changed any more, nor is what it points to.
type Message struct {
	Type      Type
	Native    bool   // between nodes of this package, in the form of AppendBinary
	Node      string // that sends it; "" where an engine does not know
	To        string // the only node that it is for, or "" for all but Node
	Namespace string // "" for one that concerns the nodes themselves

	// Seq counts what a node sends to all, from 1 on, so that what comes twice is
	// noticed. 0 where an engine cannot carry it.
	Seq uint64

	Request string        // that it is, or answers; "" for neither
	Timeout time.Duration // how long answers to it are of use; 0 where that is not known

	Target   adapter.Target
	Volatile bool
	Plain    bool
	Keep     bool           // it belongs into the log, where the engine is one
	Frames   []parser.Frame // a packet; that of an acknowledgement has the type parser.Ack
	Offset   string         // where it stands in the log, set by the engine that has read it there
	Skipped  bool           // there is a message at Offset that reaches nobody here, and was not decoded
	resumed  uint64         // of one that was skipped: how many clients had come back when that was decided

	Rooms   []string
	Close   bool
	Count   int
	IDs     []string
	Sockets []adapter.RemoteSocket
	Absent  bool // of an answer: the node does not have the namespace

	Topic string
	Data  []byte // of ServerSideEmit JSON, an array that begins with the name, and of its answer an array of arguments; nil for no answer
}
