package engineio

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"
)

// count has n numbered messages sent to a session, of size bytes and more.
func count(t *testing.T, p *peer, n, size int) {
	padding := strings.Repeat("x", size)
	for i := range n {
		if err := p.SendContext(t.Context(), Text(fmt.Appendf(nil, "%d %s", i, padding))); err != nil {
			t.Errorf("message %d: %v", i, err)
			return
		}
	}
}

// TestForeignOrder sends numbered messages both ways while the client, whose every request reaches another node in turn,
// polls, upgrades, and goes on: each must arrive once, in order.
func TestForeignOrder(t *testing.T) {
	inTown(t, Config{}, func(w *town) {
		turn := 0
		w.choose = func(*http.Request) int { turn++; return turn % 3 }
		url, p := w.open()
		const each, size = 100, 30_000 // so that the window is met, and polls go in parts
		go count(w.t, p, 3*each, size)
		next := 0
		took := func(packet string) {
			if want := fmt.Sprintf("4%d ", next); !strings.HasPrefix(packet, want) || len(packet) != len(want)+size {
				t.Fatalf("got %.10q, want %q", packet, want)
			}
			next++
		}
		for next < each {
			for packet := range strings.SplitSeq(w.get(url).body, "\x1e") {
				took(packet)
			}
		}
		ws, _ := w.dial(strings.Replace(url, Polling, WebSocket, 1))
		defer ws.CloseNow()
		w.write(ws, "2probe")
		expect(t, w.read(ws), "3probe")
		for body := w.get(url).body; body != "6"; body = w.get(url).body { // what there is, then noop
			for packet := range strings.SplitSeq(body, "\x1e") {
				took(packet)
			}
			if next > 2*each {
				break
			}
		}
		w.write(ws, "5")
		for next < 3*each {
			took(w.read(ws))
		}
		for i := range each {
			w.write(ws, fmt.Sprintf("4%d", i))
		}
		for i := range each {
			expect(t, w.read(ws), fmt.Sprintf("4%d", i))
		}
	})
}

// TestForeignPollIsCut ends the session of a client that hangs up on another node.
func TestForeignPollIsCut(t *testing.T) {
	inTown(t, Config{}, func(w *town) {
		url, p := w.open()
		ctx, cancel := context.WithCancel(w.t.Context())
		req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		go w.client().Do(req)
		synctest.Wait()
		p.expect(t)
		cancel()
		p.expect(t, "closed: transport close")
	})
}

// TestForeignOverlap polls, and posts, on two nodes at once.
func TestForeignOverlap(t *testing.T) {
	inTown(t, Config{}, func(w *town) {
		url, p := w.open()
		first := make(chan string, 1)
		go func() { first <- w.get(url).body }()
		synctest.Wait()
		w.to(2)
		if got := w.get(url); got.StatusCode != 400 || got.body != `{"code":3,"message":"Bad request"}` {
			t.Errorf("the second poll: %d %s", got.StatusCode, got.body)
		}
		expect(t, <-first, "1")
		p.expect(t, "closed: transport error")
	})
}

// TestForeignSlowClient has a client on another node take nothing: the sender is told, the owner keeps the limits.
func TestForeignSlowClient(t *testing.T) {
	inTown(t, Config{MaxBuffered: 1 << 20}, func(w *town) {
		url, p := w.open()
		ws := w.upgrade(url)
		defer ws.CloseNow()
		p.told()
		sent := 0
		for ; p.Send(Text(make([]byte, 10_000))) == nil; sent++ {
			synctest.Wait()
		}
		if most := (laneWindow+maxChunk)/10_000 + 1<<20/10_000 + 10; sent > most {
			t.Errorf("%d messages were taken, more than the %d that there is room for", sent, most)
		}
		if log := p.told(); log[len(log)-1] != "closed: transport error" {
			t.Errorf("the handler was told %q", log)
		}
	})
}

// TestForeignSlowHandler has a client send more than its handler takes: it is not read from, and nothing is lost.
func TestForeignSlowHandler(t *testing.T) {
	inTown(t, Config{}, func(w *town) {
		url, p := w.open()
		ws := w.upgrade(url)
		defer ws.CloseNow()
		p.told()
		busy := make(chan struct{})
		p.in.Lock()
		p.busy = busy
		p.in.Unlock()
		const n, size = 200, 10_000
		written := make(chan int, n)
		go func() {
			for i := range n {
				if ws.Write(w.t.Context(), websocket.MessageText, fmt.Appendf(nil, "4%d %s", i, strings.Repeat("x", size))) != nil {
					return
				}
				written <- i
			}
		}()
		synctest.Wait()
		if most := (laneWindow+maxChunk)/size + 10; len(written) > most {
			t.Errorf("%d messages were read while the handler was busy, %d is what there is room for", len(written), most)
		}
		close(busy)
		for i := range n {
			if got, want := w.read(ws), fmt.Sprintf("4%d ", i); !strings.HasPrefix(got, want) {
				t.Fatalf("got %.10q, want %q", got, want)
			}
		}
	})
}

// TestForeignBodies posts bodies around the sizes at which they go in parts.
func TestForeignBodies(t *testing.T) {
	const limit = 300_000
	inTown(t, Config{MaxPayload: limit}, func(w *town) {
		url, p := w.open()
		for _, size := range []int{1, 2, maxChunk/2 - 1, maxChunk / 2, maxChunk/2 + 1, maxChunk, maxChunk + 1, 2 * maxChunk, limit} {
			body := "4" + strings.Repeat("x", size-1)
			if got := w.post(url, body); got.StatusCode != 200 || got.body != "ok" {
				t.Errorf("%d bytes: %d %s", size, got.StatusCode, got.body)
			}
			w.poll(url, body)
		}
		w.post(url, "4it lives")
		w.poll(url, "4it lives")
		p.told()
		if got := w.post(strings.Replace(url, ".a", "x.a", 1), strings.Repeat("x", limit)); got.StatusCode != 400 {
			t.Errorf("a large body for nobody: %d", got.StatusCode)
		}
	})
}

// TestForeignCompression compresses what comes from another node, unless it is not to be.
func TestForeignCompression(t *testing.T) {
	inTown(t, Config{HTTPCompression: 100, CORS: CORS{Origins: []string{"*"}}}, func(w *town) {
		url, p := w.open()
		long := text(strings.Repeat("x", 1000))
		p.Send(long)
		got := w.do("GET", url, "", "Accept-Encoding", "gzip", "Origin", "http://other")
		if got.Header.Get("Content-Encoding") != "gzip" || got.Header.Get("Access-Control-Allow-Origin") != "*" || len(got.body) > 100 {
			t.Errorf("%d bytes, %v", len(got.body), got.Header)
		}
		p.Send(long.Uncompressed())
		if got := w.do("GET", url, "", "Accept-Encoding", "gzip"); got.Header.Get("Content-Encoding") != "" || len(got.body) != 1001 {
			t.Errorf("%d bytes, %v", len(got.body), got.Header)
		}
	})
}
