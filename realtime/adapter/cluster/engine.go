package cluster

import (
	"context"
	"time"
)

// Engine carries messages between nodes. It is all that differs from one adapter
// to the next. Its methods may be called concurrently, but for Publish, which is
// called by one goroutine at a time.
//
// What it cannot deliver because it is not connected it reports by the error of
// Publish: the node keeps what it has to say, and tries again. An engine connects,
// and reconnects, by itself.
type Engine interface {
	// Start begins to receive: messages for all nodes, and those whose To is the
	// node's name. It does not wait for a connection. See [SendsOnly].
	Start(node string, r Receiver) error

	// Open begins to receive the messages of a namespace, Shut ends that. Open
	// waits until the engine has taken it, but not longer than ctx allows: it goes
	// on trying then.
	Open(ctx context.Context, namespace string) error
	Shut(namespace string)

	// Publish sends messages, in order, to the other nodes or to the one that each
	// is for. Those that are Native go in the form of [Message.AppendBinary], to
	// all nodes whatever namespaces they have; the others in whatever form the
	// engine shares with other software, to the nodes that have the namespace. It
	// returns how many it has sent, and an error when that is not all of them: when
	// that is temporary, the rest is given to it again. One that never can be sent,
	// being too large for example, is an error that wraps [ErrUnfit], and is
	// dropped.
	Publish(ctx context.Context, batch []*Message) (sent int, err error)

	// Close ends it all. Nothing is received when it has returned.
	Close() error
}

// Receiver is who an engine gives to what it receives. Its methods may be called
// concurrently, but the messages of a node are given in the order in which it has
// sent them.
type Receiver interface {
	// Receive takes a message, which nobody may change from then on. It is quick.
	// Messages of the node itself need not be given, but must be where they come
	// from a log.
	Receive(m *Message)

	// Interested reports whether a message of a namespace for one of the rooms, or
	// for everybody when there is none, reaches anybody here. One that does not
	// need not be received: it need not even be decoded.
	Interested(namespace string, rooms ...string) bool

	// Lost notes that this node cannot be given messages of a namespace's log, because
	// they were dropped or cannot be read, and that what comes next follows those: its
	// clients must come back to know what they have missed. When the node is past them
	// a message that has nothing but the Namespace and an Offset says so.
	Lost(namespace string)

	// Refuse notes bytes that are no message. It says so in the log, but not often.
	Refuse(why error)
}

// RoomEngine is an Engine that can spare a node what is for rooms in which none
// of its sockets are.
type RoomEngine interface {
	Engine

	// Join begins to receive what is for a room, because a first socket of the node
	// is in it, and Leave ends that. Private says that the room is that of a
	// socket's own id. For one room they are called one after the other. Join waits
	// until the engine has taken it, but not longer than ctx allows: it goes on
	// trying then.
	Join(ctx context.Context, namespace, room string, private bool) error
	Leave(namespace, room string, private bool)
}

// MixedEngine is an Engine on which there may be nodes of other software. They
// take no part in what is Native: requests are published twice, and those of
// which the node has received one twice are answered once.
type MixedEngine interface {
	Engine

	// Count returns how many nodes receive the messages of a namespace, whatever
	// their software is, this one included. Where such nodes announce themselves in
	// the namespace, with heartbeats as npm's ClusterAdapterWithHeartbeat has them,
	// it returns -1; the node announces itself so, too.
	Count(ctx context.Context, namespace string) (int, error)
}

// LogEngine is an Engine that keeps messages which have Keep in an ordered log, a
// log for each namespace or for several, so that clients can come back to any
// node: https://socket.io/docs/v4/connection-state-recovery.
//
// Every node, also the one that has sent it, is given what is in the log, once, in
// its order and with its Offset, from the time Open was called on. After it was not
// connected for a while, it goes on where it was.
type LogEngine interface {
	Engine

	// Tail returns the offset of the last message in the namespace's log, or that
	// of its beginning when there is none.
	Tail(ctx context.Context, namespace string) (string, error)

	// Read calls f with the messages that stand behind an offset in the namespace's
	// log, in order, up to another offset, that one included, until f returns
	// false. It fails with [ErrTrimmed] when something behind the first offset may
	// have been dropped meanwhile, before it calls f, and with [ErrUnreadable].
	Read(ctx context.Context, namespace, after, upTo string, f func(*Message) bool) error

	// Compare returns -1, 0 or +1, as the first of two offsets stands before the
	// second one, is the same, or stands behind. It fails for what is no offset: a
	// client may send anything.
	Compare(a, b string) (int, error)

	// Save keeps records, or deletes those without a value. One whose Term is larger by
	// now it leaves as it is, and that is no error: somebody has taken it since, and who
	// saves it has been out of reach, and does not know that yet.
	Save(ctx context.Context, records []Record) error

	// Load returns a record's value, or nil when it is not kept.
	Load(ctx context.Context, key string) ([]byte, error)

	// Take is Load that deletes a record and adds 1 to its Term, in one step: of those who
	// take it at once, one gets it. It takes a record of that Term only, or of [AnyTerm],
	// and returns the Term that it has then, of one that is not kept any more, too.
	Take(ctx context.Context, key string, of int64) (value []byte, term int64, err error)
}

// CopyingEngine is a LogEngine whose log may have a message twice, because a node that
// was not answered has sent it again. A node knows a copy by having read the first; what
// it has not read itself it asks for.
type CopyingEngine interface {
	LogEngine

	// Before calls f with the node and the Seq of messages of the namespace's log up to
	// an offset, that one included, as far back as something behind it is likely to be a
	// copy, and in any order.
	Before(ctx context.Context, namespace, offset string, f func(node string, seq uint64)) error
}

// Record is something that is kept for a time. The value is JSON, an object.
type Record struct {
	Key   string // letters, digits, '-' and '_'
	Value []byte
	Keep  time.Duration

	// Term is how often it has been taken, as far as who saves it knows. An engine keeps
	// one above 0 for [KeepTerm] at least after it was saved or taken last, also when the
	// record is gone.
	Term int64
}

const (
	// AnyTerm is that of a record which is taken whatever Term it has.
	AnyTerm = -1

	// KeepTerm is how long an engine remembers who has a record, and who does no more.
	KeepTerm = time.Hour
)
