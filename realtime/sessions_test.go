package realtime_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// successor shuts the world's server down and puts another in its place, which
// has its sessions.
func (w *world) successor(config realtime.Config, prepare func(*realtime.Server)) {
	w.t.Helper()
	if err := w.server.Shutdown(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	var saved bytes.Buffer
	if err := w.server.SaveSessions(&saved); err != nil {
		w.t.Fatal(err)
	}
	config.Logger = slog.New(slog.DiscardHandler)
	next := realtime.NewServer(config)
	prepare(next)
	if err := next.LoadSessions(&saved); err != nil {
		w.t.Error(err)
	}
	w.server, w.http.Handler = next, next
}

// The clients of a server that stops resume at the one after it, as if their
// connection had broken.
func TestSessionsOfTheServerBefore(t *testing.T) {
	type person struct{ Name string }
	config := realtime.Config{Recovery: &realtime.Recovery{}}
	inWorld(t, config, func(w *world) {
		names := make(chan string, 1)
		prepare := func(s *realtime.Server) {
			s.On("connection", func(socket *realtime.Socket) {
				if !socket.Recovered() {
					socket.Set("person", person{"ana"})
					socket.Set("function", func() {}) // no JSON
					socket.Join("room")
				}
				socket.On("disconnect", func(reason string) { s.To("room").Emit("left", reason) })
				socket.On("who", func() {
					p, _ := realtime.ValueOf[person](socket, "person")
					names <- p.Name
				})
			})
		}
		prepare(w.server)
		c := openWebSocket(w)
		c.send("40")
		at := c.admission()
		synctest.Wait() // for the handler of "connection", which joins the room
		w.server.To("room").Emit("hello")
		if got := c.event(&at); got != "hello" {
			t.Errorf("got %q", got)
		}
		for n := range 3 {
			w.successor(config, prepare)
			w.server.To("room").Emit("missed")
			w.server.To("another").Emit("for others")
			again, admission := w.back(at)
			if admission.SID != at.SID || admission.PID != at.PID {
				t.Fatalf("admitted %d as %+v, was %+v", n, admission, at)
			}
			for _, want := range []string{"left" + realtime.ReasonShuttingDown, "missed"} {
				if got := again.event(&at); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			w.server.To("room").Emit("live")
			if got := again.event(&at); got != "live" {
				t.Errorf("got %q", got)
			}
			again.send(`42["who"]`)
			if got := <-names; got != "ana" {
				t.Errorf("its person is %q", got)
			}
		}
	})
}

// A namespace that clients have made is made anew by the first who comes back.
func TestSessionsOfDynamicNamespace(t *testing.T) {
	config := realtime.Config{Recovery: &realtime.Recovery{}}
	inWorld(t, config, func(w *world) {
		prepare := func(s *realtime.Server) { s.OfPattern(regexp.MustCompile("^/topic-")) }
		prepare(w.server)
		c := openWebSocket(w)
		c.send("40/topic-1,")
		var at, now ticket
		json.Unmarshal([]byte(strings.TrimPrefix(c.next(), "40/topic-1,")), &at)
		w.successor(config, prepare)
		again := openWebSocket(w)
		auth, _ := json.Marshal(ticket{PID: at.PID})
		again.send("40/topic-1," + string(auth))
		json.Unmarshal([]byte(strings.TrimPrefix(again.next(), "40/topic-1,")), &now)
		if at.SID == "" || now.SID != at.SID {
			t.Errorf("admitted as %+v, was %+v", now, at)
		}
	})
}

// Nor are sessions lost, or kept for longer than others, of a namespace that
// nobody has come back to by the time of the next restart.
func TestSessionsOfNamespaceThatNobodyMakes(t *testing.T) {
	config := realtime.Config{Recovery: &realtime.Recovery{MaxDisconnection: time.Minute}}
	for _, after := range []time.Duration{20 * time.Second, 31 * time.Second} {
		inWorld(t, config, func(w *world) {
			prepare := func(s *realtime.Server) { s.OfPattern(regexp.MustCompile("^/topic-")) }
			prepare(w.server)
			c := openWebSocket(w)
			var at, now ticket
			json.Unmarshal([]byte(strings.TrimPrefix(c.joinAs("/topic-1", ""), "40/topic-1,")), &at)
			for range 2 {
				w.successor(config, prepare)
				time.Sleep(after)
			}
			auth, _ := json.Marshal(ticket{PID: at.PID})
			json.Unmarshal([]byte(strings.TrimPrefix(openWebSocket(w).joinAs("/topic-1", string(auth)), "40/topic-1,")), &now)
			if in := 2*after < time.Minute; at.SID == "" || (now.SID == at.SID) != in {
				t.Errorf("%v after the end admitted as %+v, was %+v", 2*after, now, at)
			}
		})
	}
}

func TestSessionsTooEarlyAndTooLate(t *testing.T) {
	config := realtime.Config{Recovery: &realtime.Recovery{}}
	inWorld(t, config, func(w *world) {
		c := openWebSocket(w)
		c.send("40")
		at := c.admission()
		if err := w.server.SaveSessions(new(bytes.Buffer)); err == nil {
			t.Error("sessions were saved while clients were there")
		}
		if err := w.server.LoadSessions(strings.NewReader(`{"namespaces":{"/":{}}}`)); !errors.Is(err, adapter.ErrNotEmpty) {
			t.Errorf("loading while clients were there: %v", err)
		}
		if err := w.server.LoadSessions(strings.NewReader(`{"namespaces":{"/":[]}}`)); err == nil {
			t.Error("garbage was loaded")
		}
		if err := w.server.LoadSessions(strings.NewReader("")); err == nil {
			t.Error("nothing was loaded")
		}
		w.successor(config, func(s *realtime.Server) {})
		w.server.Emit("missed")
		synctest.Wait()
		if err := w.server.LoadSessions(strings.NewReader(`{"namespaces":{"/":{}}}`)); !errors.Is(err, adapter.ErrNotEmpty) {
			t.Errorf("loading a second time: %v", err)
		}
		again, admission := w.back(at)
		if admission.SID != at.SID {
			t.Errorf("admitted as %+v, was %+v", admission, at)
		}
		if got := again.event(&at); got != "missed" {
			t.Errorf("got %q", got)
		}
	})
}
