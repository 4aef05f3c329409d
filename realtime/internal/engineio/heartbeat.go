package engineio

import (
	"sync"
	"time"
)

// pulse is the heartbeat of all sessions of a server, by one timer:
// https://github.com/socketio/socket.io/blob/main/docs/engine.io-protocol/v4-current.md#heartbeat.
// A ping every PingInterval, and a pong within PingTimeout or the end. In revision
// 3 the client sends the pings, and the deadline of the next one always stands.
//
// Whoever waits for the same waits for the same time, so that a line for each
// kind of waiting is in the order of time by itself: to join one, to leave it, and
// to find who is due costs the same however many wait. The times are absolute, so
// that a late timer does not give a client more than its due.
type pulse struct {
	interval, timeout time.Duration
	step              time.Duration // the least time from one beat to the next, so that one serves many

	mu     sync.Mutex // guards the rest, and the heartbeat of all sessions
	pings  line       // who is to be sent one
	pongs  line       // who owes one
	silent line       // who is to send one, in revision 3
	timer  *time.Timer
	next   time.Time // when the timer fires; zero when it does not
}

// heartbeat is a session's place in a pulse.
type heartbeat struct {
	line       *line // nil when it is in none
	prev, next *Session
	due        time.Time
	latency    time.Duration // from the last ping to its pong
}

// line holds sessions in the order in which they are due.
type line struct{ first, last *Session }

// join adds s, which is in no line. Only who stands close to the end is passed.
func (l *line) join(s *Session, due time.Time) {
	before := l.last
	for before != nil && before.heartbeat.due.After(due) {
		before = before.heartbeat.prev
	}
	after := l.first
	if before != nil {
		after = before.heartbeat.next
		before.heartbeat.next = s
	} else {
		l.first = s
	}
	if after != nil {
		after.heartbeat.prev = s
	} else {
		l.last = s
	}
	h := &s.heartbeat
	h.line, h.prev, h.next, h.due = l, before, after, due
}

// leave takes s out of the line that it is in, if any.
func (h *heartbeat) leave() {
	if h.line == nil {
		return
	}
	if h.prev != nil {
		h.prev.heartbeat.next = h.next
	} else {
		h.line.first = h.next
	}
	if h.next != nil {
		h.next.heartbeat.prev = h.prev
	} else {
		h.line.last = h.prev
	}
	h.line, h.prev, h.next = nil, nil, nil
}

// due takes the first out of the line if it is due, and returns it with when it
// was.
func (l *line) due(now time.Time) (*Session, time.Time) {
	s := l.first
	if s == nil || s.heartbeat.due.After(now) {
		return nil, time.Time{}
	}
	due := s.heartbeat.due
	s.heartbeat.leave()
	return s, due
}

func newPulse(c *Config) *pulse {
	return &pulse{interval: c.PingInterval, timeout: c.PingTimeout, step: min(c.PingInterval, c.PingTimeout) / 256}
}

// start begins with the first interval of s.
func (p *pulse) start(s *Session) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.protocol == 3 {
		p.wait(&p.silent, s, now.Add(p.interval+p.timeout))
	} else {
		p.wait(&p.pings, s, now.Add(p.interval))
	}
}

// wait has s wait in a line. mu is held.
func (p *pulse) wait(l *line, s *Session, due time.Time) {
	l.join(s, due)
	if p.next.IsZero() || due.Before(p.next) {
		p.arm(due)
	}
}

// arm sets the timer. mu is held.
func (p *pulse) arm(next time.Time) {
	p.next = next
	if p.timer == nil {
		p.timer = time.AfterFunc(time.Until(next), p.beat)
	} else {
		p.timer.Reset(time.Until(next))
	}
}

// stop ends the heartbeat of s.
func (p *pulse) stop(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.heartbeat.leave()
}

// beat sends the pings that are due, and ends the sessions that are overdue.
func (p *pulse) beat() {
	var pings, dead []*Session
	p.mu.Lock()
	now := time.Now()
	for s, at := p.pings.due(now); s != nil; s, at = p.pings.due(now) {
		deadline := at.Add(p.timeout)
		if now.Sub(at) > p.timeout/2 { // the whole process stood still; the client is not to blame
			deadline = now.Add(p.timeout)
		}
		p.pongs.join(s, deadline) // the pong may arrive before it is sent
		pings = append(pings, s)
	}
	for _, l := range []*line{&p.pongs, &p.silent} {
		for s, _ := l.due(now); s != nil; s, _ = l.due(now) {
			dead = append(dead, s)
		}
	}
	p.next = time.Time{}
	for _, l := range []*line{&p.pings, &p.pongs, &p.silent} {
		if s := l.first; s != nil && (p.next.IsZero() || s.heartbeat.due.Before(p.next)) {
			p.next = s.heartbeat.due
		}
	}
	if soon := now.Add(p.step); !p.next.IsZero() {
		if p.next.Before(soon) {
			p.next = soon
		}
		p.arm(p.next)
	}
	p.mu.Unlock()
	for _, s := range pings {
		s.out.addAlways(ping)
	}
	for _, s := range dead {
		go s.end(ReasonPingTimeout, false) // none has to wait for another's handler
	}
}

// overdue reports whether the client's part of the heartbeat is.
func (p *pulse) overdue(s *Session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := &s.heartbeat
	return h.line != nil && h.line != &p.pings && !time.Now().Before(h.due)
}

// beaten takes the client's part of the heartbeat, which shows that it lives. A
// pong that nobody asked for changes nothing, and is reported as false.
func (p *pulse) beaten(s *Session) bool {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := &s.heartbeat; h.line == &p.pongs {
		h.latency = now.Sub(h.due.Add(-p.timeout))
	}
	return p.again(s, now)
}

// again begins the next round with s, unless its client owed nothing in this one.
// mu is held.
func (p *pulse) again(s *Session, now time.Time) bool {
	switch s.heartbeat.line {
	case &p.pongs:
		s.heartbeat.leave()
		p.wait(&p.pings, s, now.Add(p.interval))
	case &p.silent:
		s.heartbeat.leave()
		p.wait(&p.silent, s, now.Add(p.interval+p.timeout))
	default:
		return false
	}
	return true
}

// Excuse takes it that the client has done its part of the heartbeat, because it was
// not read from for a while: its pong may stand behind what has just been taken, and
// meanwhile it wants to be pinged itself. Who calls it must have made progress, or a
// client that is gone would never be found.
func (s *Session) Excuse() {
	p := s.server.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	p.again(s, time.Now())
}

// Latency returns how long the last ping and its pong took together, 0 before
// the first; less than that where the pong was the answer to an earlier ping, see
// Excuse. In revision 3, where clients send the pings, it stays 0.
func (s *Session) Latency() time.Duration {
	p := s.server.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	return s.heartbeat.latency
}
