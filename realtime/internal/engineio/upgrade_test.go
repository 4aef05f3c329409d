package engineio

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestCloseDuringUpgrade ends a session whose client has stopped polling, as it does when its probe was answered. What
// was sent before has to reach it, by the poll that still stands or by the new connection.
func TestCloseDuringUpgrade(t *testing.T) {
	inWorlds(t, Config{}, func(w *world) {
		url, p := w.open()
		ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
		defer ws.CloseNow()
		w.write(ws, "2probe")
		expect(t, w.read(ws), "3probe")
		synctest.Wait() // until polling is held

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
	inWorlds(t, Config{}, func(w *world) {
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
	inWorlds(t, Config{}, func(w *world) {
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

// TestUpgradeTimeout has a client stop between its probe and the switch, which costs it the WebSocket alone.
func TestUpgradeTimeout(t *testing.T) {
	for _, probes := range []bool{false, true} {
		inWorlds(t, Config{UpgradeTimeout: 3 * time.Second}, func(w *world) {
			url, p := w.open()
			start := time.Now()
			ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
			defer ws.CloseNow()
			if probes {
				w.write(ws, "2probe")
				expect(t, w.read(ws), "3probe")
			}
			expect(t, w.read(ws), "cut")
			if waited := time.Since(start); waited != 3*time.Second {
				t.Errorf("it was cut after %v", waited)
			}
			w.post(url, "4polling goes on")
			w.poll(url, "4polling goes on")
			p.expect(t, "drained")
		})
	}
}

// TestNoTimeoutAfterUpgrade waits longer than an upgrade may take. The upgrade brings no initial headers again.
func TestNoTimeoutAfterUpgrade(t *testing.T) {
	initial, all := 0, 0
	config := Config{
		UpgradeTimeout: 3 * time.Second,
		InitialHeaders: func(http.Header, *http.Request) { initial++ },
		Headers:        func(http.Header, *http.Request) { all++ },
	}
	inWorld(t, config, func(w *world) {
		url, p := w.open()
		ws := w.upgrade(url)
		defer ws.CloseNow()
		time.Sleep(10 * time.Second)
		w.write(ws, "4hello")
		expect(t, w.read(ws), "4hello")
		p.expect(t, "upgraded: polling websocket", "drained")
		if initial != 1 || all != 2 {
			t.Errorf("initial headers %d times, headers %d times", initial, all)
		}
	})
}
