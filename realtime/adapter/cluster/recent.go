package cluster

import (
	"context"
	"slices"
	"sort"
)

// recent is the end of a log, as far as the node has read it. What clients have missed
// that come back at once, as after a deploy, is there: it need not be read and decoded
// again for each of them. The chronicle's order guards it.
type recent struct {
	of       LogEngine
	from     string     // behind this offset nothing is missing; "" when it holds nothing
	messages []*Message // those that clients may have missed, in order
	bytes    int
}

// recentBytes is how many bytes of messages are kept.
const recentBytes = 4 << 20

// begin forgets all: the node has read up to an offset, or "" when that is not known.
func (r *recent) begin(from string) {
	r.from, r.messages, r.bytes = from, nil, 0
}

// add takes the next message.
func (r *recent) add(m *Message) {
	if r.from == "" {
		r.from = m.Offset
		return
	}
	r.messages = append(r.messages, m)
	r.bytes += m.size()
	for r.bytes > recentBytes {
		first := r.messages[0]
		r.from, r.messages[0] = first.Offset, nil
		r.bytes -= first.size()
		r.messages = r.messages[1:]
	}
}

// reaches reports whether everything behind an offset is there.
func (r *recent) reaches(offset string) bool {
	if r.from == "" {
		return false
	}
	order, err := r.of.Compare(r.from, offset)
	return err == nil && order <= 0
}

// between returns the messages behind an offset that it reaches, up to another one.
func (r *recent) between(after, upTo string) []*Message {
	behind := func(offset string) int {
		return sort.Search(len(r.messages), func(i int) bool {
			order, err := r.of.Compare(r.messages[i].Offset, offset)
			return err == nil && order > 0
		})
	}
	return slices.Clone(r.messages[behind(after):behind(upTo)])
}

// fetch reads in the log what the engine has skipped up to an offset, because nobody
// was interested before a client came back. It is called by the lane.
func (c *chronicle) fetch(offset string) {
	ctx, cancel := context.WithTimeout(c.saver.ctx, restoreTime)
	defer cancel()
	c.order.Lock()
	from := c.position
	c.order.Unlock()
	var messages []*Message
	err := again(ctx, func() error {
		messages = nil
		return c.log.Read(ctx, c.name, from, offset, func(m *Message) bool {
			messages = append(messages, m)
			return true
		})
	})
	if err != nil {
		if c.saver.ctx.Err() == nil {
			c.lost()
			c.pass(offset, false)
		}
		return
	}
	for _, m := range messages {
		switch {
		case m.Type != Broadcast || !m.Keep || m.Namespace != c.name:
		case m.Node != "" && m.Node != c.node.id && !c.node.peers.heard(m):
			c.copied(m.Offset)
		default:
			c.deliver(m)
		}
	}
	c.pass(offset, false)
}
