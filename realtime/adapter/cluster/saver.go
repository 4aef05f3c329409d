package cluster

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// record is what the engine keeps of a session. The members up to Data are those
// of Node's adapters.
type record struct {
	SID   string          `json:"sid"`
	PID   string          `json:"pid"`
	Rooms []string        `json:"rooms"` // its own id among them
	Data  json.RawMessage `json:"data,omitempty"`

	Namespace string            `json:"nsp,omitempty"`
	Node      string            `json:"node,omitempty"`   // that it is, or was, on
	Live      bool              `json:"live,omitempty"`   // it is there still, as far as it is known
	Since     string            `json:"since,omitempty"`  // behind this offset it has got what was for everybody,
	Joined    map[string]string `json:"joined,omitempty"` // and what was for each room
	Safe      string            `json:"safe,omitempty"`   // an offset up to which it has surely received everything
	Term      int64             `json:"term,omitempty"`   // Record.Term
}

// lease is what the engine keeps of a node: as long as it does, the sessions that
// were there may be taken up elsewhere.
type lease struct {
	Safe string `json:"safe"`
}

// departed is a session whose socket is gone, and whose client may come back.
type departed struct {
	session adapter.Session
	stay    *stay
	safe    string
	timer   *time.Timer
}

const (
	// saveDelay is how long what has changed of a session may wait, so that changes
	// which come together are saved together.
	saveDelay = 10 * time.Millisecond

	// liveFor is how long the engine keeps a session that is live. Each is saved
	// again in time.
	liveFor = KeepTerm
)

// saver saves what has changed of sessions, in the background. Its goroutine runs
// while there is something to save.
type saver struct {
	of     *chronicle
	ctx    context.Context
	cancel context.CancelFunc
	flight sync.Mutex // held while something is being saved; guards roster
	roster roster     // empty where nobody wants to be told of sessions that expire

	mu      sync.Mutex        // guards the rest
	dirty   map[string]ending // sessions to save
	busy    bool
	started int           // rounds of saving
	ended   int           // those of them that have saved everything
	moved   chan struct{} // closed when a round has ended, or nothing is left to save
	renewed time.Time
}

// ending is whether a session that has changed has come to its end here.
type ending struct {
	ended bool
	term  int64 // in which it has
}

func (v *saver) init(c *chronicle) {
	v.of = c
	v.ctx, v.cancel = context.WithCancel(context.Background())
	v.dirty, v.moved = make(map[string]ending), make(chan struct{})
	v.roster.on = make(map[string]int)
	v.renewed = time.Now()
}

// mark notes that something of sessions has changed.
func (v *saver) mark(pids ...string) {
	for _, pid := range pids {
		v.note(pid, ending{})
	}
}

// end notes that a session has come to its end here: nobody goes on with it, and
// what is kept of it is deleted.
func (v *saver) end(pid string, term int64) { v.note(pid, ending{true, term}) }

func (v *saver) note(pid string, what ending) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.add(pid, what)
	if v.busy || v.ctx.Err() != nil {
		return
	}
	v.busy = true
	v.of.node.running.Go(v.run)
}

// add adds a change to those that have to be saved. mu is held.
func (v *saver) add(pid string, what ending) {
	if was := v.dirty[pid]; was.ended {
		what = ending{true, max(was.term, what.term)}
	}
	v.dirty[pid] = what
}

// drop undoes mark.
func (v *saver) drop(pid string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.dirty, pid)
}

// run saves until there is nothing to save.
func (v *saver) run() {
	pause := saveDelay
	for {
		select {
		case <-time.After(pause):
		case <-v.ctx.Done():
		}
		v.mu.Lock()
		if len(v.dirty) == 0 || v.ctx.Err() != nil {
			v.busy = false
			v.move()
			v.mu.Unlock()
			return
		}
		changed := v.dirty
		v.dirty = make(map[string]ending)
		v.started++
		v.mu.Unlock()
		err := v.save(changed)
		v.mu.Lock()
		if err == nil {
			v.ended = v.started
			v.move()
			pause = saveDelay
		} else {
			for pid, what := range changed {
				v.add(pid, what)
			}
			pause = min(2*pause, time.Second)
		}
		v.mu.Unlock()
	}
}

// move wakes who waits. mu is held.
func (v *saver) move() {
	close(v.moved)
	v.moved = make(chan struct{})
}

func (v *saver) save(changed map[string]ending) error {
	v.flight.Lock()
	defer v.flight.Unlock()
	records, now := v.of.records(changed), time.Now()
	pages := v.roster.due(now)
	err := v.of.log.Save(v.ctx, append(records, v.roster.records(v.of.node.id, v.of.name, pages, liveFor+v.of.departedFor())...))
	if err == nil {
		v.roster.saved(pages, now)
	} else if v.ctx.Err() == nil {
		if more, now := v.of.node.unsaved.now(); now {
			v.of.node.warn("cluster: sessions cannot be saved; trying again", "namespace", v.of.name, "error", err, "tries", more+1)
		}
	}
	return err
}

