package presence

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// gather is how long changes are gathered before the other nodes are told.
const gather = 20 * time.Millisecond

// registry keeps the view of a node, and shares what is its own with the others.
type registry struct {
	node    adapter.Node
	topic   string
	logger  *slog.Logger
	every   time.Duration // between signs of life
	most    int           // entries of other nodes
	decode  func(json.RawMessage) (any, error)
	changed func([]change) // is called in order, with mu held

	sending sync.Mutex // is held while something is sent, so that it is in order

	mu       sync.Mutex // guards the rest
	view     view
	own      *replica
	next     uint64          // number of the next entry
	dirty    map[uint64]bool // own entries that the others have not been told of
	out      []outgoing      // what else is to be said
	asking   []string        // nodes that want to know everything
	timer    bool            // flush will be called
	refused  time.Time       // when it was last logged
	unlogged int             // since then
}

// outgoing is a message for a node, or for all.
type outgoing struct {
	to      string
	message message
}

// start begins to share.
func (g *registry) start() {
	g.view = newView()
	g.own = g.view.add(g.node.ID())
	g.dirty = make(map[uint64]bool)
	if !g.shared() {
		return
	}
	g.node.Handle(g.topic, g.receive)
	g.node.Watch(g.watch)
	time.AfterFunc(g.every, g.beat)
}

// shared reports whether there may be other nodes.
func (g *registry) shared() bool { return g.node.ID() != "" }

// put makes an entry of the node's own, or changes the one with that number, and
// returns its number. mu is held.
func (g *registry) put(n uint64, room, socket, key string, meta json.RawMessage, value any) uint64 {
	if n == 0 {
		g.next++
		n = g.next
	}
	g.view.set(g.own, &entry{ref{g.node.ID(), n}, room, socket, key, meta, value})
	g.touch(n)
	return n
}

// remove ends an entry of the node's own. mu is held.
func (g *registry) remove(n uint64) {
	g.view.unset(g.own, n)
	g.touch(n)
}

// touch has the others told of an entry. mu is held.
func (g *registry) touch(n uint64) {
	if g.shared() {
		g.dirty[n] = true
		g.soon()
	}
	g.tell()
}

// tell gives the news away. mu is held.
func (g *registry) tell() {
	if news := g.view.take(); len(news) > 0 {
		g.changed(news)
	}
}

// list returns who is in a room, in no order.
func (g *registry) list(room string) []*entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Values(g.view.rooms[room]))
}

// say queues a message. mu is held.
func (g *registry) say(to string, m message) {
	g.out = append(g.out, outgoing{to, m})
	g.soon()
}

// soon has flush called. mu is held.
func (g *registry) soon() {
	if !g.timer {
		g.timer = true
		time.AfterFunc(gather, g.flush)
	}
}

// flush sends what there is to be said.
func (g *registry) flush() {
	g.sending.Lock()
	defer g.sending.Unlock()
	g.mu.Lock()
	g.timer = false
	g.deltas()
	g.states()
	out := g.out
	g.out = nil
	g.mu.Unlock()
	for _, o := range out {
		// What does not go, for the node is gone or too much waits already, is missed
		// when the next sign of life comes.
		g.node.Send(o.to, g.topic, o.message.encode())
	}
}

// deltas tells all what has changed. mu is held.
func (g *registry) deltas() {
	if len(g.dirty) == 0 {
		return
	}
	var set []record
	var gone []uint64
	for _, n := range slices.Sorted(maps.Keys(g.dirty)) {
		if e := g.own.entries[n]; e != nil {
			set = append(set, e.record())
		} else {
			gone = append(gone, n)
		}
	}
	clear(g.dirty)
	const numbers = chunk / 20 // of as many bytes in decimal, at most
	for len(set) > 0 || len(gone) > 0 {
		sets, goes := split(set), min(len(gone), numbers)
		m := message{Kind: kindDelta, From: g.own.version, At: g.own.version + 1, Set: set[:sets], Gone: gone[:goes]}
		set, gone = set[sets:], gone[goes:]
		g.own.version++
		g.out = append(g.out, outgoing{"", m})
	}
}

// states tells those who have asked everything. mu is held.
func (g *registry) states() {
	if len(g.asking) == 0 {
		return
	}
	to := g.asking[0]
	if len(g.asking) > 1 {
		to = ""
	}
	g.asking = nil
	all := make([]record, 0, len(g.own.entries))
	for _, n := range slices.Sorted(maps.Keys(g.own.entries)) {
		all = append(all, g.own.entries[n].record())
	}
	for part := 0; ; part++ {
		n := split(all)
		m := message{Kind: kindState, At: g.own.version, Part: part, Set: all[:n], Last: n == len(all)}
		g.out = append(g.out, outgoing{to, m})
		if m.Last {
			return
		}
		all = all[n:]
	}
}

func (e *entry) record() record {
	return record{N: e.n, Room: e.room, Socket: e.socket, Key: e.key, Meta: e.meta}
}

// beat is a sign of life, again and again until the node has ended.
func (g *registry) beat() {
	g.flush() // what comes after it is known then
	g.sending.Lock()
	g.mu.Lock()
	at := g.own.version
	g.mu.Unlock()
	err := g.node.Send("", g.topic, message{Kind: kindBeat, At: at}.encode())
	g.sending.Unlock()
	if !errors.Is(err, adapter.ErrClosed) {
		time.AfterFunc(g.every, g.beat)
	}
}

// watch hears of nodes that come and go.
func (g *registry) watch(node string, there bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !there {
		g.view.drop(node)
		g.tell()
		return
	}
	g.ask(node, g.view.add(node))
}

// ask asks a node for everything. mu is held.
func (g *registry) ask(node string, r *replica) {
	r.asked = true
	g.say(node, message{Kind: kindAsk})
}

// receive takes another node's message.
func (g *registry) receive(from string, b []byte) {
	m, err := decode(b)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.refuse(from, err)
		return
	}
	r := g.view.nodes[from]
	if r == nil || r == g.own {
		return // it has gone, or will be asked when it is known to be there
	}
	if m.Kind == kindAsk {
		if !slices.Contains(g.asking, from) {
			g.asking = append(g.asking, from)
		}
		g.soon()
		return
	}
	if g.view.apply(r, m, func(o *record) *entry { return g.read(from, r, o) }) {
		g.ask(from, r)
	}
	g.tell()
}

// read makes an entry of what another node says, or returns nil and logs why not.
// mu is held.
func (g *registry) read(node string, r *replica, o *record) *entry {
	if r.entries[o.N] == nil && g.view.size-len(g.own.entries)+len(r.staged) >= g.most {
		g.refuse(node, fmt.Errorf("more than %d entries of other nodes: raise Options.MaxEntries", g.most))
		return nil
	}
	value, err := g.decode(o.Meta)
	if err != nil {
		g.refuse(node, fmt.Errorf("the meta of an entry: %w", err))
		return nil
	}
	return &entry{ref{node, o.N}, o.Room, o.Socket, o.Key, o.Meta, value}
}

// refuse logs that something was dropped, once a minute. mu is held.
func (g *registry) refuse(node string, why error) {
	if !g.refused.IsZero() && time.Since(g.refused) < time.Minute {
		g.unlogged++
		return
	}
	g.logger.Warn("presence: dropped what another node said", "node", node, "error", why, "dropped", g.unlogged)
	g.refused, g.unlogged = time.Now(), 0
}
