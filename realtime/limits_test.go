package realtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/zocalo-go/zocalo/realtime"
)

func TestSocketMiddleware(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		w.server.OnAny(func(s *realtime.Socket, event string, args realtime.Args) { d.add("namespace %s", event) })
		w.server.On("connection", func(s *realtime.Socket) {
			s.OnAny(func(event string, args realtime.Args) { d.add("any %s %d", event, args.Len()) })
			s.PrependAny(func(event string, args realtime.Args) { d.add("first %s", event) })
			s.Use(func(event string, args realtime.Args) error { d.add("use %s", event); return nil })
			s.Use(func(event string, args realtime.Args) error {
				switch event {
				case "forbidden":
					return &realtime.Error{Message: "not you", Data: 7}
				case "panic":
					panic("oops")
				}
				return nil
			})
			s.OnError(func(err error) { d.add("error %v", err) })
			s.On("allowed", func() string { return "ok" })
			s.On("forbidden", func() { d.add("handler of what is forbidden") })
			s.On("error", func(text string) { d.add("the client's own error %s", text) })
			s.On("number", func(n int) {})
		})
		c := dialWebSocket(w)
		c.send(`421["allowed"]`)
		c.expect(`431["ok"]`)
		d.expect(t, "namespace allowed", "first allowed", "any allowed 0", "use allowed")
		c.send(`422["forbidden",1]`)
		c.expect(`432[{"error":"not you","data":7}]`)
		d.expect(t, "namespace forbidden", "first forbidden", "any forbidden 1", "use forbidden", "error not you")
		c.send(`42["error","x"]`)
		d.expect(t, "namespace error", "first error", "any error 1", "use error", "the client's own error x")
		c.send(`423["panic"]`)
		c.expect(`433[{"error":"internal error"}]`)
		d.expect(t, "namespace panic", "first panic", "any panic 0", "use panic", "error internal error")
		c.send(`424["number","seven"]`)
		c.expectPrefix(`434[{"error":"argument 1: `)
		d.expect(t, "namespace number", "first number", "any number 1", "use number",
			"error argument 1: json: cannot unmarshal string into Go value of type int")
		c.close()
	})
}

func TestListeners(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		w.server.On("connection", func(s *realtime.Socket) {
			one := s.On("e", func() { d.add("one") })
			s.Once("e", func() { d.add("once") })
			s.On("e", func() { d.add("two"); one.Off() })
			s.On("f", func() {})
			s.On("names", func() []string { return s.EventNames() })
			s.On("off", func() { s.Off("e") })
			s.On("remove", func() { s.RemoveAllListeners() })
			realtime.On(s, "typed", func(ctx context.Context, n int) error { return fmt.Errorf("got %d", n) })
		})
		c := dialWebSocket(w)
		c.send(`42["e"]`)
		d.expect(t, "one", "once", "two")
		c.send(`42["e"]`)
		d.expect(t, "two")
		c.send(`421["typed",5]`)
		c.expect(`431[{"error":"got 5"}]`)
		c.send(`42["off"]`)
		c.send(`42["e"]`)
		d.expect(t)
		c.send(`421["names"]`)
		c.expect(`431[["f","names","off","remove","typed"]]`)
		c.send(`42["remove"]`)
		c.send(`421["names"]`)
		synctest.Wait()
		c.send(`2probe`) // still there until then
		for packet := range c.incoming {
			t.Errorf("got %s", packet)
		}
		c.close()
	})
}

func TestEventRate(t *testing.T) {
	inWorld(t, realtime.Config{EventRate: 10, EventBurst: 3}, func(w *world) {
		var limited []error
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("e", func() string { return "ok" })
			s.OnError(func(err error) { limited = append(limited, err) })
		})
		c := dialWebSocket(w)
		for i := range 5 {
			c.send(fmt.Sprintf(`42%d["e"]`, i))
		}
		got := []string{c.next(), c.next(), c.next(), c.next(), c.next()}
		slices.Sort(got)
		no := `[{"error":"too many events; see Config.EventRate"}]`
		if want := []string{`430["ok"]`, `431["ok"]`, `432["ok"]`, `433` + no, `434` + no}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		time.Sleep(200 * time.Millisecond) // for two more
		for i := range 3 {
			c.send(fmt.Sprintf(`42%d["e"]`, i))
		}
		got = []string{c.next(), c.next(), c.next()}
		slices.Sort(got)
		if want := []string{`430["ok"]`, `431["ok"]`, `432` + no}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		synctest.Wait()
		if len(limited) != 3 || !errors.Is(limited[0], realtime.ErrRateLimited) {
			t.Errorf("OnError got %v", limited)
		}
		c.close()
	})
}

