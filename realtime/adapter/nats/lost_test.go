//go:build unix

package nats

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// losing is a JetStream that loses some of what it is to publish, and takes what follows.
type losing struct {
	jetstream.JetStream
	count int    // of those that are lost
	then  func() // what happens with the last of them
}

// loses reports whether the next one is lost.
func (l *losing) loses() bool {
	if l.count == 0 {
		return false
	}
	if l.count--; l.count == 0 {
		l.then()
	}
	return true
}

func (l *losing) PublishMsg(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if l.loses() {
		return nil, jetstream.ErrNoStreamResponse
	}
	return l.JetStream.PublishMsg(ctx, m, o...)
}

func (l *losing) PublishMsgAsync(m *nats.Msg, o ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	if l.loses() {
		failed := make(chan error, 1)
		failed <- jetstream.ErrNoStreamResponse
		return lostAck{err: failed}, nil
	}
	return l.JetStream.PublishMsgAsync(m, o...)
}

// dialer knows the last connection that it has made.
type dialer struct{ last net.Conn }

func (d *dialer) Dial(network, address string) (conn net.Conn, err error) {
	conn, err = net.Dial(network, address)
	d.last = conn
	return conn, err
}

// lostAck is the answer to what was lost.
type lostAck struct {
	jetstream.PubAckFuture
	err chan error
}

func (lostAck) Ok() <-chan *jetstream.PubAck { return nil }
func (a lostAck) Err() <-chan error          { return a.err }

// What a node says stands in the log in its order, whatever is lost, and said again: while
// the stream is not there yet, and when the connection is lost and there is a next.
func TestLostInOrder(t *testing.T) {
	s := services.NATS(t)
	for name, cut := range map[string]bool{"Starting": false, "Reconnecting": true} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var d dialer
			conn, err := nats.Connect("nats://"+s.Addr, nats.SetCustomDialer(&d), nats.ReconnectWait(time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			log, err := jetstream.New(conn)
			if err != nil {
				t.Fatal(err)
			}
			logger := slog.New(slog.NewTextHandler(t.Output(), nil))
			e := newLogEngine(newEngine(conn, newSubjects(name)), log, Options{}.withDefaults(), logger)
			js := &losing{then: func() {}}
			e.connect = func(o nats.Options) (*outlet, error) {
				out, err := connect(o)
				if err == nil {
					js.JetStream, out.JetStream = out.JetStream, js
				}
				return out, err
			}
			if err := e.Start("node", &given{}); err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			var want, got []uint64
			var batch []*cluster.Message
			publish := func(count int) {
				for range count {
					seq := uint64(len(want) + 1)
					want = append(want, seq)
					batch = append(batch, &cluster.Message{Type: cluster.Broadcast, Node: "other", Namespace: "/", Seq: seq, Keep: true,
						Frames: []parser.Frame{{Data: []byte("x")}}})
				}
				for len(batch) > 0 && ctx.Err() == nil {
					n, _ := e.Publish(ctx, batch)
					batch = batch[n:]
				}
			}
			begun, err := e.Tail(ctx, "/")
			if err != nil {
				t.Fatal(err)
			}
			if cut {
				publish(3) // all is well before
				js.then = func() {
					lost := e.out.conn.StatusChanged(nats.CLOSED, nats.CONNECTED)
					d.last.Close()
					<-lost
				}
			}
			js.count = 3
			publish(10)
			tail, err := e.Tail(ctx, "/")
			if err == nil {
				err = e.Read(ctx, "/", begun, tail, func(m *cluster.Message) bool {
					got = append(got, m.Seq)
					return true
				})
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("in the log stand %d, want %d: %v", got, want, err)
			}
		})
	}
}

// What was published on a connection that is gone may be lost with it, whatever the next one
// says.
func TestLostWithConnection(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := nats.Connect("nats://" + services.NATS(t).Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	e := newEngine(conn, newSubjects("test"))
	on := e.connection()
	if n, err := e.flushed(ctx, on, 3, nil); n != 3 || err != nil {
		t.Errorf("%d are sent: %v", n, err)
	}
	connected := conn.StatusChanged(nats.CONNECTED)
	if err := conn.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	<-connected
	if n, err := e.flushed(ctx, on, 3, nil); n != 0 || err == nil {
		t.Errorf("on another connection %d are sent: %v", n, err)
	}
}
