//go:build unix

package nats

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// lame is a JetStream that cannot fetch parts now and then.
type lame struct {
	jetstream.JetStream
	failing atomic.Int32 // so many calls
	calls   atomic.Int32
}

func (l *lame) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	s, err := l.JetStream.Stream(ctx, name)
	return lameStream{s, l}, err
}

type lameStream struct {
	jetstream.Stream
	of *lame
}

func (s lameStream) GetMsg(ctx context.Context, number uint64, o ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	s.of.calls.Add(1)
	if s.of.failing.Add(-1) >= 0 {
		return nil, nats.ErrTimeout
	}
	return s.Stream.GetMsg(ctx, number, o...)
}

// engineOn makes an engine on a server.
func engineOn(t *testing.T, s *services.Service, prefix string, logger *slog.Logger) (*logEngine, *lame) {
	t.Helper()
	conn, err := nats.Connect("nats://" + s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	l := &lame{JetStream: js}
	return newLogEngine(newEngine(conn, newSubjects(prefix)), l, Options{}.withDefaults(), logger), l
}

// Parts that cannot be fetched are fetched later, and what follows them waits.
func TestPartsLater(t *testing.T) {
	s := services.NATS(t)
	prefix := rand.Text()
	adaptertest.RunTexts(t, adaptertest.Cluster{
		Adapter: func() adapter.Provider {
			return cluster.New(adaptertest.Options(), func(server adapter.Server) cluster.Engine {
				e, lame := engineOn(t, s, prefix, server.Logger)
				lame.failing.Store(3)
				return e
			})
		},
		Recovers: true,
	}, []string{"before", strings.Repeat("x", 5<<18), "between", strings.Repeat("y", 5<<18), "after"})
}

// given is a Receiver.
type given struct {
	cluster.Receiver
	interested atomic.Bool
	messages   chan *cluster.Message
	lost       chan string
}

func (g *given) Receive(m *cluster.Message)        { g.messages <- m }
func (g *given) Interested(string, ...string) bool { return g.interested.Load() }
func (g *given) Lost(namespace string)             { g.lost <- namespace }

// next returns the next message.
func (g *given) next(t *testing.T) *cluster.Message {
	t.Helper()
	select {
	case m := <-g.messages:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("nothing comes")
	}
	return nil
}

// Parts are fetched where somebody is to have them. When they have been dropped that is
// told, and what follows them comes.
func TestPartsDropped(t *testing.T) {
	s := services.NATS(t)
	e, lame := engineOn(t, s, "test", slog.New(slog.NewTextHandler(t.Output(), nil)))
	g := &given{messages: make(chan *cluster.Message, 100), lost: make(chan string, 100)}
	if err := e.Start("node", g); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := e.Open(ctx, "/"); err != nil {
		t.Fatal(err)
	}
	begun := g.next(t)
	seq := uint64(0)
	say := func(size int) *cluster.Message {
		seq++
		m := &cluster.Message{Type: cluster.Broadcast, Node: "other", Namespace: "/", Seq: seq, Keep: true, Target: adapter.Target{Rooms: []string{"room"}},
			Frames: []parser.Frame{{Data: bytes.Repeat([]byte("x"), size)}}}
		if n, err := e.Publish(ctx, []*cluster.Message{m}); n != 1 || err != nil {
			t.Fatalf("sent %d: %v", n, err)
		}
		return m
	}
	const large = 5 << 18
	say(large)
	skipped := g.next(t)
	if !skipped.Skipped || lame.calls.Load() > 0 {
		t.Errorf("skipped: %v, after %d questions", skipped.Skipped, lame.calls.Load())
	}
	g.interested.Store(true)
	if said, got := say(large), g.next(t); len(got.Frames) != 1 || !bytes.Equal(got.Frames[0].Data, said.Frames[0].Data) {
		t.Error("a large message has become another")
	}

	// What is dropped before it is read is dropped for good.
	lame.failing.Store(1 << 30)
	say(large)
	log, err := lame.JetStream.Stream(ctx, e.subjects.stream("log"))
	if err == nil {
		err = log.Purge(ctx, jetstream.WithPurgeSubject(e.subjects.parts()))
	}
	if err != nil {
		t.Fatal(err)
	}
	lame.failing.Store(0)
	passed := g.next(t)
	select {
	case <-g.lost:
	default:
		t.Error("nobody is told that a message is lost")
	}
	if passed.Frames != nil || passed.Offset == "" {
		t.Errorf("got %+v", passed)
	}
	say(1)
	if got := g.next(t); len(got.Frames) != 1 || len(got.Frames[0].Data) != 1 {
		t.Error("what follows has not come")
	}
	collect := func(after string) (count int, err error) {
		tail, err := e.Tail(ctx, "/")
		if err == nil {
			err = e.Read(ctx, "/", after, tail, func(*cluster.Message) bool { count++; return true })
		}
		return count, err
	}
	if count, err := collect(begun.Offset); err == nil {
		t.Errorf("read %d messages over the gap", count)
	}
	if count, err := collect(passed.Offset); count != 1 || err != nil {
		t.Errorf("read %d messages behind the gap: %v", count, err)
	}
}
