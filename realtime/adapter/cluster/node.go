package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Options are those of every cluster. The zero value works.
type Options struct {
	// HeartbeatInterval is the time between two signs of life of a node. Default
	// 5 s.
	HeartbeatInterval time.Duration

	// HeartbeatTimeout is how long a node may be silent before the others take it
	// for dead. Default 10 s.
	HeartbeatTimeout time.Duration

	// RequestTimeout is how long FetchSockets and ServerSideEmitWithAck wait for
	// other nodes at most. Default 5 s.
	RequestTimeout time.Duration

	// MaxQueued is how many bytes may wait for an engine that cannot be reached.
	// What comes then fails with adapter.ErrBusy. Default 64 MiB.
	MaxQueued int
}

func (o Options) withDefaults() Options {
	setDefault(&o.HeartbeatInterval, 5*time.Second)
	setDefault(&o.HeartbeatTimeout, 2*o.HeartbeatInterval)
	setDefault(&o.RequestTimeout, 5*time.Second)
	setDefault(&o.MaxQueued, 64<<20)
	switch {
	case o.HeartbeatInterval < 0 || o.RequestTimeout < 0 || o.MaxQueued < 0:
		panic("cluster: an option is negative; leave it 0 for the default")
	case o.HeartbeatTimeout <= o.HeartbeatInterval:
		panic(fmt.Sprintf("cluster: HeartbeatTimeout, %v, must be longer than HeartbeatInterval, %v", o.HeartbeatTimeout, o.HeartbeatInterval))
	}
	return o
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// New returns a provider of nodes that are connected by engines of that kind. Open
// makes the engine of one node; it neither waits nor fails. New panics when an
// option cannot work.
func New(o Options, open func(adapter.Server) Engine) adapter.Provider {
	return provider{o.withDefaults(), open}
}

type provider struct {
	options Options
	engine  func(adapter.Server) Engine
}

// Open implements adapter.Provider.
func (p provider) Open(s adapter.Server) adapter.Node {
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	if s.Codec == nil {
		s.Codec = parser.JSON
	}
	n := &node{
		id:      newID(),
		options: p.options,
		engine:  p.engine(s),
		logger:  s.Logger,
		refused: occasionally{every: time.Minute},
		unsaved: occasionally{every: time.Minute},
		gaps:    occasionally{every: time.Minute},
		spaces:  make(map[string]*space),
		topics:  make(map[string][]func(string, []byte)),
	}
	n.mixed, _ = n.engine.(MixedEngine)
	n.rooms, _ = n.engine.(RoomEngine)
	n.log, _ = n.engine.(LogEngine)
	n.peers.init(n)
	n.sender.init(n)
	n.claims.init(n)
	if err := n.engine.Start(n.id, n); err != nil {
		panic(fmt.Sprintf("cluster: %v", err))
	}
	n.sender.start()
	return n
}

// newID returns 16 random hexadecimal digits, as the reference names its nodes.
func newID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// node is the adapter.Node of a cluster.
type node struct {
	id      string
	options Options
	engine  Engine
	mixed   MixedEngine // the same, or nil
	rooms   RoomEngine  // the same, or nil
	log     LogEngine   // the same, or nil
	logger  *slog.Logger

	sender   sender
	peers    peers
	requests requests
	claims   claims
	refused  occasionally
	unsaved  occasionally
	gaps     occasionally
	running  sync.WaitGroup // goroutines that do what others asked for

	mu     sync.RWMutex // guards the rest
	spaces map[string]*space
	topics map[string][]func(from string, message []byte)
	closed bool
}

// ID implements adapter.Node.
func (n *node) ID() string { return n.id }

// Nodes implements adapter.Node.
func (n *node) Nodes() []string { return n.peers.native() }

// Watch implements adapter.Node.
func (n *node) Watch(f func(string, bool)) { n.peers.watch(f) }

// Handle implements adapter.Node.
func (n *node) Handle(topic string, f func(string, []byte)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fs := n.topics[topic]
	n.topics[topic] = append(fs[:len(fs):len(fs)], f)
}

// Send implements adapter.Node.
func (n *node) Send(to, topic string, message []byte) error {
	if to != "" && !n.peers.isNative(to) {
		return adapter.ErrNoNode
	}
	return n.publish(&Message{Type: Direct, Native: true, To: to, Topic: topic, Data: message})
}

// Adapter implements adapter.Node.
func (n *node) Adapter(host adapter.Namespace) adapter.Adapter {
	s := newSpace(n, host)
	if n.log != nil && s.keeps {
		s.chronicle = newChronicle(s, n.log)
	}
	n.mu.Lock()
	n.spaces[s.name] = s
	n.mu.Unlock()
	s.open()
	if s.chronicle == nil {
		return s
	}
	s.chronicle.begin()
	return s.chronicle
}

// publish queues a message for the other nodes.
func (n *node) publish(m *Message) error {
	m.Node = n.id
	return n.sender.add(m)
}

// Close implements adapter.Node.
func (n *node) Close(ctx context.Context) error {
	n.mu.Lock()
	closed := n.closed
	n.closed = true
	n.mu.Unlock()
	if closed {
		return nil
	}
	n.publish(&Message{Type: AdapterClose, Native: true})
	err := n.sender.close(ctx)
	n.requests.close()
	if e := n.engine.Close(); err == nil {
		err = e
	}
	n.running.Wait()
	return err
}

// space returns a namespace of this node, or nil.
func (n *node) space(name string) *space {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.spaces[name]
}

func (n *node) forget(s *space) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spaces[s.name] == s {
		delete(n.spaces, s.name)
	}
}

