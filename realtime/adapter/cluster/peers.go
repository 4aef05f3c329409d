package cluster

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// peers are the other nodes, as far as they are known: each has said something,
// not long ago.
type peers struct {
	node *node

	// Of the sender's goroutine: when it beat last, and since when this node does so
	// in time. While it stands still it hears nobody.
	beat, awake time.Time

	mu       sync.Mutex // guards the rest
	known    map[string]*peer
	gone     map[string]time.Time // nodes that have said goodbye, whose last messages may still come
	watchers []func(string, bool)
	news     []change // for the watchers
	telling  bool
}

// peer is another node.
type peer struct {
	native bool
	seen   time.Time
	asked  time.Time            // when it was asked something that it should have answered long ago
	spaces map[string]time.Time // of one that is not native: where it was seen
	seqs   window
}

type change struct {
	node  string
	there bool
	to    func(string, bool) // only, or nil
}

func (p *peers) init(n *node) {
	p.node = n
	p.known, p.gone = make(map[string]*peer), make(map[string]time.Time)
}

// emitterID is the name under which programs speak that are no nodes: npm's
// emitters, and this module's.
const emitterID = "emitter"

// maxPeers is how many nodes are believed in, so that somebody who makes them up
// does not fill the memory.
const maxPeers = 4096

// heard notes that another node has said something, and reports whether it has to
// be listened to.
func (p *peers) heard(m *Message) bool {
	if m.Node == emitterID {
		return true
	}
	now := time.Now()
	p.mu.Lock()
	if left, gone := p.gone[m.Node]; gone && now.Sub(left) < p.node.options.HeartbeatTimeout {
		p.mu.Unlock()
		return m.Type != InitialHeartbeat && m.Type != Heartbeat && m.Type != AdapterClose
	}
	o := p.known[m.Node]
	if o == nil {
		if len(p.known) >= maxPeers {
			p.mu.Unlock()
			p.node.Refuse(errCrowd)
			return false
		}
		o = &peer{}
		p.known[m.Node] = o
	}
	o.seen = now
	if m.Native && !o.native {
		o.native, o.spaces = true, nil
		p.news = append(p.news, change{m.Node, true, nil})
	}
	if !o.native {
		if o.spaces == nil {
			o.spaces = make(map[string]time.Time)
		}
		o.spaces[m.Namespace] = now
	}
	fresh := m.Seq == 0 || o.seqs.add(m.Seq)
	p.mu.Unlock()
	switch {
	case m.Type == AdapterClose:
		p.leave(m.Node, m.Namespace)
	case m.Type == InitialHeartbeat && fresh:
		p.node.greet(m)
	}
	p.tell()
	return fresh
}

// greet tells a new node that this one is there.
func (n *node) greet(m *Message) {
	if m.Native {
		n.publish(&Message{Type: Heartbeat, Native: true, To: m.Node})
	} else if s := n.space(m.Namespace); s != nil && s.announces.Load() {
		n.publish(&Message{Type: Heartbeat, Namespace: m.Namespace})
	}
}

// beat is a sign of life, and looks for those of others. It is called by the
// sender.
func (n *node) beat() {
	n.publish(&Message{Type: Heartbeat, Native: true})
	n.mu.RLock()
	for _, s := range n.spaces {
		if s.announces.Load() {
			n.publish(&Message{Type: Heartbeat, Namespace: s.name})
		}
		if s.chronicle != nil {
			s.chronicle.renew()
		}
	}
	n.mu.RUnlock()
	n.peers.wake()
	if !n.sender.wasDown(n.options.HeartbeatTimeout) {
		n.peers.expire() // else they may have spoken, and not been heard
	}
}

// wake notes a sign of life of this node. When it comes too late the process has
// stood still, and others have a time-out from now on to be heard.
func (p *peers) wake() {
	now, o := time.Now(), &p.node.options
	late := o.HeartbeatInterval + (o.HeartbeatTimeout-o.HeartbeatInterval)/4
	if !p.beat.IsZero() && now.Sub(p.beat) > late {
		p.awake = now
	}
	p.beat = now
}

