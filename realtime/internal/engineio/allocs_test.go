//go:build !race

// The race detector makes pools forget at random.

package engineio

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Messages taken from frames that lie in one piece cost no memory.
func TestFramesAllocate(t *testing.T) {
	wire := joined(repeat(20, bitFinal|opText, "42[\"echo\",1]"), repeat(1, bitFinal|opBinary, strings.Repeat("x", 1024)))
	f, to := &frames{limit: 1 << 20, most: 1000}, silence{}
	if n := testing.AllocsPerRun(100, func() { f.take(wire, to) }); n != 0 {
		t.Errorf("%v allocations for 21 messages", n)
	}
}

// What a WebSocket brings reaches the handler, and is beaten for, without any
// memory.
func TestReceiveAllocates(t *testing.T) {
	handler := &counted{}
	server, _, _ := newListened(Config{MaxPayload: 1 << 20, MaxFragments: 1000})
	server.connect = func(*Session, *http.Request) Handler { return handler }
	r := upgradeRequest("")
	ws, err := server.acceptWebSocket(hijacked{httptest.NewRecorder(), &drain{}}, r)
	if err != nil {
		t.Fatal(err)
	}
	session, _ := server.start("id", 4, ws, r)
	defer session.Abort()
	ws.in = session.inlet(ws)
	wire := joined(repeat(20, bitFinal|opText, `42["echo",1]`), repeat(1, bitFinal|opBinary, strings.Repeat("x", 1024)))
	const runs = 100
	if n := testing.AllocsPerRun(runs, func() { ws.take(wire) }); n != 0 {
		t.Errorf("%v allocations for 21 messages", n)
	}
	if want := 21 * (runs + 1); handler.messages != want {
		t.Errorf("%d messages, want %d", handler.messages, want)
	}

	p, pong := server.pulse, repeat(1, bitFinal|opText, "3")
	if n := testing.AllocsPerRun(runs, func() {
		p.mu.Lock()
		session.heartbeat.leave()
		p.pongs.join(session, time.Now().Add(time.Hour)) // as if it owed one
		p.mu.Unlock()
		ws.take(pong)
	}); n != 0 {
		t.Errorf("%v allocations for a pong", n)
	}
	if session.heartbeat.line != &p.pings {
		t.Error("the pong was not taken")
	}
}