// wait waits until everything that is marked has been saved.
func (v *saver) wait(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	until := v.started
	if len(v.dirty) > 0 {
		until++
	}
	for v.busy && v.ended < until {
		moved := v.moved
		v.mu.Unlock()
		var err error
		select {
		case <-moved:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		v.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *saver) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cancel()
}

// Update implements adapter.Sharer.
func (c *chronicle) Update(pid string) { c.saver.mark(pid) }

// Flush implements adapter.Sharer.
func (c *chronicle) Flush(ctx context.Context) error { return c.saver.wait(ctx) }

// records returns what is to be saved of sessions that have changed, and perhaps
// ended, and enters them in the roster. One that is not here, and has not ended here,
// is another node's. The saver's flight is held.
func (c *chronicle) records(changed map[string]ending) []Record {
	records := make([]Record, 0, len(changed))
	for pid, what := range changed {
		c.order.Lock()
		claimed := c.claimed[pid] > 0
		c.order.Unlock()
		if claimed {
			continue // who has claimed it saves it
		}
		r, keep, found := c.record(pid)
		if !found {
			c.saver.roster.remove(pid)
		} else if c.retention.Expired != nil {
			c.saver.roster.add(pid)
		}
		switch {
		case found:
			value, _ := json.Marshal(r) // of texts and valid JSON
			records = append(records, Record{pid, value, keep, r.Term})
		case what.ended:
			records = append(records, Record{Key: pid, Term: what.term})
		}
	}
	return records
}

// record describes a session that is live, or departed.
func (c *chronicle) record(pid string) (r record, keep time.Duration, found bool) {
	c.order.Lock()
	s, d := c.live[pid], c.departed[pid]
	r = record{PID: pid, Namespace: c.name, Node: c.node.id}
	switch {
	case s != nil:
		d = nil
		r.Live, r.Safe, keep = true, c.safe(), liveFor
	case d != nil:
		s, r.Safe, keep = d.stay, d.safe, c.departedFor()
	default:
		c.order.Unlock()
		return r, 0, false
	}
	r.SID, r.Since, r.Rooms, r.Joined, r.Term = s.id, s.since, s.list(), maps.Clone(s.rooms), s.term
	c.order.Unlock()
	var data any
	if d != nil {
		data = d.session.Data
	} else if session, has := c.host.Session(s.socket); has {
		data = session.Data
	}
	r.Data, _ = json.Marshal(data) // what cannot be marshalled was reported
	return r, keep, true
}

// grace is how much longer an engine keeps a session than its client may take, so
// that the node which it was on sees that it has expired.
const grace = 10 * time.Second

// departedFor is how long the engine keeps a session that has departed: when the node
// dies just before it has expired, the others have to notice that first, and give its
// clients their time.
func (c *chronicle) departedFor() time.Duration {
	if c.retention.Expired == nil {
		return c.retention.Sessions + grace
	}
	return 2*c.retention.Sessions + 2*c.node.options.HeartbeatTimeout + grace
}

// renew is a sign of life: it says how far this node's clients are, and saves again
// what would expire. It is called with every heartbeat.
func (c *chronicle) renew() {
	c.order.Lock()
	if n := len(c.places); c.position != "" && (n == 0 || time.Since(c.places[n-1].at) >= time.Second) {
		c.advance(c.position)
	}
	value, _ := json.Marshal(lease{c.safe()})
	var pids []string
	c.saver.mu.Lock()
	if now := time.Now(); now.Sub(c.saver.renewed) > liveFor/3 {
		c.saver.renewed = now
		for _, s := range c.stays {
			pids = append(pids, s.pid)
		}
	}
	c.saver.mu.Unlock()
	closed := c.closed
	c.order.Unlock()
	if closed {
		return
	}
	c.saver.mark(pids...)
	c.node.running.Go(func() {
		ctx, cancel := context.WithTimeout(c.saver.ctx, patience)
		defer cancel()
		c.lease(ctx, value)
	})
}

// lease saves how far this node's clients are.
func (c *chronicle) lease(ctx context.Context, value []byte) error {
	return c.log.Save(ctx, []Record{{Key: leaseKey(c.node.id, c.name), Value: value, Keep: c.retention.Packets}})
}

const leasePrefix = "node-"

// leaseKey is the key of what is kept of a node, in a namespace.
func leaseKey(node, namespace string) string {
	return leasePrefix + node + "-" + hex.EncodeToString([]byte(namespace))
}
