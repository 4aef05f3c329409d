package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// wireEngine is an Engine whose other end is the test, which plays nodes of other
// software.
type wireEngine struct {
	receiver cluster.Receiver
	count    int // of nodes, or -1
	sent     chan *cluster.Message

	mu   sync.Mutex // guards the rest
	fail error      // of Publish
}

func (e *wireEngine) Start(_ string, r cluster.Receiver) error   { e.receiver = r; return nil }
func (e *wireEngine) Open(context.Context, string) error         { return nil }
func (e *wireEngine) Shut(string)                                {}
func (e *wireEngine) Close() error                               { return nil }
func (e *wireEngine) Count(context.Context, string) (int, error) { return e.count, nil }

func (e *wireEngine) Publish(_ context.Context, batch []*cluster.Message) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail != nil {
		return 0, e.fail
	}
	for _, m := range batch {
		e.sent <- m
	}
	return len(batch), nil
}

func (e *wireEngine) failing(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = err
}

// next returns the next message of that type for other software.
func (e *wireEngine) next(of cluster.Type) *cluster.Message {
	for {
		if m := <-e.sent; m.Type == of && !m.Native {
			return m
		}
	}
}

func inMixed(t *testing.T, count int, o cluster.Options, test func(t *testing.T, e *wireEngine, s *realtime.Server)) {
	synctest.Test(t, func(t *testing.T) {
		e := &wireEngine{count: count, sent: make(chan *cluster.Message, 10_000)}
		s := realtime.NewServer(realtime.Config{Adapter: cluster.New(o, func(adapter.Server) cluster.Engine { return e }), Logger: slog.New(slog.DiscardHandler)})
		time.Sleep(time.Second) // it knows who is there
		test(t, e, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.Shutdown(ctx)
		synctest.Wait()
	})
}

// Nodes of other software are waited for by their number.
func TestMixedCount(t *testing.T) {
	inMixed(t, 3, cluster.Options{}, func(t *testing.T, e *wireEngine, s *realtime.Server) {
		answer := func(m *cluster.Message, n int) {
			for i := range n {
				e.receiver.Receive(&cluster.Message{Type: cluster.FetchSocketsResponse, Node: fmt.Sprint("node", i), Namespace: "/", Request: m.Request,
					Sockets: []adapter.RemoteSocket{{ID: fmt.Sprint(i), Rooms: []string{"r", fmt.Sprint(i)}}}})
			}
		}
		for _, answers := range []int{2, 1, 0} {
			go func() { answer(e.next(cluster.FetchSockets), answers) }()
			start := time.Now()
			sockets, err := s.To("r").FetchSockets(t.Context())
			if len(sockets) != answers {
				t.Errorf("%d sockets, want %d", len(sockets), answers)
			}
			var missing *realtime.MissingError
			switch {
			case answers == 2:
				if err != nil || time.Since(start) > 0 {
					t.Errorf("%v, after %v", err, time.Since(start))
				}
				if got := sockets[1].Rooms(); !slices.Equal(got, []string{"1", "r"}) {
					t.Errorf("rooms %q", got)
				}
			case !errors.As(err, &missing) || missing.Unnamed != 2-answers || len(missing.Nodes) > 0:
				t.Errorf("%d answers: %v", answers, err)
			}
		}
	})
}

// One of this package that has the namespace is one of those that were counted.
func TestMixedWithOurs(t *testing.T) {
	inMixed(t, 3, cluster.Options{}, func(t *testing.T, e *wireEngine, s *realtime.Server) {
		e.receiver.Receive(&cluster.Message{Type: cluster.Heartbeat, Native: true, Node: "ours"})
		go func() {
			m := e.next(cluster.ServerSideEmit)
			e.receiver.Receive(&cluster.Message{Type: cluster.ServerSideEmitResponse, Namespace: "/", Request: m.Request, Data: []byte(`["node"]`)}) // it does not tell its name
			e.receiver.Receive(&cluster.Message{Type: cluster.ServerSideEmitResponse, Native: true, Node: "ours", Namespace: "/", Request: m.Request, Data: []byte(`["ours"]`)})
		}()
		start := time.Now()
		answers, err := s.ServerSideEmitWithAck(t.Context(), "hello")
		if err != nil || len(answers) != 2 || time.Since(start) > 0 {
			t.Errorf("%d answers, %v, after %v", len(answers), err, time.Since(start))
		}
	})
}

// Where nodes announce themselves they are waited for by name, and forgotten when
// they are silent.
func TestMixedHeartbeats(t *testing.T) {
	inMixed(t, -1, cluster.Options{}, func(t *testing.T, e *wireEngine, s *realtime.Server) {
		e.next(cluster.InitialHeartbeat)
		e.receiver.Receive(&cluster.Message{Type: cluster.InitialHeartbeat, Node: "node", Namespace: "/"})
		if m := e.next(cluster.Heartbeat); m.Namespace != "/" {
			t.Errorf("it was greeted with %+v", m)
		}
		if _, err := s.FetchSockets(t.Context()); err == nil {
			t.Error("nobody is missing")
		} else if missing := (*realtime.MissingError)(nil); !errors.As(err, &missing) || !slices.Equal(missing.Nodes, []string{"node"}) {
			t.Errorf("%v", err)
		}
		time.Sleep(20 * time.Second)
		if _, err := s.FetchSockets(t.Context()); err != nil {
			t.Errorf("it is waited for still: %v", err)
		}
		e.receiver.Receive(&cluster.Message{Type: cluster.Heartbeat, Node: "node", Namespace: "/"})
		e.receiver.Receive(&cluster.Message{Type: cluster.AdapterClose, Node: "node", Namespace: "/"})
		if _, err := s.FetchSockets(t.Context()); err != nil {
			t.Errorf("it is waited for after its goodbye: %v", err)
		}
	})
}

// A client's answer comes from a node that counts its sockets, and names none.
func TestMixedAcks(t *testing.T) {
	inMixed(t, 2, cluster.Options{}, func(t *testing.T, e *wireEngine, s *realtime.Server) {
		frames, _ := parser.JSON.Encode(parser.Outgoing{Type: parser.Ack, Namespace: "/", Args: []any{"yes"}})
		for _, answers := range []int{2, 1} {
			go func() {
				m := e.next(cluster.Broadcast)
				e.receiver.Receive(&cluster.Message{Type: cluster.BroadcastAck, Namespace: "/", Request: m.Request, Frames: frames}) // it may come first
				e.receiver.Receive(&cluster.Message{Type: cluster.BroadcastClientCount, Namespace: "/", Request: m.Request, Count: 2})
				if answers == 2 {
					e.receiver.Receive(&cluster.Message{Type: cluster.BroadcastAck, Namespace: "/", Request: m.Request, Frames: frames})
				}
			}()
			got, err := s.Timeout(time.Minute).EmitWithAck(t.Context(), "question")
			var missing *realtime.MissingError
			if len(got) != answers || (err == nil) != (answers == 2) || err != nil && (!errors.As(err, &missing) || missing.Others != 1) {
				t.Errorf("%d answers, %v", len(got), err)
			}
		}
	})
}

// What an engine does not take now it is given again, in order; too much is an
// error; and what never fits is dropped.
func TestEngineOutOfReach(t *testing.T) {
	inMixed(t, 1, cluster.Options{MaxQueued: 100_000}, func(t *testing.T, e *wireEngine, s *realtime.Server) {
		synctest.Wait()
		e.failing(errors.New("out of reach"))
		sent := 0
		var err error
		for ; err == nil; sent++ {
			err = s.Emit("count", sent)
		}
		if !errors.Is(err, adapter.ErrBusy) || sent < 100 {
			t.Fatalf("%v, after %d", err, sent)
		}
		if err := s.Volatile().Emit("volatile"); !errors.Is(err, adapter.ErrBusy) {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		e.failing(nil)
		for i := range sent - 1 {
			m := e.next(cluster.Broadcast)
			if got, want := string(m.Frames[0].Data), fmt.Sprintf(`2["count",%d]`, i); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
		e.failing(fmt.Errorf("too large: %w", cluster.ErrUnfit))
		s.Emit("unfit")
		synctest.Wait()
		e.failing(nil)
		if err := s.Emit("fit"); err != nil {
			t.Error(err)
		}
		if m := e.next(cluster.Broadcast); string(m.Frames[0].Data) != `2["fit"]` {
			t.Errorf("got %s", m.Frames[0].Data)
		}
	})
}

// What comes twice is taken once.
func TestTwice(t *testing.T) {
	inMixed(t, 1, cluster.Options{}, func(t *testing.T, e *wireEngine, s *realtime.Server) {
		var got []int
		s.On("count", func(n int) { got = append(got, n) })
		for _, n := range []int{1, 2, 1, 3, 5, 4, 5, 3} {
			e.receiver.Receive(&cluster.Message{Type: cluster.ServerSideEmit, Node: "x", Namespace: "/", Seq: uint64(n), Data: fmt.Appendf(nil, `["count",%d]`, n)})
			synctest.Wait()
		}
		if !slices.Equal(got, []int{1, 2, 3, 5, 4}) {
			t.Errorf("got %v", got)
		}
	})
}