func TestValidate(t *testing.T) {
	type order struct {
		Count int `json:"count"`
	}
	config := realtime.Config{Validate: func(argument any) error {
		if o, is := argument.(order); is && o.Count < 1 {
			return errors.New("count must be at least 1")
		}
		return nil
	}}
	inWorld(t, config, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("order", func(name string, o order) int { return o.Count })
		})
		c := dialWebSocket(w)
		c.send(`421["order","x",{"count":3}]`)
		c.expect(`431[3]`)
		c.send(`421["order","x",{"count":0}]`)
		c.expect(`431[{"error":"argument 2: count must be at least 1","data":{"name":"ArgumentError","argument":2}}]`)
		c.close()
	})
}

// tally is Metrics in a map.
type tally struct {
	mu     sync.Mutex
	counts map[string]int64
}

func (m *tally) Add(metric realtime.Metric, label string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts == nil {
		m.counts = make(map[string]int64)
	}
	m.counts[strings.TrimSpace(string(metric)+" "+label)] += n
}

func (m *tally) of(name string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[name]
}

func TestMetrics(t *testing.T) {
	var m tally
	inWorld(t, realtime.Config{Metrics: &m}, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("e", func(n int) int { return n })
			s.On("panic", func() { panic("oops") })
		})
		w.server.Of("/no").Use(func(*realtime.Socket) error { return errors.New("no") })
		c := dialWebSocket(w)
		d := dialPolling(w)
		c.send(`421["e",1]`)
		c.next()
		c.send(`421["e","x"]`)
		c.next()
		c.send(`421["panic"]`)
		c.next()
		c.joinAs("/no", "")
		w.server.Emit("all")
		w.server.Sockets()[0].Emit("one", func() {})
		synctest.Wait()
		for name, want := range map[string]int64{
			"connections websocket": 1, "connections polling": 1, "sockets /": 2, "refused /no": 1,
			"events_in /": 3, "events_out /": 3, "bad_arguments /": 1, "panics /": 1, "pending": 0,
		} {
			if got := m.of(name); got != want {
				t.Errorf("%s: %d, want %d", name, got, want)
			}
		}
		c.close()
		d.close()
		synctest.Wait()
	})
	for _, name := range slices.Sorted(maps.Keys(m.counts)) {
		gauge := slices.Contains([]string{"connections", "sockets", "buffered", "pending"}, strings.Fields(name)[0])
		if n := m.of(name); gauge && n != 0 {
			t.Errorf("%s is %d in the end", name, n)
		} else if n < 0 {
			t.Errorf("%s: %d", name, n)
		}
	}
	if m.of("acks_missing /") != 1 || m.of("bytes_in websocket") == 0 || m.of("disconnections transport close") != 2 {
		t.Errorf("%v", m.counts)
	}
}

func TestTrace(t *testing.T) {
	type spanKey struct{}
	var d diary
	config := realtime.Config{Trace: func(ctx context.Context, e realtime.TraceEvent) (context.Context, func(error)) {
		d.add("begin %s %d", e.Event, len(e.Socket.ID()))
		return context.WithValue(ctx, spanKey{}, e.Event), func(err error) { d.add("end %s %v", e.Event, err) }
	}}
	inWorld(t, config, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("e", func(ctx context.Context) error {
				d.add("in %v", ctx.Value(spanKey{}))
				return errors.New("bad")
			})
			s.On("disconnect", func(ctx context.Context, reason string) { d.add("in %v", ctx.Value(spanKey{})) })
		})
		c := dialWebSocket(w)
		d.expect(t, "begin connection 20", "end connection <nil>")
		c.send(`42["e"]`)
		d.expect(t, "begin e 20", "in e", "end e bad")
		c.send("41")
		d.expect(t, "begin disconnect 20", "in disconnect", "end disconnect <nil>")
		c.close()
	})
}

