package engineio

import "time"

// inlet is where the messages of one carrier go: to the session that it carries,
// to the one that it wants to take over, to another node, or nowhere. It belongs to
// the carrier's reader.
type inlet struct {
	carrier carrier
	session *Session    // nil when nobody on this node wants what comes
	relay   relay       // who does on another, or nil
	timeout *time.Timer // of an upgrade that is under way, or nil
	probed  bool        // its probe was answered
	holds   bool        // the session's in, until pause
}

// relay takes what comes by a carrier for a session of another node.
type relay interface {
	message(data []byte, binary bool)
	breach(err error)
	ended()
}

// inlet returns the inlet of c, which carries the session.
func (s *Session) inlet(c carrier) *inlet { return &inlet{carrier: c, session: s} }

// upgrade returns the inlet of c, which is offered to the session.
func (s *Session) upgrade(c carrier) *inlet {
	return &inlet{carrier: c, session: s, timeout: time.AfterFunc(s.server.config.UpgradeTimeout, c.abort)}
}

// begin begins to close a connection that nobody wants.
func (in *inlet) begin() {
	if in.session == nil && in.relay == nil {
		in.carrier.finish()
	}
}

// run reads the carrier until its connection has ended.
func (in *inlet) run() {
	in.begin()
	in.carrier.serve(in)
	in.ended()
}

// message takes a message: a binary one, or a text that is a packet.
func (in *inlet) message(data []byte, binary bool) {
	if in.session == nil {
		if in.relay != nil {
			in.relay.message(data, binary)
		}
		return
	}
	p, err := in.session.decode(data, binary)
	switch {
	case err != nil:
		in.breach(err)
	case in.timeout != nil:
		in.negotiate(p)
	default:
		if !in.holds {
			in.session.in.Lock()
			in.holds = true
		}
		in.session.receive(p, in.carrier.name())
	}
}

// decode decodes a message of a WebSocket or a stream.
func (s *Session) decode(data []byte, binary bool) (received, error) {
	switch {
	case s.protocol == 3 && binary:
		return decodeBinary3(data)
	case s.protocol == 3:
		return decodePacket3(data)
	case binary:
		return received{kind: typeMessage, data: data, binary: true, size: len(data)}, nil
	}
	return decodePacket(data)
}

// pause is called after the last of the messages that came together.
func (in *inlet) pause() {
	if in.holds {
		in.holds = false
		in.session.in.Unlock()
	}
}

// breach takes it that the client breaks the rules. It is read on until it has
// closed its side.
func (in *inlet) breach(err error) {
	switch {
	case in.relay != nil:
		in.relay.breach(err)
	case in.session == nil:
	case in.timeout != nil:
		in.refuse()
	case err == errPacket || err == errText:
		in.session.end(ReasonParseError, true)
	default:
		in.session.end(ReasonTransportError, true)
	}
}

// ended takes it that the connection has ended.
func (in *inlet) ended() {
	in.pause()
	switch {
	case in.relay != nil:
		in.relay.ended()
	case in.session == nil:
	case in.timeout != nil:
		in.timeout.Stop()
		in.session.abandon(in.carrier)
	default:
		in.session.end(ReasonTransportClose, false)
	}
	in.carrier.abort()
}

// negotiate moves the session from polling to the carrier by the exchange of
// https://github.com/socketio/socket.io/blob/main/docs/engine.io-protocol/v4-current.md#upgrade:
// a probe, its answer, and the client's word that it has switched. Until then
// polling stays the transport, and a candidate that fails takes nothing down.
func (in *inlet) negotiate(p received) {
	switch {
	case p.kind == typePing && string(p.data) == "probe" && in.session.probe(in.carrier):
		in.probed = true
	case p.kind == typeUpgrade && in.probed && in.timeout.Stop():
		if in.session.switchTo(in.carrier) {
			in.timeout = nil
		}
	default:
		in.refuse()
	}
}

// refuse gives an upgrade up.
func (in *inlet) refuse() {
	in.session.abandon(in.carrier)
	in.carrier.finish()
}
