package cluster

import (
	"context"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// inherit has this node tell of the sessions of one that is gone, whose clients do not
// come back. Each node that knew the other does so, and takes what is kept of a session
// first, which only one of them gets.
func (n *node) inherit(gone string) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, s := range n.spaces {
		if s.chronicle != nil {
			s.chronicle.inherit(gone)
		}
	}
}

// inherit gives the clients of a node that is gone as long to come back as others have.
func (c *chronicle) inherit(gone string) {
	if c.retention.Expired == nil || !validKey(gone) { // which somebody has made up
		return
	}
	c.order.Lock()
	defer c.order.Unlock()
	if c.closed {
		return
	}
	if t := c.heirs[gone]; t != nil {
		t.Stop()
	}
	c.heirs[gone] = time.AfterFunc(c.retention.Sessions, func() {
		c.order.Lock()
		defer c.order.Unlock()
		delete(c.heirs, gone)
		if !c.closed && !c.node.peers.isNative(gone) { // else it was only out of reach
			c.node.running.Go(func() { c.tellOf(gone) })
		}
	})
}

// tellOf tells of the sessions of a node that is gone which are still its own.
func (c *chronicle) tellOf(gone string) {
	var read []Record // the pages, to be deleted
	for {
		var page rosterPage
		key := rosterKey(gone, c.name, len(read))
		there, err := c.look(c.log.Load, key, &page)
		if err != nil {
			c.untold(err)
			return
		}
		if !there {
			break
		}
		read = append(read, Record{Key: key})
		for _, pid := range page.PIDs {
			r, taken, err := c.takeExpired(gone, pid, AnyTerm)
			if err != nil {
				c.untold(err)
			}
			if taken {
				c.retention.Expired(adapter.Session{PID: pid, ID: r.SID, Rooms: r.Rooms, Data: r.Data})
			}
		}
	}
	if len(read) > 0 {
		ctx, cancel := context.WithTimeout(c.saver.ctx, patience)
		defer cancel()
		c.log.Save(ctx, read) // or they expire
	}
}
