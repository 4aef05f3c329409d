// Package nats connects the servers of a cluster through NATS, https://nats.io: where
// there is one NATS server, a room's messages go to the nodes alone that have a socket
// in it.
//
//	conn, err := nats.Connect("nats://localhost:4222", nats.MaxReconnects(-1))
//	…
//	socketServer := realtime.NewServer(realtime.Config{Adapter: natsadapter.New(conn, natsadapter.Options{})})
//
// where nats is github.com/nats-io/nats.go and natsadapter is this package.
//
// # Subjects
//
// All begin with Options.Prefix:
//
//	<prefix>.nodes             for all nodes: heartbeats, requests, goodbyes
//	<prefix>.node.<id>         for one node
//	<prefix>.all.<space>       for all sockets of a namespace, or those of several rooms
//	<prefix>.room.<space>.<room>   for the sockets in a room
//
// In a cluster of NATS servers what is for a room goes to all nodes: its servers hear
// of each other's subscriptions a moment late, and somebody who has just joined would
// miss something.
//
// Names of namespaces and rooms are written in base64url, long ones as their SHA-256.
// An account that may publish and subscribe to "<prefix>.>" is enough.
//
// # What can be lost
//
// With [New] NATS keeps nothing: while a node is not connected it misses what others say. It
// goes on by itself, keeps what it has to say meanwhile, and tells the log.
//
// With [JetStream] it keeps broadcasts and sessions: a node that was not connected is
// given what it has missed, in order, and clients come back to any node. These
// subjects are added, in the streams "<prefix>-log" and "<prefix>-sessions":
//
//	<prefix>.log.<space>       what is kept, in order
//	<prefix>.part.<id>         the parts of what is too large for one message
//	<prefix>.session.<key>     a session, or how far a node's clients are
//
// Each node has a second connection then, made as the first one was.
//
// The account has to be one with JetStream then, that may use the subjects
// "$JS.API.>" and "_INBOX.>".
//
// # Goroutines
//
//	receiver    one a node, from Start to Close: takes what other nodes say
//	supervisor  one a node with JetStream, from Start to Close: has the log of each namespace read, and again after a reconnection;
//	            looks where those end in which nothing is said
//	reader      one a namespace with JetStream, the client library's: gives the node what stands in the log
package nats
