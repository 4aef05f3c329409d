package cluster

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

func hexText(s string) string { return hex.EncodeToString([]byte(s)) }

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
	if !c.dismiss(d.session.PID, d) {
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

// restored is what a session has for Resume: Session.State.
type restored struct {
	record record
	start  string // behind which offset it has missed something
	upTo   string // and up to which that has been read
	missed []adapter.Packet
	bytes  int
}

// errGone is why a session cannot be restored that is not kept.
var errGone = errors.New("the session is not kept")

// Restore implements adapter.Recoverer.
func (c *chronicle) Restore(pid, offset string) (adapter.Session, bool) {
	ctx, cancel := context.WithTimeout(c.saver.ctx, patience)
	defer cancel()
	session, err := c.restore(ctx, pid, offset)
	if err != nil && !errors.Is(err, errGone) {
		c.node.logger.Warn("cluster: a client comes back, and begins anew", "namespace", c.name, "error", err)
	}
	return session, err == nil
}

func (c *chronicle) restore(ctx context.Context, pid, offset string) (session adapter.Session, err error) {
	if offset != "" {
		if _, err := c.log.Compare(offset, offset); err != nil {
			return session, errGone // the client has made it up
		}
	}
	if !validKey(pid) {
		return session, errGone
	}
	if err := c.saver.wait(ctx); err != nil {
		return session, err
	}
	select {
	case <-c.node.sender.settled: // the node that the client was on may be there
	case <-ctx.Done():
		return session, errApart
	}
	value, err := c.log.Take(ctx, pid)
	if err != nil {
		return session, err
	}
	r := record{PID: pid, Live: true} // it may be so new that nobody has saved it
	if value != nil && (json.Unmarshal(value, &r) != nil || r.PID != pid || r.SID == "" || r.Namespace != "" && r.Namespace != c.name) {
		return session, errGone
	}
	var d *departed
	if r.Node == c.node.id {
		c.order.Lock()
		d = c.departed[pid]
		c.order.Unlock()
	} else if r.Node != "" || value == nil {
		if r, err = c.claim(ctx, r); err != nil {
			return session, err
		}
	}
	session = adapter.Session{PID: pid, ID: r.SID, Rooms: r.Rooms, Data: r.Data}
	if c.dismiss(pid, d) {
		session.Data = d.session.Data
	}
	state, err := c.catchUp(ctx, r, offset)
	session.State = state
	return session, err
}

// validKey reports whether a PID, which a client has given, may be a key.
func validKey(pid string) bool {
	for _, r := range pid {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' {
			return false
		}
	}
	return pid != "" && len(pid) <= 100 && !strings.HasPrefix(pid, leasePrefix)
}

// catchUp reads what a session has missed, so far.
func (c *chronicle) catchUp(ctx context.Context, r record, offset string) (*restored, error) {
	start := offset
	for _, o := range []string{r.Since, r.Safe} {
		start = c.later(start, o)
	}
	if start == "" {
		return nil, errGone
	}
	tail, err := c.log.Tail(ctx, c.name)
	if err != nil {
		return nil, err
	}
	if order, err := c.log.Compare(start, tail); err != nil || order > 0 {
		return nil, errGone // the log was lost, or the client has made it up
	}
	state := &restored{record: r, start: start, upTo: start}
	return state, c.read(ctx, state, tail)
}

// later returns the later one of two offsets, of which either may be "".
func (c *chronicle) later(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	if order, err := c.log.Compare(a, b); err == nil && order < 0 {
		return b
	}
	return a
}

// errTooMuch is why a client that has missed more than is to be kept begins anew.
var errTooMuch = errors.New("the client has missed more than Recovery.MaxBytes")

// read reads what a session has missed up to an offset.
func (c *chronicle) read(ctx context.Context, s *restored, upTo string) error {
	if order, err := c.log.Compare(s.upTo, upTo); err != nil || order >= 0 {
		return err
	}
	twice := make(map[string]*window)
	var failed error
	err := c.log.Read(ctx, c.name, s.upTo, upTo, func(m *Message) bool {
		if m.Type != Broadcast || !m.Keep || m.Namespace != c.name || !c.wasMeant(&s.record, m) {
			return true
		}
		if m.Seq > 0 {
			if twice[m.Node] == nil {
				twice[m.Node] = new(window)
			}
			if !twice[m.Node].add(m.Seq) {
				return true
			}
		}
		frames, err := parser.AppendString(c.host.Codec(), m.Frames, m.Offset)
		if s.bytes += m.size(); err == nil && s.bytes > c.retention.Bytes {
			err = errTooMuch
		}
		if err != nil {
			failed = err
			return false
		}
		s.missed = append(s.missed, adapter.Packet{Frames: frames, Offset: m.Offset, Keep: true, Plain: m.Plain})
		return true
	})
	if err == nil {
		err = failed
	}
	s.upTo = upTo
	return err
}

// wasMeant reports whether a message was for the socket of a session.
func (c *chronicle) wasMeant(r *record, m *Message) bool {
	in := func(rooms []string) bool {
		for _, room := range rooms {
			if room == r.SID {
				return true
			}
			for _, its := range r.Rooms {
				if its == room && c.behind(m.Offset, r.Joined[room]) {
					return true
				}
			}
		}
		return false
	}
	if !c.behind(m.Offset, r.Since) {
		return false
	}
	t := m.Target
	if t.Socket != "" {
		return t.Socket == r.SID
	}
	return (len(t.Rooms) == 0 || in(t.Rooms)) && !in(t.Except)
}

// behind reports whether an offset stands behind another; every one does behind
// none.
func (c *chronicle) behind(offset, other string) bool {
	if other == "" {
		return true
	}
	order, err := c.log.Compare(offset, other)
	return err == nil && order > 0
}

// Resume implements adapter.Recoverer.
func (c *chronicle) Resume(socket adapter.Socket, session adapter.Session, _ string) ([]adapter.Packet, bool) {
	ctx, cancel := context.WithTimeout(c.saver.ctx, patience)
	defer cancel()
	state := session.State.(*restored)
	if err := c.reach(ctx, state.upTo); err != nil {
		c.node.logger.Warn("cluster: a client comes back, and begins anew, because this node lags behind", "namespace", c.name, "error", err)
		return nil, false
	}
	s := &stay{id: session.ID, pid: session.PID, socket: socket, since: state.record.Since, rooms: make(map[string]string)}
	for _, room := range state.record.Rooms {
		if room != session.ID {
			s.rooms[room] = state.record.Joined[room]
		}
	}
	if s.since == "" {
		s.since = state.start
	}
	// What comes from position on is sent to the socket, which waits with it for
	// what is still read.
	c.order.Lock()
	position := c.position
	tell := c.Insert(socket, session.Rooms)
	c.enter(s)
	c.order.Unlock()
	tell()
	if err := c.read(ctx, state, position); err != nil {
		c.node.logger.Warn("cluster: a client comes back, and begins anew", "namespace", c.name, "error", err)
		c.order.Lock()
		c.exit(s.id)
		c.order.Unlock()
		c.Memory.Remove(s.id)
		return nil, false
	}
	c.saver.mark(s.pid)
	return state.missed, true
}
