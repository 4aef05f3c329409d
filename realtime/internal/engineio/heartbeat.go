package engineio

import "time"

// heartbeat is a session's part of
// https://github.com/socketio/socket.io/blob/main/docs/engine.io-protocol/v4-current.md#heartbeat:
// a ping every PingInterval, and a pong within PingTimeout or the end. The
// times are absolute, so that a late timer does not give a client more than its
// due. In revision 3 the client sends the pings, and the deadline of the next
// one always stands. The session's mu guards it.
type heartbeat struct {
	timer    *time.Timer
	pingAt   time.Time // when the next ping is due, or was
	deadline time.Time // of what the client owes; zero while no ping is out
}

func (h *heartbeat) stop() {
	if h.timer != nil {
		h.timer.Stop()
	}
}

// startHeartbeat begins with the first interval. It is called once, before the
// session is known to others.
func (s *Session) startHeartbeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	wait := s.server.config.PingInterval
	if s.protocol == 3 {
		wait += s.server.config.PingTimeout
		s.heartbeat.deadline = time.Now().Add(wait)
	} else {
		s.heartbeat.pingAt = time.Now().Add(wait)
	}
	if s.condemned { // it did not survive the welcome
		wait = 0
	}
	s.heartbeat.timer = time.AfterFunc(wait, s.beat)
}

// beat sends the ping that is due, or ends the session whose pong is overdue or
// that is condemned.
func (s *Session) beat() {
	s.mu.Lock()
	condemned := s.condemned
	s.mu.Unlock()
	if condemned {
		s.server.config.Logger.Warn("realtime: client reads too slowly, closing it", "sid", s.id,
			"buffered", s.out.buffered(), "cure", "send less, or raise Config.MaxBuffered")
		s.end(ReasonTransportError, false)
		return
	}
	if s.overdue() {
		s.end(ReasonPingTimeout, false)
		return
	}
	s.mu.Lock()
	h := &s.heartbeat
	if s.closed || s.condemned || !h.deadline.IsZero() {
		s.mu.Unlock()
		return
	}
	now, timeout := time.Now(), s.server.config.PingTimeout
	if early := h.pingAt.Sub(now); early > 0 { // a pong came just as the timer fired
		h.timer.Reset(early)
		s.mu.Unlock()
		return
	}
	h.deadline = h.pingAt.Add(timeout)
	if now.Sub(h.pingAt) > timeout/2 { // the whole process stood still; the client is not to blame
		h.deadline = now.Add(timeout)
	}
	// The pong may arrive before it is sent: the deadline stands by then.
	h.timer.Reset(h.deadline.Sub(now))
	s.mu.Unlock()
	s.out.addAlways(ping)
}

// overdue reports whether the client's part of the heartbeat is.
func (s *Session) overdue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.heartbeat.deadline
	return !s.closed && !d.IsZero() && !time.Now().Before(d)
}

// beaten takes the client's part of the heartbeat, and reports whether it was
// due.
func (s *Session) beaten() bool {
	if s.protocol == 3 {
		return s.pinged()
	}
	return s.pong()
}

// pinged notes that a client of revision 3 lives, and answers it.
func (s *Session) pinged() bool {
	s.mu.Lock()
	if s.closed || s.condemned {
		s.mu.Unlock()
		return false
	}
	wait := s.server.config.PingInterval + s.server.config.PingTimeout
	s.heartbeat.deadline = time.Now().Add(wait)
	s.heartbeat.timer.Reset(wait)
	s.mu.Unlock()
	s.Send(pong)
	return true
}

// pong notes that the client lives. A pong that nobody asked for changes
// nothing, and is reported as false.
func (s *Session) pong() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &s.heartbeat
	if s.closed || s.condemned || h.deadline.IsZero() {
		return false
	}
	h.deadline = time.Time{}
	h.pingAt = time.Now().Add(s.server.config.PingInterval)
	h.timer.Reset(s.server.config.PingInterval)
	return true
}
