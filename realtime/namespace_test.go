package realtime_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// diary collects what happens.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// expect waits until nothing happens any more, and compares what has happened
// since the last time.
func (d *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(d.lines, "\n"), strings.Join(want, "\n"))
	}
	d.lines = nil
}

// joinAs joins a namespace and returns the answer.
func (c *client) joinAs(namespace, auth string) string {
	c.w.t.Helper()
	c.send("40" + namespace + "," + auth)
	return c.next()
}

func TestDynamicNamespaces(t *testing.T) {
	for _, keep := range []bool{false, true} {
		inWorld(t, realtime.Config{KeepEmptyNamespaces: keep}, func(w *world) {
			var d diary
			w.server.On("new_namespace", func(n *realtime.Namespace) { d.add("new %s", n.Name()) })
			parent := w.server.OfPattern(regexp.MustCompile(`^/room-\d+$`))
			parent.Use(func(s *realtime.Socket) error { d.add("middleware"); return nil })
			parent.On("connection", func(s *realtime.Socket) { d.add("joins %s", s.Namespace().Name()) })
			w.server.OfFunc(func(name string, h *realtime.Handshake) bool {
				var auth struct{ Token string }
				h.DecodeAuth(&auth)
				return name == "/secret" && auth.Token == "t"
			})
			w.server.Of("/room-2").On("connection", func(*realtime.Socket) { d.add("by hand") })
			d.expect(t, "new /room-2")

			c := openWebSocket(w)
			for _, namespace := range []string{"/room-x", "/room-1/more", "/secret"} {
				if got, want := c.joinAs(namespace, ""), `44`+namespace+`,{"message":"Invalid namespace"}`; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			d.expect(t)
			if got := c.joinAs("/secret", `{"token":"t"}`); !strings.HasPrefix(got, `40/secret,{"sid":"`) {
				t.Errorf("got %s", got)
			}
			d.expect(t, "new /secret")
			c.joinAs("/room-2", "") // one that was made by hand has its parent, too
			d.expect(t, "middleware", "joins /room-2", "by hand")
			c.send("41/room-2")
			d.expect(t)
			if len(parent.Children()) != 1 {
				t.Errorf("%d children: what was made by hand must stay", len(parent.Children()))
			}
			c.joinAs("/room-1", "")
			d.expect(t, "new /room-1", "middleware", "joins /room-1")
			parent.On("connection", func(s *realtime.Socket) { d.add("later handler") })

			other := openWebSocket(w)
			other.joinAs("/room-1", "")
			d.expect(t, "middleware", "joins /room-1", "later handler")
			parent.Emit("to all")
			c.expect(`42/room-1,["to all"]`)
			other.expect(`42/room-1,["to all"]`)

			c.send("41/room-1")
			d.expect(t)
			if len(parent.Children()) != 2 {
				t.Errorf("%d children", len(parent.Children()))
			}
			other.close()
			synctest.Wait()
			if got := len(parent.Children()) == 2; got != keep {
				t.Errorf("%d children after the last socket, KeepEmptyNamespaces is %v", len(parent.Children()), keep)
			}
			c.joinAs("/room-1", "")
			if keep {
				d.expect(t, "middleware", "joins /room-1", "later handler")
			} else {
				d.expect(t, "new /room-1", "middleware", "joins /room-1", "later handler")
			}
			c.close()
		})
	}
}

// A namespace that clients made is kept while one of them may come back to it.
func TestDynamicNamespaceIsKeptForRecovery(t *testing.T) {
	inWorld(t, realtime.Config{Recovery: &realtime.Recovery{}}, func(w *world) {
		parent := w.server.OfPattern(regexp.MustCompile("^/x"))
		c := openWebSocket(w)
		pid := regexp.MustCompile(`"pid":"([^"]+)"`).FindStringSubmatch(c.joinAs("/x", ""))[1]
		c.close()
		time.Sleep(time.Minute)
		c = openWebSocket(w)
		if got := c.joinAs("/x", `{"pid":"`+pid+`"}`); !strings.Contains(got, pid) {
			t.Errorf("not recovered: %s", got)
		}
		c.close()
		time.Sleep(3 * time.Minute)
		if n := len(parent.Children()); n != 0 {
			t.Errorf("%d children are left", n)
		}
	})
}

// Of two clients that may come back to a namespace, the first does not take it
// along when its time is over. One that nobody can come back to goes at once.
func TestDynamicNamespaceIsKeptForTheLast(t *testing.T) {
	inWorld(t, realtime.Config{Recovery: &realtime.Recovery{}}, func(w *world) {
		parent := w.server.OfPattern(regexp.MustCompile("^/x"))
		first, second := openWebSocket(w), openWebSocket(w)
		first.joinAs("/x", "")
		pid := regexp.MustCompile(`"pid":"([^"]+)"`).FindStringSubmatch(second.joinAs("/x", ""))[1]
		first.close()
		time.Sleep(time.Minute)
		second.close()
		time.Sleep(90 * time.Second) // the first one's time is over
		c := openWebSocket(w)
		if got := c.joinAs("/x", `{"pid":"`+pid+`"}`); !strings.Contains(got, pid) {
			t.Errorf("not recovered: %s", got)
		}
		c.send("41/x") // who says goodbye does not come back
		synctest.Wait()
		if n := len(parent.Children()); n != 0 {
			t.Errorf("%d children are left", n)
		}
		c.close()
	})
}

// No client joins a namespace before those who wait for new ones have seen it:
// they may add the middleware that keeps it out.
func TestNewNamespaceIsSeenFirst(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.OfPattern(regexp.MustCompile("^/x$"))
		w.server.On("new_namespace", func(n *realtime.Namespace) {
			time.Sleep(time.Second)
			n.Use(func(*realtime.Socket) error { return errors.New("no") })
		})
		clients := []*client{openWebSocket(w), openWebSocket(w)}
		for _, c := range clients {
			c.send("40/x,")
		}
		for _, c := range clients {
			c.expect(`44/x,{"message":"no"}`)
			c.close()
		}
	})
}

