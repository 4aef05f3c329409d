package redis

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// Options are those of a cluster on Redis' publish and subscribe. The zero value
// works.
type Options struct {
	cluster.Options

	// Prefix begins all channels: clusters that share a Redis need different ones.
	// Default "socket.io". It is the option "key" of Node's adapter.
	Prefix string
}

// New returns the adapter for realtime's Config.Adapter that forms one cluster with
// servers of Node.js which have @socket.io/redis-adapter 8 and its createAdapter,
// and hears programs that have @socket.io/redis-emitter:
// https://socket.io/docs/v4/redis-adapter/. Several servers may use one client,
// which stays the caller's. New panics when an option cannot work.
func New(client redis.UniversalClient, o Options) adapter.Provider {
	if client == nil {
		panic("redis: New needs a client; redis.NewClient of github.com/redis/go-redis/v9 makes one")
	}
	if o.Prefix == "" {
		o.Prefix = "socket.io"
	}
	return cluster.New(o.Options, func(s adapter.Server) cluster.Engine {
		return &pubsub{engine: newEngine(client, o.Prefix, s), asked: newAsked()}
	})
}

// channels are the names of a cluster's channels.
type channels struct{ prefix string }

func (c channels) nodes() string                     { return c.prefix + "-nodes#" }
func (c channels) node(id string) string             { return c.prefix + "-nodes#" + id + "#" }
func (c channels) broadcast(namespace string) string { return c.prefix + "#" + namespace + "#" }
func (c channels) requests(namespace string) string  { return c.prefix + "-request#" + namespace + "#" }
func (c channels) responses(namespace string) string {
	return c.prefix + "-response#" + namespace + "#"
}
func (c channels) private(namespace, node string) string  { return c.broadcast(namespace) + node + "#" }
func (c channels) response(namespace, node string) string { return c.responses(namespace) + node + "#" }

// pubsub is the cluster.Engine of one node on publish and subscribe.
type pubsub struct {
	engine
	listener *listener
	asked    *asked // by Node, what this node has no answers of
}

// Start implements cluster.Engine.
func (e *pubsub) Start(node string, r cluster.Receiver) error {
	e.node, e.receiver = node, r
	if cluster.SendsOnly(r) {
		return nil
	}
	e.listener = listen(e.client, r.Refuse)
	e.listener.begin(exact, e.takeNative, e.channels.nodes(), e.channels.node(node))
	return nil
}

// Open implements cluster.Engine.
func (e *pubsub) Open(ctx context.Context, namespace string) error {
	c := e.channels
	broadcasts := c.broadcast(namespace)
	err := e.listener.add(ctx, pattern, func(channel, payload string) {
		e.take(namespace, channel[len(broadcasts):], payload)
	}, literal(broadcasts)+"*")
	if err != nil {
		return err
	}
	if err := e.listener.add(ctx, exact, func(_, payload string) { e.takeRequest(namespace, payload) }, c.requests(namespace)); err != nil {
		return err
	}
	return e.listener.add(ctx, exact, func(_, payload string) { e.takeResponse(namespace, payload) },
		c.responses(namespace), c.response(namespace, e.node))
}

// Shut implements cluster.Engine.
func (e *pubsub) Shut(namespace string) {
	c := e.channels
	e.listener.remove(literal(c.broadcast(namespace))+"*", c.requests(namespace), c.responses(namespace), c.response(namespace, e.node))
}

// take receives a broadcast. What is for a room that nobody here is in is not
// even decoded.
func (e *pubsub) take(namespace, room, payload string) {
	if n := len(room); n > 0 {
		if !e.receiver.Interested(namespace, room[:n-1]) {
			return
		}
	}
	m, err := decodeBroadcast([]byte(payload), namespace, e.node, e.codec)
	if err != nil {
		e.receiver.Refuse(fmt.Errorf("redis: %w", err))
	} else if m != nil {
		e.receiver.Receive(m)
	}
}

func (e *pubsub) takeRequest(namespace, payload string) {
	r, err := decodeRequest([]byte(payload))
	if err != nil {
		e.receiver.Refuse(fmt.Errorf("redis: %w", err))
		return
	}
	if r.UID == e.node {
		return
	}
	m, err := r.message(namespace, e.codec)
	if err != nil {
		e.receiver.Refuse(fmt.Errorf("redis: %w", err))
		return
	}
	e.asked.note(r)
	e.receiver.Receive(m)
}

func (e *pubsub) takeResponse(namespace, payload string) {
	m, err := decodeResponse([]byte(payload), namespace, e.codec)
	if err != nil {
		e.receiver.Refuse(fmt.Errorf("redis: %w", err))
	} else if m != nil {
		e.receiver.Receive(m)
	}
}

// Publish implements cluster.Engine.
func (e *pubsub) Publish(ctx context.Context, batch []*cluster.Message) (int, error) {
	if e.listener != nil {
		if err := e.listener.heard(ctx); err != nil {
			return 0, err
		}
	}
	sent, err := publish(ctx, e.one(ctx), batch, func(p redis.Pipeliner, m *cluster.Message) error {
		channel, payload, err := e.encode(m)
		if err == nil {
			p.Publish(ctx, channel, payload)
		}
		return err
	})
	if err != nil {
		reload(ctx, e.client)
	}
	return sent, err
}

// encode returns what goes to Redis for a message.
func (e *pubsub) encode(m *cluster.Message) (channel string, payload []byte, err error) {
	c := e.channels
	switch {
	case m.Native:
		payload, err = m.AppendBinary(nil)
		if channel = c.nodes(); m.To != "" {
			channel = c.node(m.To)
		}
		return channel, payload, err
	case m.To != "":
		payload, err = encodeResponse(m, e.asked.take(m.Request), e.codec)
		return c.response(m.Namespace, m.To), payload, err
	case m.Type == cluster.Broadcast && m.Request == "":
		payload, err = encodeBroadcast(m, e.codec)
		return c.broadcast(m.Namespace) + onlyRoom(m), payload, err
	default:
		payload, err = encodeRequest(m, e.codec)
		return c.requests(m.Namespace), payload, err
	}
}

// onlyRoom returns what ends the channel of a broadcast to one room.
func onlyRoom(m *cluster.Message) string {
	switch {
	case m.Target.Socket != "":
		return m.Target.Socket + "#"
	case len(m.Target.Rooms) == 1:
		return m.Target.Rooms[0] + "#"
	}
	return ""
}

// one returns the client of the one server through which everything goes, so that
// it stays in order in a Redis Cluster, too: each of its servers passes on what it
// is given.
func (e *pubsub) one(ctx context.Context) redis.Cmdable {
	return master(ctx, e.client, e.channels.nodes())
}

// Count implements cluster.MixedEngine.
func (e *pubsub) Count(ctx context.Context, namespace string) (int, error) {
	return count(ctx, e.client, func(ctx context.Context, c redis.Cmdable) *redis.MapStringIntCmd {
		return c.PubSubNumSub(ctx, e.channels.requests(namespace))
	})
}

// Close implements cluster.Engine.
func (e *pubsub) Close() error {
	if e.listener == nil { // it has only sent
		return nil
	}
	e.listener.close()
	return nil
}

var _ cluster.MixedEngine = (*pubsub)(nil)
