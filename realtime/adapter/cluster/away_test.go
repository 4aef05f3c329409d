package cluster

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// absent is an engine of a hub that may be out of reach.
type absent struct {
	*hubLogEngine
	away atomic.Bool
}

// within fails when ctx ends, as an engine that waits for a connection, while it is out
// of reach.
func (e *absent) within(ctx context.Context) error {
	if !e.away.Load() {
		return nil
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

func (e *absent) Open(ctx context.Context, namespace string) error {
	if err := e.within(ctx); err != nil {
		return err
	}
	return e.hubLogEngine.Open(ctx, namespace)
}

func (e *absent) Tail(ctx context.Context, namespace string) (string, error) {
	if err := e.within(ctx); err != nil {
		return "", err
	}
	return e.hubLogEngine.Tail(ctx, namespace)
}

func (e *absent) Publish(ctx context.Context, batch []*Message) (int, error) {
	if e.away.Load() {
		return 0, errShaky
	}
	return e.hubLogEngine.Publish(ctx, batch)
}

func (e *absent) Save(ctx context.Context, records []Record) error {
	if e.away.Load() {
		return errShaky
	}
	return e.hubLogEngine.Save(ctx, records)
}

// lines is a handler of slog that keeps what is logged, with the cure where there is one.
type lines struct {
	slog.Handler // what is not asked for

	mu  sync.Mutex // guards the rest
	got []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "cure" && a.Value.String() != "" {
			line += ", with the cure"
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, line)
	return nil
}

// That an engine is away is logged once, with the cure, and that it is back: when a node
// begins, and later, whatever there is to say and to save meanwhile.
func TestAwayLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, logged := NewLogHub(Options{}), &lines{}
		e := &absent{hubLogEngine: &hubLogEngine{hubEngine: hubEngine{hub: hub}, read: make(map[string]int)}}
		e.away.Store(true)
		n := New(Options{}, func(adapter.Server) Engine { return e }).Open(adapter.Server{Logger: slog.New(logged)})
		defer n.Close(t.Context())
		s := &seat{id: "sid", pid: "pid"}
		b := &table{seat: s, chronicle: n.Adapter(s).(*chronicle)}
		defer b.chronicle.Close()
		b.Add(s)
		var want []string
		for i := range 2 {
			e.away.Store(true)
			for range 100 {
				b.say(t, i)
				b.Update("pid")
				time.Sleep(3 * time.Second)
			}
			e.away.Store(false)
			time.Sleep(time.Minute)
			want = append(want, "WARN cluster: the other nodes cannot be reached; trying again, with the cure",
				"INFO cluster: the other nodes can be reached again")
		}
		logged.mu.Lock()
		defer logged.mu.Unlock()
		if !slices.Equal(logged.got, want) {
			t.Errorf("logged were %q, want %q", logged.got, want)
		}
	})
}