// An adapter that takes its time to begin keeps nobody waiting who is not in its
// namespace.
func TestSlowAdapter(t *testing.T) {
	config := realtime.Config{Adapter: adapter.Factory(func(h adapter.Host) adapter.Adapter {
		if h.Name() == "/slow" {
			time.Sleep(10 * time.Second)
		}
		return adapter.NewMemory(h)
	})}
	inWorld(t, config, func(w *world) {
		start := time.Now()
		parent := w.server.OfPattern(regexp.MustCompile("^/slow$"))
		waiting := []*client{openWebSocket(w), openWebSocket(w)}
		for _, c := range waiting {
			c.send("40/slow,")
		}
		synctest.Wait()
		parent.Emit("to nobody")
		c := dialWebSocket(w)
		if waited := time.Since(start); waited > 0 {
			t.Errorf("a client waited %v", waited)
		}
		for _, c := range waiting {
			c.expectPrefix("40/slow,")
		}
		if n := len(w.server.Of("/slow").Sockets()); n != 2 || time.Since(start) != 10*time.Second {
			t.Errorf("%d sockets after %v", n, time.Since(start))
		}
		for _, c := range append(waiting, c) {
			c.close()
		}
	})
}

// slowToClose is an adapter whose Close takes its time.
type slowToClose struct {
	adapter.Adapter
	closed func()
}

func (a slowToClose) Close() error {
	time.Sleep(10 * time.Second)
	a.closed()
	return a.Adapter.Close()
}

