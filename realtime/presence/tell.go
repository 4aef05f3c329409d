package presence

import (
	"runtime/debug"

	"github.com/zocalo-go/zocalo/realtime"
)

// changed has everybody told of changes. The registry's mu is held.
func (t *Tracker[M]) changed(news []change) { t.lane.do(func() { t.tell(news) }) }

// show sends a socket who is in a room, after what has happened before, and
// before what will.
func (t *Tracker[M]) show(s *realtime.Socket, room string) {
	if !t.options.Events {
		return
	}
	g := &t.registry
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*entry, 0, len(g.view.rooms[room]))
	for _, e := range g.view.rooms[room] {
		all = append(all, e)
	}
	t.lane.do(func() { t.log(s.Emit(EventState, room, entries[M](all))) })
}

// tell calls the functions of the options, and tells the clients of the rooms.
func (t *Tracker[M]) tell(news []change) {
	for _, c := range news {
		t.call(c)
	}
	if !t.options.Events {
		return
	}
	var order []string
	rooms := make(map[string]*Diff[M])
	for _, c := range news {
		room := c.room()
		d := rooms[room]
		if d == nil {
			d = &Diff[M]{Joins: []Entry[M]{}, Updates: []Entry[M]{}, Leaves: []Entry[M]{}}
			rooms[room] = d
			order = append(order, room)
		}
		d.add(c)
	}
	for _, room := range order {
		t.log(t.namespace.To(room).Local().Emit(EventDiff, room, rooms[room]))
	}
}

func (c change) room() string {
	if c.after != nil {
		return c.after.room
	}
	return c.before.room
}

func (d *Diff[M]) add(c change) {
	switch {
	case c.before == nil:
		d.Joins = append(d.Joins, public[M](c.after))
	case c.after == nil:
		d.Leaves = append(d.Leaves, public[M](c.before))
	default:
		d.Updates = append(d.Updates, public[M](c.after))
	}
}

// call calls the function that a change is for, and survives its panic.
func (t *Tracker[M]) call(c change) {
	defer func() {
		if v := recover(); v != nil {
			t.lane.logger.Error("presence: a function of the options panicked", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	o := &t.options
	switch {
	case c.before == nil && o.OnJoin != nil:
		o.OnJoin(public[M](c.after))
	case c.before != nil && c.after == nil && o.OnLeave != nil:
		o.OnLeave(public[M](c.before))
	case c.before != nil && c.after != nil && o.OnUpdate != nil:
		o.OnUpdate(public[M](c.before), public[M](c.after))
	}
}

// log notes that clients were not told, which is not theirs to hear of when they
// have just gone.
func (t *Tracker[M]) log(err error) {
	if err != nil && err != realtime.ErrNotConnected && err != realtime.ErrSlowClient {
		t.lane.logger.Error("presence: an event", "namespace", t.namespace.Name(), "error", err)
	}
}
