package engineio

import (
	"fmt"
	"testing"
	"time"
)

// A line is in the order in which its sessions are due, whoever joins and leaves.
func TestLine(t *testing.T) {
	var l line
	start := time.Now()
	sessions := make([]Session, 6)
	for i, due := range []int{3, 5, 4, 9, 1, 7} {
		sessions[i].id = fmt.Sprint(due)
		l.join(&sessions[i], start.Add(time.Duration(due)))
	}
	sessions[1].heartbeat.leave() // in the middle
	sessions[3].heartbeat.leave() // at the end
	sessions[4].heartbeat.leave() // at the beginning
	sessions[4].heartbeat.leave()
	l.join(&sessions[4], start.Add(8))
	got := ""
	for s, due := l.due(start.Add(7)); s != nil; s, due = l.due(start.Add(7)) {
		if due != start.Add(time.Duration(s.id[0]-'0')) {
			t.Errorf("%s was due %v", s.id, due)
		}
		got += s.id
	}
	expect(t, got, "347")
	if l.first != &sessions[4] || l.last != &sessions[4] {
		t.Errorf("%v is left", l)
	}
}

// Of many sessions each is pinged, and each that does not answer ends.
func TestPulseOfMany(t *testing.T) {
	inWorld(t, Config{PingInterval: 10 * time.Second, PingTimeout: 5 * time.Second}, func(w *world) {
		var alive, dead []*peer
		for i := range 40 {
			url, p := w.open()
			if i%2 == 0 {
				dead = append(dead, p)
				continue
			}
			alive = append(alive, p)
			go func() {
				for range 3 {
					if got := w.get(url).body; got != "2" {
						t.Errorf("poll: %q", got)
					}
					w.post(url, "3")
				}
			}()
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(35 * time.Second)
		for _, p := range dead {
			p.expect(t, "closed: ping timeout")
		}
		for _, p := range alive {
			beats := 0
			for _, s := range p.told() {
				switch s {
				case "heartbeat":
					beats++
				case "drained":
				default:
					t.Errorf("the handler was told %q", s)
				}
			}
			if beats != 3 {
				t.Errorf("%d heartbeats", beats)
			}
		}
		w.server.pulse.mu.Lock()
		defer w.server.pulse.mu.Unlock()
		if w.server.pulse.pongs.first != nil {
			t.Error("a session that has ended is waited for")
		}
	})
}
