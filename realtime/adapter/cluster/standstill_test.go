package cluster

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// standing is an engine of nodes that all stand still together, as those of a machine do that is busy or was suspended.
type standing struct {
	Engine
	still *atomic.Int64 // a time.Duration
}

func (s standing) Publish(ctx context.Context, batch []*Message) (int, error) {
	time.Sleep(time.Duration(s.still.Load()))
	return s.Engine.Publish(ctx, batch)
}

// Nodes that have stood still do not take each other for dead, and still notice who is.
func TestStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := NewHub(Options{})
		var still, longer atomic.Int64 // the second is heard a moment after the first has woken
		times := []*atomic.Int64{&still, &longer}
		provider := New(Options{}, func(adapter.Server) Engine {
			s := standing{&hubEngine{hub: hub}, times[0]}
			times = times[1:]
			return s
		})
		logger := slog.New(slog.NewTextHandler(io.Discard, nil))
		a, b := provider.Open(adapter.Server{Logger: logger}), provider.Open(adapter.Server{Logger: logger})
		defer a.Close(t.Context())
		defer b.Close(t.Context())
		time.Sleep(time.Second)
		var mu sync.Mutex
		var lost []string
		a.Watch(func(node string, there bool) {
			mu.Lock()
			defer mu.Unlock()
			if !there {
				lost = append(lost, node)
			}
		})
		still.Store(int64(12 * time.Second))
		longer.Store(int64(13 * time.Second))
		time.Sleep(10 * time.Second) // both have begun to send
		still.Store(0)
		longer.Store(0)
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		if len(lost) > 0 || !slices.Equal(a.Nodes(), []string{b.ID()}) {
			t.Errorf("after a standstill %v are there, and %v lost", a.Nodes(), lost)
		}
		mu.Unlock()
		hub.Cut(b.ID())
		defer hub.Heal(b.ID()) // so that it can say goodbye
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(lost, []string{b.ID()}) {
			t.Errorf("lost %v, want the one that is cut off", lost)
		}
	})
}
