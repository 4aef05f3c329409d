package realtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// world is a server and its clients in a bubble of their own time.
type world struct {
	t      *testing.T
	server *realtime.Server
	http   *http.Server
	listen *pipeListener
}

// inWorld runs f in a synctest bubble, in which no goroutine may be left over.
func inWorld(t *testing.T, config realtime.Config, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		config.Logger = slog.New(slog.DiscardHandler)
		w := &world{t: t, server: realtime.NewServer(config), listen: newPipeListener()}
		w.http = &http.Server{Handler: w.server}
		done := make(chan struct{})
		go func() {
			w.http.Serve(w.listen)
			close(done)
		}()
		f(w)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if n := w.server.ClientsCount(); n != 0 {
			t.Errorf("%d clients after the shutdown", n)
		}
		w.http.Close()
		<-done
	})
}

func TestEchoWithAck(t *testing.T) {
	for _, dial := range dialers {
		t.Run(dial.name, func(t *testing.T) {
			inWorld(t, realtime.Config{}, func(w *world) {
				w.server.On("connection", func(s *realtime.Socket) {
					s.On("echo", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
				})
				c := dial.dial(w)
				c.send(`420["echo",1,"two",{"three":[3]}]`)
				c.expect(`430[1,"two",{"three":[3]}]`)
				c.send(`451-1["echo",{"deep":{"_placeholder":true,"num":0}}]`)
				c.sendBinary("bytes")
				c.expect(`461-1[{"deep":{"_placeholder":true,"num":0}}]`)
				c.expectBinary("bytes")
				c.close()
			})
		})
	}
}

func TestHandlerSignatures(t *testing.T) {
	type order struct {
		Item    string `json:"item"`
		Picture []byte `json:"picture"`
	}
	tests := []struct {
		name    string
		handler any
		args    string
		want    string
	}{
		{"nothing", func() {}, ``, ``},
		{"result", func(a, b int) int { return a + b }, `,1,2`, `[3]`},
		{"missing arguments are zero", func(a int, b string) string { return fmt.Sprint(a, b) }, `,1`, `["1"]`},
		{"further arguments are ignored", func(a int) int { return a }, `,1,2,3`, `[1]`},
		{"error", func(string) error { return errors.New("no <b>") }, `,"x"`, `[{"error":"no <b>"}]`},
		{"no error", func(string) error { return nil }, `,"x"`, `[]`},
		{"result and no error", func(o order) (order, error) { o.Item += "!"; return o, nil }, `,{"item":"a","picture":null}`, `[{"item":"a!","picture":null}]`},
		{"result and error", func(o *order) (*order, error) { return nil, &realtime.Error{Message: o.Item, Data: 7} }, `,{"item":"a"}`, `[{"error":"a","data":7}]`},
		{"context", func(ctx context.Context, n int) (bool, error) { return ctx.Err() == nil, nil }, `,1`, `[true]`},
		{"variadic", func(n ...int) int { return len(n) }, `,1,2,3`, `[3]`},
		{"ack", func(s string, ack realtime.Ack) { ack(s, s); ack("again") }, `,"x"`, `["x","x"]`},
		{"args", func(s string, rest realtime.Args) int { return rest.Len() }, `,"x",1,2`, `[2]`},
		{"does not fit", func(n int) int { return n }, `,"x"`, `[{"error":"argument 1: json: cannot unmarshal string into Go value of type int","data":{"name":"ArgumentError","argument":1}}]`},
		{"panics", func() int { panic("oops") }, ``, `[{"error":"internal error"}]`},
		{"cannot be sent", func() any { return func() {} }, ``, `[{"error":"internal error"}]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, realtime.Config{}, func(w *world) {
				w.server.On("connection", func(s *realtime.Socket) {
					s.On("event", test.handler)
					s.On("alive", func() string { return "yes" })
				})
				c := dialWebSocket(w)
				c.send(`427["event"` + test.args + `]`)
				if test.want != "" {
					c.expect(`437` + test.want)
				}
				c.send(`428["alive"]`)
				c.expect(`438["yes"]`)
				c.close()
			})
		})
	}
}

func TestSignaturesThatCannotWork(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			for want, fn := range map[string]any{
				"give a function":                    "text",
				"the function is nil":                (func())(nil),
				"Ack must be the last parameter":     func(realtime.Ack, int) {},
				"Context must be the first":          func(int, context.Context) {},
				"cannot be decoded from JSON":        func(chan int) {},
				"either take an Ack or return":       func(realtime.Ack) int { return 0 },
				"second result must be an error":     func() (int, int) { return 0, 0 },
				"a result, an error, or a result":    func() (int, int, error) { return 0, 0, nil },
				"Args must be the last parameter":    func(realtime.Args, int) {},
				"parameter 1, a fmt.Stringer, canno": func(fmt.Stringer) {},
			} {
				func() {
					defer func() {
						if message := fmt.Sprint(recover()); !strings.Contains(message, want) || !strings.HasPrefix(message, "realtime: ") {
							t.Errorf("%T: panics with %q, want %q in it", fn, message, want)
						}
					}()
					s.On("event", fn)
				}()
			}
		})
		dialWebSocket(w).close()
	})
}

func TestRoomsAndBroadcast(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		sockets := make(chan *realtime.Socket, 3)
		w.server.On("connection", func(s *realtime.Socket) { sockets <- s })
		var clients []*client
		var joined []*realtime.Socket
		for _, dial := range []func(*world) *client{dialWebSocket, dialPolling, dialWebSocket} {
			clients = append(clients, dial(w))
			joined = append(joined, <-sockets)
		}
		a, b := joined[0], joined[1]
		a.Join("red", "blue")
		b.Join("blue")
		if got := a.Rooms(); !slices.Equal(got, []string{a.ID(), "blue", "red"}) {
			t.Errorf("rooms: %v", got)
		}
		steps := []struct {
			name string
			emit func(event string) error
			want [3]bool
		}{
			{"all", func(e string) error { return w.server.Emit(e) }, [3]bool{true, true, true}},
			{"to", func(e string) error { return w.server.To("red").Emit(e) }, [3]bool{true, false, false}},
			{"to several, each once", func(e string) error { return w.server.To("red", "blue").In("red").Emit(e) }, [3]bool{true, true, false}},
			{"except", func(e string) error { return w.server.To("blue").Except("red").Emit(e) }, [3]bool{false, true, false}},
			{"except an id", func(e string) error { return w.server.Except(b.ID()).Emit(e) }, [3]bool{true, false, true}},
			{"to an id", func(e string) error { return w.server.To(b.ID()).Emit(e) }, [3]bool{false, true, false}},
			{"socket's broadcast", func(e string) error { return a.Broadcast().Emit(e) }, [3]bool{false, true, true}},
			{"socket's to", func(e string) error { return a.To("blue").Emit(e) }, [3]bool{false, true, false}},
			{"socket's except", func(e string) error { return a.Except("blue").Emit(e) }, [3]bool{false, false, true}},
			{"to nobody", func(e string) error { return w.server.To("none").Emit(e) }, [3]bool{}},
		}
		for i, step := range steps {
			event := fmt.Sprint("step", i)
			if err := step.emit(event); err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
			if err := w.server.Emit("end"); err != nil {
				t.Error(err)
			}
			for n, c := range clients {
				if step.want[n] {
					c.expect(`42["` + event + `"]`)
				}
				c.expect(`42["end"]`)
			}
		}
		a.Leave("red")
		b.Disconnect(false)
		if got := w.server.To("red", "blue").Sockets(); !reflect.DeepEqual(got, []*realtime.Socket{a}) {
			t.Errorf("sockets in the rooms: %v", got)
		}
		for _, c := range clients {
			c.close()
		}
	})
}

func TestEmitWithAck(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("ask me", func(ctx context.Context) (string, error) {
				answer, err := s.EmitWithAck(ctx, "question", []byte("?")) // a handler may wait
				if err != nil {
					return "", err
				}
				var text string
				var data []byte
				err = answer.Decode(&text, &data)
				return text + string(data), err
			})
			s.On("call me", func() {
				s.Emit("callback", func(n int, text string) { s.Emit("called", n, text) })
				s.Emit("callback", func(err error, n int) { s.Emit("called", err == nil, n) })
			})
			s.On("time out", func() string {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				_, err := s.EmitWithAck(ctx, "question")
				return fmt.Sprint(errors.Is(err, context.DeadlineExceeded))
			})
		})
		c := dialWebSocket(w)
		c.send(`421["ask me"]`)
		c.expect(`451-0["question",{"_placeholder":true,"num":0}]`)
		c.expectBinary("?")
		c.send(`461-0["because",{"_placeholder":true,"num":0}]`)
		c.sendBinary("!")
		c.expect(`431["because!"]`)
		c.send(`42["call me"]`)
		c.expect(`421["callback"]`)
		c.expect(`422["callback"]`)
		c.send(`431[5,"five"]`)
		c.send(`431[6,"six"]`) // only one answer counts
		c.send(`432[7]`)
		c.expect(`42["called",5,"five"]`)
		c.expect(`42["called",true,7]`)
		c.send(`423["time out"]`)
		c.expect(`423["question"]`)
		c.expect(`433["true"]`)
		c.close()
	})
}

// reasons runs f with a connected client, and returns the reason its socket was
// disconnected with, and the rooms it was in.
func reasons(t *testing.T, config realtime.Config, dial func(*world) *client, f func(*world, *client, *realtime.Socket)) string {
	t.Helper()
	var reason string
	inWorld(t, config, func(w *world) {
		sockets, ended := make(chan *realtime.Socket, 1), make(chan string, 1)
		w.server.On("connection", func(s *realtime.Socket) {
			s.Join("room")
			s.On("disconnecting", func(string) {
				if got := s.Rooms(); !slices.Equal(got, []string{s.ID(), "room"}) {
					t.Errorf("rooms while disconnecting: %v", got)
				}
			})
			s.On("disconnect", func(reason string) {
				if got := s.Rooms(); len(got) > 0 {
					t.Errorf("rooms after disconnecting: %v", got)
				}
				if s.Connected() {
					t.Error("still connected")
				}
				var cause *realtime.DisconnectError
				if !errors.As(context.Cause(s.Context()), &cause) || cause.Reason != reason {
					t.Errorf("the context's cause is %v", context.Cause(s.Context()))
				}
				ended <- reason
			})
			sockets <- s
		})
		c := dial(w)
		f(w, c, <-sockets)
		reason = <-ended
		c.close()
	})
	return reason
}

func TestDisconnectReasons(t *testing.T) {
	tests := []struct {
		want string
		dial func(*world) *client
		f    func(*world, *client, *realtime.Socket)
	}{
		{realtime.ReasonClientDisconnect, dialWebSocket, func(w *world, c *client, s *realtime.Socket) { c.send("41") }},
		{realtime.ReasonServerDisconnect, dialWebSocket, func(w *world, c *client, s *realtime.Socket) {
			s.Emit("last")
			s.Disconnect(false)
			c.expect(`42["last"]`)
			c.expect("41")
		}},
		{realtime.ReasonServerDisconnect, dialPolling, func(w *world, c *client, s *realtime.Socket) {
			s.Emit("last")
			s.Disconnect(true)
			c.expect(`42["last"]`)
			c.expect("41")
			c.expect("1")
		}},
		{realtime.ReasonTransportClose, dialWebSocket, func(w *world, c *client, s *realtime.Socket) { c.close() }},
		{realtime.ReasonTransportClose, dialPolling, func(w *world, c *client, s *realtime.Socket) { c.sendRaw("1") }},
		{realtime.ReasonParseError, dialPolling, func(w *world, c *client, s *realtime.Socket) { c.sendRaw("x") }},
		{realtime.ReasonParseError, dialWebSocket, func(w *world, c *client, s *realtime.Socket) { c.sendRaw("x") }},
		{realtime.ReasonForcedClose, dialWebSocket, func(w *world, c *client, s *realtime.Socket) { c.send("42{}") }},
		{realtime.ReasonForcedClose, dialWebSocket, func(w *world, c *client, s *realtime.Socket) { c.send("40") }},
		{realtime.ReasonPingTimeout, dialWebSocket, func(w *world, c *client, s *realtime.Socket) { c.deaf.Store(true) }},
		{realtime.ReasonPingTimeout, dialPolling, func(w *world, c *client, s *realtime.Socket) { c.deaf.Store(true) }},
		{realtime.ReasonShuttingDown, dialWebSocket, func(w *world, c *client, s *realtime.Socket) { w.server.Shutdown(w.t.Context()) }},
	}
	for i, test := range tests {
		t.Run(fmt.Sprint(i, " ", test.want), func(t *testing.T) {
			if got := reasons(t, realtime.Config{}, test.dial, test.f); got != test.want {
				t.Errorf("reason %q, want %q", got, test.want)
			}
		})
	}
}

func TestHeartbeatKeepsAlive(t *testing.T) {
	for _, dial := range dialers {
		t.Run(dial.name, func(t *testing.T) {
			inWorld(t, realtime.Config{}, func(w *world) {
				w.server.On("connection", func(s *realtime.Socket) { s.On("ask", func() string { return "answer" }) })
				c := dial.dial(w)
				time.Sleep(10 * time.Minute) // of the bubble's time
				if c.pings.Load() < 20 {
					t.Errorf("%d pings in ten minutes", c.pings.Load())
				}
				c.send(`421["ask"]`)
				c.expect(`431["answer"]`)
				c.close()
			})
		})
	}
}

func TestSlowClient(t *testing.T) {
	got := reasons(t, realtime.Config{MaxBuffered: 1000}, dialPolling, func(w *world, c *client, s *realtime.Socket) {
		c.deaf.Store(true)
		synctest.Wait()
		var err error
		for err == nil {
			err = s.Emit("flood", strings.Repeat("x", 300))
		}
		if !errors.Is(err, realtime.ErrSlowClient) {
			t.Errorf("emit to a slow client: %v", err)
		}
	})
	if got != realtime.ReasonTransportError {
		t.Errorf("reason %q", got)
	}
}

func TestOrderAndBackpressure(t *testing.T) {
	inWorld(t, realtime.Config{MaxPending: 4}, func(w *world) {
		const events = 500
		var mu sync.Mutex
		var got []int
		done := make(chan struct{})
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("n", func(n int) {
				time.Sleep(time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				got = append(got, n)
				if len(got) == events {
					close(done)
				}
			})
		})
		c := dialWebSocket(w)
		for i := range events {
			c.send(fmt.Sprintf(`42["n",%d]`, i))
		}
		<-done
		if !slices.IsSorted(got) {
			t.Errorf("events out of order: %v", got)
		}
		c.close()
	})
}

// A client whose events wait for slow handlers is not read from, and not blamed for
// the pongs that stand behind them; but when nothing goes on any more, it is.
func TestHeartbeatBehindSlowHandlers(t *testing.T) {
	for _, test := range []struct {
		name    string
		takes   time.Duration
		handled int
		reason  string
	}{
		{"slow", 15 * time.Second, 20, "all were handled"},
		{"stuck", time.Hour, 0, realtime.ReasonPingTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, realtime.Config{MaxPending: 2}, func(w *world) {
				handled := 0
				reason := make(chan string, 2)
				w.server.On("connection", func(s *realtime.Socket) {
					s.On("event", func(ctx context.Context) {
						select {
						case <-time.After(test.takes):
							if handled++; handled == test.handled {
								reason <- "all were handled"
							}
						case <-ctx.Done():
						}
					})
					s.On("disconnect", func(why string) { reason <- why })
				})
				c := dialWebSocket(w)
				go func() {
					for range 20 {
						c.send(`42["event"]`)
					}
				}()
				if got := <-reason; got != test.reason || handled != test.handled {
					t.Errorf("it ended with %q after %d events, want %q after %d", got, handled, test.reason, test.handled)
				}
				c.close()
			})
		})
	}
}

func TestNamespaces(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		admin := w.server.Of("admin")
		admin.Use(func(s *realtime.Socket) error {
			var auth struct{ Token string }
			if err := s.Handshake().DecodeAuth(&auth); err != nil || auth.Token != "x" {
				return &realtime.Error{Message: "not authorized", Data: map[string]int{"code": 7}}
			}
			s.Set("user", "root")
			return nil
		})
		admin.On("connection", func(s *realtime.Socket) { s.Emit("welcome", s.Value("user")) })
		w.server.Of("/panics").Use(func(*realtime.Socket) error { panic("oops") })
		c := dialWebSocket(w)
		c.send("40/admin,")
		c.expect(`44/admin,{"message":"not authorized","data":{"code":7}}`)
		c.send("40/nowhere,")
		c.expect(`44/nowhere,{"message":"Invalid namespace"}`)
		c.send("40/panics,")
		c.expect(`44/panics,{"message":"internal error"}`)
		c.send(`40/admin,{"token":"x"}`)
		c.expectPrefix(`40/admin,{"sid":"`)
		c.expect(`42/admin,["welcome","root"]`)
		admin.Emit("both")
		w.server.Emit("both")
		c.expect(`42/admin,["both"]`)
		c.expect(`42["both"]`)
		c.send("41/admin,")
		c.send("40/admin,")
		c.expectPrefix("44/admin,")
		c.close()
	})
}

func TestConnectTimeout(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		c := openWebSocket(w)
		time.Sleep(46 * time.Second)
		synctest.Wait()
		if n := w.server.ClientsCount(); n != 0 {
			t.Errorf("%d clients are connected without having joined", n)
		}
		c.close()
	})
}

