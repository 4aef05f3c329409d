package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Hub connects servers of one process, each of which opens it: a cluster for
// tests, and for trying things out. Its messages go through the same form as
// those of other engines.
type Hub struct {
	adapter.Provider

	mu    sync.RWMutex // guards the rest
	nodes []*hubEngine
	cut   map[string]bool // nodes that nothing goes to or comes from

	// Of a hub that keeps packets.
	pumps   []func() // have each node read what is new
	logs    map[string]*hubLog
	records map[string]hubRecord
	terms   map[string]int64 // of records, also of those that are gone
}

// NewHub returns a hub without nodes.
func NewHub(o Options) *Hub {
	h := &Hub{cut: make(map[string]bool)}
	h.Provider = New(o, func(adapter.Server) Engine { return &hubEngine{hub: h} })
	return h
}

// NewLogHub returns a hub that keeps packets, the last hundred thousand of each
// namespace, so that clients can come back to any node.
func NewLogHub(o Options) *Hub {
	h := &Hub{cut: make(map[string]bool), logs: make(map[string]*hubLog), records: make(map[string]hubRecord), terms: make(map[string]int64)}
	h.Provider = New(o, func(adapter.Server) Engine {
		return &hubLogEngine{hubEngine: hubEngine{hub: h}, read: make(map[string]int)}
	})
	return h
}

// Cut takes a node off the network: it reaches nothing, and nothing reaches it.
func (h *Hub) Cut(node string) { h.set(node, true) }

// Heal undoes Cut.
func (h *Hub) Heal(node string) {
	h.set(node, false)
	h.pump()
}

func (h *Hub) set(node string, cut bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut[node] = cut
}

// isCut reports whether a node is off the network.
func (h *Hub) isCut(node string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.cut[node]
}

// Inject gives bytes to all nodes, as if a node had sent them.
func (h *Hub) Inject(b []byte) {
	h.mu.RLock()
	nodes := slices.Clone(h.nodes)
	h.mu.RUnlock()
	for _, n := range nodes {
		n.take(b)
	}
}

// errCut is why a node that is off the network reaches nothing.
var errCut = errors.New("the node is cut off from the hub")

// hubEngine is the Engine of one node of a hub.
type hubEngine struct {
	hub      *Hub
	node     string
	receiver Receiver

	mu     sync.RWMutex // guards closed, and is held while something is received
	closed bool
}

// Start implements Engine.
func (e *hubEngine) Start(node string, r Receiver) error {
	e.node, e.receiver = node, r
	if SendsOnly(r) {
		return nil
	}
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hub.nodes = append(e.hub.nodes, e)
	return nil
}

// Open implements Engine.
func (e *hubEngine) Open(context.Context, string) error { return nil }

// Shut implements Engine.
func (e *hubEngine) Shut(string) {}

// Publish implements Engine.
func (e *hubEngine) Publish(_ context.Context, batch []*Message) (int, error) {
	for i, m := range batch {
		if e.hub.isCut(e.node) {
			return i, errCut
		}
		b, err := m.AppendBinary(nil)
		if err != nil {
			return i, err
		}
		for _, n := range e.others() {
			if m.To == "" || m.To == n.node {
				n.take(b)
			}
		}
	}
	return len(batch), nil
}

// others returns the nodes that this one reaches.
func (e *hubEngine) others() []*hubEngine {
	e.hub.mu.RLock()
	defer e.hub.mu.RUnlock()
	var others []*hubEngine
	for _, n := range e.hub.nodes {
		if n != e && !e.hub.cut[n.node] {
			others = append(others, n)
		}
	}
	return others
}

// take receives bytes.
func (e *hubEngine) take(b []byte) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return
	}
	m, err := ParseMessage(b)
	if err != nil {
		e.receiver.Refuse(err)
		return
	}
	e.receiver.Receive(m)
}

// Close implements Engine.
func (e *hubEngine) Close() error {
	e.hub.mu.Lock()
	e.hub.nodes = slices.DeleteFunc(e.hub.nodes, func(n *hubEngine) bool { return n == e })
	e.hub.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return nil
}

var _ Engine = (*hubEngine)(nil)
