//go:build unix

package postgres

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// given is a Receiver.
type given struct {
	cluster.Receiver
	messages chan *cluster.Message
	refused  chan error
}

func (g *given) Receive(m *cluster.Message)        { g.messages <- m }
func (g *given) Interested(string, ...string) bool { return true }
func (g *given) Refuse(why error)                  { g.refused <- why }

// next returns what comes next.
func next[T any](t *testing.T, of <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-of:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing comes")
	}
	return v
}

// opened returns an engine that has opened the namespace "/", and what it is given.
func opened(t *testing.T, ctx context.Context) (*logEngine, *given) {
	t.Helper()
	pool, err := pgxpool.New(ctx, "postgres://postgres@"+services.Postgres(t).Addr+"/postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	o := Options{Recovery: true, ChannelPrefix: rand.Text()}.withDefaults()
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	l := newLogEngine(&engine{pool: pool, options: o, channels: channels{o.ChannelPrefix}, codec: parser.JSON, logger: logger})
	g := &given{messages: make(chan *cluster.Message, 100), refused: make(chan error, 100)}
	if err := l.Start("node", g); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.Open(ctx, "/"); err != nil {
		t.Fatal(err)
	}
	return l, g
}

// broadcast is what another node says to everybody.
func broadcast(t *testing.T, seq uint64, size int) *cluster.Message {
	t.Helper()
	text := []any{strings.Repeat("x", size)}
	frames, err := parser.JSON.Encode(parser.Outgoing{Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "text", Args: text})
	if err != nil {
		t.Fatal(err)
	}
	return &cluster.Message{Type: cluster.Broadcast, Node: "other", Namespace: "/", Seq: seq, Keep: true, Frames: frames}
}

// What a node says again, because it was not answered, stands in the log once, and comes
// once.
func TestSaidTwice(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, g := opened(t, ctx)
	begun, err := l.Tail(ctx, "/")
	if err != nil {
		t.Fatal(err)
	}
	first := []*cluster.Message{broadcast(t, 1, 10), broadcast(t, 2, 10_000)}
	emitted := broadcast(t, 0, 10)
	for _, batch := range [][]*cluster.Message{first, append(first, broadcast(t, 3, 10)), {emitted, emitted, broadcast(t, 4, 10)}} {
		if n, err := l.Publish(ctx, batch); n != len(batch) || err != nil {
			t.Fatalf("sent %d: %v", n, err)
		}
	}
	want := []uint64{1, 2, 3, 0, 0, 4} // those of emitters have no number
	var came, stands []uint64
	for range want {
		came = append(came, next(t, g.messages).Seq)
	}
	tail, err := l.Tail(ctx, "/")
	if err == nil {
		err = l.Read(ctx, "/", begun, tail, func(m *cluster.Message) bool {
			stands = append(stands, m.Seq)
			return true
		})
	}
	if err != nil || !slices.Equal(came, want) || !slices.Equal(stands, want) {
		t.Errorf("%d came, and %d stand in the log, want %d: %v", came, stands, want, err)
	}
}

// A notification of a row that is not there is nothing, however large the number is that
// it makes up.
func TestNumberMadeUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, g := opened(t, ctx)
	const made = `{"offset":"9223372036854775807","uid":"x","type":3,` +
		`"data":{"opts":{"rooms":[],"except":[],"flags":{}},"packet":{"type":2,"data":["text","y"]}}}`
	if _, err := l.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, l.channels.namespace("/"), made); err != nil {
		t.Fatal(err)
	}
	next(t, g.refused)
	for seq := range uint64(3) {
		// Others, whose namespaces this node does not have, write there, too.
		if _, err := l.pool.Exec(ctx, `INSERT INTO socket_io_log (space, message) VALUES ('other', ''), ('other', '')`); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Publish(ctx, []*cluster.Message{broadcast(t, seq+1, 10)}); err != nil {
			t.Fatal(err)
		}
		if m := next(t, g.messages); m.Seq != seq+1 {
			t.Errorf("got %+v", m)
		}
	}
}
