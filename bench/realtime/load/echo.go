//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
)

// echo measures events that are acknowledged with their argument. Each active client sends a batch of them and, when all
// are answered, the next client whose turn it is sends its own; or at a fixed rate, where the time an answer takes
// begins when its event should have been sent.
func (l *load) echo(binary bool) {
	e := &echo{load: l, binary: binary, argument: l.argument()}
	if binary {
		e.argument = make([]byte, l.size)
		for i := range e.argument {
			e.argument[i] = byte(i * 7)
		}
	}
	l.connect(l.options.clients, func(cl *client) func(byte, []byte) {
		return func(op byte, p []byte) { e.received(cl, op, p) }
	})
	if l.failed != nil {
		return
	}
	e.waiting = append(e.waiting, l.clients...)
	if l.rate > 0 {
		l.timedBy(e.atRate)
		return
	}
	active := l.active
	if active == 0 {
		active = len(l.clients)
	}
	for range active {
		e.sendNext(l.now())
	}
	l.timed()
}

type echo struct {
	load     *load
	binary   bool
	argument []byte
	waiting  []*client // in the order in which they will send
	first    int       // the index in waiting of the next
	checked  int
}

// sendNext has the client whose turn it is send its batch.
func (e *echo) sendNext(began int64) {
	cl := e.waiting[e.first]
	e.first++
	if e.first > 1<<12 {
		e.waiting = e.waiting[:copy(e.waiting, e.waiting[e.first:])]
		e.first = 0
	}
	l := e.load
	cl.began = began
	cl.pending = l.batch
	l.frame = l.frame[:0]
	for range l.batch {
		cl.sent++
		if e.binary {
			l.payload = append(strconv.AppendInt(append(l.payload[:0], "451-"...), int64(cl.sent), 10), `["bin",{"_placeholder":true,"num":0}]`...)
			l.frame = frame.AppendMasked(l.frame, frame.Text, l.payload)
			l.frame = frame.AppendMasked(l.frame, frame.Binary, e.argument)
			continue
		}
		l.payload = appendEcho(l.payload[:0], cl.sent, e.argument)
		l.frame = frame.AppendMasked(l.frame, frame.Text, l.payload)
	}
	cl.ws.send(l.frame)
}

// appendEcho appends the packet of an event that asks for its argument.
func appendEcho(dst []byte, id int, argument []byte) []byte {
	dst = strconv.AppendInt(append(dst, "42"...), int64(id), 10)
	return append(append(append(dst, `["echo",`...), argument...), ']')
}

// received takes an answer. The content of the first thousand is looked at, the order of all.
func (e *echo) received(cl *client, op byte, p []byte) {
	l := e.load
	look := e.checked < 1000
	switch {
	case e.binary && op == frame.Text:
		cl.ackID(p, "461-")
		return
	case e.binary:
		if len(p) != len(e.argument) || look && !bytes.Equal(p, e.argument) {
			l.fail("%d bytes came back as %d others", len(e.argument), len(p))
		}
	default:
		if rest := cl.ackID(p, "43"); look && !bytes.Contains(rest, e.argument) {
			l.fail("%q came back as %q", e.argument, p)
		}
	}
	e.checked++
	l.done++
	if cl.pending--; cl.pending > 0 {
		return
	}
	l.record(cl.began)
	e.waiting = append(e.waiting, cl)
	if l.rate == 0 {
		e.sendNext(l.now())
	}
}

// atRate sends at a fixed rate. A client that has not been answered is passed over; when none is left, those that are
// late begin when they should have.
func (e *echo) atRate(d time.Duration) {
	l := e.load
	gap := 1e9 / float64(l.rate)
	due := float64(l.now())
	for end := l.now() + int64(d); l.now() < end; {
		for due <= float64(l.now()) && e.first < len(e.waiting) {
			e.sendNext(int64(due))
			due += gap
		}
		next := min(int64(due), end)
		if e.first == len(e.waiting) {
			next = end // nobody can send before an answer comes
		}
		if !l.waitUntilTime(next) {
			return
		}
	}
}

// flood measures events that the server sends to one client, a batch at once when it is asked to.
func (l *load) flood() {
	request := fmt.Appendf(nil, `42["flood",%d,%s]`, l.batch, l.argument())
	ask := func(cl *client) {
		cl.began = l.now()
		cl.pending = l.batch
		cl.ws.sendText(request)
	}
	l.connect(l.options.clients, func(cl *client) func(byte, []byte) {
		return func(_ byte, p []byte) {
			if !bytes.HasPrefix(p, []byte(`42["tick"`)) {
				l.fail("unexpected: %q", p)
			}
			l.done++
			if cl.pending--; cl.pending == 0 {
				l.record(cl.began)
				ask(cl)
			}
		}
	})
	if l.failed != nil {
		return
	}
	for _, cl := range l.clients {
		ask(cl)
	}
	l.timed()
}
