//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// broadcast measures messages to everybody, some of them under way at a time. An operation is one delivery.
func (l *load) broadcast() {
	l.connect(l.options.clients, func(*client) func(byte, []byte) {
		return func(_ byte, p []byte) {
			if !bytes.HasPrefix(p, []byte(`42["tick"`)) {
				l.fail("unexpected: %q", p[:min(len(p), 200)])
			}
			l.done++
		}
	})
	if l.failed != nil {
		return
	}
	request := fmt.Appendf(nil, `42["broadcast",%s]`, l.argument())
	each := int64(len(l.clients))
	run := func(rounds int) {
		base := l.done
		began := make([]int64, 0, rounds)
		for complete := 0; complete < rounds; {
			for len(began) < min(rounds, complete+l.inFlight) {
				began = append(began, l.now())
				l.clients[len(began)%len(l.clients)].ws.sendText(request)
			}
			l.waitUntil(func() bool { return l.done-base >= each*int64(complete+1) })
			if l.failed != nil {
				return
			}
			for complete < len(began) && l.done-base >= each*int64(complete+1) {
				l.record(began[complete])
				complete++
			}
		}
	}
	run(l.warmupRounds)
	l.measuring = true
	m, before := l.measure(), l.done
	run(l.rounds)
	m.stop(l.done - before)
}

// rooms measures chats: every client is in one room, and says something whenever it has heard what it said before. An
// operation is one delivery.
func (l *load) rooms() {
	joined := 0
	say := func(cl *client) {
		cl.began = l.now()
		l.payload = append(append(append(l.payload[:0], `42["say","`...), cl.room...), `",{"c":`...)
		l.payload = strconv.AppendInt(l.payload, int64(cl.id), 10)
		cl.ws.sendText(append(l.payload, `,"text":"hello there, room mates!!"}]`...))
	}
	l.connect(l.options.clients, func(cl *client) func(byte, []byte) {
		cl.mark = fmt.Appendf(nil, `"c":%d,`, cl.id)
		return func(_ byte, p []byte) {
			switch {
			case bytes.HasPrefix(p, []byte("43")):
				joined++
			case !bytes.HasPrefix(p, []byte(`42["said",`)):
				l.fail("unexpected: %q", p)
			default:
				l.done++
				if bytes.Contains(p, cl.mark) {
					l.record(cl.began)
					say(cl)
				}
			}
		}
	})
	l.join(func(cl *client) int { return cl.id / l.roomSize })
	l.waitUntil(func() bool { return joined == len(l.clients) })
	if l.failed != nil {
		return
	}
	for _, cl := range l.clients {
		say(cl)
	}
	l.timed()
}

// roomsInTurn measures what the number of rooms costs: something is said in one room after another, the next when all of
// the one before have heard it. Each has as many members, so where there are more rooms than clients for them, a client
// is in several. An operation is one delivery.
func (l *load) roomsInTurn() {
	joined, heard, turn := 0, 0, 0
	say := func() {
		l.payload = fmt.Appendf(l.payload[:0], `42["say","r%d",{"text":"hello there, room mates!!"}]`, turn%l.options.rooms)
		l.clients[turn*l.roomSize%len(l.clients)].ws.sendText(l.payload)
		turn++
	}
	l.connect(l.options.clients, func(cl *client) func(byte, []byte) {
		return func(_ byte, p []byte) {
			if bytes.HasPrefix(p, []byte("43")) {
				joined++
				return
			}
			l.done++
			if heard++; heard == l.roomSize {
				heard = 0
				say()
			}
		}
	})
	for room := range l.options.rooms {
		for member := range l.roomSize {
			l.clients[(room*l.roomSize+member)%len(l.clients)].joinRoom(fmt.Appendf(nil, "r%d", room))
		}
		if room%10 == 9 && !l.wait(0) {
			return
		}
	}
	l.waitUntil(func() bool { return joined == l.options.rooms*l.roomSize })
	if l.failed != nil {
		return
	}
	say()
	l.timed()
}