func TestHandshake(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) { s.Emit("handshake", s.Handshake()) })
		c := dialWebSocket(w)
		text := c.next()
		var event []json.RawMessage
		if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "42")), &event); err != nil {
			t.Fatal(err)
		}
		var h struct {
			Headers map[string]string
			Query   map[string]string
			Auth    json.RawMessage
			URL     string
		}
		if err := json.Unmarshal(event[1], &h); err != nil {
			t.Fatal(err)
		}
		if h.Query["EIO"] != "4" || h.Headers["host"] != "test" || string(h.Auth) != "{}" || !strings.HasPrefix(h.URL, "/socket.io/?") {
			t.Errorf("handshake: %s", event[1])
		}
		c.close()
	})
}

func TestBadOptions(t *testing.T) {
	origins := func(list ...string) realtime.Config { return realtime.Config{CORS: realtime.CORS{Origins: list}} }
	for _, test := range []struct {
		want   string // in the message; "" for none
		config realtime.Config
	}{
		{"Config.Path", realtime.Config{Path: "socket.io"}},
		{"Config.MaxPayload", realtime.Config{MaxPayload: -1}},
		{"Config.Transports", realtime.Config{Transports: []string{"carrier pigeon"}}},
		{"Config.PingTimeout", realtime.Config{PingTimeout: -time.Second}},
		{"Config.EventBurst", realtime.Config{EventBurst: 10}},
		{`"example.com"`, origins("https://example.com", "example.com")},
		{`"https://example.com/"`, origins("https://example.com/")},
		{`"https://*.example.com"`, origins("https://*.example.com")},
		{`"https://Example.com"`, origins("https://Example.com")},
		{"", origins("*", "null", "http://localhost:5173", "https://[::1]", "file://", "capacitor://localhost")},
	} {
		func() {
			defer func() {
				message := recover()
				if test.want == "" && message != nil || test.want != "" && !strings.Contains(fmt.Sprint(message), test.want) {
					t.Errorf("%q: panics with %v", test.want, message)
				}
			}()
			realtime.NewServer(test.config)
		}()
	}
}

// pipeListener accepts in-memory connections.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
