package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// crowd connects clients and returns them with their sockets.
func crowd(w *world, n int) ([]*client, []*realtime.Socket) {
	sockets := make(chan *realtime.Socket, n)
	w.server.On("connection", func(s *realtime.Socket) { sockets <- s })
	var clients []*client
	var joined []*realtime.Socket
	for range n {
		clients = append(clients, dialWebSocket(w))
		joined = append(joined, <-sockets)
	}
	return clients, joined
}

func disperse(clients []*client) {
	for _, c := range clients {
		c.close()
	}
}

func TestBroadcastWithAck(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		clients, sockets := crowd(w, 4)
		defer disperse(clients)
		texts := func(answers []realtime.Answer) (all []string) {
			for _, a := range answers {
				var text string
				if err := a.Args.Decode(&text); err != nil {
					t.Error(err)
				}
				all = append(all, text+" of "+fmt.Sprint(slices.IndexFunc(sockets, func(s *realtime.Socket) bool { return s.ID() == a.ID })))
			}
			slices.Sort(all)
			return all
		}
		type outcome struct {
			answers []realtime.Answer
			err     error
		}
		ask := func(b *realtime.Broadcast) chan outcome {
			done := make(chan outcome, 1)
			go func() {
				answers, err := b.EmitWithAck(w.t.Context(), "ask", 1)
				done <- outcome{answers, err}
			}()
			return done
		}

		all := ask(w.server.Except(sockets[3].ID()))
		for i, c := range clients[:3] {
			c.expect(`420["ask",1]`)
			c.send(fmt.Sprintf(`430["answer %d"]`, i))
			c.send(`430["again"]`)
		}
		got := <-all
		if want := []string{"answer 0 of 0", "answer 1 of 1", "answer 2 of 2"}; got.err != nil || !slices.Equal(texts(got.answers), want) {
			t.Errorf("got %q, %v", texts(got.answers), got.err)
		}

		// One does not answer in time, one goes.
		some := ask(w.server.To(sockets[0].ID(), sockets[1].ID(), sockets[2].ID()).Timeout(time.Second))
		for _, c := range clients[:3] {
			c.expect(`421["ask",1]`)
		}
		clients[0].send(`431["yes"]`)
		clients[2].send("41")
		got = <-some
		var missing *realtime.MissingError
		ids := []string{sockets[1].ID(), sockets[2].ID()}
		slices.Sort(ids)
		if !errors.As(got.err, &missing) || !slices.Equal(missing.IDs, ids) || !errors.Is(got.err, realtime.ErrAckTimeout) || !slices.Equal(texts(got.answers), []string{"yes of 0"}) {
			t.Errorf("got %q, %v", texts(got.answers), got.err)
		}
		clients[1].send(`431["late"]`)

		if answers, err := w.server.To("nobody").EmitWithAck(w.t.Context(), "ask"); err != nil || len(answers) != 0 {
			t.Errorf("nobody answered %v, %v", answers, err)
		}

		called := make(chan outcome, 1)
		if err := w.server.To(sockets[0].ID()).Timeout(time.Minute).Emit("ask", func(err error, answers []realtime.Answer) {
			called <- outcome{answers, err}
		}); err != nil {
			t.Error(err)
		}
		clients[0].expectPrefix("42")
		clients[0].send(`433["called"]`)
		if got := <-called; got.err != nil || len(texts(got.answers)) != 1 {
			t.Errorf("called with %v", got)
		}
		if err := w.server.Emit("ask", func(string) {}); err == nil || !strings.Contains(err.Error(), "[]realtime.Answer") {
			t.Errorf("a callback of another kind: %v", err)
		}
		ctx, cancel := context.WithCancelCause(w.t.Context())
		cancel(errors.New("enough"))
		if _, err := w.server.To(sockets[0].ID()).EmitWithAck(ctx, "ask"); err == nil || !strings.Contains(err.Error(), "enough") {
			t.Errorf("with an ended context: %v", err)
		}
	})
}

// A handler may ask its own socket, even when the socket's queue is full.
func TestBroadcastWithAckInAHandler(t *testing.T) {
	inWorld(t, realtime.Config{MaxPending: 1}, func(w *world) {
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("x", func() {})
			s.On("ask all", func(ctx context.Context) (int, error) {
				answers, err := w.server.EmitWithAck(ctx, "ask")
				return len(answers), err
			})
		})
		c := dialWebSocket(w)
		c.send(`421["ask all"]`)
		c.expect(`420["ask"]`)
		for range 10 {
			c.send(`42["x"]`)
		}
		c.send(`430[]`)
		c.expect(`431[1]`)
		c.close()
	})
}

