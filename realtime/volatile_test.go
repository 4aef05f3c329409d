package realtime_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/zocalo-go/zocalo/realtime"
)

// A volatile event is sent when the client can take it at once, which nobody can
// behind something that still waits.
func TestVolatile(t *testing.T) {
	for _, test := range []struct {
		name string
		emit func(w *world, s *realtime.Socket)
		want []string // of a client that polls when all was emitted
	}{
		{"after an event", func(w *world, s *realtime.Socket) { s.Emit("a"); s.Volatile().Emit("b") }, events("a")},
		{"after an event to all", func(w *world, s *realtime.Socket) { w.server.Emit("a"); w.server.Volatile().Emit("b") }, events("a")},
		{"between events", func(w *world, s *realtime.Socket) { s.Emit("a"); s.Volatile().Emit("b"); s.Emit("c") }, events("a", "c")},
		{"alone, without a poll", func(w *world, s *realtime.Socket) { s.Volatile().Emit("a"); s.Emit("end") }, events("end")},
	} {
		t.Run(test.name, func(t *testing.T) {
			slow(t, realtime.Config{}, func(w *world, s *realtime.Socket, poll func() []string) {
				test.emit(w, s)
				if got := poll(); !slices.Equal(got, test.want) {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		})
	}
}

// One that can take it gets a volatile event, with its binary parts.
func TestVolatileOfOneWhoListens(t *testing.T) {
	for _, dial := range dialers {
		for name, to := range map[string]func(w *world, s *realtime.Socket) func(string, ...any) error{
			"socket": func(w *world, s *realtime.Socket) func(string, ...any) error { return s.Volatile().Emit },
			"all":    func(w *world, s *realtime.Socket) func(string, ...any) error { return w.server.Volatile().Emit },
		} {
			t.Run(dial.name+" "+name, func(t *testing.T) {
				inWorld(t, realtime.Config{}, func(w *world) {
					sockets := make(chan *realtime.Socket, 1)
					w.server.On("connection", func(s *realtime.Socket) { sockets <- s })
					c := dial.dial(w)
					s := <-sockets
					synctest.Wait() // nothing waits, a poll stands
					emit := to(w, s)
					if err := emit("first", []byte{1}); err != nil {
						t.Error(err)
					}
					s.Emit("end")
					c.expect(`451-["first",{"_placeholder":true,"num":0}]`)
					c.expectBinary("\x01")
					if got := c.next(); !strings.HasPrefix(got, `42["end"`) {
						t.Errorf("got %s", got)
					}
					c.close()
				})
			})
		}
	}
}
