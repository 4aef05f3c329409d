package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// Options are those of a cluster on NATS. The zero value works.
type Options struct {
	cluster.Options

	// Prefix begins all subjects: clusters that share a NATS server need different
	// ones. Letters, digits, '-', '_' and '.'. Default "socket.io".
	Prefix string

	// KeepPackets is how long [JetStream] keeps broadcasts. It has to be longer than a
	// client may be away (Recovery.MaxDisconnection, and the time in which a server
	// notices that it has gone). Default 10 min.
	KeepPackets time.Duration

	// MaxBytes is how many bytes of broadcasts JetStream keeps at most: the oldest are
	// dropped then. Default 0: as many as the server allows.
	MaxBytes int64

	// Replicas is on how many servers of a NATS cluster JetStream keeps everything: 1,
	// 3 or 5. Default 1.
	Replicas int
}

func (o Options) withDefaults() Options {
	if o.KeepPackets == 0 {
		o.KeepPackets = 10 * time.Minute
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	switch {
	case o.KeepPackets < time.Second:
		panic(fmt.Sprintf("nats: KeepPackets is %v; leave it 0 for 10 minutes, or give it a second at least", o.KeepPackets))
	case o.MaxBytes < 0 || o.Replicas < 1 || o.Replicas > 5:
		panic("nats: MaxBytes is a number of bytes, or 0, and Replicas a number of servers from 1 to 5")
	}
	return o
}

// New returns the adapter for realtime's Config.Adapter. Several servers may use
// one connection, which stays the caller's: it is closed by who has opened it,
// after the servers have shut down. Give it MaxReconnects(-1), or the node is cut
// off for good some minutes after NATS has gone. New panics when an option cannot
// work.
func New(conn *nats.Conn, o Options) adapter.Provider {
	if conn == nil {
		panic("nats: New needs a connection; nats.Connect makes one")
	}
	s := newSubjects(o.Prefix)
	return cluster.New(o.Options, func(adapter.Server) cluster.Engine { return newEngine(conn, s) })
}

// JetStream is New for a cluster in which clients can come back to any node:
// broadcasts and sessions are kept by NATS' JetStream, 2.9 or later, in the streams
// "<prefix>-log" and "<prefix>-sessions", where '.' is written '='. They are made if
// they are missing. realtime's Config.Recovery has to be on as well.
func JetStream(conn *nats.Conn, o Options) adapter.Provider {
	if conn == nil {
		panic("nats: JetStream needs a connection; nats.Connect makes one")
	}
	js, err := jetstream.New(conn)
	if err != nil {
		panic(fmt.Sprintf("nats: %v", err))
	}
	s := newSubjects(o.Prefix)
	o = o.withDefaults()
	return cluster.New(o.Options, func(server adapter.Server) cluster.Engine {
		return newLogEngine(newEngine(conn, s), js, o, server.Logger)
	})
}

func newEngine(conn *nats.Conn, s subjects) *engine {
	return &engine{conn: conn, subjects: s, recent: make(recent), subscriptions: make(map[string]*nats.Subscription)}
}

// received is how many messages of others may wait to be taken, which takes
// microseconds; NATS drops what comes then.
const received = 1 << 16

// patience is how long the server may take to confirm what it was sent.
const patience = 10 * time.Second

// engine is the cluster.Engine of one node.
//
// All subscriptions write to one channel, so that messages keep the order in which
// their nodes have sent them whatever their subjects are.
type engine struct {
	conn     *nats.Conn
	subjects subjects
	receiver cluster.Receiver
	inbox    chan *nats.Msg
	done     chan struct{} // closed when nothing is received any more
	closed   chan struct{} // closed by Close
	recent   recent        // Publish's

	mu            sync.Mutex // guards the rest
	subscriptions map[string]*nats.Subscription
}

// Start implements cluster.Engine.
func (e *engine) Start(node string, r cluster.Receiver) error {
	e.receiver = r
	if cluster.SendsOnly(r) {
		return nil
	}
	e.inbox = make(chan *nats.Msg, received)
	e.done, e.closed = make(chan struct{}), make(chan struct{})
	// In this order: other servers of a NATS cluster hear of it in order, so that who hears
	// this node as one of all is heard in its namespaces, too.
	for _, subject := range []string{e.subjects.spaces(), e.subjects.node(node), e.subjects.nodes()} {
		if err := e.subscribe(subject); err != nil {
			return fmt.Errorf("nats: %w", err)
		}
	}
	go e.receive()
	return nil
}

// receive takes what comes.
func (e *engine) receive() {
	defer close(e.done)
	parts := newAssembly(maxWhole)
	for {
		select {
		case <-e.closed:
			return
		case m := <-e.inbox:
			if len(e.inbox) == cap(e.inbox)-1 {
				e.receiver.Refuse(errors.New("nats: messages came faster than they could be taken, and some are lost"))
			}
			if data, whole := parts.add(m.Data); whole {
				e.take(data)
			}
		}
	}
}

func (e *engine) take(data []byte) {
	m, err := cluster.ParseMessage(data)
	if err != nil {
		e.receiver.Refuse(fmt.Errorf("nats: %w", err))
		return
	}
	e.receiver.Receive(m)
}

// Open implements cluster.Engine. All namespaces are received from Start on: other
// servers of a NATS cluster hear of a subscription some time after it was made, and
// what is published there until then does not come.
func (e *engine) Open(ctx context.Context, _ string) error { return e.conn.FlushWithContext(ctx) }

// Shut implements cluster.Engine.
func (e *engine) Shut(string) {}

// Join implements cluster.RoomEngine.
func (e *engine) Join(ctx context.Context, namespace, room string, _ bool) error {
	return e.subscribeNow(ctx, e.subjects.room(namespace, room))
}

// Leave implements cluster.RoomEngine.
func (e *engine) Leave(namespace, room string, _ bool) {
	e.unsubscribe(e.subjects.room(namespace, room))
}

// subscribe begins to receive a subject. The client library subscribes to it again
// whenever it has reconnected.
func (e *engine) subscribe(subject string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.subscriptions[subject] != nil {
		return nil
	}
	s, err := e.conn.ChanSubscribe(subject, e.inbox)
	if err == nil {
		e.subscriptions[subject] = s
	}
	return err
}

// subscribeNow is subscribe that waits until the server knows.
func (e *engine) subscribeNow(ctx context.Context, subject string) error {
	if err := e.subscribe(subject); err != nil {
		return err
	}
	return e.conn.FlushWithContext(ctx)
}

func (e *engine) unsubscribe(subject string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.subscriptions[subject]; s != nil {
		delete(e.subscriptions, subject)
		s.Unsubscribe()
	}
}

// Publish implements cluster.Engine. What it returns as sent has reached the NATS
// server.
func (e *engine) Publish(ctx context.Context, batch []*cluster.Message) (int, error) {
	on := e.connection()
	for i, m := range batch {
		if now := e.connection(); now == 0 || now != on {
			return 0, nats.ErrConnectionReconnecting
		}
		data, err := m.AppendBinary(nil)
		if err == nil {
			err = e.send(e.subject(m), data)
		}
		if err != nil {
			return e.flushed(ctx, on, i, err)
		}
	}
	return e.flushed(ctx, on, len(batch), nil)
}

// connection returns the number of the connection to a NATS server, or 0 while there is
// none. What is published then waits, and on the next one comes before what was lost with
// the last, and has to be sent again.
func (e *engine) connection() uint64 {
	if !e.conn.IsConnected() {
		return 0
	}
	return e.conn.Stats().Reconnects + 1
}

// subject returns the subject of a message. Rooms have theirs where there is only one
// server, which knows of a subscription as soon as it is made.
func (e *engine) subject(m *cluster.Message) string {
	if !m.Native && m.To == "" && e.conn.ConnectedClusterName() != "" {
		return e.subjects.all(m.Namespace)
	}
	return e.recent.of(e.subjects, m)
}

// flushed waits until the server has the first n messages of a batch, by the connection
// on which they were published.
func (e *engine) flushed(ctx context.Context, on uint64, n int, err error) (int, error) {
	if n == 0 {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if failed := e.conn.FlushWithContext(ctx); failed != nil {
		return 0, failed
	}
	if e.connection() != on {
		return 0, nats.ErrConnectionReconnecting
	}
	return n, err
}

// send publishes data, in parts where it is more than a message may hold.
func (e *engine) send(subject string, data []byte) error {
	most := int(e.conn.MaxPayload())
	if len(data) <= most {
		return e.conn.Publish(subject, data)
	}
	return split(data, most, func(part []byte) error { return e.conn.Publish(subject, part) })
}

// Close implements cluster.Engine.
func (e *engine) Close() error {
	if e.closed == nil { // it has only sent
		return nil
	}
	e.mu.Lock()
	for subject, s := range e.subscriptions {
		delete(e.subscriptions, subject)
		s.Unsubscribe()
	}
	e.mu.Unlock()
	close(e.closed)
	<-e.done
	return nil
}

var _ cluster.RoomEngine = (*engine)(nil)
