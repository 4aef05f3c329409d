package realtime_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// look returns what a page is told within a second.
func look(w *world) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	rec := httptest.NewRecorder()
	w.server.DevTools().ServeHTTP(rec, httptest.NewRequestWithContext(ctx, "GET", "/events", nil))
	return rec.Body.String()
}

func emit(w *world, body string) (int, string) {
	rec := httptest.NewRecorder()
	w.server.DevTools().ServeHTTP(rec, httptest.NewRequest("POST", "/emit", strings.NewReader(body)))
	return rec.Code, strings.TrimSpace(rec.Body.String())
}

// A developer sees who is there and what has happened, and can send events.
func TestDevTools(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			s.Join("plaza")
			s.On("double", func(n int) int { return 2 * n })
			s.Emit("hello", "<b>", []byte{1})
		})
		w.server.DevTools() // from here on it watches
		c := dialWebSocket(w)
		c.expectPrefix(`451-["hello","<b>",`)
		c.expectBinary("\x01")
		c.send(`427["double",21]`)
		c.expect(`437[42]`)
		w.server.To("plaza").Emit("news", strings.Repeat("x", 100_000))
		c.next()

		seen := look(w)
		for _, want := range []string{
			"event: sockets\ndata: {", `"transport":"websocket"`, `"rooms":["plaza"]`, `"clients":1`,
			`"kind":"connection"`, `"kind":"out","namespace":"/"`, `"event":"hello","args":"[\"\u003cb\u003e\",\"AQ==\"]"`,
			`"event":"double","args":"[21]","ack":7`, `"kind":"ack out"`, `"event":"double","args":"[42]","ack":7`,
			`"event":"news"`, `"size":100002`,
		} {
			if !strings.Contains(seen, want) {
				t.Errorf("no %s", want)
			}
		}
		if len(seen) > 20_000 || strings.Contains(seen, "<") {
			t.Errorf("%d bytes:\n%.2000s", len(seen), seen)
		}

		if code, text := emit(w, `{"to":"plaza","event":"test","args":[1,"two"]}`); code != 200 || text != `{"reached":1}` {
			t.Error(code, text)
		}
		c.expect(`42["test",1,"two"]`)
		id := w.server.Sockets()[0].ID()
		done := make(chan string)
		go func() {
			_, text := emit(w, `{"to":"`+id+`","event":"ask","args":[],"ack":true}`)
			done <- text
		}()
		ask := c.next()
		c.send("43" + strings.TrimSuffix(strings.TrimPrefix(ask, "42"), `["ask"]`) + `["yes"]`)
		if text := <-done; !strings.Contains(text, `"answer":"[\"yes\"]"`) {
			t.Error(text)
		}
		for body, want := range map[string]string{
			`{"event":"disconnect"}`:            "reserved",
			`{"event":"x","namespace":"/none"}`: "no namespace",
			`{"event":"x","to":"?","ack":true}`: "there is none with the id",
			`[]`:                                "no JSON object",
			`{"event":"x","args":["` + strings.Repeat("x", 2<<20) + `"]}`: "too large",
		} {
			if code, text := emit(w, body); code < 400 || !strings.Contains(text, want) {
				t.Errorf("%.60s: %d %s", body, code, text)
			}
		}
		c.close()
		synctest.Wait()
		if seen := look(w); !strings.Contains(seen, `"kind":"disconnect"`) || !strings.Contains(seen, `"sockets":[]`) {
			t.Errorf("the socket's end is missing in %.3000s", seen)
		}
	})
}

// What is kept is bounded, and the newest.
func TestDevToolsForget(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.DevTools()
		c := dialWebSocket(w)
		for i := range 1200 {
			w.server.Emit("n", i)
			c.next()
		}
		_, data, _ := strings.Cut(look(w), "event: events\ndata: ")
		data, _, _ = strings.Cut(data, "\n")
		var events []struct {
			Seq  int
			Args string
		}
		if err := json.Unmarshal([]byte(data), &events); err != nil {
			t.Fatal(err)
		}
		if last := events[len(events)-1]; len(events) != 500 || last.Args != "[1199]" || last.Seq-events[0].Seq != 499 {
			t.Errorf("%d events, the last is %+v", len(events), last)
		}
		c.close()
	})
}
