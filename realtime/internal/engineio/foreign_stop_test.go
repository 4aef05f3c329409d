package engineio

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestForeignNodeStops stops the node that holds the connections of another's clients: those that poll go on elsewhere,
// the others have to come back.
func TestForeignNodeStops(t *testing.T) {
	inTown(t, Config{}, func(w *town) {
		url, p := w.open()
		polled := make(chan string, 1)
		go func() { polled <- w.get(url).body }()
		url2, p2 := w.open()
		ws := w.upgrade(url2)
		defer ws.CloseNow()
		p2.told()
		go w.stop(1)
		expect(t, <-polled, "6")
		expect(t, w.read(ws), "StatusNoStatusRcvd")
		p2.expect(t, "closed: transport close")
		p.expect(t, "drained")
		w.to(2)
		w.post(url, "4hello")
		w.poll(url, "4hello")
	})
}

// TestForeignNodeStopsDuringUpgrade stops the node that holds a connection to which its client is about to change. It is
// not cut off in between: official clients have paused polling then.
func TestForeignNodeStopsDuringUpgrade(t *testing.T) {
	inTown(t, Config{}, func(w *town) {
		url, p := w.open()
		ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
		defer ws.CloseNow()
		w.write(ws, "2probe")
		expect(t, w.read(ws), "3probe")
		stopped := make(chan struct{})
		go func() {
			w.stop(1)
			close(stopped)
		}()
		synctest.Wait()
		w.to(2)
		w.poll(url, "6")
		synctest.Wait() // until that is told
		w.write(ws, "5")
		expect(t, w.read(ws), "StatusNoStatusRcvd")
		<-stopped
		p.expect(t, "drained", "upgraded: polling websocket", "closed: transport close")
	})
}

// TestDrain closes sessions over a window, the others being served, and no more of it than the deadline leaves.
func TestDrain(t *testing.T) {
	for _, c := range []struct{ deadline, least, most time.Duration }{
		{time.Minute, 5 * time.Second, 15 * time.Second},
		{6 * time.Second, 2 * time.Second, 6 * time.Second},
	} {
		inWorld(t, Config{DrainWindow: 10 * time.Second}, func(w *world) {
			const n = 300
			var peers []*peer
			for range n {
				ws, p := w.openSocket()
				peers = append(peers, p)
				go func() {
					w.read(ws)
					ws.CloseNow()
				}()
			}
			synctest.Wait() // all have been told that their handshake is written
			ctx, cancel := context.WithTimeout(w.t.Context(), c.deadline)
			defer cancel()
			start := time.Now()
			done := make(chan error)
			go func() { done <- w.server.Shutdown(ctx) }()
			time.Sleep(time.Second)
			got := w.get(base + Polling)
			if got.StatusCode != 503 || got.Header.Get("Retry-After") == "" {
				t.Errorf("a new session while the others are sent away: %d, %v", got.StatusCode, got.Header)
			}
			if count := w.server.Count(); count == 0 || count == n {
				t.Errorf("%d of %d sessions are open after a second", count, n)
			}
			if err := <-done; err != nil {
				t.Errorf("shutdown: %v", err)
			}
			if took := time.Since(start); took < c.least || took > c.most {
				t.Errorf("it took %v", took)
			}
			for _, p := range peers {
				p.expect(t, "drained", "closed: forced close")
			}
		})
	}
}
