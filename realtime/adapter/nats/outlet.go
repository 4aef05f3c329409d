package nats

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// outlet is a connection on which a node appends to the stream, and nothing else. It is
// not made again when it is lost, but another is: what a connection that comes back has
// kept would stand in the stream before what was lost with it, and is said again.
type outlet struct {
	jetstream.JetStream
	conn   *nats.Conn
	gone   chan struct{} // closed when the connection is lost
	proven bool          // the stream has taken something on it
}

// connect makes an outlet as a connection was made with those options.
func connect(o nats.Options) (*outlet, error) {
	out := &outlet{gone: make(chan struct{})}
	o.AllowReconnect, o.RetryOnFailedConnect = false, false
	// Those of the user are told of the user's.
	o.ConnectedCB, o.ReconnectedCB, o.DisconnectedCB, o.DisconnectedErrCB, o.ReconnectErrCB = nil, nil, nil, nil, nil
	o.DiscoveredServersCB, o.LameDuckModeHandler = nil, nil
	o.AsyncErrorCB = func(*nats.Conn, *nats.Subscription, error) {}
	o.ClosedCB = func(*nats.Conn) { close(out.gone) }
	conn, err := o.Connect()
	if err != nil {
		return nil, err
	}
	if out.JetStream, err = jetstream.New(conn); err != nil {
		conn.Close()
		return nil, err
	}
	out.conn = conn
	return out, nil
}

// publishLogged appends to the stream, which drops what it has already been given by
// an attempt whose answer was lost. After a failure it begins anew, on another
// connection.
func (l *logEngine) publishLogged(ctx context.Context, batch []*cluster.Message) (sent int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if !l.conn.IsConnected() {
		return 0, nats.ErrConnectionReconnecting
	}
	if err := l.connected(ctx); err != nil {
		return 0, err
	}
	if l.out == nil {
		if l.out, err = l.connect(l.made); err != nil {
			return 0, fmt.Errorf("nats: %w", err)
		}
	}
	sent, err = l.append(ctx, batch)
	if err != nil && !errors.Is(err, cluster.ErrUnfit) {
		l.hangUp()
	}
	return sent, err
}

// hangUp ends the outlet, if there is one.
func (l *logEngine) hangUp() {
	if l.out != nil {
		l.out.conn.Close()
		l.out = nil
	}
}

// append appends to the stream. One message waits for the one before it, unless the stream
// has taken something on this connection: while it is not there yet, or has no leader in a
// cluster of NATS servers, some are dropped, and those behind them may not be.
func (l *logEngine) append(ctx context.Context, batch []*cluster.Message) (sent int, err error) {
	for ; sent < len(batch); sent++ {
		if l.out.proven && l.out.conn.ConnectedClusterName() == "" {
			n, err := l.appendFast(ctx, batch[sent:])
			return sent + n, err
		}
		entry, err := l.entry(ctx, batch[sent])
		if err != nil {
			return sent, err
		}
		if _, err := l.out.PublishMsg(ctx, entry); err != nil {
			return sent, fmt.Errorf("nats: %w", err)
		}
		l.out.proven = true
	}
	return sent, nil
}

// appendFast is append that does not wait for each message.
func (l *logEngine) appendFast(ctx context.Context, batch []*cluster.Message) (sent int, err error) {
	var acks []jetstream.PubAckFuture
	var failed error
	for _, m := range batch {
		entry, err := l.entry(ctx, m)
		if err == nil {
			var ack jetstream.PubAckFuture
			ack, err = l.out.PublishMsgAsync(entry)
			acks = append(acks, ack)
		}
		if err != nil {
			failed = err
			break
		}
	}
	for i, ack := range acks {
		if ack == nil {
			return i, failed
		}
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return i, fmt.Errorf("nats: %w", err)
		case <-l.out.gone:
			return i, fmt.Errorf("nats: %w", nats.ErrDisconnected)
		case <-ctx.Done():
			return i, fmt.Errorf("nats: JetStream does not answer: %w", context.Cause(ctx))
		}
	}
	return len(acks), failed
}