func TestTimeoutOfACallback(t *testing.T) {
	inWorld(t, realtime.Config{MaxPendingAcks: 1}, func(w *world) {
		clients, sockets := crowd(w, 1)
		c, s := clients[0], sockets[0]
		outcomes := make(chan string, 1)
		callback := func(err error, text string) { outcomes <- fmt.Sprint(err, " ", text) }
		if err := s.Timeout(time.Second).Emit("ask", callback); err != nil {
			t.Error(err)
		}
		if err := s.Emit("ask", callback); !errors.Is(err, realtime.ErrTooManyAcks) {
			t.Errorf("one more: %v", err)
		}
		if got, want := <-outcomes, realtime.ErrAckTimeout.Error()+" "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		c.expect(`420["ask"]`)
		c.send(`430["late"]`)
		if err := s.Timeout(time.Second).Emit("ask", callback); err != nil {
			t.Error(err)
		}
		c.expect(`422["ask"]`)
		c.send(`432["in time"]`)
		if got := <-outcomes; got != "<nil> in time" {
			t.Errorf("got %q", got)
		}
		if _, err := s.Timeout(time.Second).EmitWithAck(w.t.Context(), "ask"); !errors.Is(err, realtime.ErrAckTimeout) {
			t.Errorf("EmitWithAck: %v", err)
		}
		c.expect(`423["ask"]`)
		s.Emit("ask", callback)
		c.expect(`424["ask"]`)
		c.send("41")
		if got := <-outcomes; !strings.Contains(got, realtime.ReasonClientDisconnect) {
			t.Errorf("got %q", got)
		}
		c.close()
	})
}

// A callback that takes an error takes whatever else a handler does, and is
// called with nothing in it when there is no answer, or one that does not fit.
func TestCallbacksThatTakeAnError(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		clients, sockets := crowd(w, 1)
		c, s := clients[0], sockets[0]
		outcomes := make(chan string, 1)
		tell := func(err error, n int, more ...any) {
			failed := "fails"
			if err == nil {
				failed = "succeeds"
			}
			outcomes <- fmt.Sprint(failed, " ", n, " ", len(more))
		}
		for i, test := range []struct {
			callback                any
			answered, unfit, silent string
		}{
			{func(err error) { tell(err, 0) }, "succeeds 0 0", "succeeds 0 0", "fails 0 0"},
			{func(err error, n int) { tell(err, n) }, "succeeds 1 0", "fails 0 0", "fails 0 0"},
			{func(err error, args realtime.Args) { tell(err, args.Len()) }, "succeeds 2 0", "succeeds 1 0", "fails 0 0"},
			{func(err error, n int, rest realtime.Args) { tell(err, n, rest.Values()...) }, "succeeds 1 1", "fails 0 0", "fails 0 0"},
			{func(err error, n ...int) { tell(err, len(n)) }, "succeeds 2 0", "fails 0 0", "fails 0 0"},
			{func(err error, ctx context.Context, n int) { tell(err, n, ctx.Err()) }, "succeeds 1 1", "fails 0 1", "fails 0 1"},
		} {
			for j, answer := range []string{"[1,2]", `["x"]`, ""} {
				s.Timeout(time.Second).Emit("ask", test.callback)
				id := 3*i + j
				c.expect(fmt.Sprintf(`42%d["ask"]`, id))
				if answer != "" {
					c.send(fmt.Sprintf("43%d%s", id, answer))
				} else {
					time.Sleep(time.Second)
				}
				synctest.Wait()
				select {
				case got := <-outcomes:
					if want := []string{test.answered, test.unfit, test.silent}[j]; got != want {
						t.Errorf("%T with %q: %s, want %s", test.callback, answer, got, want)
					}
				default:
					t.Errorf("%T with %q: it was not called", test.callback, answer)
				}
			}
		}
		c.close()
	})
}

