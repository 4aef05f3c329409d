package realtime_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// pair is a cluster of two servers in one process.
type pair struct{ hosts []adapter.Host }

type pairAdapter struct {
	adapter.Adapter
	of   *pair
	self adapter.Host
}

func (p *pair) adapter(h adapter.Host) adapter.Adapter {
	p.hosts = append(p.hosts, h)
	return pairAdapter{adapter.NewMemory(h), p, h}
}

func (a pairAdapter) ServerSideEmit(ctx context.Context, message []byte, answer bool) (answers [][]byte, err error) {
	for _, h := range a.of.hosts {
		if h == a.self {
			continue
		}
		if text := h.ServerSide(message); answer && text != nil {
			answers = append(answers, text)
		}
	}
	return answers, ctx.Err()
}

func TestServerSideEmit(t *testing.T) {
	var p pair
	config := realtime.Config{Adapter: adapter.Factory(p.adapter), Logger: slog.New(slog.DiscardHandler)}
	here, there := realtime.NewServer(config), realtime.NewServer(config)
	defer here.Close()
	defer there.Close()
	var got []string
	there.On("hello", func(name string, n int) { got = append(got, fmt.Sprint(name, n)) })
	there.Once("hello", func(args realtime.Args) { got = append(got, string(args.Raw(0))) })
	there.On("sum", func(a, b int, ack realtime.Ack) { ack(a+b, "sum") })
	there.On("bad", func(n int) {})
	there.On("panic", func() { panic("oops") })
	var late sync.WaitGroup
	there.On("late", func(ack realtime.Ack) { late.Go(func() { ack("in vain") }) })
	here.On("hello", func() { t.Error("a server got its own event") })
	for range 2 {
		if err := here.ServerSideEmit("hello", "ana", 1); err != nil {
			t.Error(err)
		}
	}
	if want := `ana1 "ana" ana1`; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	answers, err := here.ServerSideEmitWithAck(t.Context(), "sum", 1, 2)
	if err != nil || len(answers) != 1 {
		t.Fatalf("got %v, %v", answers, err)
	}
	var sum int
	var word string
	if err := answers[0].Decode(&sum, &word); err != nil || sum != 3 || word != "sum" {
		t.Errorf("got %d %q, %v", sum, word, err)
	}
	here.ServerSideEmitWithAck(t.Context(), "late")
	late.Wait()
	for _, event := range []string{"bad", "panic", "unknown"} {
		if err := here.ServerSideEmit(event, "x"); err != nil {
			t.Errorf("%s: %v", event, err)
		}
	}
	if there.Panics() != 1 {
		t.Errorf("%d panics", there.Panics())
	}
	if err := here.ServerSideEmit("hello", func() {}); err == nil {
		t.Error("a function was sent")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := here.ServerSideEmitWithAck(ctx, "sum", 1, 2); err == nil {
		t.Error("no error though the context has ended")
	}
	for _, message := range []string{"", "{}", "[]", "[1]"} {
		if answer := p.hosts[1].ServerSide([]byte(message)); answer != nil {
			t.Errorf("%q was answered with %s", message, answer)
		}
	}
}
