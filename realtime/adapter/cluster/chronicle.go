package cluster

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// chronicle is the adapter of a namespace on an engine that keeps packets: a
// client can come back to any node.
//
// Every node delivers what the log has when it reads it there, in its order, and
// marks it with its offset. So one offset tells what a client has, wherever it
// comes back, and what it has missed is what stands behind it in the log.
//
// A socket is in its rooms from an offset on, which is noted before the room has
// the socket: what comes between has not been sent to it, and is sent when it
// comes back behind a packet before. Order is taken where both must be seen as one.
type chronicle struct {
	*space
	log       LogEngine
	copying   CopyingEngine // the same, or nil
	retention adapter.Retention
	saver     saver
	resumed   atomic.Uint64 // clients that have come back
	asked     atomic.Uint64 // the same, when nobody was interested in something last

	order    sync.Mutex // of deliveries; guards the rest, and is taken before Memory's
	moved    chan struct{}
	position string                 // the offset of the last that was read
	sighted  sightings              // what stands at or before position, as this node has learned by looking there
	recent   recent                 // what was read last
	places   []past                 // where it was, oldest first, as far back as margin
	stays    map[string]*stay       // by socket
	live     map[string]*stay       // the same, by PID
	departed map[string]*departed   // sessions whose sockets are gone from here, by PID
	leaving  []*departed            // the same, those first that have left first; some are not departed any more
	claimed  map[string]int         // how many nodes are taking over a PID
	heirs    map[string]*time.Timer // when this node is to tell of the sessions of one that is gone
	copies   []past                 // entries that say what an entry before them has said, oldest first
	own      window
	scratch  []adapter.Socket // of the lane
	closed   bool
}

// stay is a socket's time on this node.
type stay struct {
	id, pid string
	socket  adapter.Socket
	since   string            // the offset behind which it gets what is for everybody
	rooms   map[string]string // and what is for each of its rooms
	term    int64             // Record.Term
}

// list returns the rooms, the socket's own first.
func (s *stay) list() []string {
	return append([]string{s.id}, slices.Sorted(maps.Keys(s.rooms))...)
}

// past is where the node was in the log.
type past struct {
	at       time.Time
	position string
}

func newChronicle(s *space, log LogEngine) *chronicle {
	c := &chronicle{
		space: s, log: log, recent: recent{of: log}, retention: s.host.Retention(), moved: make(chan struct{}),
		stays: make(map[string]*stay), live: make(map[string]*stay), departed: make(map[string]*departed), claimed: make(map[string]int),
		heirs: make(map[string]*time.Timer), sighted: make(sightings),
	}
	c.copying, _ = log.(CopyingEngine)
	c.saver.init(c)
	return c
}

// begin learns where the log ends.
func (c *chronicle) begin() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tail, err := c.log.Tail(ctx, c.name)
	if err == nil {
		err = c.lease(ctx, []byte("{}"))
	}
	if err != nil {
		c.node.warn("cluster: where the log ends is not known yet; clients cannot come back", "namespace", c.name, "error", err)
		return
	}
	sighted := make(sightings)
	if c.copying != nil {
		if err := c.copying.Before(ctx, c.name, tail, sighted.note); err != nil {
			c.node.warn("cluster: what the log has is not known; a client may be told twice what was sent twice", "namespace", c.name, "error", err)
		}
	}
	c.order.Lock()
	defer c.order.Unlock()
	c.sighted.merge(sighted)
	c.advance(tail)
	c.recent.begin(tail)
}

// Close implements adapter.Adapter.
func (c *chronicle) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := c.Flush(ctx)
	c.order.Lock()
	c.closed = true
	for _, d := range c.departed {
		d.timer.Stop()
	}
	for _, t := range c.heirs {
		t.Stop()
	}
	c.order.Unlock()
	c.saver.close()
	if e := c.space.Close(); err == nil {
		err = e
	}
	return err
}

// Broadcast implements adapter.Adapter. What is kept reaches the sockets of this
// server, too, by way of the log.
func (c *chronicle) Broadcast(p adapter.Packet, t adapter.Target) error {
	switch {
	case !p.Keep:
		return c.space.Broadcast(p, t)
	case t.Local:
		return c.deliverLocal(p, t)
	}
	return c.publish(&Message{Type: Broadcast, Target: t, Frames: p.Frames, Plain: p.Plain, Keep: true})
}