func TestCall(t *testing.T) {
	type question struct {
		Text string `json:"text"`
	}
	type answer struct {
		N int `json:"n"`
	}
	inWorld(t, realtime.Config{}, func(w *world) {
		clients, sockets := crowd(w, 1)
		type outcome struct {
			answer
			err error
		}
		outcomes := make(chan outcome, 1)
		for _, test := range []struct{ sent, want string }{
			{`[{"n":7}]`, "{7} <nil>"},
			{`[]`, "{0} <nil>"},
			{`["seven"]`, `{0} realtime: answer to "ask": argument 1: json: cannot unmarshal string into Go value of type realtime_test.answer`},
		} {
			go func() {
				a, err := realtime.Call[question, answer](w.t.Context(), sockets[0], "ask", question{"how many?"})
				outcomes <- outcome{a, err}
			}()
			packet := clients[0].next()
			id, _, _ := strings.Cut(strings.TrimPrefix(packet, "42"), "[")
			if !strings.HasSuffix(packet, `["ask",{"text":"how many?"}]`) {
				t.Errorf("got %s", packet)
			}
			clients[0].send("43" + id + test.sent)
			o := <-outcomes
			if got := fmt.Sprint(o.answer, " ", o.err); got != test.want {
				t.Errorf("%s: got %s, want %s", test.sent, got, test.want)
			}
		}
		disperse(clients)
	})
}

func TestFetchSockets(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		clients, sockets := crowd(w, 3)
		defer disperse(clients)
		sockets[0].Set("name", "ana")
		if err := w.server.SocketsJoin("all"); err != nil {
			t.Error(err)
		}
		if err := w.server.To(sockets[0].ID(), sockets[1].ID()).SocketsJoin("some"); err != nil {
			t.Error(err)
		}
		found, err := w.server.In("some").Except(sockets[1].ID()).FetchSockets(w.t.Context())
		if err != nil || len(found) != 1 {
			t.Fatalf("found %v, %v", found, err)
		}
		ana := found[0]
		name, _ := realtime.ValueOf[string](ana, "name")
		if ana.ID() != sockets[0].ID() || name != "ana" || !slices.Equal(ana.Rooms(), []string{ana.ID(), "all", "some"}) || ana.Handshake().Query["EIO"] != "4" {
			t.Errorf("%+v", ana)
		}
		ana.Emit("hi")
		clients[0].expect(`42["hi"]`)
		ana.Leave("some")
		ana.Join("more")
		if got := sockets[0].Rooms()[1:]; !slices.Equal(got, []string{"all", "more"}) {
			t.Errorf("rooms %q", got)
		}
		answered := make(chan error, 1)
		go func() {
			args, err := ana.EmitWithAck(w.t.Context(), "ask")
			if args.Len() != 2 {
				t.Errorf("%d arguments", args.Len())
			}
			answered <- err
		}()
		clients[0].expect(`420["ask"]`)
		clients[0].send(`430[1,2]`)
		if err := <-answered; err != nil {
			t.Error(err)
		}
		w.server.SocketsLeave("all")
		if got := w.server.To("all").Sockets(); len(got) != 0 {
			t.Errorf("%d sockets are left in the room", len(got))
		}
		ana.Disconnect(false)
		clients[0].expect("41")
		if _, err := ana.EmitWithAck(w.t.Context(), "ask"); !errors.Is(err, realtime.ErrNotConnected) {
			t.Errorf("EmitWithAck to nobody: %v", err)
		}
		w.server.DisconnectSockets(true)
		for _, c := range clients[1:] {
			c.expect("41")
		}
		synctest.Wait()
		if n := w.server.ClientsCount(); n != 1 {
			t.Errorf("%d clients", n)
		}
	})
}

// A socket's own events go to it alone, though another is in the room of its id.
func TestRoomOfAnotherSocket(t *testing.T) {
	for _, recovery := range []*realtime.Recovery{nil, {}} {
		inWorld(t, realtime.Config{Recovery: recovery}, func(w *world) {
			sockets := make(chan *realtime.Socket, 2)
			w.server.On("connection", func(s *realtime.Socket) { sockets <- s })
			c := dialWebSocket(w)
			first := <-sockets
			d := dialWebSocket(w)
			second := <-sockets
			second.Join(first.ID())
			first.Emit("own")
			w.server.To(first.ID()).Emit("room")
			c.expectPrefix(`42["own"`)
			c.expectPrefix(`42["room"`)
			d.expectPrefix(`42["room"`)
			c.close()
			d.close()
		})
	}
}