// expire forgets the nodes that have been silent for too long.
func (p *peers) expire() {
	now, timeout := time.Now(), p.node.options.HeartbeatTimeout
	type ended struct{ node, space string }
	var silent []ended
	announced := p.node.announced()
	p.mu.Lock()
	for id, o := range p.known {
		if now.Sub(p.awake) <= timeout { // what they have said may wait to be heard
			break
		}
		if now.Sub(o.seen) > timeout {
			if o.native || announced {
				silent = append(silent, ended{id, ""})
			} else { // it says something only when there is something to say
				delete(p.known, id)
			}
			continue
		}
		for space, seen := range o.spaces {
			if now.Sub(seen) > timeout {
				silent = append(silent, ended{id, space})
			}
		}
	}
	maps.DeleteFunc(p.gone, func(_ string, left time.Time) bool { return now.Sub(left) > timeout })
	p.mu.Unlock()
	for _, e := range silent {
		if e.space == "" {
			p.node.logger.Warn("cluster: a node is silent, and taken for dead", "node", p.node.id, "other", e.node)
		}
		p.remove(e.node, e.space, false)
	}
	p.tell()
}

// announced reports whether nodes of other software send signs of life.
func (n *node) announced() bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, s := range n.spaces {
		if s.announces.Load() {
			return true
		}
	}
	return false
}

// leave forgets a node that has said goodbye, in a namespace or altogether.
func (p *peers) leave(id, space string) { p.remove(id, space, true) }

func (p *peers) remove(id, space string, goodbye bool) {
	p.mu.Lock()
	o := p.known[id]
	if o == nil {
		p.mu.Unlock()
		return
	}
	if space != "" {
		delete(o.spaces, space)
	}
	if space == "" || !o.native && len(o.spaces) == 0 {
		delete(p.known, id)
		if goodbye && o.native {
			p.gone[id] = time.Now()
		}
		if o.native {
			p.news = append(p.news, change{id, false, nil})
		}
	}
	p.mu.Unlock()
	p.node.requests.lost(id, space, goodbye)
	if space == "" {
		p.node.claims.lost(id)
		if o.native {
			p.node.inherit(id)
		}
	}
}

// tell calls the watchers, one change after the other.
func (p *peers) tell() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.telling {
		return
	}
	p.telling = true
	for len(p.news) > 0 {
		c, fs := p.news[0], p.watchers
		p.news = p.news[1:]
		p.mu.Unlock()
		if c.to != nil {
			c.to(c.node, c.there)
		} else {
			for _, f := range fs {
				f(c.node, c.there)
			}
		}
		p.mu.Lock()
	}
	p.news, p.telling = nil, false
}

// watch adds a watcher, which is told of those that are there first.
func (p *peers) watch(f func(string, bool)) {
	p.mu.Lock()
	// Those of whom there are news that nobody has been told are in known, but f
	// would be told again.
	for _, id := range p.natives() {
		if !slices.ContainsFunc(p.news, func(c change) bool { return c.node == id && c.to == nil }) {
			p.news = append(p.news, change{id, true, f})
		}
	}
	p.watchers = append(p.watchers[:len(p.watchers):len(p.watchers)], f)
	p.mu.Unlock()
	p.tell()
}

// natives returns the nodes of this package. mu is held.
func (p *peers) natives() []string {
	var ids []string
	for id, o := range p.known {
		if o.native {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (p *peers) native() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.natives()
}

func (p *peers) isNative(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.known[id]
	return o != nil && o.native
}

// mute notes that a node was asked something then, which it should have answered by now.
// It reports whether the node has said nothing at all since.
func (p *peers) mute(id string, asked time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.known[id]
	if o != nil {
		o.asked = asked
	}
	return o == nil || !o.seen.After(asked)
}

// isMute reports whether a node has said nothing since it was noted in mute.
func (p *peers) isMute(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.known[id]
	return o != nil && o.asked.After(o.seen)
}

// foreign returns the nodes of other software that are known in a namespace.
func (p *peers) foreign(space string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []string
	for id, o := range p.known {
		if _, in := o.spaces[space]; in {
			ids = append(ids, id)
		}
	}
	return ids
}
