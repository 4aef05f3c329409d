package cluster

import (
	"context"
	"encoding/json"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Persist implements adapter.Recoverer.
func (c *chronicle) Persist(id string, session adapter.Session) []string {
	c.order.Lock()
	s := c.exit(id)
	if s != nil && !c.closed {
		session.ID, session.Rooms = id, s.list()
		d := &departed{session: session, stay: s, safe: c.safe()}
		d.timer = time.AfterFunc(c.retention.Sessions, func() { c.expire(d) })
		c.departed[session.PID] = d
		c.leaving = append(c.leaving, d)
	}
	most := c.most()
	c.order.Unlock()
	for _, d := range most {
		c.expire(d)
	}
	rooms := c.Memory.Remove(id)
	if s != nil {
		c.saver.mark(session.PID)
	}
	return rooms
}

// most returns the sessions above the limit. order is held.
func (c *chronicle) most() (over []*departed) {
	n := len(c.departed)
	for i, d := range c.leaving {
		there := c.departed[d.session.PID] == d
		if there && (c.retention.Most == 0 || n <= c.retention.Most) {
			c.leaving = c.leaving[i:]
			return over
		}
		if there {
			over = append(over, d)
			n--
		}
		c.leaving[i] = nil
	}
	c.leaving = nil
	return over
}

// expire forgets a session whose client has not come back, unless it has done so
// elsewhere.
func (c *chronicle) expire(d *departed) {
	c.order.Lock()
	defer c.order.Unlock()
	claimed := c.claimed[d.session.PID] > 0 // and what is kept is another node's
	if !c.letGo(d.session.PID, d) || claimed {
		return
	}
	c.node.running.Go(func() {
		_, taken, err := c.takeExpired(c.node.id, d.session.PID, d.stay.term)
		switch {
		case c.retention.Expired == nil:
		case err != nil:
			c.untold(err)
		case taken:
			c.retention.Expired(d.session)
		}
	})
}

// takeExpired takes what is kept of a session, if it still is that of a node, and of that
// Term: of several that want to tell of it, one gets it.
func (c *chronicle) takeExpired(node, pid string, term int64) (r record, taken bool, err error) {
	kept, err := c.look(c.log.Load, pid, &r)
	if !kept || r.Node != node || term != AnyTerm && r.Term != term {
		return r, false, err
	}
	term, r = r.Term, record{}
	taken, err = c.look(func(ctx context.Context, pid string) ([]byte, error) {
		value, _, err := c.log.Take(ctx, pid, term)
		return value, err
	}, pid, &r)
	return r, taken, err
}

// look reads a record by Load or Take, and reports whether there was one. An engine that
// is out of reach it gives time to come back.
func (c *chronicle) look(by func(context.Context, string) ([]byte, error), key string, to any) (there bool, err error) {
	ctx, cancel := context.WithTimeout(c.saver.ctx, restoreTime)
	defer cancel()
	var value []byte
	err = again(ctx, func() (err error) {
		value, err = by(ctx, key)
		return err
	})
	if err != nil || value == nil {
		return false, err
	}
	err = json.Unmarshal(value, to)
	return err == nil, err
}

// untold notes that a session may have expired of which nobody is told.
func (c *chronicle) untold(err error) {
	if c.saver.ctx.Err() == nil {
		c.node.logger.Warn("cluster: a session may have expired that OnExpired is not told of", "namespace", c.name, "error", err)
	}
}

// dismiss forgets a departed session, and reports whether it was there.
func (c *chronicle) dismiss(pid string, d *departed) bool {
	c.order.Lock()
	defer c.order.Unlock()
	return c.letGo(pid, d)
}

// letGo is dismiss with order held.
func (c *chronicle) letGo(pid string, d *departed) bool {
	if d == nil || c.departed[pid] != d || c.closed {
		return false
	}
	d.timer.Stop()
	delete(c.departed, pid)
	if c.retention.Expired != nil {
		c.saver.mark(pid) // for the roster
	}
	return true
}

// Sessions implements adapter.Recoverer: of this node.
func (c *chronicle) Sessions() int {
	c.order.Lock()
	defer c.order.Unlock()
	return len(c.departed)
}
