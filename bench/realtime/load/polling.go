//go:build linux

package main

import (
	"bytes"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
)

// A poller is the part of a client that polls: one connection with a GET that waits, one for POSTs.
type poller struct {
	sid      []byte
	get      *conn
	post     *conn
	getting  bool // an answer is awaited
	posting  bool
	queue    [][]byte // bodies to post when the one before is answered
	stop     bool     // no further GET
	probed   bool
	upgraded bool

	opened func()         // told when the session has an id
	packet func(p []byte) // takes packets, but pings
	rested func()         // told when a GET or a POST has been answered
}

// poll opens a session by polling and joins the namespace.
func (cl *client) poll() {
	cl.load.opening++
	cl.getting = true
	cl.get = cl.load.dial(cl.load.pollRequest(nil, nil))
	cl.get.answered = func(status int, body []byte) {
		if status != 200 || len(body) == 0 {
			cl.load.fail("the answer to a GET is %d %q", status, body)
			return
		}
		cl.getting = false
		if cl.sid == nil {
			_, rest, _ := bytes.Cut(body, []byte(`"sid":"`))
			sid, _, _ := bytes.Cut(rest, []byte(`"`))
			cl.sid = bytes.Clone(sid)
			if cl.opened != nil {
				cl.opened()
			}
			cl.getAgain()
			cl.postBody([]byte("40"))
			return
		}
		for packet := range bytes.SplitSeq(body, []byte{0x1e}) {
			switch string(packet) {
			case "2":
				cl.postBody([]byte("3"))
			case "6":
			default:
				cl.packet(packet)
			}
		}
		if !cl.stop {
			cl.getAgain()
		}
		cl.rested()
	}
}

func (cl *client) getAgain() {
	cl.getting = true
	cl.get.send(cl.load.pollRequest(cl.sid, nil))
}

// postBody posts packets, one request at a time.
func (cl *client) postBody(body []byte) {
	if cl.posting {
		cl.queue = append(cl.queue, bytes.Clone(body))
		return
	}
	cl.posting = true
	request := cl.load.pollRequest(cl.sid, body)
	if cl.post != nil {
		cl.post.send(request)
		return
	}
	cl.post = cl.load.dial(request)
	cl.post.answered = func(status int, body []byte) {
		if status != 200 {
			cl.load.fail("the answer to a POST is %d %q", status, body)
			return
		}
		cl.posting = false
		if len(cl.queue) > 0 {
			next := cl.queue[0]
			cl.queue = cl.queue[1:]
			cl.postBody(next)
			return
		}
		cl.rested()
	}
}

// pollingEcho measures the echo by long-polling: a POST for the event, and the GET that brings its answer.
func (l *load) pollingEcho() {
	argument := l.argument()
	running := false
	for id := range l.options.clients {
		cl := &client{load: l, id: id}
		l.clients = append(l.clients, cl)
		send := func() {
			if !running || cl.pending > 0 || cl.posting {
				return
			}
			cl.pending++
			cl.sent++
			cl.began = l.now()
			cl.postBody(appendEcho(nil, cl.sent, argument))
		}
		cl.rested = send
		cl.packet = func(p []byte) {
			if bytes.HasPrefix(p, []byte("40")) {
				l.ready++
				l.opening--
				return
			}
			if rest := cl.ackID(p, "43"); !bytes.Contains(rest, argument) {
				l.fail("%q came back as %q", argument, p)
			}
			l.done++
			l.record(cl.began)
			cl.pending--
		}
		cl.poll()
	}
	l.waitUntil(func() bool { return l.ready == len(l.clients) })
	running = true
	for _, cl := range l.clients {
		cl.rested()
	}
	l.timed()
}

// upgrade measures connecting as browsers do: a session by polling, a WebSocket that is probed, the upgrade, and one
// echo over it.
func (l *load) upgrade() {
	argument := l.argument()
	run := func(count int) {
		goal := l.done + int64(count)
		begun := 0
		for l.done < goal {
			for l.opening < l.dialing && begun < count {
				l.upgradeOne(argument)
				begun++
			}
			if !l.wait(50) {
				return
			}
		}
	}
	run(l.warmupRounds)
	l.measuring = true
	m, before := l.measure(), l.done
	run(l.options.clients)
	m.stop(l.done - before)
}

func (l *load) upgradeOne(argument []byte) {
	cl := &client{load: l, id: len(l.clients), began: l.now()}
	l.clients = append(l.clients, cl)
	// The upgrade is sent when no request is under way any more, as engine.io-client does.
	cl.rested = func() {
		if !cl.probed || cl.upgraded || cl.getting || cl.posting {
			return
		}
		cl.upgraded = true
		cl.sent++
		l.frame = frame.AppendMasked(l.frame[:0], frame.Text, []byte("5"))
		l.frame = frame.AppendMasked(l.frame, frame.Text, appendEcho(nil, cl.sent, argument))
		cl.ws.send(l.frame)
	}
	cl.packet = func(p []byte) {
		switch {
		case bytes.HasPrefix(p, []byte("40")):
			l.ready++
		case bytes.HasPrefix(p, []byte("43")):
			cl.ackID(p, "43")
			l.done++
			l.opening--
			l.record(cl.began)
			cl.get.close()
			cl.post.close()
		case string(p) == "2":
			cl.ws.sendText([]byte("3"))
		case string(p) == "6":
		default:
			l.fail("unexpected: %q", p)
		}
	}
	cl.opened = func() {
		cl.ws = l.dial(l.webSocketRequest(cl.sid))
		cl.ws.answered = func(status int, body []byte) {
			if status != 101 {
				l.fail("the answer to the upgrade is %d %q", status, body)
				return
			}
			cl.ws.sendText([]byte("2probe"))
		}
		cl.ws.message = func(_ byte, p []byte) {
			if string(p) != "3probe" {
				cl.packet(p)
				return
			}
			cl.probed, cl.stop = true, true
			cl.rested()
		}
	}
	cl.poll()
}
