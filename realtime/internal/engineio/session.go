package engineio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// The protocol's names of the transports.
const (
	Polling      = "polling"
	WebSocket    = "websocket"
	WebTransport = "webtransport"
)

// Why a session ended, in the protocol's own words:
// https://socket.io/docs/v4/server-socket-instance/#disconnect.
const (
	ReasonTransportClose = "transport close" // the client closed it, or its connection broke
	ReasonTransportError = "transport error" // it broke the transport's rules, or reads too slowly
	ReasonPingTimeout    = "ping timeout"    // it did not answer a ping in time
	ReasonParseError     = "parse error"     // it sent something that is no packet
	ReasonForcedClose    = "forced close"    // the server closed it
)

// Session is one client's connection, whatever transport carries it. All
// methods may be called concurrently, and none waits but SendContext and WaitRoom.
type Session struct {
	id       string
	server   *Server
	protocol uint8         // the revision its client speaks, 3 or 4
	base64   bool          // a polling client of revision 3 wants no bytes
	answered atomic.Uint32 // when it, or its last poll, was: milliseconds of the server's life
	handler  Handler
	upgrader Upgrader    // the handler, or nil
	beats    Heartbeater // the handler, or nil

	out outbox

	in sync.Mutex // held while received packets are handled

	mu        sync.Mutex  // guards the rest
	carrier   carrier     // what carries it, or nil for polling
	candidate carrier     // what an upgrade under way would make its carrier
	abort     func()      // ends the reading of the body of a POST, while it is read
	premature func()      // the end that was asked for before it had begun
	lingerer  *time.Timer // ends the lingering
	closed    atomic.Bool // written with mu held
	probed    bool        // the candidate's probe was answered
	posting   bool        // a POST is under way
	begun     bool        // others know it; before that it does not end
	condemned bool        // too slow, about to be closed
	lingering bool        // closed, but a poll may still fetch what is left

	heartbeat heartbeat // the pulse's
}

// ID returns the Engine.IO session id. It is a secret between the client and
// the server: who knows it can take the session over.
func (s *Session) ID() string { return s.id }

// Protocol returns the revision of the protocol that the client speaks, 3 or 4.
func (s *Session) Protocol() int { return int(s.protocol) }

// Transport returns the current transport, one of the names.
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transport()
}

// transport is Transport. mu is held.
func (s *Session) transport() string {
	if s.carrier == nil {
		return Polling
	}
	return s.carrier.name()
}

// Buffered returns how many bytes wait to be sent.
func (s *Session) Buffered() int { return s.out.buffered() }

// Send queues packets, which leave adjacent and in order. It returns
// [ErrClosed] when the session has ended, and [ErrSlow] when its client is so
// slow that the packets do not fit under Config.MaxBuffered and
// Config.MaxBufferedPackets: none of them is sent then, and unless
// Config.Overflow is OverflowDropNewest the session ends soon after. It never
// calls the handler.
func (s *Session) Send(packets ...Packet) error {
	return s.sent(s.out.add(packets...))
}

// sent takes what became of packets, and returns it.
func (s *Session) sent(err error) error {
	if err == ErrSlow && s.server.config.Overflow != OverflowDropNewest {
		s.condemn()
	}
	return err
}

// SendWhile is Send, but also returns [ErrClosed] when open is no longer set. What
// is sent after that was cleared leaves after all that was sent while it was set.
func (s *Session) SendWhile(open *atomic.Bool, packets ...Packet) error {
	return s.sent(s.out.addWhile(open, packets))
}

// SendContext is Send, but waits for room. It returns the cause of ctx when that
// ends before; then nothing was sent. Of several who wait it is not said who is
// first.
func (s *Session) SendContext(ctx context.Context, packets ...Packet) error {
	return s.out.addWhenRoom(ctx, packets, false)
}

// WaitRoom is SendContext, but sends nothing: it returns when the packets would
// fit. Others may be faster then.
func (s *Session) WaitRoom(ctx context.Context, packets ...Packet) error {
	return s.out.addWhenRoom(ctx, packets, true)
}

// condemn has a goroutine end the session, so that a sender is never the one who
// runs what follows from that.
func (s *Session) condemn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() || s.condemned {
		return
	}
	s.condemned = true
	go func() {
		s.server.config.Logger.Warn("realtime: client reads too slowly, closing it", "sid", s.id,
			"buffered", s.out.buffered(), "cure", "send less, or raise Config.MaxBuffered")
		s.end(ReasonTransportError, false)
	}()
}

// SendVolatile sends packets if they can leave at once, or may wait as
// OverflowDropOldest has it, and drops them otherwise. It reports whether it took
// them.
func (s *Session) SendVolatile(packets ...Packet) bool { return s.out.addVolatile(packets...) }

