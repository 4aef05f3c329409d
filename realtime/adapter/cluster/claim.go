package cluster

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// A node to which a client comes back asks the one that the client was on to give
// it up: that may believe that it is there still, and knows best what it has.
// The question is a Direct message, as is the answer.

const (
	claimTopic  = "\x00claim"
	answerTopic = "\x00claimed"
)

// claimWait is how long a node may take to give up a client: it has to end the
// client's handlers. Then the client is taken up as it was saved last.
const claimWait = 2 * time.Second

// claiming is the question, and with a Record, or Unknown, the answer.
type claiming struct {
	ID        string  `json:"id"`
	Namespace string  `json:"nsp"`
	PID       string  `json:"pid"`
	Record    *record `json:"record,omitempty"`
}

// claim has the node of a session give it up, or any that has it when it is not
// known which, and returns what that says of it.
func (c *chronicle) claim(ctx context.Context, r record) (record, error) {
	nodes := c.node.peers.native()
	if r.Node != "" {
		nodes = slices.DeleteFunc(nodes, func(id string) bool { return id != r.Node })
	}
	asking, cancel := context.WithTimeout(ctx, claimWait)
	defer cancel()
	if last := c.node.claims.ask(asking, c.node, nodes, claiming{Namespace: c.name, PID: r.PID}); last != nil {
		return *last, nil
	}
	if r.Node == "" {
		return r, errGone
	}
	if !r.Live {
		return r, nil
	}
	// The node has gone, or does not answer. Its clients are as far as it said last.
	value, err := c.log.Load(ctx, leaseKey(r.Node, c.name))
	if err != nil {
		return r, err
	}
	var l lease
	if value == nil || json.Unmarshal(value, &l) != nil {
		return r, errGone
	}
	r.Safe = c.later(r.Safe, l.Safe)
	return r, nil
}

// give gives up a session, and describes it as it is then. From now on this node
// saves nothing of it: who has asked for it does.
func (c *chronicle) give(pid string) *record {
	ctx, cancel := context.WithTimeout(c.saver.ctx, claimWait)
	defer cancel()
	c.setClaimed(pid, true)
	defer c.setClaimed(pid, false)
	c.host.Abandon(ctx, pid)
	r, _, found := c.record(pid)
	if !found || r.Live { // its handlers have not come to their end
		return nil
	}
	c.order.Lock()
	d := c.departed[pid]
	c.order.Unlock()
	c.dismiss(pid, d)
	c.saver.drop(pid)
	return &r
}

// setClaimed notes that a session is being given up, when nothing of it is being
// saved, or that it has been.
func (c *chronicle) setClaimed(pid string, is bool) {
	c.saver.flight.Lock()
	defer c.saver.flight.Unlock()
	c.order.Lock()
	defer c.order.Unlock()
	if is {
		c.claimed[pid] = true
	} else {
		delete(c.claimed, pid)
	}
}

// claims are the questions of this node that wait for an answer.
type claims struct {
	exchange exchange[*record]
}

func (q *claims) init(n *node) {
	n.Handle(claimTopic, func(from string, message []byte) {
		var asked claiming
		if json.Unmarshal(message, &asked) != nil {
			return
		}
		n.running.Go(func() {
			asked.Record = nil
			if s := n.space(asked.Namespace); s != nil && s.chronicle != nil {
				asked.Record = s.chronicle.give(asked.PID)
			}
			answer, _ := json.Marshal(asked) // of texts and valid JSON
			n.Send(from, answerTopic, answer)
		})
	})
	n.Handle(answerTopic, func(_ string, message []byte) {
		var answer claiming
		if json.Unmarshal(message, &answer) == nil {
			q.exchange.answer(answer.ID, answer.Record)
		}
	})
}

// ask asks nodes, and returns the first answer that is a session, or nil when there
// is none.
func (q *claims) ask(ctx context.Context, n *node, nodes []string, question claiming) *record {
	id, answers, done := q.exchange.ask(len(nodes))
	defer done()
	question.ID = id
	text, _ := json.Marshal(question) // of texts
	due := 0
	for _, to := range nodes {
		if n.Send(to, claimTopic, text) == nil {
			due++
		}
	}
	for range due {
		select {
		case r := <-answers:
			if r != nil {
				return r
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}
