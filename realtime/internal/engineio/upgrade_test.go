package engineio

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestCloseDuringUpgrade ends a session whose client has stopped polling, as it does when its probe was answered. What
// was sent before has to reach it, by the poll that still stands or by the new connection.
func TestCloseDuringUpgrade(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		url, p := w.open()
		ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
		defer ws.CloseNow()
		w.write(ws, "2probe")
		expect(t, w.read(ws), "3probe")

		polled := make(chan string, 1)
		go func() { polled <- w.get(url).body }()
		synctest.Wait()
		p.Send(Text([]byte("polled")))
		expect(t, <-polled, "4polled")
		p.Send(Text([]byte("last words")))
		p.Close()
		w.write(ws, "5")
		expect(t, w.read(ws), "4last words")
		expect(t, w.read(ws), "StatusNoStatusRcvd")
		if got := w.get(url).StatusCode; got != 400 {
			t.Errorf("a poll after that: %d", got)
		}
	})
}

// TestCloseDuringUpgradeThatFails ends a session whose client goes on polling.
func TestCloseDuringUpgradeThatFails(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		url, p := w.open()
		ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
		defer ws.CloseNow()
		w.write(ws, "2probe")
		expect(t, w.read(ws), "3probe")
		p.Send(Text([]byte("last words")))
		p.Close()
		w.poll(url, "4last words")
		w.poll(url, "1")
		expect(t, w.read(ws), "cut")
	})
}

// TestCloseDuringUpgradeOfASilentClient ends a session whose client does nothing any more.
func TestCloseDuringUpgradeOfASilentClient(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		url, p := w.open()
		ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
		defer ws.CloseNow()
		w.write(ws, "2probe")
		expect(t, w.read(ws), "3probe")
		start := time.Now()
		p.Close()
		expect(t, w.read(ws), "cut")
		if waited := time.Since(start); waited > lingerTime {
			t.Errorf("it was waited for %v", waited)
		}
	})
}
