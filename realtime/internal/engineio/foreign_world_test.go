package engineio

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bus carries messages between the nodes of a test, each to each in order.
type bus struct {
	mu      sync.Mutex
	nodes   map[string]*busNode
	dropped func(from, to string, message []byte) bool // nil drops nothing
}

// busNode implements Peers.
type busNode struct {
	bus   *bus
	id    string
	inbox chan func() // its messages, one at a time
	done  chan struct{}

	handle func(string, []byte)
	watch  func(string, bool)
}

func (n *busNode) ID() string                    { return n.id }
func (n *busNode) Handle(f func(string, []byte)) { n.handle = f }
func (n *busNode) Watch(f func(string, bool))    { n.watch = f }
func (n *busNode) run() {
	defer close(n.done)
	for f := range n.inbox {
		f()
	}
}

func (n *busNode) Send(node string, message []byte) error {
	n.bus.mu.Lock()
	defer n.bus.mu.Unlock()
	to := n.bus.nodes[node]
	if to == nil {
		return errors.New("no such node")
	}
	if n.bus.dropped != nil && n.bus.dropped(n.id, node, message) {
		return nil
	}
	message = slices.Clone(message)
	to.inbox <- func() {
		to.handle(n.id, message)
		clear(message) // nobody may keep it
	}
	return nil
}

// leave takes a node off the bus, and tells the others if it says goodbye.
func (b *bus) leave(id string, goodbye bool) {
	b.mu.Lock()
	node := b.nodes[id]
	delete(b.nodes, id)
	others := b.nodes
	if goodbye {
		for _, other := range others {
			other.inbox <- func() { other.watch(id, false) }
		}
	}
	close(node.inbox)
	b.mu.Unlock()
	<-node.done
}

// town is a world of several nodes: its listener is a load balancer.
type town struct {
	*world
	bus     *bus
	nodes   []*Server
	choose  func(r *http.Request) int // the node that a request goes to
	mu      sync.Mutex
	stopped []bool
}

// inWorlds runs f in a world of one node, and in one where every request of a
// session reaches a node that does not hold it.
func inWorlds(t *testing.T, config Config, f func(w *world)) {
	t.Run("its node", func(t *testing.T) { inWorld(t, config, f) })
	t.Run("another node", func(t *testing.T) {
		inTown(t, config, func(w *town) { f(w.world) })
	})
}

// inTown runs f in a bubble with three nodes. Sessions begin on the first, unless
// it is told otherwise, and all that follows reaches the second.
func inTown(t *testing.T, config Config, f func(w *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, peers: make(chan *peer, 100), tally: tally{totals: make(map[string]int64)},
			listener: pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}}
		town := &town{world: w, bus: &bus{nodes: make(map[string]*busNode)}, stopped: make([]bool, 3)}
		town.choose = func(r *http.Request) int { return min(1, len(r.URL.Query().Get("sid"))) }
		for _, id := range []string{"a", "b", "c"} {
			node := &busNode{bus: town.bus, id: id, inbox: make(chan func(), 10_000), done: make(chan struct{})}
			town.bus.nodes[id] = node
			c := w.config(config)
			c.Peers = node
			town.nodes = append(town.nodes, NewServer(c, w.connect))
			go node.run()
		}
		w.server = town.nodes[0]
		server := &http.Server{Handler: town, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
		done := make(chan struct{})
		go func() {
			server.Serve(&w.listener)
			close(done)
		}()
		f(town)
		for i := range town.nodes {
			town.stop(i)
		}
		server.Close()
		<-done
		synctest.Wait()
		for i, node := range town.nodes {
			if n := len(node.sessions) + len(node.foreign.lanes) + int(node.foreign.bytes.Load()); n != 0 || node.Count() != 0 {
				t.Errorf("node %d: %d sessions, %d lanes, %d bytes are left", i, len(node.sessions), len(node.foreign.lanes), node.foreign.bytes.Load())
			}
		}
		for _, gauge := range []string{MetricBuffered + " ", MetricConnections + " polling", MetricConnections + " websocket"} {
			if n := w.tally.of(gauge); n != 0 {
				t.Errorf("%s is %d in the end", gauge, n)
			}
		}
	})
}

// stop shuts a node down, as an orderly exit does.
func (w *town) stop(i int) {
	if w.stopped[i] {
		return
	}
	w.stopped[i] = true
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.nodes[i].Shutdown(ctx); err != nil {
		w.t.Errorf("shutdown of node %d: %v", i, err)
	}
	w.bus.leave(string(rune('a'+i)), true)
}

func (w *town) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	choose := w.choose
	w.mu.Unlock()
	w.nodes[choose(r)].ServeHTTP(rw, r)
}

// to has the requests to come go to a node.
func (w *town) to(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.choose = func(*http.Request) int { return i }
}
