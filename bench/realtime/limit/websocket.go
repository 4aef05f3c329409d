//go:build linux

package main

import "github.com/zocalo-go/zocalo/bench/realtime/internal/frame"

// A webSocket gives what one connection receives to its session. One that comes by upgrade is a probe at first.
type webSocket struct {
	session *session
	carrier carrier
	probing bool
}

// begin starts the session of a WebSocket that is open, or the upgrade of the one that polls.
func (s *server) begin(c carrier, polling *session) *webSocket {
	if polling != nil {
		return &webSocket{session: polling, carrier: c, probing: true}
	}
	n, handshake := s.open(c, "")
	n.text(handshake)
	return &webSocket{session: n, carrier: c}
}

// receive takes a message, from one goroutine at a time.
func (ws *webSocket) receive(op byte, p []byte) {
	switch {
	case !ws.probing:
		ws.session.receive(op, p)
	case string(p) == "2probe":
		ws.carrier.send(frame.Append(nil, frame.Text, []byte("3probe")), frame.HeaderLen(6), true)
		ws.session.poll.probe()
	case string(p) == "5":
		ws.probing = false
		ws.session.handOver(ws.carrier)
	}
}

// frame takes the frame that b begins with and returns its length: 0 if b ends within it, and negative if it closes the
// connection. The payload is unmasked in place.
func (ws *webSocket) frame(b []byte) int {
	h, ok := frame.Parse(b)
	if !ok || len(b)-h.Len < h.Payload {
		return 0
	}
	p := b[h.Len : h.Len+h.Payload]
	if h.Masked {
		frame.Mask(p, h.Key)
	}
	switch h.Op {
	case frame.Close:
		p = p[:min(len(p), 2)]
		ws.carrier.send(frame.Append(nil, frame.Close, p), frame.HeaderLen(len(p)), true)
		return -1
	case frame.Ping:
		ws.carrier.send(frame.Append(nil, frame.Pong, p), frame.HeaderLen(len(p)), true)
	case frame.Pong:
	default:
		ws.receive(h.Op, p)
	}
	return h.Len + h.Payload
}