// deliverLocal sends what is for sockets of this server alone, which the log
// does not get. A client takes the last argument for an offset: it gets that of
// what it has received.
func (c *chronicle) deliverLocal(p adapter.Packet, t adapter.Target) error {
	c.order.Lock()
	frames, err := parser.AppendString(c.host.Codec(), p.Frames, c.position)
	if err != nil {
		c.order.Unlock()
		return err
	}
	p.Frames, p.Offset = frames, c.position
	sockets := c.Sockets(t)
	c.host.Deliver(p, sockets)
	c.order.Unlock()
	c.host.Delivered(p, sockets)
	return nil
}

// take takes what the log has. It is called by the lane.
func (c *chronicle) take(m *Message, own bool) {
	if m.Type == Broadcast && m.Keep && m.Request == "" {
		c.deliver(m)
		return
	}
	if m.Skipped && m.resumed != c.resumed.Load() {
		c.fetch(m.Offset)
		return
	}
	c.pass(m.Offset, m.Skipped)
	if !own {
		c.serve(m)
	}
}

// deliver delivers what the log has.
func (c *chronicle) deliver(m *Message) {
	c.order.Lock()
	if c.position != "" {
		if order, err := c.log.Compare(m.Offset, c.position); err != nil || order <= 0 {
			c.order.Unlock() // it was read before
			return
		}
	}
	if !c.fresh(m) {
		c.order.Unlock()
		c.copied(m.Offset)
		return
	}
	c.advance(m.Offset)
	c.recent.add(m)
	sockets := c.AppendSockets(c.scratch[:0], m.Target)
	p := adapter.Packet{Offset: m.Offset, Keep: true, Plain: m.Plain}
	var err error
	if len(sockets) > 0 {
		if p.Frames, err = parser.AppendString(c.host.Codec(), m.Frames, m.Offset); err == nil {
			c.host.Deliver(p, sockets)
		}
	}
	c.order.Unlock()
	switch {
	case err != nil:
		c.node.Refuse(err)
	case len(sockets) > 0:
		c.host.Delivered(p, sockets)
	}
	clear(sockets)
	c.scratch = sockets
}

// fresh reports whether a message that stands behind position has not been sent twice:
// if it is this node's own, or what has been sent first was not given to this node. For
// the others peers has seen to that. order is held.
func (c *chronicle) fresh(m *Message) bool {
	switch {
	case m.Seq == 0:
		return true
	case m.Node == c.node.id:
		return c.own.add(m.Seq)
	}
	return !c.sighted.has(m.Node, m.Seq)
}

// copied notes an entry that says what another has said: a node whose engine has
// not answered has sent it again. A client that has heard the first must not be told
// the second when it comes back. It is called by the lane.
func (c *chronicle) copied(offset string) {
	c.order.Lock()
	defer c.order.Unlock()
	if c.position != "" && !c.behind(offset, c.position) {
		return // it was read before
	}
	c.advance(offset)
	now := time.Now()
	for len(c.copies) > 0 && (len(c.copies) >= mostCopies || now.Sub(c.copies[0].at) > c.retention.Packets) {
		c.copies = c.copies[1:]
	}
	c.copies = append(c.copies, past{now, offset})
}

// mostCopies is how many are remembered.
const mostCopies = 1 << 14

// withoutCopies takes those out of packets that are copies of others.
func (c *chronicle) withoutCopies(packets []adapter.Packet) []adapter.Packet {
	c.order.Lock()
	defer c.order.Unlock()
	if len(c.copies) == 0 {
		return packets
	}
	copies := make(map[string]bool, len(c.copies))
	for _, p := range c.copies {
		copies[p.position] = true
	}
	return slices.DeleteFunc(packets, func(p adapter.Packet) bool { return copies[p.Offset] })
}

// lost notes that what comes next does not follow what was read last. It breaks the
// connections of all clients before any of them has that: with its offset they would
// come back as if they had missed nothing. It is called by the lane.
func (c *chronicle) lost() {
	if more, now := c.node.gaps.now(); now {
		c.node.logger.Error("cluster: this node cannot read everything that the log had for it; its clients connect again",
			"node", c.node.id, "namespace", c.name, "times", more+1)
	}
	c.order.Lock()
	c.recent.begin("")
	c.order.Unlock()
	ended, cancel := context.WithCancel(context.Background())
	cancel() // their handlers may wait for the lane
	c.host.Owners("")(ended)
}

