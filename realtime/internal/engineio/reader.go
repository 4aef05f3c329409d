package engineio

import (
	"sync"
	"time"
)

// buffers for reading a message; a connection that waits holds one of these
// only while a message is coming in.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// maxPooled is the capacity in bytes above which a buffer is not kept.
const maxPooled = 64 << 10

// next reads a packet from ws and passes it to handle. A binary frame is a
// message, a text frame a packet.
func (ws *webSocket) next(handle func(received)) error {
	buf := buffers.Get().(*[]byte)
	data, binary, err := ws.read(*buf)
	if err == nil {
		p := received{kind: typeMessage, data: data, binary: true}
		if !binary {
			p, err = decodePacket(data)
		}
		if err == nil {
			handle(p)
		}
	}
	if cap(data) <= maxPooled {
		*buf = data[:0]
		buffers.Put(buf)
	}
	return err
}

// dismiss closes a WebSocket that nobody wants, as its reader.
func (ws *webSocket) dismiss() {
	ws.finish()
	for {
		if err := ws.next(func(received) {}); err != nil && err != errPacket {
			ws.abort()
			return
		}
	}
}

// readAll is the reader of a session whose transport is ws.
func (s *Session) readAll(ws *webSocket) {
	for {
		err := ws.next(func(p received) { s.receive(p) })
		switch {
		case err == errPacket:
			s.end(ReasonParseError, true) // then reads on, for the client's close frame
		case err == errLarge:
			s.end(ReasonTransportError, true)
		case err != nil:
			s.end(ReasonTransportClose, false)
			ws.abort()
			return
		}
	}
}

// upgrade moves the session from polling to ws by the exchange of
// https://github.com/socketio/socket.io/blob/main/docs/engine.io-protocol/v4-current.md#upgrade:
// a probe, its answer, and the client's word that it has switched. Until then
// polling stays the transport, and a WebSocket that fails takes nothing down.
// From then on upgrade is ws's reader.
func (s *Session) upgrade(ws *webSocket) {
	timeout := time.AfterFunc(s.server.config.UpgradeTimeout, ws.abort)
	probed, upgraded := false, false
	for !upgraded {
		err := ws.next(func(p received) {
			switch {
			case p.kind == typePing && string(p.data) == "probe" && s.probe(ws):
				probed = true
			case p.kind == typeUpgrade && probed && timeout.Stop():
				upgraded = s.switchTo(ws)
			default:
				s.abandon(ws)
				ws.finish()
			}
		})
		if err == errPacket {
			s.abandon(ws)
			ws.finish()
		} else if err != nil && !upgraded {
			timeout.Stop()
			s.abandon(ws)
			ws.abort()
			return
		}
	}
	s.readAll(ws)
}

// probe answers the probe of the candidate, which holds polling. It reports
// false for a WebSocket that is no candidate any more.
func (s *Session) probe(ws *webSocket) bool {
	s.mu.Lock()
	candidate := s.candidate == ws
	s.mu.Unlock()
	if candidate {
		ws.write([]Packet{probeAnswer})
		s.out.hold(true)
	}
	return candidate
}

// offer makes ws the candidate of an upgrade, unless the session has ended, or
// another WebSocket came first.
func (s *Session) offer(ws *webSocket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.candidate != nil || s.socket != nil {
		return false
	}
	s.candidate = ws
	return true
}

// switchTo makes the candidate the transport. What waited in the outbox follows.
func (s *Session) switchTo(ws *webSocket) bool {
	s.mu.Lock()
	if s.closed || s.candidate != ws {
		s.mu.Unlock()
		ws.abort()
		return false
	}
	s.candidate, s.socket, s.transport = nil, ws, WebSocket
	s.mu.Unlock()
	if s.out.attach(ws) != nil { // ended in between
		ws.abort()
	}
	return true
}

// abandon gives up an upgrade; polling goes on, and another may be tried.
func (s *Session) abandon(ws *webSocket) {
	s.mu.Lock()
	was := s.candidate == ws
	if was {
		s.candidate = nil
	}
	s.mu.Unlock()
	if was {
		s.out.hold(false)
	}
}
