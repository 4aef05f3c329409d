//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"strconv"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
)

// A session is one client in the namespace "/". Its methods are called by its reader alone, but for send.
type session struct {
	server  *server
	carrier carrier // the WebSocket; nil while there is only polling
	id      string
	poll    *poll // nil without polling

	// Owned by the reader.
	scratch []byte
	ack     []byte // of the binary event whose attachment comes next; nil if none does
	rooms   []*room

	// Guarded by the server's mu.
	index     int
	connected bool
	closed    bool
}

// send sends a frame, by WebSocket if there is one.
func (n *session) send(f []byte, head int, shared bool) {
	if n.poll != nil && n.poll.add(f, head) {
		return
	}
	n.carrier.send(f, head, shared)
}

// text sends a message that is made of parts.
func (n *session) text(parts ...[]byte) {
	n.scratch = appendText(n.scratch[:0], parts...)
	n.send(n.scratch, head(n.scratch), false)
}

// appendText appends the frame of a text message that is made of parts.
func appendText(dst []byte, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	dst = frame.AppendHeader(dst, frame.Text, size)
	for _, part := range parts {
		dst = append(dst, part...)
	}
	return dst
}

// head returns the length of the header of a frame.
func head(f []byte) int {
	switch f[1] & 127 {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// receive takes a message.
func (n *session) receive(op byte, p []byte) {
	switch {
	case op == frame.Binary:
		n.attachment(p)
	case len(p) < 2 || p[0] != '4': // a pong
	case p[1] == '0':
		n.server.connect(n)
		n.text([]byte(`40{"sid":"`), []byte(rand.Text()), []byte(`"}`))
	case p[1] == '2':
		if start := bytes.IndexByte(p, '['); start > 0 {
			n.event(p[2:start], p[start:])
		}
	case p[1] == '5': // 451-<ack>["bin",{"_placeholder":true,"num":0}]
		if start := bytes.IndexByte(p, '['); start > 4 {
			n.ack = append(n.ack[:0], p[4:start]...)
		}
	}
}

// event does what the contract says of an event, without a look at its JSON.
func (n *session) event(ack, event []byte) {
	switch {
	case cut(&event, `["echo",`):
		n.text([]byte("43"), ack, []byte("["), event)
	case cut(&event, `["broadcast",`):
		f := appendText(nil, []byte(`42["tick",`), event)
		broadcast(&n.server.mu, &n.server.all, f, head(f))
	case cut(&event, `["say","`):
		name, rest, _ := bytes.Cut(event, []byte(`",`))
		n.server.mu.RLock()
		r := n.server.rooms[string(name)]
		n.server.mu.RUnlock()
		if r != nil {
			f := appendText(nil, []byte(`42["said",`), rest)
			broadcast(&r.mu, &r.members, f, head(f))
		}
	case cut(&event, `["join","`):
		name, _, _ := bytes.Cut(event, []byte(`"`))
		n.server.join(n, string(name))
		n.text([]byte("43"), ack, []byte("[]"))
	case cut(&event, `["flood",`):
		times, rest, _ := bytes.Cut(event, []byte(`,`))
		count, _ := strconv.Atoi(string(times))
		for range count {
			n.text([]byte(`42["tick",`), rest)
		}
	}
}

func cut(b *[]byte, prefix string) bool {
	if len(*b) < len(prefix) || string((*b)[:len(prefix)]) != prefix {
		return false
	}
	*b = (*b)[len(prefix):]
	return true
}

// attachment sends the attachment of a "bin" event back.
func (n *session) attachment(p []byte) {
	if len(n.ack) == 0 {
		return
	}
	n.text([]byte("461-"), n.ack, []byte(`[{"_placeholder":true,"num":0}]`))
	n.ack = n.ack[:0]
	n.scratch = frame.Append(n.scratch[:0], frame.Binary, p)
	n.send(n.scratch, head(n.scratch), false)
	if cap(n.scratch) > 4096 {
		n.scratch = nil
	}
}

// close ends the session.
func (n *session) close() { n.server.remove(n) }
