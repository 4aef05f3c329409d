package realtime_test

import (
	"context"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

// bomb is a value whose own method panics.
type bomb struct{}

func (bomb) MarshalJSON() ([]byte, error) { panic("oops") }

// What an application gives the server to call back does not end the process,
// wherever it panics, and who waits for an answer gets one.
func TestPanicsOutsideHandlers(t *testing.T) {
	config := realtime.Config{Trace: func(ctx context.Context, e realtime.TraceEvent) (context.Context, func(error)) {
		if e.Event == "untraced" {
			panic("oops")
		}
		return ctx, func(error) {
			if e.Event == "traced" {
				panic("oops")
			}
		}
	}}
	inWorld(t, config, func(w *world) {
		w.server.Of("/refuses").Use(func(*realtime.Socket) error { return &realtime.Error{Message: "no", Data: bomb{}} })
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("result", func() any { return bomb{} })
			s.On("ack", func(ack realtime.Ack) { ack(1, bomb{}) })
			s.On("error", func() error { return &realtime.Error{Message: "no", Data: bomb{}} })
			s.On("untraced", func(ctx context.Context) bool { return ctx.Err() == nil })
			s.On("traced", func() int { return 1 })
		})
		c := dialWebSocket(w)
		for _, test := range []struct{ event, want string }{
			{"result", `[{"error":"internal error"}]`},
			{"ack", `[{"error":"internal error"}]`},
			{"error", `[{"error":"internal error"}]`},
			{"untraced", `[true]`},
			{"traced", `[1]`},
		} {
			c.send(`421["` + test.event + `"]`)
			c.expect(`431` + test.want)
		}
		c.send("40/refuses,")
		c.expect(`44/refuses,{"message":"no"}`)
		if n := w.server.Panics(); n != 6 {
			t.Errorf("%d panics were counted, want 6", n)
		}
		c.close()
	})
}

// A value that cannot be saved is lost, and no other.
func TestPanicOfAValue(t *testing.T) {
	config := realtime.Config{Recovery: &realtime.Recovery{}}
	inWorld(t, config, func(w *world) {
		prepare := func(s *realtime.Server) {
			s.On("connection", func(s *realtime.Socket) {
				s.On("keep", func() { s.Set("bomb", bomb{}); s.Set("name", "ana") })
				s.On("name", func() any { return []any{s.Value("name"), s.Value("bomb")} })
			})
		}
		prepare(w.server)
		c := openWebSocket(w)
		c.send("40")
		at := c.admission()
		c.send(`421["keep"]`)
		c.send(`422["name"]`)
		c.expect(`432[{"error":"internal error"}]`)
		w.successor(config, prepare)
		again, _ := w.back(at)
		again.send(`423["name"]`)
		again.expect(`433[["ana",null]]`)
	})
}