// A namespace that clients make again begins when the one before has ended: what
// an engine subscribes to for both has the same name.
func TestNamespaceMadeAgain(t *testing.T) {
	var d diary
	config := realtime.Config{Adapter: adapter.Factory(func(h adapter.Host) adapter.Adapter {
		if h.Name() == "/" {
			return adapter.NewMemory(h)
		}
		d.add("opened")
		return slowToClose{adapter.NewMemory(h), func() { d.add("closed") }}
	})}
	inWorld(t, config, func(w *world) {
		w.server.OfPattern(regexp.MustCompile("^/x$"))
		first, second := openWebSocket(w), openWebSocket(w)
		first.joinAs("/x", "")
		first.send("41/x")
		synctest.Wait()
		second.joinAs("/x", "")
		d.expect(t, "opened", "closed", "opened")
		first.close()
		second.close()
		synctest.Wait()
		// Shutdown waits for the end of the second, too.
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.lines, []string{"closed"}) {
		t.Errorf("after Shutdown %q", d.lines)
	}
}

// Clients cannot make each other's namespaces twice, or lose one.
func TestDynamicNamespacesConcurrently(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		parent := w.server.OfPattern(regexp.MustCompile("^/x$"))
		parent.On("connection", func(s *realtime.Socket) { s.On("n", func() int { return len(s.Namespace().Sockets()) }) })
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				c := openWebSocket(w)
				for range 30 {
					if got := c.joinAs("/x", ""); !strings.HasPrefix(got, `40/x,{"sid"`) {
						t.Errorf("got %s", got)
						break
					}
					c.send("42/x,1[\"n\"]")
					if got := c.next(); got == "43/x,1[0]" {
						t.Error("a namespace does not know its socket")
					}
					c.send("41/x")
				}
				c.close()
			})
		}
		wg.Wait()
		synctest.Wait()
		if n := len(parent.Children()); n != 0 {
			t.Errorf("%d children are left", n)
		}
	})
}

func TestNamespaceEvents(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		n := w.server.Of("rooms")
		n.On("create-room", func(room string) { d.add("create %.4s", room) })
		n.On("delete-room", func(room string) { d.add("delete %.4s", room) })
		n.On("join-room", func(room, id string) { d.add("join %.4s %d", room, len(id)) })
		leave := n.On("leave-room", func(room, id string) { d.add("leave %.4s %d", room, len(id)) })
		n.Once("connection", func(s *realtime.Socket) { d.add("once") })
		n.On("connect", func(s *realtime.Socket) {
			d.lines = nil // without those of the room of its id
			s.Join("red", "red")
			s.Leave("red", "blue")
		})
		n.Set("topic", "chess")
		if topic, ok := realtime.ValueOf[string](n, "topic"); !ok || topic != "chess" {
			t.Errorf("topic %q", topic)
		}
		c := openWebSocket(w)
		c.joinAs("/rooms", "")
		d.expect(t, "create red", "join red 20", "leave red 20", "delete red")
		leave.Off()
		n.Off("join-room")
		c.send("41/rooms")
		synctest.Wait()
		d.lines = nil
		c.joinAs("/rooms", "")
		d.expect(t, "create red", "delete red")
		n.Off("connection")
		c.send("41/rooms")
		synctest.Wait()
		d.lines = nil
		c.joinAs("/rooms", "")
		synctest.Wait()
		if len(d.lines) != 1 || !strings.HasPrefix(d.lines[0], "create ") {
			t.Errorf("got %q", d.lines)
		}
		c.close()

		for want, f := range map[string]func(){
			"func(*realtime.Socket)": func() { n.On("connection", func() {}) },
			"func(room string)":      func() { n.On("create-room", func(int) {}) },
			"func(room, id string)":  func() { n.On("join-room", func(string) {}) },
			"on the *realtime.Server": func() {
				n.On("new_namespace", func(*realtime.Namespace) {})
			},
			"nil pattern":    func() { w.server.OfPattern(nil) },
			"nil middleware": func() { n.Use(nil) },
		} {
			func() {
				defer func() {
					if message := fmt.Sprint(recover()); !strings.Contains(message, want) {
						t.Errorf("panics with %q, want %q in it", message, want)
					}
				}()
				f()
			}()
		}
	})
}

