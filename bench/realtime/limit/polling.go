//go:build linux

package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
)

// A poll is what waits for a polling client.
type poll struct {
	mu       sync.Mutex
	out      []byte // packets, with the separator between them
	waiting  bool   // a request waits for wake
	probing  bool   // a WebSocket is being tried: a request gets a noop at once
	upgraded bool
	wake     chan struct{}
}

const separator = 0x1e

// add keeps a packet for the next request; false once the session has a WebSocket.
func (p *poll) add(f []byte, head int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.upgraded {
		return false
	}
	if len(p.out) > 0 {
		p.out = append(p.out, separator)
	}
	if f[0]&15 == frame.Binary {
		p.out = base64.StdEncoding.AppendEncode(append(p.out, 'b'), f[head:])
	} else {
		p.out = append(p.out, f[head:]...)
	}
	p.release()
	return true
}

// release answers the request that waits, if one does; mu is held.
func (p *poll) release() {
	if p.waiting {
		p.waiting = false
		p.wake <- struct{}{}
	}
}

// probe makes room for a WebSocket.
func (p *poll) probe() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probing = true
	if p.waiting {
		p.out = append(p.out, '6')
	}
	p.release()
}

// take waits for packets and returns them.
func (p *poll) take() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.out) == 0 {
		if p.probing {
			return []byte("6")
		}
		p.waiting = true
		p.mu.Unlock()
		<-p.wake
		p.mu.Lock()
	}
	out := p.out
	p.out = nil
	return out
}

// giveBack keeps the memory of what take returned.
func (p *poll) giveBack(out []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil && cap(out) <= 4096 {
		p.out = out[:0]
	}
}

// handOver sends what waits by WebSocket, and everything from then on.
func (n *session) handOver(c carrier) {
	p := n.poll
	p.mu.Lock()
	n.carrier, p.upgraded = c, true
	out := p.out
	p.out = nil
	p.mu.Unlock()
	for packet := range bytes.SplitSeq(out, []byte{separator}) {
		if len(packet) > 0 {
			c.send(frame.Append(nil, frame.Text, packet), frame.HeaderLen(len(packet)), true)
		}
	}
	n.server.mu.Lock()
	delete(n.server.polling, n.id)
	n.server.mu.Unlock()
}

// serve answers a request of Engine.IO.
func (s *server) serve(w http.ResponseWriter, r *http.Request, upgrade upgrade) {
	var n *session
	if id := parameter(r.URL.RawQuery, "sid"); id != "" {
		s.mu.RLock()
		n = s.polling[id]
		s.mu.RUnlock()
		if n == nil {
			http.Error(w, `{"code":1,"message":"Session ID unknown"}`, http.StatusBadRequest)
			return
		}
	}
	switch {
	case parameter(r.URL.RawQuery, "transport") == "websocket":
		upgrade(w, r, n)
	case n == nil:
		n, handshake := s.open(nil, `"websocket"`)
		n.poll = &poll{wake: make(chan struct{}, 1)}
		s.mu.Lock()
		s.polling[n.id] = n
		s.mu.Unlock()
		answer(w, handshake)
	case r.Method == http.MethodGet:
		out := n.poll.take()
		answer(w, out)
		n.poll.giveBack(out)
	default:
		body := make([]byte, max(0, r.ContentLength))
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return
		}
		for packet := range bytes.SplitSeq(body, []byte{separator}) {
			n.receive(frame.Text, packet)
		}
		answer(w, []byte("ok"))
	}
}

func answer(w http.ResponseWriter, body []byte) {
	w.Header()["Content-Type"] = []string{"text/plain; charset=UTF-8"}
	w.Write(body)
}

// parameter returns a parameter of a query that needs no decoding.
func parameter(query, name string) string {
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value
		}
	}
	return ""
}
