package cluster

import (
	"context"
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
	claimed := c.claimed[d.session.PID] > 0 // and what is kept is another node's
	c.order.Unlock()
	if !c.dismiss(d.session.PID, d) || claimed {
		return
	}
	c.node.running.Go(func() {
		ctx, cancel := context.WithTimeout(c.saver.ctx, patience)
		defer cancel()
		if value, err := c.log.Take(ctx, d.session.PID); err == nil && value != nil && c.retention.Expired != nil {
			c.retention.Expired(d.session)
		}
	})
}

// dismiss forgets a departed session, and reports whether it was there.
func (c *chronicle) dismiss(pid string, d *departed) bool {
	c.order.Lock()
	defer c.order.Unlock()
	if d == nil || c.departed[pid] != d || c.closed {
		return false
	}
	d.timer.Stop()
	delete(c.departed, pid)
	return true
}

// Sessions implements adapter.Recoverer: of this node.
func (c *chronicle) Sessions() int {
	c.order.Lock()
	defer c.order.Unlock()
	return len(c.departed)
}
