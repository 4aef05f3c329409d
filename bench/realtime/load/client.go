//go:build linux

package main

import (
	"bytes"
	"strconv"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
)

// A client is one Socket.IO client. Scenarios keep in it what they need.
type client struct {
	load    *load
	id      int
	ws      *conn
	event   func(op byte, p []byte) // takes what is not part of connecting
	began   int64                   // when what is under way began
	sent    int                     // acknowledgements asked for; the number is the id of the last
	acked   int                     // those that came
	pending int                     // messages under way
	room    []byte
	mark    []byte // by which it knows what itself has said
	poller
}

// connect opens clients by WebSocket, some at a time, until all have joined the namespace.
func (l *load) connect(count int, event func(cl *client) func(op byte, p []byte)) {
	request := l.webSocketRequest(nil)
	next := 0
	for l.ready < count {
		for l.opening < l.dialing && next < count {
			cl := &client{load: l, id: next}
			if event != nil {
				cl.event = event(cl)
			}
			l.clients = append(l.clients, cl)
			l.opening++
			cl.ws = l.dial(request)
			cl.ws.answered = func(status int, body []byte) {
				if status != 101 {
					l.fail("the answer to a WebSocket handshake is %d %q", status, body)
				}
			}
			cl.ws.message = cl.receive
			next++
		}
		if !l.wait(100) {
			return
		}
	}
}

// receive takes a message of the WebSocket.
func (cl *client) receive(op byte, p []byte) {
	if op == frame.Text && len(p) > 0 {
		switch {
		case p[0] == '2' && len(p) == 1:
			cl.load.pings++
			cl.ws.sendText([]byte("3"))
			return
		case p[0] == '0':
			cl.ws.sendText([]byte("40"))
			return
		case bytes.HasPrefix(p, []byte("40")):
			cl.load.ready++
			cl.load.opening--
			return
		case bytes.HasPrefix(p, []byte("44")):
			cl.load.fail("the server refused the namespace: %q", p)
			return
		}
	}
	if cl.event == nil {
		cl.load.fail("%q came and nothing was asked for", p[:min(len(p), 200)])
		return
	}
	cl.event(op, p)
}

// ackID takes the id from an acknowledgement and checks that it is the next: a server answers in order. It returns what
// follows it.
func (cl *client) ackID(p []byte, prefix string) []byte {
	digits := bytes.TrimPrefix(p, []byte(prefix))
	end := max(0, bytes.IndexByte(digits, '['))
	cl.acked++
	if id, err := strconv.Atoi(string(digits[:end])); err != nil || id != cl.acked {
		cl.load.fail("client %d expected acknowledgement %d and got %q", cl.id, cl.acked, p[:min(len(p), 200)])
	}
	return digits[end:]
}

// argument is JSON of about the size asked for.
func (l *load) argument() []byte {
	const around = `{"id":12345,"text":"","user":"alice"}`
	text := bytes.Repeat([]byte("hello, wo"), l.size/9+1)[:max(0, l.size-len(around))]
	return []byte(`{"id":12345,"text":"` + string(text) + `","user":"alice"}`)
}
