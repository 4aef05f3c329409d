package emitter_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/emitter"
)

// engine is one that keeps what it is given, when it is let.
type engine struct {
	gate   chan struct{} // Publish takes one value from it, unless it is nil
	fail   func(*cluster.Message) error
	closed int

	mu      sync.Mutex // guards the rest
	got     []*cluster.Message
	batches []int
}

func (e *engine) Start(string, cluster.Receiver) error       { return nil }
func (e *engine) Open(context.Context, string) error         { return nil }
func (e *engine) Shut(string)                                {}
func (e *engine) Close() error                               { e.closed++; return nil }
func (e *engine) emitter(o emitter.Options) *emitter.Emitter { return emitter.New(e.provider(), o) }

func (e *engine) provider() adapter.Provider {
	return cluster.New(cluster.Options{}, func(adapter.Server) cluster.Engine { return e })
}

func (e *engine) Publish(ctx context.Context, batch []*cluster.Message) (int, error) {
	if e.gate != nil {
		select {
		case <-e.gate:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.batches = append(e.batches, len(batch))
	for i, m := range batch {
		if e.fail != nil {
			if err := e.fail(m); err != nil {
				return i, err
			}
		}
		e.got = append(e.got, m)
	}
	return len(batch), nil
}

// fails checks that an error says something.
func fails(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error with %q", err, want)
	}
}

func TestMessages(t *testing.T) {
	engine := &engine{}
	e := engine.emitter(emitter.Options{})
	base := e.Of("chat").To("a")
	for _, err := range []error{
		base.To("b").Except("c").Volatile().Compress(false).Emit("news", 1, []byte{2}),
		base.Emit("news"),
		base.SocketsJoin("r"), base.SocketsLeave("r"), base.DisconnectSockets(true),
		e.ServerSideEmit("told", "x", nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	first := engine.got[0]
	if first.Node != "emitter" || first.Native || first.Request != "" || first.Namespace != "/chat" || !first.Volatile || !first.Plain || first.Keep {
		t.Errorf("the message is %+v", first)
	}
	if target := first.Target; len(target.Rooms) != 2 || len(target.Except) != 1 || len(first.Frames) != 2 {
		t.Errorf("it is for %+v, in %d frames", target, len(first.Frames))
	}
	if second := engine.got[1]; len(second.Target.Rooms) != 1 || second.Volatile || second.Plain || !second.Keep || string(second.Frames[0].Data) != `2/chat,["news"]` {
		t.Errorf("the message is %+v", second)
	}
	if last := engine.got[5]; last.Namespace != "/" || string(last.Data) != `["told","x",null]` {
		t.Errorf("the message is %+v with %s", last, last.Data)
	}
}

func TestRefused(t *testing.T) {
	e := (&engine{}).emitter(emitter.Options{})
	fails(t, e.Emit("disconnect"), "reserved")
	fails(t, e.ServerSideEmit("newListener"), "reserved")
	fails(t, e.ServerSideEmit("connection"), "server's own")
	fails(t, e.Emit("news", func() {}), "EmitWithAck")
	fails(t, e.ServerSideEmit("news", func(string) {}), "EmitWithAck")
	fails(t, e.Emit("news", make(chan int)), "chan int")
	fails(t, e.ServerSideEmit("news", make(chan int)), "chan int")
	var none context.Context
	for _, wrong := range []func(){
		func() { emitter.New(nil, emitter.Options{}) },
		func() { emitter.New(adapter.Factory(adapter.NewMemory), emitter.Options{}) },
		func() { emitter.New((&engine{}).provider(), emitter.Options{Timeout: -1}) },
		func() { e.WithContext(none) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			wrong()
		}()
	}
}

func TestUnreachable(t *testing.T) {
	hub := cluster.NewHub(cluster.Options{})
	e := emitter.New(hub, emitter.Options{})
	hub.Cut("emitter")
	fails(t, e.Emit("news"), "cut off")
	hub.Heal("emitter")
	if err := e.Emit("news"); err != nil {
		t.Error(err)
	}
}

// What waits for the engine goes together; one that does not fit fails alone.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &engine{gate: make(chan struct{}), fail: func(m *cluster.Message) error {
			if strings.Contains(string(m.Frames[0].Data), "large") {
				return cluster.ErrUnfit
			}
			return nil
		}}
		e := engine.emitter(emitter.Options{})
		var wg sync.WaitGroup
		emit := func(event string, want error) {
			wg.Go(func() {
				if err := e.Emit(event); !errors.Is(err, want) {
					t.Errorf("Emit(%q) returned %v", event, err)
				}
			})
			synctest.Wait()
		}
		emit("first", nil)
		emit("second", nil)
		emit("large", cluster.ErrUnfit)
		emit("third", nil)
		close(engine.gate)
		wg.Wait()
		if len(engine.got) != 3 || len(engine.batches) != 3 || engine.batches[1] != 3 {
			t.Errorf("the engine got %d messages, in batches of %v", len(engine.got), engine.batches)
		}
	})
}

// Once the engine is out of reach all who wait are told.
func TestFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		engine := &engine{gate: make(chan struct{}), fail: func(*cluster.Message) error { return down }}
		e := engine.emitter(emitter.Options{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := e.Emit("news"); !errors.Is(err, down) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(engine.gate)
		wg.Wait()
	})
}

// A call ends with its context, or after the timeout, and what nobody waits for is
// not sent any more.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &engine{gate: make(chan struct{})}
		e := engine.emitter(emitter.Options{Timeout: time.Minute})
		why := errors.New("the job is over")
		ctx, cancel := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		start := time.Now()
		wg.Go(func() { fails(t, e.Emit("under way"), "Options.Timeout") })
		synctest.Wait()
		wg.Go(func() {
			if err := e.WithContext(ctx).To("room").Emit("queued"); !errors.Is(err, why) {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel(why)
		wg.Wait()
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("waited for %v", waited)
		}
		if err := e.WithContext(ctx).Emit("too late"); !errors.Is(err, why) {
			t.Error(err)
		}
		synctest.Wait()
		close(engine.gate)
		if err := e.Emit("after"); err != nil || len(engine.got) != 1 {
			t.Errorf("got %v, and the engine %d messages", err, len(engine.got))
		}
	})
}

// Close waits for what is being sent.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &engine{gate: make(chan struct{})}
		e := engine.emitter(emitter.Options{})
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := e.Emit("news"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 2 {
			wg.Go(func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := e.Of("/x").Emit("late"); !errors.Is(err, adapter.ErrClosed) || engine.closed != 0 {
			t.Errorf("got %v; the engine was closed %d times", err, engine.closed)
		}
		close(engine.gate)
		wg.Wait()
		if len(engine.got) != 1 || engine.closed != 1 {
			t.Errorf("the engine got %d messages, and was closed %d times", len(engine.got), engine.closed)
		}
	})
}
