package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// restored is what a session has for Resume: Session.State.
type restored struct {
	record record
	start  string // behind which offset it has missed something
	upTo   string // and up to which that has been read
	missed []adapter.Packet
	bytes  int
	seen   sightings // what has been read, and with looked, what stands just before start
	looked bool
}

// restoreTime is how long a client that comes back waits for an engine that is slow,
// or out of reach, before it begins anew: as long as npm's clients take to connect at
// most.
const restoreTime = 20 * time.Second

// errGone is why a session cannot be restored that is not kept.
var errGone = errors.New("the session is not kept")

// Restore implements adapter.Recoverer.
func (c *chronicle) Restore(pid, offset string) (adapter.Session, bool) {
	ctx, cancel := context.WithTimeout(c.saver.ctx, restoreTime)
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
	var value []byte
	var term int64
	err = again(ctx, func() (err error) {
		value, term, err = c.log.Take(ctx, pid, AnyTerm)
		return err
	})
	if err != nil {
		return session, err
	}
	r := record{PID: pid}
	if value == nil {
		r.Live, r.Term = true, term // it may be so new that nobody has saved it
	}
	if value != nil && (json.Unmarshal(value, &r) != nil || r.PID != pid || r.SID == "" || r.Namespace != "" && r.Namespace != c.name) {
		return session, errGone
	}
	least := r.Term
	r.Term = term
	var d *departed
	if r.Node == c.node.id {
		c.order.Lock()
		d = c.departed[pid]
		c.order.Unlock()
	}
	if foreign := value != nil && r.Node == ""; d == nil && !foreign { // which nodes of other software do not give up
		if r, err = c.claim(ctx, r, least); err != nil {
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
	var tail string
	err := again(ctx, func() (err error) {
		tail, err = c.log.Tail(ctx, c.name)
		return err
	})
	if err != nil {
		return nil, err
	}
	if order, err := c.log.Compare(start, tail); err != nil || order > 0 {
		return nil, errGone // the log was lost, or the client has made it up
	}
	state := &restored{record: r, start: start, upTo: start, seen: make(sightings)}
	if c.remembers(start) {
		if err := c.reach(ctx, tail); err != nil {
			return nil, errLag
		}
	}
	return state, c.read(ctx, state, tail)
}

// lookBack notes what stands before the place behind which a session has missed
// something: a copy of that is nothing missed.
func (c *chronicle) lookBack(ctx context.Context, s *restored) error {
	if c.copying == nil || s.looked {
		return nil
	}
	err := c.copying.Before(ctx, c.name, s.start, s.seen.note)
	s.looked = err == nil
	return err
}

// remembers reports whether what stands behind an offset, as far as the node has read,
// need not be read again.
func (c *chronicle) remembers(offset string) bool {
	c.order.Lock()
	defer c.order.Unlock()
	return c.recent.reaches(offset)
}

// errLag is why a client begins anew where it could not be told what it has missed.
var errLag = errors.New("this node lags behind what the others say")

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
	if messages, there := c.recall(s.upTo, upTo); there {
		s.upTo = upTo
		for _, m := range messages {
			if err := c.miss(s, m); err != nil {
				return err
			}
		}
		return nil
	}
	var failed error
	err := again(ctx, func() error {
		if err := c.lookBack(ctx, s); err != nil {
			return err
		}
		return c.log.Read(ctx, c.name, s.upTo, upTo, func(m *Message) bool {
			s.upTo, failed = m.Offset, c.miss(s, m)
			return failed == nil
		})
	})
	s.upTo = upTo
	return cmp.Or(err, failed)
}

// recall returns what stands behind an offset, up to another one, if the node has read
// all of that not long ago.
func (c *chronicle) recall(after, upTo string) (messages []*Message, there bool) {
	c.order.Lock()
	defer c.order.Unlock()
	if order, err := c.log.Compare(upTo, c.position); err != nil || order > 0 || !c.recent.reaches(after) {
		return nil, false
	}
	return c.recent.between(after, upTo), true
}

// miss notes a message that a session has missed, if it was for its socket.
func (c *chronicle) miss(s *restored, m *Message) error {
	if m.Type != Broadcast || !m.Keep || m.Namespace != c.name {
		return nil
	}
	if m.Seq > 0 && !s.seen.add(m.Node, m.Seq) || !c.wasMeant(&s.record, m) {
		return nil
	}
	if s.bytes += m.size(); s.bytes > c.retention.Bytes {
		return errTooMuch
	}
	frames, err := parser.AppendString(c.host.Codec(), m.Frames, m.Offset)
	s.missed = append(s.missed, adapter.Packet{Frames: frames, Offset: m.Offset, Keep: true, Plain: m.Plain})
	return err
}

// again calls f until it succeeds, or what it reads is not there for good, or ctx ends:
// an engine that is out of reach comes back.
func again(ctx context.Context, f func() error) error {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := f()
		if err == nil || errors.Is(err, ErrTrimmed) || errors.Is(err, ErrUnreadable) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
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
	ctx, cancel := context.WithTimeout(c.saver.ctx, restoreTime)
	defer cancel()
	state := session.State.(*restored)
	if err := c.reach(ctx, state.upTo); err != nil {
		c.node.logger.Warn("cluster: a client comes back, and begins anew", "namespace", c.name, "error", errLag)
		return nil, false
	}
	s := &stay{id: session.ID, pid: session.PID, socket: socket, since: state.record.Since, rooms: make(map[string]string), term: state.record.Term}
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
	if state.looked {
		c.sighted.merge(state.seen)
	}
	tell := c.Insert(socket, session.Rooms)
	c.letGo(s.pid, c.departed[s.pid]) // of a time that other nodes have followed
	c.enter(s)
	c.resumed.Add(1)
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
	return c.withoutCopies(state.missed), true
}
