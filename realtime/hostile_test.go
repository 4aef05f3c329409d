package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/zocalo-go/zocalo/realtime"
)

// A client that joins and leaves in a loop runs one middleware at a time.
func TestJoinAndLeaveInALoop(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var running, most, calls atomic.Int64
		w.server.Use(func(*realtime.Socket) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			calls.Add(1)
			time.Sleep(time.Millisecond)
			return nil
		})
		c := dialPolling(w)
		c.send("41" + strings.Repeat("\x1e440\x1e441", 100))
		c.close()
		if most.Load() > 1 {
			t.Errorf("%d middlewares of one client ran at once", most.Load())
		}
	})
}

// A client that goes through names leaves nothing behind, runs no more than
// MaxNamespaces of its sockets at once, and is not held up by those that are gone.
func TestJoinAndLeaveManyNames(t *testing.T) {
	for name, refuse := range map[string]error{"joins": nil, "is refused": errors.New("no")} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, realtime.Config{MaxNamespaces: 3}, func(w *world) {
				var running, most atomic.Int64
				var mu sync.Mutex
				var sockets []weak.Pointer[realtime.Socket]
				parent := w.server.OfPattern(regexp.MustCompile("^/x"))
				parent.Use(func(s *realtime.Socket) error {
					most.Store(max(most.Load(), running.Add(1)))
					defer running.Add(-1)
					time.Sleep(time.Millisecond)
					mu.Lock()
					defer mu.Unlock()
					sockets = append(sockets, weak.Make(s))
					return refuse
				})
				c := dialWebSocket(w)
				const names = 50
				for i := range names {
					c.send(fmt.Sprintf("40/x%d,", i))
					if refuse == nil {
						c.send(fmt.Sprintf("41/x%d,", i))
					} else {
						c.expectPrefix("44/x")
					}
				}
				c.send("40/x,")
				c.next()
				synctest.Wait()
				runtime.GC()
				alive := 0
				for _, s := range sockets {
					if s.Value() != nil {
						alive++
					}
				}
				if len(sockets) != names+1 || alive > 3 || most.Load() > 3 {
					t.Errorf("%d of %d sockets are kept, %d ran at once", alive, len(sockets), most.Load())
				}
				c.close()
			})
		})
	}
}

// Nothing of a refused socket runs, and it does not keep the connection alive.
func TestRefusedSocket(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		ended := make(chan error, 1)
		w.server.Use(func(s *realtime.Socket) error {
			s.On("secret", func() { t.Error("a handler of a refused socket ran") })
			s.On("disconnect", func(string) { t.Error("a refused socket was disconnected") })
			context.AfterFunc(s.Context(), func() { ended <- context.Cause(s.Context()) })
			return nil
		})
		w.server.Use(func(*realtime.Socket) error {
			time.Sleep(time.Second)
			return &realtime.Error{Message: "no"}
		})
		c := openWebSocket(w)
		c.send("40")
		c.send(`42["secret"]`)
		c.expect(`44{"message":"no"}`)
		if err := <-ended; err == nil {
			t.Error("the context ended without a cause")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := w.server.ClientsCount(); n != 0 {
			t.Error("a client that was refused stays connected")
		}
		c.close()
	})
}

func TestMiddlewareThatJoinsAndReturnsANilError(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		n := w.server.Of("/n")
		n.Use(func(s *realtime.Socket) error {
			s.Join("early")
			var none *realtime.Error
			return none
		})
		rooms := make(chan []string, 1)
		n.Use(func(s *realtime.Socket) error {
			if s.Handshake().Query["EIO"] == "" {
				return fmt.Errorf("no query")
			}
			return nil
		})
		n.On("connection", func(s *realtime.Socket) { rooms <- s.Rooms() })
		c := dialWebSocket(w)
		c.send("40/n,")
		c.expectPrefix("40/n,")
		if got := <-rooms; len(got) != 2 || !slices.Contains(got, "early") {
			t.Errorf("rooms: %v", got)
		}
		c.close()
	})
}

// An answer is read although more events than the inbox holds stand before it.
func TestAnswerBehindAFullInbox(t *testing.T) {
	inWorld(t, realtime.Config{MaxPending: 4}, func(w *world) {
		answered := make(chan error, 1)
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("ask", func(ctx context.Context) {
				_, err := s.EmitWithAck(ctx, "question")
				answered <- err
			})
			s.On("noise", func() {})
		})
		c := dialWebSocket(w)
		c.send(`42["ask"]`)
		c.expect(`420["question"]`)
		for range 50 {
			c.send(`42["noise"]`)
		}
		c.send("430[]")
		if err := <-answered; err != nil {
			t.Error(err)
		}
		c.close()
	})
}

// The same where another socket of the client is asked.
func TestAnswerBehindAnotherInbox(t *testing.T) {
	inWorld(t, realtime.Config{MaxPending: 4}, func(w *world) {
		others := make(chan *realtime.Socket, 1)
		w.server.Of("/other").On("connection", func(s *realtime.Socket) { others <- s })
		answered := make(chan error, 1)
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("ask", func(ctx context.Context) {
				other := <-others
				_, err := other.EmitWithAck(ctx, "question")
				if err == nil {
					_, err = w.server.Of("/other").EmitWithAck(ctx, "question")
				}
				answered <- err
			})
			s.On("noise", func() {})
		})
		c := dialWebSocket(w)
		c.joinAs("/other", "")
		c.send(`42["ask"]`)
		for i := range 2 {
			c.expect(fmt.Sprintf(`42/other,%d["question"]`, i))
			for range 50 {
				c.send(`42["noise"]`)
			}
			c.send(fmt.Sprintf("43/other,%d[]", i))
		}
		if err := <-answered; err != nil {
			t.Error(err)
		}
		c.close()
	})
}

func TestTextThatIsNoUTF8(t *testing.T) {
	got := reasons(t, realtime.Config{}, dialPolling, func(w *world, c *client, s *realtime.Socket) { c.send("42[\"m\",\"\xff\"]") })
	if got != realtime.ReasonParseError {
		t.Errorf("reason %q", got)
	}
}

// Who is put out is told so, even by a middleware, and what it sent before is no
// longer heeded.
func TestDisconnectIsAtOnce(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.Of("/kicks").Use(func(s *realtime.Socket) error { s.Disconnect(false); return nil })
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("kick", func() { time.Sleep(time.Second); s.Disconnect(false) })
			s.On("more", func() { t.Error("a handler ran of a socket that was put out") })
		})
		c := dialWebSocket(w)
		if got, want := c.joinAs("/kicks", ""), `44/kicks,{"message":"server namespace disconnect"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		c.send(`42["kick"]`)
		c.send(`42["more"]`)
		c.expect("41")
		c.send(`42["more"]`) // it could not know yet
		c.send("40")
		c.expectPrefix("40{")
		c.close()
	})
}

// While an answer is awaited, events are read past MaxPending to find it. That is
// no way to fill the memory.
func TestFloodBeforeAnAnswer(t *testing.T) {
	var m tally
	inWorld(t, realtime.Config{MaxBuffered: 100_000, Metrics: &m}, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("ask", func(ctx context.Context) { s.EmitWithAck(ctx, "question") })
		})
		c := dialWebSocket(w)
		c.send(`42["ask"]`)
		c.expect(`420["question"]`)
		go func() {
			for range 10_000 {
				c.send(`42["x"]`)
			}
		}()
		synctest.Wait()
		if n := m.of("pending"); n < 256 || n > 400 {
			t.Errorf("%d events wait", n)
		}
		c.close()
	})
}