func TestOutgoingListeners(t *testing.T) {
	for _, recovery := range []*realtime.Recovery{nil, {}} {
		inWorld(t, realtime.Config{Recovery: recovery}, func(w *world) {
			var d diary
			w.server.OnAnyOutgoing(func(s *realtime.Socket, event string, args realtime.Args) {
				d.add("namespace %s %d", event, args.Len())
			})
			sockets := make(chan *realtime.Socket, 1)
			w.server.On("connection", func(s *realtime.Socket) { sockets <- s })
			c := dialWebSocket(w)
			s := <-sockets
			last := s.OnAnyOutgoing(func(event string, args realtime.Args) {
				var data []byte
				args.Decode(&data)
				d.add("socket %s %d %s", event, args.Len(), data)
			})
			s.PrependAnyOutgoing(func(event string, args realtime.Args) { d.add("first %s", event) })
			s.Emit("one", []byte("1"))
			d.expect(t, "namespace one 1", "first one", "socket one 1 1")
			w.server.Emit("two", []byte("2"), 2)
			d.expect(t, "namespace two 2", "first two", "socket two 2 2")
			last.Off()
			s.Emit("three", func() {})
			d.expect(t, "namespace three 0", "first three")
			s.OffAnyOutgoing()
			s.Send("x")
			d.expect(t, "namespace message 1")
			c.close()
		})
	}
}

// A time that is over already is over at once, and what was awaited is forgotten.
func TestTimeoutThatIsOver(t *testing.T) {
	inWorld(t, realtime.Config{MaxPendingAcks: 1}, func(w *world) {
		clients, sockets := crowd(w, 1)
		outcomes := make(chan error, 1)
		for _, d := range []time.Duration{0, -time.Second} {
			for name, emit := range map[string]func() error{
				"socket": func() error { return sockets[0].Timeout(d).Emit("ask", func(err error) { outcomes <- err }) },
				"all": func() error {
					return w.server.Timeout(d).Emit("ask", func(err error, _ []realtime.Answer) { outcomes <- err })
				},
			} {
				if err := emit(); err != nil {
					t.Error(err)
				}
				if err := <-outcomes; !errors.Is(err, realtime.ErrAckTimeout) {
					t.Errorf("%s, %v: %v", name, d, err)
				}
			}
		}
		disperse(clients)
	})
}

// A callback is told when its socket goes while the answer waits for its turn.
func TestAnswerThatComesTooLate(t *testing.T) {
	inWorld(t, realtime.Config{MaxPending: 1}, func(w *world) {
		clients, sockets := crowd(w, 1)
		c, s := clients[0], sockets[0]
		s.On("slow", func() { time.Sleep(time.Second) })
		outcomes := make(chan error, 2)
		s.Emit("ask", func(err error) { outcomes <- err })
		c.expect(`420["ask"]`)
		c.send(`42["slow"]`)
		c.send(`42["slow"]`) // fills the inbox
		c.send("430[]")
		synctest.Wait()
		s.Disconnect(false)
		var gone *realtime.DisconnectError
		if err := <-outcomes; !errors.As(err, &gone) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if len(outcomes) > 0 {
			t.Error("the callback was called twice")
		}
		c.close()
	})
}

// What is emitted while the server puts a socket out comes before the client is
// told, or is refused: it would be for the next one that joins.
func TestEmitWhilePutOut(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		joined := make(chan *realtime.Socket, 1)
		w.server.On("connection", func(s *realtime.Socket) { joined <- s })
		c := dialWebSocket(w)
		defer c.close()
		for range 50 {
			s := <-joined
			const emitters = 4
			accepted := make(chan int, emitters)
			begun := make(chan struct{}, emitters)
			for range emitters {
				go func() {
					n := 0
					defer func() { accepted <- n }()
					for ; n < 100; n++ {
						if n == 3 {
							begun <- struct{}{}
						}
						if err := s.Emit("tick"); errors.Is(err, realtime.ErrNotConnected) {
							return
						}
					}
				}()
			}
			<-begun
			s.Disconnect(false)
			arrived, want := 0, 0
			for c.next() != "41" {
				arrived++
			}
			for range emitters {
				want += <-accepted
			}
			if arrived != want {
				t.Fatalf("%d events were taken, and %d arrived", want, arrived)
			}
			c.join() // and nothing is in between
		}
	})
}
