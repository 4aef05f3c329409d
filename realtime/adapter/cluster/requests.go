package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// A request goes to the nodes of this package in a message that is Native, which
// all of them answer. Where there may be others, it goes out in their form, too;
// its name tells the nodes of this package to leave that alone. Those of other
// software are waited for by name where they announce themselves, and elsewhere by
// their number: it is that of all nodes which have the namespace, less those of
// this package which say that they have it.

// ours is what the names of requests begin with that have been sent twice.
const ours = "zocalo-"

// IsOwnRequest reports whether a request has been made by a node of this package.
func IsOwnRequest(request string) bool { return strings.HasPrefix(request, ours) }

// requests are those that this node waits for the answers to.
type requests struct {
	mu      sync.Mutex // guards the rest
	waiting map[string]*request
	serving map[string]context.CancelFunc // of others, by node and request
}

// request collects answers.
type request struct {
	node     *node
	space    string
	id       string
	answer   func(*Message) // is called with each, one at a time, with mu held
	complete chan struct{}  // closed when nothing more is due

	mu      sync.Mutex // guards the rest
	named   map[string]*due
	settled map[string]bool // those that have been in named
	others  due
	total   int  // nodes that have the namespace; 0 where they are not counted
	counted bool // total is known, or will never be
	present int  // those of this package that have it, and have said so, or have gone
	missing adapter.MissingError
	young   bool // the node does not know the others yet
	over    bool
}

// due is what a node still has to say.
type due struct {
	replies int             // it has sent
	sockets map[string]bool // that owe an answer
	unnamed int             // as many sockets more, or less than 0 if they were quicker than their node
}

func (d *due) owes() bool { return d.replies == 0 || len(d.sockets) > 0 || d.unnamed > 0 }

// ask sends a request and returns what collects the answers; somebody must wait
// for it.
func (s *space) ask(m *Message, answer func(*Message)) (*request, error) {
	n := s.node
	m.Request = ours + newID()
	r := &request{
		node: n, space: s.name, id: m.Request, answer: answer, complete: make(chan struct{}),
		named: make(map[string]*due), settled: make(map[string]bool), counted: n.mixed == nil,
	}
	for _, id := range n.peers.native() {
		r.named[id] = &due{}
	}
	others := n.mixed != nil
	if s.announces.Load() {
		names := n.peers.foreign(s.name)
		for _, id := range names {
			r.named[id] = &due{}
		}
		others, r.counted = len(names) > 0, true
	}
	select {
	case <-n.sender.settled:
	default:
		r.young = true
	}
	n.requests.add(r)
	native := *m
	native.Native = true
	err := s.publish(&native)
	if others && err == nil {
		err = s.publish(m)
	}
	if err != nil {
		n.requests.remove(r)
		return nil, err
	}
	r.mu.Lock()
	r.check()
	r.mu.Unlock()
	return r, nil
}

// count learns how many nodes there are, for those that are not known by name.
func (r *request) count(ctx context.Context) {
	total, err := r.node.mixed.Count(ctx, r.space)
	if err != nil {
		r.node.logger.Warn("cluster: nodes of other software cannot be counted, and are not waited for", "node", r.node.id, "error", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total, r.counted = max(total, 0), true
	r.check()
}

func (r *requests) add(q *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = make(map[string]*request)
	}
	r.waiting[q.id] = q
}

func (r *requests) remove(q *request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, q.id)
}

// answered takes an answer.
func (r *requests) answered(m *Message) {
	r.mu.Lock()
	q := r.waiting[m.Request]
	r.mu.Unlock()
	if q != nil {
		q.take(m)
	}
}

// lost notes that a node is gone, or out of a namespace if that is named.
func (r *requests) lost(node, space string, goodbye bool) {
	r.mu.Lock()
	all := make([]*request, 0, len(r.waiting))
	for _, q := range r.waiting {
		all = append(all, q)
	}
	var cancel []context.CancelFunc
	if space == "" {
		for name, stop := range r.serving {
			if strings.HasPrefix(name, node+" ") {
				cancel = append(cancel, stop)
			}
		}
	}
	r.mu.Unlock()
	for _, q := range all {
		if space == "" || q.space == space {
			q.lost(node, goodbye)
		}
	}
	for _, stop := range cancel {
		stop()
	}
}

// serve notes a request of another node's that is being answered.
func (r *requests) serve(m *Message, stop context.CancelFunc) (done func()) {
	name := m.Node + " " + m.Request
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.serving == nil {
		r.serving = make(map[string]context.CancelFunc)
	}
	r.serving[name] = stop
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.serving, name)
	}
}

// cancel ends what is done for a request.
func (r *requests) cancel(m *Message) {
	r.mu.Lock()
	stop := r.serving[m.Node+" "+m.Request]
	r.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// close ends everything, because the node leaves.
func (r *requests) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, stop := range r.serving {
		stop()
	}
	for _, q := range r.waiting {
		go q.end(adapter.ErrClosed)
	}
}