func TestDrainAndConn(t *testing.T) {
	for _, dial := range dialers {
		t.Run(dial.name, func(t *testing.T) {
			inWorld(t, realtime.Config{PingInterval: time.Second}, func(w *world) {
				var d diary
				sockets := make(chan *realtime.Socket, 1)
				w.server.On("connection", func(s *realtime.Socket) {
					conn := s.Conn()
					conn.OnClose(func(reason string) { d.add("closed: %s", reason) })
					conn.OnHeartbeat(func() { d.add("heartbeat") })
					sockets <- s
				})
				c := dial.dial(w)
				s := <-sockets
				synctest.Wait()
				s.OnDrain(func() { d.add("drained") })
				s.Emit("e")
				c.expect(`42["e"]`)
				d.expect(t, "drained")
				if n := s.Buffered(); n != 0 {
					t.Errorf("%d bytes wait", n)
				}
				if conn := s.Conn(); conn != s.Conn() || s.Conn().Protocol() != 4 || s.Conn().Transport() != s.Transport() || s.Conn().ID() == s.ID() {
					t.Error("the connection is another")
				}
				time.Sleep(1500 * time.Millisecond)
				synctest.Wait()
				d.mu.Lock()
				if !slices.Contains(d.lines, "heartbeat") {
					t.Errorf("got %q", d.lines)
				}
				d.lines = nil
				d.mu.Unlock()
				s.Conn().Close()
				d.expect(t, "closed: forced close")
				c.close()
			})
		})
	}
}

// OnDrain's functions do not pile up behind a slow handler, and OnClose's are
// called when it is too late, too.
func TestDrainOnceAndCloseLate(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		sockets := make(chan *realtime.Socket, 1)
		w.server.On("connection", func(s *realtime.Socket) { sockets <- s })
		c := dialWebSocket(w)
		s := <-sockets
		synctest.Wait()
		s.OnDrain(func() { d.add("drained") })
		s.On("slow", func() { time.Sleep(time.Second) })
		c.send(`42["slow"]`)
		synctest.Wait()
		for range 10 {
			s.Emit("e")
			c.expect(`42["e"]`)
			synctest.Wait()
		}
		d.expect(t)
		time.Sleep(2 * time.Second)
		d.expect(t, "drained")
		c.close()
		synctest.Wait()
		for range 2 {
			s.Conn().OnClose(func(reason string) { d.add("closed: %s", reason) })
		}
		d.expect(t, "closed: transport close", "closed: transport close")
	})
}

func TestServerSideEmitAlone(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.On("hello", func() { t.Error("a server got its own event") })
		if err := w.server.ServerSideEmit("hello", 1); err != nil {
			t.Error(err)
		}
		if answers, err := w.server.ServerSideEmitWithAck(w.t.Context(), "hello"); err != nil || len(answers) != 0 {
			t.Errorf("got %v, %v", answers, err)
		}
		for _, name := range []string{"connection", "new_namespace", "disconnect"} {
			if w.server.ServerSideEmit(name) == nil {
				t.Errorf("%q was sent", name)
			}
		}
	})
}

func TestAttach(t *testing.T) {
	type userKey struct{}
	config := realtime.Config{
		Middleware: []func(http.Handler) http.Handler{func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, "ana")))
			})
		}},
		Attach: func(r *http.Request) any { return r.Context().Value(userKey{}) },
	}
	inWorld(t, config, func(w *world) {
		w.server.Use(func(s *realtime.Socket) error {
			return fmt.Errorf("you are %v", s.Handshake().Attached)
		})
		c := openWebSocket(w)
		c.send("40")
		c.expect(`44{"message":"you are ana"}`)
		c.close()
	})
}

// A hook that panics leaves nothing open behind it.
func TestAttachPanics(t *testing.T) {
	config := realtime.Config{Attach: func(*http.Request) any { panic(http.ErrAbortHandler) }} // which net/http does not print
	inWorld(t, config, func(w *world) {
		ws, _, err := websocket.Dial(w.t.Context(), base+"websocket", &websocket.DialOptions{HTTPClient: w.transport()})
		if err != nil {
			t.Fatal(err)
		}
		if _, data, err := ws.Read(w.t.Context()); err == nil {
			t.Errorf("the client was sent %s", data)
		}
		ws.CloseNow()
	})
}

func TestRoomsOfANamespace(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		clients, sockets := crowd(w, 2)
		sockets[0].Join("red", "blue")
		sockets[1].Join("blue")
		realtime.Handle(sockets[0], "typed", func(_ context.Context, n int) (int, error) { return n + 1, nil })
		if got := w.server.Rooms(); !slices.Equal(got, []string{"blue", "red"}) {
			t.Errorf("rooms %q", got)
		}
		clients[0].send(`421["typed",1]`)
		clients[0].expect(`431[2]`)
		disperse(clients)
	})
}

func TestHandshakeIsACopy(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		clients, sockets := crowd(w, 1)
		text, err := json.Marshal(sockets[0].Handshake())
		if err != nil || !strings.Contains(string(text), `"xdomain":false`) {
			t.Errorf("%s, %v", text, err)
		}
		disperse(clients)
	})
}