func TestLimitsOfAConnection(t *testing.T) {
	inWorld(t, realtime.Config{MaxNamespaces: 2, MaxRooms: 3}, func(w *world) {
		for _, name := range []string{"a", "b", "c"} {
			w.server.Of(name)
		}
		var joins []error
		w.server.Of("a").Use(func(s *realtime.Socket) error {
			joins = append(joins, s.Join("1", "2", "3", "4"), s.Join("1", "2"))
			return nil
		})
		w.server.Of("a").On("connection", func(s *realtime.Socket) {
			joins = append(joins, s.Join("3"), s.Join("4"))
			s.Leave("1", "2", "3")
			joins = append(joins, s.Join("4", "5", "5"), s.Join("5"), s.Join("6", "7"))
			s.On("rooms", func() []string { return s.Rooms()[1:] })
		})
		c := openWebSocket(w)
		c.joinAs("/a", "")
		c.joinAs("/b", "")
		if got, want := c.joinAs("/c", ""), `44/c,{"message":"Too many namespaces"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		c.send("41/b")
		if got := c.joinAs("/c", ""); !strings.HasPrefix(got, "40/c,") {
			t.Errorf("got %s", got)
		}
		c.send(`42/a,1["rooms"]`)
		c.expect(`43/a,1[["4","5"]]`)
		c.close()
		over := realtime.ErrTooManyRooms
		if want := []error{over, nil, nil, over, nil, nil, over}; !slices.EqualFunc(joins, want, errors.Is) {
			t.Errorf("Join returned %v, want %v", joins, want)
		}
	})
}

func TestMiddlewareOfTheEngine(t *testing.T) {
	var d diary
	var order []string
	wrap := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				order = append(order, name+" "+r.URL.Query().Get("transport"))
				rw.Header().Set("X-Through", name)
				next.ServeHTTP(rw, r)
			})
		}
	}
	config := realtime.Config{
		Middleware:     []func(http.Handler) http.Handler{wrap("outer"), wrap("inner")},
		InitialHeaders: func(h http.Header, r *http.Request) { h.Add("Set-Cookie", "a=1") },
		Headers:        func(h http.Header, r *http.Request) { h.Set("X-All", "yes") },
		OnRefused:      func(r *http.Request, code int, message string) { d.add("%d %s", code, message) },
		GenerateID: func(r *http.Request) (string, error) {
			if id := r.URL.Query().Get("id"); id != "" {
				return id, nil
			}
			return "", errors.New("no id")
		},
		Cookie:          &http.Cookie{Name: "stick"},
		NoTrailingSlash: true,
	}
	inWorld(t, config, func(w *world) {
		hc := w.transport()
		res, err := hc.Get("http://test/socket.io?EIO=4&transport=polling&id=mine")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header; got.Get("X-Through") != "inner" || got.Get("X-All") != "yes" ||
			!slices.Equal(got.Values("Set-Cookie"), []string{"stick=mine; Path=/; HttpOnly; SameSite=Lax", "a=1"}) && !slices.Equal(got.Values("Set-Cookie"), []string{"a=1", "stick=mine; Path=/; HttpOnly; SameSite=Lax"}) {
			t.Errorf("headers %v", got)
		}
		if !slices.Equal(order, []string{"outer polling", "inner polling"}) {
			t.Errorf("went through %q", order)
		}
		for _, query := range []string{"?EIO=4&transport=polling", "?EIO=4&transport=polling&sid=other", "?EIO=3&transport=polling"} {
			res, err := hc.Get("http://test/socket.io/" + query)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != 400 || res.Header.Get("X-All") != "yes" {
				t.Errorf("%s: status %d, headers %v", query, res.StatusCode, res.Header)
			}
		}
		d.mu.Lock()
		lines := slices.Clone(d.lines)
		d.mu.Unlock()
		if len(lines) != 3 || lines[1] != "1 Session ID unknown" || lines[2] != "5 Unsupported protocol version" {
			t.Errorf("refused %q", lines)
		}
		hc.CloseIdleConnections()
	})
}