// take takes an answer.
func (r *request) take(m *Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.named[m.Node]
	switch {
	case r.over, d == nil && r.settled[m.Node]:
		return
	case d == nil && m.Native: // it has come after the request, or was not known
		d = &due{}
		r.named[m.Node] = d
	case d == nil:
		d = &r.others
	}
	switch m.Type {
	case BroadcastClientCount:
		d.replies++
		if len(m.IDs) == 0 {
			d.unnamed += m.Count
		} else {
			d.sockets = make(map[string]bool, len(m.IDs))
			for _, id := range m.IDs {
				d.sockets[id] = true
			}
		}
	case BroadcastAck, BroadcastGone:
		if !d.paid(m) {
			return
		}
		if m.Type == BroadcastGone {
			r.missing.Sockets = append(r.missing.Sockets, m.IDs...)
			r.missing.Err = adapter.ErrSocketGone
		}
	default:
		d.replies++
	}
	if m.Native && !m.Absent && m.Type != BroadcastAck && m.Type != BroadcastGone {
		r.present++
	}
	if !m.Absent && m.Type != BroadcastClientCount && m.Type != BroadcastGone {
		r.answer(m)
	}
	r.check()
}

// paid notes that sockets have answered, or will not, and reports whether they
// owed it.
func (d *due) paid(m *Message) bool {
	if len(m.IDs) == 0 {
		d.unnamed--
		return true
	}
	for _, id := range m.IDs {
		if !d.sockets[id] {
			return false
		}
		delete(d.sockets, id)
	}
	return true
}

// lost notes that a node is gone.
func (r *request) lost(node string, goodbye bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.named[node]
	if d == nil || r.over {
		return
	}
	if d.replies == 0 {
		r.present++ // an engine may have counted it
	}
	r.give(node, d, goodbye)
	if len(r.missing.Nodes)+len(r.missing.Sockets)+r.missing.Others > 0 {
		r.missing.Err = adapter.ErrNodeGone
	}
	r.check()
}

// give gives a node up. One that has said goodbye has no sockets any more, which
// is an answer.
func (r *request) give(node string, d *due, goodbye bool) {
	delete(r.named, node)
	r.settled[node] = true
	if !goodbye || d.replies > 0 && d.owes() {
		r.missing.Nodes = append(r.missing.Nodes, node)
	}
	r.missing.Others += max(d.unnamed, 0)
	for id := range d.sockets {
		r.missing.Sockets = append(r.missing.Sockets, id)
	}
}

// check ends the request when nothing more is due. mu is held.
func (r *request) check() {
	for id, d := range r.named {
		if !d.owes() {
			delete(r.named, id)
			r.settled[id] = true
		}
	}
	if r.over || r.young || len(r.named) > 0 || !r.counted || r.strangers() > 0 || r.others.unnamed > 0 || len(r.others.sockets) > 0 {
		return
	}
	r.over = true
	close(r.complete)
}

// strangers returns how many nodes that are not known by name have not answered.
func (r *request) strangers() int {
	if r.total == 0 {
		return 0
	}
	return max(0, r.total-1-r.present-r.others.replies)
}

// end gives up, because of err, what is still due.
func (r *request) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	for node, d := range r.named {
		r.give(node, d, false)
	}
	r.missing.Unnamed += r.strangers()
	r.missing.Others += max(r.others.unnamed, 0)
	for id := range r.others.sockets {
		r.missing.Sockets = append(r.missing.Sockets, id)
	}
	r.missing.Err = err
	r.over = true
	close(r.complete)
}

// grow waits until the node knows the others, if it has just been started.
func (r *request) grow(ctx context.Context) error {
	select {
	case <-r.complete:
		return nil
	case <-r.node.sender.settled:
	case <-ctx.Done():
		r.end(context.Cause(ctx))
		return fmt.Errorf("%w: %w", errApart, context.Cause(ctx))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.young = false
	r.check()
	return nil
}

// wait waits for the answers, until ctx ends. It returns who has not answered, as
// a *adapter.MissingError, or nil.
func (r *request) wait(ctx context.Context) error {
	defer r.node.requests.remove(r)
	if err := r.grow(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	counted := r.counted
	r.mu.Unlock()
	if !counted {
		r.count(ctx)
	}
	select {
	case <-r.complete:
	case <-ctx.Done():
		r.end(context.Cause(ctx))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	missing := r.missing
	if len(missing.Nodes)+missing.Unnamed+len(missing.Sockets)+missing.Others == 0 {
		return nil
	}
	slices.Sort(missing.Nodes)
	slices.Sort(missing.Sockets)
	return &missing
}
