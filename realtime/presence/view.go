package presence

import (
	"bytes"
	"encoding/json"
)

// A ref names an entry for ever: the node that it is of, and that node's number.
type ref struct {
	node string
	n    uint64
}

// entry is somebody in a room. It is replaced, never changed.
type entry struct {
	ref
	room, socket, key string
	meta              json.RawMessage
	value             any // what meta means
}

func (e *entry) same(o *entry) bool {
	return e.room == o.room && e.socket == o.socket && e.key == o.key && bytes.Equal(e.meta, o.meta)
}

// change is what has become of an entry: one that joins has no before, one that
// leaves no after.
type change struct{ before, after *entry }

// replica is what a node has said of its own.
type replica struct {
	version uint64 // of what is known: how many changes the node has told
	entries map[uint64]*entry
	asked   bool // it will tell everything anew

	// What has come of that so far.
	staged map[uint64]*entry
	at     uint64 // version
	parts  int
}

// view is what one node knows of all. It is no more than a data structure.
type view struct {
	nodes map[string]*replica
	rooms map[string]map[ref]*entry
	size  int
	news  []change // that nobody has been told
}

func newView() view {
	return view{nodes: make(map[string]*replica), rooms: make(map[string]map[ref]*entry)}
}

// add makes a node known.
func (v *view) add(node string) *replica {
	r := v.nodes[node]
	if r == nil {
		r = &replica{entries: make(map[uint64]*entry)}
		v.nodes[node] = r
	}
	return r
}

// drop forgets a node, and all of its own.
func (v *view) drop(node string) {
	if r := v.nodes[node]; r != nil {
		v.replace(r, nil)
		delete(v.nodes, node)
	}
}

// set notes an entry as it is now.
func (v *view) set(r *replica, e *entry) {
	before := r.entries[e.n]
	if before != nil {
		if before.same(e) {
			return
		}
		if before.room != e.room {
			v.unset(r, e.n)
			before = nil
		}
	}
	in := v.rooms[e.room]
	if in == nil {
		in = make(map[ref]*entry)
		v.rooms[e.room] = in
	}
	if before == nil {
		v.size++
	}
	r.entries[e.n], in[e.ref] = e, e
	v.news = append(v.news, change{before, e})
}

// unset notes that an entry has left.
func (v *view) unset(r *replica, n uint64) {
	e := r.entries[n]
	if e == nil {
		return
	}
	delete(r.entries, n)
	delete(v.rooms[e.room], e.ref)
	if len(v.rooms[e.room]) == 0 {
		delete(v.rooms, e.room)
	}
	v.size--
	v.news = append(v.news, change{e, nil})
}

// replace makes the entries of a node these.
func (v *view) replace(r *replica, all map[uint64]*entry) {
	for n := range r.entries {
		if all[n] == nil {
			v.unset(r, n)
		}
	}
	for _, e := range all {
		v.set(r, e)
	}
}

// apply takes what a node says, and reports whether it has to be asked for
// everything. read makes an entry of a record, or returns nil.
func (v *view) apply(r *replica, m *message, read func(*record) *entry) (ask bool) {
	switch m.Kind {
	case kindBeat:
		if m.At == r.version {
			return false
		}
		// Also when it has told less than is known: what is known is not of it then.
		return true
	case kindDelta:
		if m.From != r.version {
			return m.At > r.version && !r.asked
		}
		for _, n := range m.Gone {
			v.unset(r, n)
		}
		for i := range m.Set {
			if e := read(&m.Set[i]); e != nil {
				v.set(r, e)
			}
		}
		r.version = m.At
	case kindState:
		v.stage(r, m, read)
	}
	return false
}

// stage takes a part of everything that a node has to say.
func (v *view) stage(r *replica, m *message, read func(*record) *entry) {
	if !r.asked && m.At <= r.version {
		return // another has asked
	}
	if m.Part == 0 {
		r.staged, r.at, r.parts = make(map[uint64]*entry), m.At, 0
	}
	if r.staged == nil || m.At != r.at || m.Part != r.parts {
		r.staged = nil // a part is missing; the next sign of life will show it
		return
	}
	r.parts++
	for i := range m.Set {
		if e := read(&m.Set[i]); e != nil {
			r.staged[e.n] = e
		}
	}
	if m.Last {
		v.replace(r, r.staged)
		r.version, r.asked, r.staged = r.at, false, nil
	}
}

// take returns the news.
func (v *view) take() []change {
	news := v.news
	v.news = nil
	return news
}
