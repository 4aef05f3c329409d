package engineio

// probe answers the probe of the candidate, which holds polling. It reports
// false for a connection that is no candidate any more.
func (s *Session) probe(c carrier) bool {
	s.mu.Lock()
	candidate := s.candidate == c
	s.probed = s.probed || candidate
	s.mu.Unlock()
	if candidate {
		c.write([]Packet{probeAnswer})
		s.out.hold(true)
	}
	return candidate
}

// offer makes c the candidate of an upgrade, unless the session has ended, or
// another connection came first.
func (s *Session) offer(c carrier) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() || s.candidate != nil || s.carrier != nil {
		return false
	}
	s.candidate = c
	return true
}

// switchTo makes the candidate the transport. What waited in the outbox follows.
func (s *Session) switchTo(c carrier) bool {
	s.mu.Lock()
	if s.candidate != c {
		s.mu.Unlock()
		c.abort()
		return false
	}
	from, to, closed := s.transport(), c.name(), s.closed.Load()
	s.candidate, s.carrier = nil, c
	if closed { // what was sent before that follows all the same
		s.stopLinger()
		s.mu.Unlock()
		s.server.remove(s)
		s.out.attach(c)
		return true
	}
	s.mu.Unlock()
	s.server.count.add(MetricConnections, from, -1)
	s.server.count.add(MetricConnections, to, 1)
	s.server.count.add(MetricUpgrades, to, 1)
	s.out.attach(c)
	if s.upgrader != nil {
		s.upgrader.Upgraded(from, to)
	}
	return true
}

// abandon gives up an upgrade; polling goes on, and another may be tried.
func (s *Session) abandon(c carrier) {
	s.mu.Lock()
	was := s.candidate == c
	if was {
		s.candidate, s.probed = nil, false
	}
	s.mu.Unlock()
	if was {
		s.out.hold(false)
	}
}
