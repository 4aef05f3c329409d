package cluster

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// A node to which a client comes back asks the one that the client was on to give
// it up: that may believe that it is there still, and knows best what it has.
// The question is a Direct message, as is the answer.

const (
	claimTopic  = "\x00claim"
	answerTopic = "\x00claimed"
	busyTopic   = "\x00claiming" // an answer is to come; that something was said says it all
)

// claimWait is how long the node that a client was on last may take to give it up: it
// has to end the client's handlers. Then the client is taken up as it was saved last.
// That is sooner when the node is silent, for silentWait: who has not answered in a
// quarter of that says that it is busy. Until it says something nobody waits for it again.
const (
	claimWait  = 2 * time.Second
	silentWait = time.Second
)

// claiming is the question, and with a Record, or Unknown, the answer. With neither
// the node cannot tell.
type claiming struct {
	ID        string  `json:"id"`
	Namespace string  `json:"nsp"`
	PID       string  `json:"pid"`
	Least     int64   `json:"least,omitempty"` // the Term that the session has at least
	Term      int64   `json:"term,omitempty"`  // the one that it has from now on
	Record    *record `json:"record,omitempty"`
	Unknown   bool    `json:"unknown,omitempty"` // the session is not there
}

// claim has the node of a session give it up, or any that has it when that is not
// known, and returns what that says of it. r is what is kept of the session, which is
// out of date for as long as the node that has taken it up has not saved it. A node whose
// Term is less than least has been out of reach while others had the session.
func (c *chronicle) claim(ctx context.Context, r record, least int64) (record, error) {
	others := c.node.peers.native()
	question := claiming{Namespace: c.name, PID: r.PID, Least: least, Term: r.Term}
	if r.Node != "" && r.Node != c.node.id {
		given, unknown := c.node.claims.askOwner(ctx, c.node, r.Node, question)
		switch {
		case given != nil:
			return *given, nil
		case !unknown && r.Live:
			return c.orphaned(ctx, r)
		case !unknown:
			return r, nil
		}
		others = slices.DeleteFunc(others, func(id string) bool { return id == r.Node })
	}
	given, _ := c.node.claims.ask(ctx, c.node, others, question)
	if given == nil {
		return r, errGone
	}
	return *given, nil
}

