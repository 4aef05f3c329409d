//go:build unix

package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// reading returns an engine that reads the logs of namespaces, which are kept for a
// time, and what it is given.
func reading(
	t *testing.T, ctx context.Context, s *services.Service, prefix string, keep time.Duration, spaces ...string,
) (*logEngine, *given) {
	t.Helper()
	e, _ := engineOn(t, s, prefix, slog.New(slog.NewTextHandler(t.Output(), nil)))
	e.options.KeepPackets = keep
	g := &given{messages: make(chan *cluster.Message, 1000), lost: make(chan string, 100)}
	if err := e.Start(rand.Text(), g); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	for _, space := range spaces {
		if err := e.Open(ctx, space); err != nil {
			t.Fatal(err)
		}
	}
	return e, g
}

// say has something stand in a namespace's log.
func say(t *testing.T, ctx context.Context, e *logEngine, namespace string) {
	t.Helper()
	m := &cluster.Message{Type: cluster.Broadcast, Node: "other", Namespace: namespace, Keep: true,
		Frames: []parser.Frame{{Data: []byte("x")}}}
	if n, err := e.Publish(ctx, []*cluster.Message{m}); n != 1 || err != nil {
		t.Fatalf("sent %d: %v", n, err)
	}
}

// nextIn returns the next message in a namespace.
func (g *given) nextIn(t *testing.T, namespace string) *cluster.Message {
	t.Helper()
	for {
		if m := g.next(t); m.Namespace == namespace {
			return m
		}
	}
}

// Where nothing is said for as long as the log is kept nothing is missing, whatever is
// said elsewhere.
func TestQuiet(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e, g := reading(t, ctx, services.NATS(t), "test", 20*time.Second, "/quiet", "/busy")
	begun := g.nextIn(t, "/quiet").Offset
	say(t, ctx, e, "/busy")
	tail := g.nextIn(t, "/quiet").Offset
	log, err := e.js.Stream(ctx, e.subjects.stream("log"))
	if err == nil {
		err = log.Purge(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	none := func(*cluster.Message) bool { t.Error("there is something"); return true }
	if err := e.Read(ctx, "/quiet", tail, tail, none); err != nil {
		t.Errorf("behind where it looked last: %v", err)
	}
	if err := e.Read(ctx, "/quiet", begun, tail, none); !errors.Is(err, cluster.ErrTrimmed) {
		t.Errorf("behind where it began: %v", err)
	}
}

// A client that comes from a node which began later to one where nothing was said since
// is not ahead of that one, also while something is on its way there.
func TestTailOfOthers(t *testing.T) {
	s := services.NATS(t)
	for _, late := range []bool{false, true} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		prefix := rand.Text()
		old, g := reading(t, ctx, s, prefix, time.Hour, "/")
		g.nextIn(t, "/")
		if late {
			old.space("/").giving <- struct{}{}
			say(t, ctx, old, "/")
		}
		say(t, ctx, old, "/busy")
		_, others := reading(t, ctx, s, prefix, time.Hour, "/")
		begun := others.nextIn(t, "/").Offset
		tailed := make(chan string, 1)
		go func() {
			tail, err := old.Tail(ctx, "/")
			if err != nil {
				t.Error(err)
			}
			tailed <- tail
		}()
		if late {
			<-old.space("/").giving
			if m := g.nextIn(t, "/"); m.Frames == nil {
				t.Errorf("it passes %s before it is given what stands there", m.Offset)
			}
		}
		tail := <-tailed
		if order, err := old.Compare(tail, begun); err != nil || order < 0 {
			t.Errorf("the log ends at %s, where another began at %s: %v", tail, begun, err)
		}
		if m := g.nextIn(t, "/"); m.Offset != tail {
			t.Errorf("it is at %s, want %s", m.Offset, tail)
		}
	}
}
