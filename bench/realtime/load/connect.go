//go:build linux

package main

import (
	"fmt"
	nethttp "net/http"
	"time"
)

// connectAndIdle measures the connecting of many clients, and the memory they take when all have joined the namespace
// and a room, and are silent: before and after the server collects its garbage.
func (l *load) connectAndIdle() {
	before := l.memory()
	joined := 0
	m := l.measure()
	l.connect(l.options.clients, func(cl *client) func(byte, []byte) {
		return func(_ byte, p []byte) {
			cl.ackID(p, "43")
			joined++
		}
	})
	if l.failed != nil {
		return
	}
	m.stop(int64(l.ready))
	l.join(func(cl *client) int { return cl.id / l.roomSize })
	l.waitUntil(func() bool { return joined == l.ready })
	l.waitFor(l.settle)
	l.outcome.RSSBefore = (l.memory() - before) / float64(l.ready)
	l.collect()
	l.waitFor(l.settle)
	l.outcome.RSS = (l.memory() - before) / float64(l.ready)
}

// join has every client join one room.
func (l *load) join(room func(*client) int) {
	for i, cl := range l.clients {
		cl.room = fmt.Appendf(nil, "r%d", room(cl))
		cl.joinRoom(cl.room)
		if i%100 == 99 && !l.wait(0) {
			return
		}
	}
}

func (cl *client) joinRoom(name []byte) {
	cl.sent++
	cl.ws.sendText(fmt.Appendf(nil, `42%d["join","%s"]`, cl.sent, name))
}

// collect has the server collect its garbage and give memory back.
func (l *load) collect() {
	client := nethttp.Client{Timeout: 30 * time.Second, Transport: &nethttp.Transport{DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/__gc", l.port))
	if err != nil {
		l.fail("/__gc: %w", err)
		return
	}
	response.Body.Close()
}

// heartbeat measures pings and their pongs, of clients that do nothing else. The interval is the server's.
func (l *load) heartbeat() {
	l.connect(l.options.clients, nil)
	l.waitFor(l.warmup)
	m, before := l.measure(), l.pings
	l.waitFor(l.duration)
	m.stop(l.pings - before)
}