// orphaned is a session whose node has gone, or does not answer: its client is as far
// as the node said last that all are.
func (c *chronicle) orphaned(ctx context.Context, r record) (record, error) {
	var value []byte
	err := again(ctx, func() (err error) {
		value, err = c.log.Load(ctx, leaseKey(r.Node, c.name))
		return err
	})
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

// give gives up a session, and describes it as it is then, or says that it is not
// here. Abandon is of the sockets that had it when the question came: the client may
// have come from who has asked to this node since. It waits until their handlers have
// ended. From now on this node saves nothing of the session: who has asked for it does.
func (c *chronicle) give(asked claiming, abandon func(context.Context)) (given *record, unknown bool) {
	pid := asked.PID
	c.setClaimed(pid, 1)
	defer c.setClaimed(pid, -1)
	abandon(c.saver.ctx)
	r, _, found := c.record(pid)
	c.order.Lock()
	d, closed := c.departed[pid], c.closed
	c.order.Unlock()
	if !found || r.Live || !c.dismiss(pid, d) && !closed {
		return nil, true // it has come to its end, or has come back, or another node has it
	}
	if r.Term < asked.Least {
		return nil, true // another node has had it since
	}
	c.saver.drop(pid)
	r.Term = max(r.Term, asked.Term)
	return &r, false
}

// shelve keeps a session that was given to this node when nobody here waited for it any
// more, for the client to take up on any node: it has come back faster than the
// question travelled, say.
func (c *chronicle) shelve(r record) {
	c.saver.flight.Lock()
	defer c.saver.flight.Unlock()
	c.order.Lock()
	here := c.live[r.PID] != nil || c.departed[r.PID] != nil
	c.order.Unlock()
	if here {
		return
	}
	r.Node, r.Live = "", false
	value, _ := json.Marshal(r) // of texts and valid JSON
	ctx, cancel := context.WithTimeout(c.saver.ctx, patience)
	defer cancel()
	if err := c.log.Save(ctx, []Record{{r.PID, value, c.retention.Sessions + grace, r.Term}}); err != nil {
		c.node.logger.Warn("cluster: a session was lost on its way between two nodes; its client begins anew", "namespace", c.name, "error", err)
	}
}

// setClaimed notes that a session is being given up, when nothing of it is being
// saved, or with -1 that it has been.
func (c *chronicle) setClaimed(pid string, n int) {
	c.saver.flight.Lock()
	defer c.saver.flight.Unlock()
	c.order.Lock()
	defer c.order.Unlock()
	if c.claimed[pid] += n; c.claimed[pid] > 0 {
		return
	}
	delete(c.claimed, pid)
	if c.live[pid] != nil || c.retention.Expired != nil {
		c.saver.mark(pid) // it was passed over, or the roster has it still
	}
}

// claims are the questions of this node that wait for an answer.
type claims struct {
	mu      sync.Mutex // guards the rest
	waiting map[string]*claimants
}

// claimants are those of whom an answer is due.
type claimants struct {
	due     map[string]bool
	unsure  bool // one of them cannot tell, or has gone
	given   *record
	decided chan struct{} // closed when one has given it, or nothing is due
}

func (q *claims) init(n *node) {
	q.waiting = make(map[string]*claimants)
	n.Handle(claimTopic, func(from string, message []byte) {
		var asked claiming
		if json.Unmarshal(message, &asked) != nil || !validKey(asked.PID) {
			return
		}
		asked.Record, asked.Unknown = nil, false
		var abandon func(context.Context)
		s := n.space(asked.Namespace)
		if s != nil && s.chronicle != nil {
			abandon = s.host.Owners(asked.PID)
		}
		n.running.Go(func() {
			busy := time.AfterFunc(silentWait/4, func() { n.Send(from, busyTopic, nil) })
			defer busy.Stop()
			if abandon != nil {
				asked.Record, asked.Unknown = s.chronicle.give(asked, abandon)
			}
			answer, _ := json.Marshal(asked) // of texts and valid JSON
			n.Send(from, answerTopic, answer)
		})
	})
	n.Handle(answerTopic, func(from string, message []byte) {
		var answer claiming
		if json.Unmarshal(message, &answer) != nil || q.answered(answer.ID, from, answer) || answer.Record == nil {
			return
		}
		if s := n.space(answer.Namespace); s != nil && s.chronicle != nil {
			n.running.Go(func() { s.chronicle.shelve(*answer.Record) })
		}
	})
}

// askOwner is ask of the node that has a session, which may be dead.
func (q *claims) askOwner(ctx context.Context, n *node, owner string, question claiming) (given *record, unknown bool) {
	ctx, cancel := context.WithTimeout(ctx, claimWait)
	defer cancel()
	if n.peers.isMute(owner) {
		cancel() // it is asked nevertheless, and gives up what it has when it wakes
	}
	asked := time.Now()
	silent := time.AfterFunc(silentWait, func() {
		if n.peers.mute(owner, asked) {
			cancel()
		}
	})
	defer silent.Stop()
	return q.ask(ctx, n, []string{owner}, question)
}

// ask asks nodes, and returns the first answer that is a session. Without one it
// waits until all have answered, or have gone, or ctx ends; unknown says that all
// have answered that it is not there.
func (q *claims) ask(ctx context.Context, n *node, nodes []string, question claiming) (given *record, unknown bool) {
	w := &claimants{due: make(map[string]bool), decided: make(chan struct{})}
	for _, to := range nodes {
		w.due[to] = true
	}
	question.ID = newID()
	q.mu.Lock()
	q.waiting[question.ID] = w
	q.mu.Unlock()
	text, _ := json.Marshal(question) // of texts
	for _, to := range nodes {
		if n.Send(to, claimTopic, text) != nil {
			q.answered(question.ID, to, claiming{})
		}
	}
	if len(nodes) > 0 {
		select {
		case <-w.decided:
		case <-ctx.Done():
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.waiting, question.ID)
	return w.given, len(w.due) == 0 && !w.unsure
}

// answered takes a node's answer, and reports whether anybody has waited for it.
func (q *claims) answered(id, from string, answer claiming) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.waiting[id]
	if w != nil {
		w.settle(from, answer)
	}
	return w != nil
}

// lost notes that nothing more is to be expected from a node.
func (q *claims) lost(node string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.waiting {
		w.settle(node, claiming{})
	}
}

// settle notes what a node has said, if anything was due of it. The claims' mu is
// held.
func (w *claimants) settle(from string, answer claiming) {
	if !w.due[from] || w.given != nil {
		return
	}
	delete(w.due, from)
	w.given = answer.Record
	w.unsure = w.unsure || !answer.Unknown
	if w.given != nil || len(w.due) == 0 {
		close(w.decided)
	}
}
