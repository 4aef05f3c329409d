//go:build unix

package nats

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// What is read goes from one place to another, over several batches, until who reads has
// enough.
func TestRead(t *testing.T) {
	e, _ := engineOn(t, services.NATS(t), "test", slog.New(slog.NewTextHandler(t.Output(), nil)))
	const count = 2*readAtOnce + 10
	g := &given{messages: make(chan *cluster.Message, 2*count)}
	if err := e.Start("node", g); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := e.Open(ctx, "/"); err != nil {
		t.Fatal(err)
	}
	offsets := []string{g.next(t).Offset}
	for n := range count {
		m := &cluster.Message{Type: cluster.Broadcast, Node: "other", Namespace: "/", Seq: uint64(n + 1), Keep: true, Frames: []parser.Frame{{Data: fmt.Append(nil, n)}}}
		if _, err := e.Publish(ctx, []*cluster.Message{m}); err != nil {
			t.Fatal(err)
		}
		offsets = append(offsets, g.next(t).Offset)
	}
	for _, test := range []struct{ after, upTo, enough int }{
		{0, count, count}, {1, count - 1, count}, {0, readAtOnce, count}, {7, 8, count}, {8, 8, count}, {9, 8, count}, {0, count, readAtOnce}, {0, count, readAtOnce + 1},
	} {
		want := offsets[test.after+1 : max(test.after, test.upTo)+1]
		want = want[:min(len(want), test.enough)]
		var got []string
		err := e.Read(ctx, "/", offsets[test.after], offsets[test.upTo], func(m *cluster.Message) bool {
			got = append(got, m.Offset)
			return len(got) < test.enough
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: read %d messages, want %d: %v", test, len(got), len(want), err)
		}
	}
}
