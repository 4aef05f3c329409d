package engineio

import (
	"sync"
	"time"
)

// buffers for a message that is read or a body that is written.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// maxPooled is the capacity in bytes above which a buffer is not kept.
const maxPooled = 64 << 10

// buffer is what a message is read into. A connection that waits for one has
// none yet.
type buffer struct{ from *[]byte }

// take returns the memory, which may be appended to.
func (b *buffer) take() []byte {
	if b.from == nil {
		b.from = buffers.Get().(*[]byte)
	}
	return (*b.from)[:0]
}

// release gives the memory back, as what has become of it by appending.
func (b *buffer) release(data []byte) {
	if b.from != nil && cap(data) <= maxPooled {
		*b.from = data[:0]
		buffers.Put(b.from)
	}
}

// next reads a packet from c and passes it to handle. A binary frame is a
// message, a text frame a packet.
func next(c carrier, handle func(received)) error {
	var buf buffer
	data, binary, err := c.read(&buf)
	if err == nil {
		p := received{kind: typeMessage, data: data, binary: true, size: len(data)}
		if !binary {
			p, err = decodePacket(data)
		}
		if err == nil {
			handle(p)
		}
	}
	buf.release(data)
	return err
}

// breach reports whether err is for a client that breaks the rules, which is read
// on until it has closed its side, rather than for a connection that has ended.
func breach(err error) bool {
	return err == errPacket || err == errLarge || err == errFragments
}

// dismiss closes a connection that nobody wants, as its reader.
func dismiss(c carrier) {
	c.finish()
	for {
		if err := next(c, func(received) {}); err != nil && !breach(err) {
			c.abort()
			return
		}
	}
}

// readAll is the reader of a session that c carries.
func (s *Session) readAll(c carrier) {
	for {
		err := next(c, func(p received) { s.receive(p) })
		switch {
		case err == errPacket:
			s.end(ReasonParseError, true) // then reads on, for the client's close frame
		case breach(err):
			s.end(ReasonTransportError, true)
		case err != nil:
			s.end(ReasonTransportClose, false)
			c.abort()
			return
		}
	}
}

// upgrade moves the session from polling to c by the exchange of
// https://github.com/socketio/socket.io/blob/main/docs/engine.io-protocol/v4-current.md#upgrade:
// a probe, its answer, and the client's word that it has switched. Until then
// polling stays the transport, and a candidate that fails takes nothing down.
// From then on upgrade is c's reader.
func (s *Session) upgrade(c carrier) {
	timeout := time.AfterFunc(s.server.config.UpgradeTimeout, c.abort)
	probed, upgraded := false, false
	for !upgraded {
		err := next(c, func(p received) {
			switch {
			case p.kind == typePing && string(p.data) == "probe" && s.probe(c):
				probed = true
			case p.kind == typeUpgrade && probed && timeout.Stop():
				upgraded = s.switchTo(c)
			default:
				s.abandon(c)
				c.finish()
			}
		})
		if breach(err) {
			s.abandon(c)
			c.finish()
		} else if err != nil && !upgraded {
			timeout.Stop()
			s.abandon(c)
			c.abort()
			return
		}
	}
	s.readAll(c)
}

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
	if s.closed || s.candidate != nil || s.carrier != nil {
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
	from, to, closed := s.transport, c.name(), s.closed
	s.candidate, s.carrier = nil, c
	if closed { // what was sent before that follows all the same
		s.heartbeat.stop()
		s.mu.Unlock()
		s.server.remove(s)
		s.out.attach(c)
		return true
	}
	s.transport = to
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