// Close ends the session after what was sent has left.
func (s *Session) Close() { s.end(ReasonForcedClose, true) }

// Abort ends the session as if its connection had broken.
func (s *Session) Abort() { s.end(ReasonTransportClose, false) }

// handle sets the handler, before the session is known to others.
func (s *Session) handle(h Handler) {
	s.handler = h
	s.upgrader, _ = h.(Upgrader)
	s.beats, _ = h.(Heartbeater)
	s.out.drainer, _ = h.(Drainer)
}

// begin lets the session end, and ends it if that was asked for before.
func (s *Session) begin() {
	s.server.count.add(MetricConnections, s.Transport(), 1)
	s.mu.Lock()
	s.begun = true
	premature := s.premature
	s.mu.Unlock()
	if premature != nil {
		premature()
	}
}

// end is the one place where a session ends. Whoever removes it from the
// server's map goes on; the transport goes first, the handler last. With flush,
// what waits still leaves.
func (s *Session) end(reason string, flush bool) {
	s.mu.Lock()
	if !s.begun && s.premature == nil {
		s.premature = func() { s.end(reason, flush) }
	}
	if s.closed.Load() || !s.begun {
		s.mu.Unlock()
		return
	}
	s.closed.Store(true)
	if s.abort != nil {
		s.abort()
	}
	transport := s.transport()
	s.mu.Unlock()
	s.server.pulse.stop(s)
	s.server.count.add(MetricConnections, transport, -1)
	s.server.count.add(MetricDisconnections, reason, 1)

	var farewell []Packet
	switch {
	case reason == ReasonForcedClose:
		farewell = []Packet{closePacket}
	case reason == ReasonTransportClose && flush: // it said so itself, its poll is let go
		farewell = []Packet{noop}
	}
	left := s.out.close(flush, farewell...)
	s.mu.Lock()
	carrier, candidate := s.carrier, s.candidate // an upgrade may have come in between
	if left && s.probed {
		candidate = nil // its client polls no more before it has switched
	}
	s.mu.Unlock()
	if left && carrier == nil {
		s.linger()
	} else {
		s.server.remove(s)
	}
	if candidate != nil {
		candidate.abort()
	}
	if carrier != nil && !flush {
		carrier.abort()
	}
	s.handler.Closed(reason)
	s.server.ended()
}

// lingerTime is how long a closed session waits for the poll that fetches what
// is left in its outbox, or for the end of an upgrade.
const lingerTime = 10 * time.Second

// linger keeps a closed session known until its last poll, or until what is left
// has another way.
func (s *Session) linger() {
	s.mu.Lock()
	s.lingering = true
	s.lingerer = time.AfterFunc(lingerTime, s.forget)
	s.mu.Unlock()
	s.forgetSpent() // a poll may have come in between
}

// stopLinger has the timer not fire. mu is held.
func (s *Session) stopLinger() {
	if s.lingerer != nil {
		s.lingerer.Stop()
	}
}

// forgetSpent removes a session that lingers and has nothing left to say.
func (s *Session) forgetSpent() {
	s.mu.Lock()
	lingering := s.lingering
	s.mu.Unlock()
	if lingering && s.out.empty() {
		s.forget()
	}
}

// forget removes a closed session that lingers, and what was left in it.
func (s *Session) forget() {
	s.mu.Lock()
	s.stopLinger()
	candidate := s.candidate
	s.mu.Unlock()
	s.server.remove(s)
	s.out.discard()
	if candidate != nil {
		candidate.abort()
	}
}

// receive handles a packet that the client sent by transport, and reports whether
// more may follow. in is held.
func (s *Session) receive(p received, transport string) bool {
	if count := s.server.count; count != nil {
		count(MetricPacketsIn, transport, 1)
		count(MetricBytesIn, transport, int64(p.size))
	}
	// A WebSocket that breaks the rules gets a close frame after what was sent;
	// a polling client's next poll is refused.
	switch p.kind {
	case typeMessage:
		if s.closed.Load() {
			return false
		}
		if err := s.handler.Message(p.data, p.binary); err != nil {
			s.server.config.Logger.Debug("realtime: client sent an invalid message, closing it", "sid", s.id, "error", err)
			s.end(ReasonForcedClose, transport != Polling)
		}
	case typePing, typePong:
		if server := s.protocol == 4; server != (p.kind == typePong) { // who sends the pings
			s.end(ReasonTransportError, transport != Polling)
		} else if s.server.pulse.beaten(s) {
			if !server { // it has sent a ping
				s.Send(pong)
			}
			if s.beats != nil {
				s.beats.Heartbeat()
			}
		}
	case typeClose:
		s.end(ReasonTransportClose, true)
	}
	return !s.closed.Load()
}
