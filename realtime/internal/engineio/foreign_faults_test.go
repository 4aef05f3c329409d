package engineio

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestForeignOwnerIsGone asks for sessions whose node is not there, any more or ever.
func TestForeignOwnerIsGone(t *testing.T) {
	const unknown = `{"code":1,"message":"Session ID unknown"}`
	refused := func(w *town, url string, patience time.Duration) {
		t.Helper()
		start := time.Now()
		for _, got := range []reply{w.get(url), w.post(url, "4x")} {
			if got.StatusCode != 400 || got.body != unknown {
				t.Errorf("%s: %d %s", url, got.StatusCode, got.body)
			}
		}
		got := w.do("GET", strings.Replace(url, Polling, WebSocket, 1), "", "Connection", "Upgrade", "Upgrade", "websocket",
			"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "MDEyMzQ1Njc4OWFiY2RlZg==")
		if got.StatusCode != 400 || got.body != "Session ID unknown\n" {
			t.Errorf("upgrade: %d %q", got.StatusCode, got.body)
		}
		if waited := time.Since(start); waited != 3*patience {
			t.Errorf("%s: answered after %v", url, waited)
		}
	}
	t.Run("forged", func(t *testing.T) {
		inTown(t, Config{}, func(w *town) {
			w.to(1)
			for _, sid := range []string{"x.a", "x.b", "x.nobody", ".", "x.", ".a", strings.Repeat("x", 300) + ".a", "a.a.a", "%00.%00"} {
				patience := arrivalPatience
				if owner := w.nodes[1].foreign.owner(sid); owner == "" || owner == "a" {
					patience = 0
				}
				refused(w, base+Polling+"&sid="+sid, patience)
			}
		})
	})
	t.Run("said goodbye", func(t *testing.T) {
		inTown(t, Config{}, func(w *town) {
			url, _ := w.open()
			w.stop(0)
			refused(w, url, 0)
		})
	})
	t.Run("silent", func(t *testing.T) {
		inTown(t, Config{}, func(w *town) {
			url, _ := w.open()
			w.bus.mu.Lock()
			w.bus.dropped = func(from, to string, _ []byte) bool { return to == "a" }
			w.bus.mu.Unlock()
			refused(w, url, foreignPatience)
		})
	})
	t.Run("while its clients wait", func(t *testing.T) {
		inTown(t, Config{}, func(w *town) {
			url, _ := w.open()
			polled := make(chan reply, 1)
			go func() { polled <- w.get(url) }()
			url2, _ := w.open()
			ws := w.upgrade(url2)
			defer ws.CloseNow()
			time.Sleep(2 * foreignPatience) // it is there, and has given a sign
			if len(polled) != 0 {
				t.Errorf("the poll did not wait: %+v", <-polled)
			}
			w.bus.leave("a", true)
			w.stopped[0] = true
			if got := <-polled; got.StatusCode != 400 || got.body != unknown {
				t.Errorf("poll: %d %s", got.StatusCode, got.body)
			}
			expect(t, w.read(ws), "cut")
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			w.nodes[0].Shutdown(ctx)
		})
	})
}

// TestForeignOwnerIsNew has a client of a node that another has not heard of yet.
func TestForeignOwnerIsNew(t *testing.T) {
	inTown(t, Config{}, func(w *town) {
		url, _ := w.open()
		w.bus.mu.Lock()
		a := w.bus.nodes["a"]
		delete(w.bus.nodes, "a")
		w.bus.mu.Unlock()
		go w.post(url, "4hello")
		time.Sleep(arrivalPatience / 2)
		w.bus.mu.Lock()
		w.bus.nodes["a"] = a
		w.bus.mu.Unlock()
		w.bus.nodes["b"].inbox <- func() { w.bus.nodes["b"].watch("a", true) }
		w.poll(url, "4hello")
	})
}

// TestForeignLoss has the bus lose a message of a session: nothing may be missing without the session's end.
func TestForeignLoss(t *testing.T) {
	for _, to := range []string{"a", "b"} {
		inTown(t, Config{}, func(w *town) {
			url, p := w.open()
			ws := w.upgrade(url)
			defer ws.CloseNow()
			w.write(ws, "4one")
			expect(t, w.read(ws), "4one")
			p.told()
			lost := false
			w.bus.mu.Lock()
			w.bus.dropped = func(_, node string, m []byte) bool {
				drop := !lost && node == to && messageKind(m[1]) == messageData
				lost = lost || drop
				return drop
			}
			w.bus.mu.Unlock()
			w.write(ws, "4two")
			w.write(ws, "4three")
			expect(t, w.read(ws), "cut")
			if log := p.told(); !slices.Contains(log, "closed: transport close") {
				t.Errorf("the handler was told %q", log)
			}
		})
	}
}

// TestForeignAnswerIsLost loses the answer to a poll, whose packets are gone with it, or the word that it has arrived.
func TestForeignAnswerIsLost(t *testing.T) {
	for _, kind := range []messageKind{messageAnswer, messageDelivered} {
		inTown(t, Config{PingInterval: 10 * time.Second, PingTimeout: 100 * time.Second}, func(w *town) {
			w.bus.dropped = func(_, _ string, m []byte) bool { return messageKind(m[1]) == kind }
			url, p := w.open()
			p.Send(text("a"))
			start := time.Now()
			for time.Since(start) < 200*time.Second && w.get(url).StatusCode == 200 {
				w.post(url, "3")
			}
			if log := p.told(); !slices.Contains(log, "closed: transport close") {
				t.Errorf("the handler was told %q", log)
			}
		})
	}
}

// TestForeignGarbage sends a node what makes no sense; it must live, and lose nothing of others.
func TestForeignGarbage(t *testing.T) {
	inTown(t, Config{}, func(w *town) {
		url, p := w.open()
		ws := w.upgrade(url)
		defer ws.CloseNow()
		p.told()
		b := w.bus.nodes["c"]
		open := func(o opening) []byte { return newMessage(messageOpen, flagAsker, 7, 0, o.append(nil)) }
		for _, garbage := range [][]byte{
			nil, {1}, []byte("not a message at all"), make([]byte, 15), make([]byte, 1<<20),
			newMessage(messageOpen, flagAsker, 1, 0, nil),
			newMessage(messageOpen, flagAsker, 1, 0, []byte{9, 0, 4, 0, 0}),
			newMessage(messageOpen, flagAsker, 1, 0, []byte{1, 0, 4, 255, 255}),
			newMessage(messageOpen, flagAsker|flagMore, 1, 0, []byte{1, 0, 4, 0, 0}),
			newMessage(messageOpen, flagAsker, 1, 5, []byte{1, 0, 4, 0, 0}),
			newMessage(messageAnswer, 0, 1, 0, nil),
			newMessage(messageData, 0, 1, 0, []byte("nobody's")),
			newMessage(messageData, flagAsker, 1, 0, []byte("nobody's")),
			newMessage(messageRoom, flagAsker, 1, 0, []byte{1}),
			newMessage(messageReset, flagAsker, 1, 0, nil),
			open(opening{kind: lanePoll, destination: destination{"none.a", 4, Polling}}),
			open(opening{kind: lanePoll, destination: destination{p.ID(), 3, Polling}}),
			open(opening{kind: lanePoll, destination: destination{p.ID(), 4, Polling}}),
			open(opening{kind: lanePost, destination: destination{p.ID(), 4, Polling}}),
			open(opening{kind: laneTunnel, destination: destination{p.ID(), 4, WebTransport}}),
			open(opening{kind: lanePoll, destination: destination{"x.b", 4, Polling}}), // never passed on
		} {
			for _, node := range []string{"a", "b"} {
				if err := b.Send(node, garbage); err != nil {
					t.Error(err)
				}
			}
		}
		synctest.Wait()
		w.write(ws, "4still here")
		expect(t, w.read(ws), "4still here")
	})
}

// TestForeignGarbageInATunnel breaks the rules in the name of a client.
func TestForeignGarbageInATunnel(t *testing.T) {
	for _, c := range []struct {
		seq  uint32
		body string
		want string
	}{
		{1, "", "transport close"},
		{1, "4text\xff\x00", "parse error"},
		{1, "4text\x09", "parse error"},
		{2, "4late\x00", "transport close"},
		{1, strings.Repeat("x", 1001) + "\x00", "transport close"},
	} {
		inTown(t, Config{MaxPayload: 1000}, func(w *town) {
			url, p := w.open()
			ws := w.upgrade(url)
			defer ws.CloseNow()
			p.told()
			lane := w.nodes[0].foreign.all(func(*lane) bool { return true })[0]
			lane.take(message{kind: messageData, seq: c.seq + 2, body: []byte(c.body)})
			if log := p.told(); !slices.Contains(log, "closed: "+c.want) {
				t.Errorf("%q: the handler was told %q", c.body, log)
			}
		})
	}
}