// Interested implements Receiver.
func (n *node) Interested(namespace string, rooms ...string) bool {
	s := n.space(namespace)
	return s != nil && s.interested(rooms)
}

// Lost implements Receiver.
func (n *node) Lost(namespace string) {
	s := n.space(namespace)
	if s == nil || s.chronicle == nil {
		return
	}
	s.lane.do(0, s.chronicle.lost)
}

// Refuse implements Receiver.
func (n *node) Refuse(why error) {
	if more, now := n.refused.now(); now {
		n.logger.Warn("cluster: dropped what is no message for this node", "node", n.id, "error", why, "dropped", more)
	}
}

// Receive implements Receiver.
func (n *node) Receive(m *Message) {
	switch own := m.Node == n.id; {
	case own && m.Offset == "", m.To != "" && m.To != n.id:
		return
	case !own && m.Node != "" && !n.peers.heard(m):
		if s := n.space(m.Namespace); m.Offset != "" && s != nil && s.chronicle != nil {
			s.lane.do(0, func() { s.chronicle.copied(m.Offset) })
		}
		return
	}
	switch {
	case m.Type == Direct:
		n.direct(m)
	case m.Namespace == "":
	case m.Type == FetchSocketsResponse, m.Type == ServerSideEmitResponse, m.Type == BroadcastClientCount,
		m.Type == BroadcastAck, m.Type == BroadcastGone:
		n.requests.answered(m)
	default:
		if s := n.space(m.Namespace); s != nil {
			s.receive(m)
		} else {
			n.absent(m)
		}
	}
}

// direct calls who handles a topic.
func (n *node) direct(m *Message) {
	n.mu.RLock()
	fs := n.topics[m.Topic]
	n.mu.RUnlock()
	for _, f := range fs {
		f(m.Node, m.Data)
	}
}

// absent answers a request for a namespace that this node does not have.
func (n *node) absent(m *Message) {
	if !m.Native || m.Request == "" {
		return
	}
	answer := &Message{Native: true, To: m.Node, Namespace: m.Namespace, Request: m.Request, Absent: true}
	switch m.Type {
	case FetchSockets:
		answer.Type = FetchSocketsResponse
	case ServerSideEmit:
		answer.Type = ServerSideEmitResponse
	case Broadcast:
		answer.Type = BroadcastClientCount
	default:
		return
	}
	n.publish(answer)
}

// occasionally says when it is time to log something again.
type occasionally struct {
	every time.Duration

	mu   sync.Mutex // guards the rest
	last time.Time
	held int // since then
}

// now reports whether it is time, and how often it was not since the last time.
func (o *occasionally) now() (held int, now bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.last.IsZero() && time.Since(o.last) < o.every {
		o.held++
		return 0, false
	}
	held = o.held
	o.last, o.held = time.Now(), 0
	return held, true
}