// pass notes that something has been read in the log that is nothing to deliver, or
// was skipped.
func (c *chronicle) pass(offset string, skipped bool) {
	c.order.Lock()
	defer c.order.Unlock()
	if order, err := c.log.Compare(offset, c.position); c.position == "" || err == nil && order > 0 {
		c.advance(offset)
		if skipped {
			c.recent.begin(offset)
		}
	}
}

// advance notes where the node is. order is held.
func (c *chronicle) advance(position string) {
	c.position = position
	close(c.moved)
	c.moved = make(chan struct{})
	now := time.Now()
	if n := len(c.places); n == 0 || now.Sub(c.places[n-1].at) >= time.Second {
		c.places = append(c.places, past{now, position})
	}
	for len(c.places) > 1 && now.Sub(c.places[1].at) > c.margin() {
		c.places = c.places[1:]
	}
}

// margin is how long a client may have been gone without its server's knowing.
func (c *chronicle) margin() time.Duration { return c.retention.Packets - c.retention.Sessions }

// safe returns an offset up to which each client of this node has received what
// was for it: the server would have missed its answer to a ping by now. It is ""
// where none is known. order is held.
func (c *chronicle) safe() string {
	now, safe := time.Now(), ""
	for _, p := range c.places {
		if now.Sub(p.at) <= c.margin() {
			break
		}
		safe = p.position
	}
	return safe
}

// reach waits until the node has read the log up to an offset.
func (c *chronicle) reach(ctx context.Context, offset string) error {
	for {
		c.order.Lock()
		order, err := c.log.Compare(c.position, offset)
		moved := c.moved
		c.order.Unlock()
		if err == nil && order >= 0 {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Add implements adapter.Adapter.
func (c *chronicle) Add(s adapter.Socket) {
	session, comesBack := c.host.Session(s)
	if comesBack {
		c.order.Lock()
		c.enter(&stay{id: s.ID(), pid: session.PID, socket: s, since: c.position, rooms: make(map[string]string)})
		c.order.Unlock()
	}
	c.Memory.Add(s)
	if comesBack {
		c.saver.mark(session.PID)
	}
}

// enter notes a stay, and exit its end. order is held.
func (c *chronicle) enter(s *stay) { c.stays[s.id], c.live[s.pid] = s, s }

func (c *chronicle) exit(id string) *stay {
	s := c.stays[id]
	if s == nil {
		return nil
	}
	delete(c.stays, id)
	if c.live[s.pid] == s {
		delete(c.live, s.pid)
	}
	return s
}

// Join implements adapter.Adapter.
func (c *chronicle) Join(id string, rooms ...string) {
	c.order.Lock()
	s := c.stays[id]
	if s != nil {
		for _, room := range rooms {
			if _, in := s.rooms[room]; !in && room != id {
				s.rooms[room] = c.position
			}
		}
	}
	c.order.Unlock()
	c.Memory.Join(id, rooms...)
	if s != nil && len(rooms) > 0 {
		c.saver.mark(s.pid)
	}
}

// Leave implements adapter.Adapter.
func (c *chronicle) Leave(id string, rooms ...string) {
	c.Memory.Leave(id, rooms...)
	c.order.Lock()
	s := c.stays[id]
	if s != nil {
		for _, room := range rooms {
			delete(s.rooms, room)
		}
	}
	c.order.Unlock()
	if s != nil && len(rooms) > 0 {
		c.saver.mark(s.pid)
	}
}

// Remove implements adapter.Adapter.
func (c *chronicle) Remove(id string) []string {
	c.order.Lock()
	s := c.exit(id)
	c.order.Unlock()
	if s != nil {
		c.saver.end(s.pid, s.term)
	}
	return c.Memory.Remove(id)
}

// Save implements adapter.Keeper, which Memory is, with nothing: the sessions are
// with the engine.
func (c *chronicle) Save() ([]byte, error) { return []byte("{}"), nil }

// Load implements adapter.Keeper, and does nothing.
func (c *chronicle) Load([]byte) error { return nil }

var (
	_ adapter.Sharer = (*chronicle)(nil)
	_ adapter.Keeper = (*chronicle)(nil)
)
