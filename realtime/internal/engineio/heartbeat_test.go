package engineio

import (
	"testing"
	"time"
)

// The server pings after PingInterval, and gives up PingTimeout after a ping that
// is not answered, neither earlier nor later, on any transport.
func TestHeartbeat(t *testing.T) {
	config := Config{PingInterval: 10 * time.Second, PingTimeout: 3 * time.Second}
	for name, open := range map[string]func(w *world) (next func() string, send func(string), p *peer){
		Polling: func(w *world) (func() string, func(string), *peer) {
			url, p := w.open()
			return func() string { return w.get(url).body }, func(packet string) { w.post(url, packet) }, p
		},
		WebSocket: func(w *world) (func() string, func(string), *peer) {
			ws, p := w.openSocket()
			w.t.Cleanup(func() { ws.CloseNow() })
			return func() string { return w.read(ws) }, func(packet string) { w.write(ws, packet) }, p
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorlds(t, config, func(w *world) {
				start := time.Now()
				next, send, p := open(w)
				for beat := range 3 {
					expect(t, next(), "2")
					if d := time.Since(start); d != 10*time.Second {
						t.Errorf("ping %d came after %v", beat, d)
					}
					p.told()
					time.Sleep(3*time.Second - 1)
					p.expect(t)
					send("3")
					start = time.Now()
					p.expect(t, "heartbeat")
				}
				expect(t, next(), "2")
				p.told()
				time.Sleep(3*time.Second - 1)
				send("4a message is no pong")
				p.told()
				time.Sleep(time.Nanosecond)
				if log := p.told(); len(log) != 1 || log[0] != "closed: ping timeout" {
					t.Errorf("the handler was told %q", log)
				}
			})
		})
	}
}

// A client that is excused owes no pong, and is pinged on.
func TestHeartbeatExcused(t *testing.T) {
	inWorlds(t, Config{PingInterval: 10 * time.Second, PingTimeout: 3 * time.Second}, func(w *world) {
		ws, p := w.openSocket()
		defer ws.CloseNow()
		p.told()
		p.Excuse() // from nothing
		for range 3 {
			start := time.Now()
			expect(t, w.read(ws), "2")
			if d := time.Since(start); d != 10*time.Second {
				t.Errorf("the ping came after %v", d)
			}
			p.Excuse()
		}
		expect(t, w.read(ws), "2")
		p.told()
		time.Sleep(3*time.Second - 1)
		p.expect(t)
		time.Sleep(time.Nanosecond)
		p.expect(t, "closed: ping timeout")
	})
}
