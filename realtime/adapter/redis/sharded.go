package redis

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
)

// SubscriptionMode says which rooms have channels of their own. It must be the same
// on all nodes; the words are Node's.
type SubscriptionMode string

const (
	Static         SubscriptionMode = "static"          // none: a channel for each namespace
	Dynamic        SubscriptionMode = "dynamic"         // each but those that sockets have of their own
	DynamicPrivate SubscriptionMode = "dynamic-private" // each
)

// ShardedOptions are those of a cluster on Redis' sharded publish and subscribe.
// The zero value works, and has the defaults of Node's adapter.
type ShardedOptions struct {
	cluster.Options

	// Prefix begins all channels. Default "socket.io". It is the option channelPrefix
	// of Node's adapter.
	Prefix string

	// Mode says which rooms have channels of their own: a node gets only what its
	// sockets need then. Default Dynamic.
	Mode SubscriptionMode
}

func (o ShardedOptions) withDefaults() ShardedOptions {
	if o.Prefix == "" {
		o.Prefix = "socket.io"
	}
	switch o.Mode {
	case "":
		o.Mode = Dynamic
	case Static, Dynamic, DynamicPrivate:
	default:
		panic(fmt.Sprintf("redis: there is no subscription mode %q; use Static, Dynamic or DynamicPrivate", o.Mode))
	}
	return o
}

// Sharded returns the adapter for realtime's Config.Adapter that forms one cluster
// with servers of Node.js which have createShardedAdapter of @socket.io/redis-adapter
// 8: https://socket.io/docs/v4/redis-adapter/#with-sharded-pubsub. It needs Redis 7,
// and spreads its work over the servers of a Redis Cluster. There, what goes to
// different rooms goes through different servers, and may overtake each other.
// Several servers may use one client, which stays the caller's. Sharded panics when
// an option cannot work.
func Sharded(client redis.UniversalClient, o ShardedOptions) adapter.Provider {
	if client == nil {
		panic("redis: Sharded needs a client; redis.NewClient of github.com/redis/go-redis/v9 makes one")
	}
	o = o.withDefaults()
	return cluster.New(o.Options, func(s adapter.Server) cluster.Engine {
		return &sharded{
			engine: newEngine(client, o.Prefix, s), mode: o.Mode,
			listeners: make(map[string]*listener), homes: make(map[string]*listener), recent: make(map[string]time.Time),
		}
	})
}

// sharded is the cluster.Engine of one node on sharded publish and subscribe.
type sharded struct {
	engine
	mode   SubscriptionMode
	recent map[string]time.Time // of Publish: channels of rooms into which this node has had others put sockets

	mu        sync.Mutex           // guards the rest
	listeners map[string]*listener // by home
	homes     map[string]*listener // by channel
	closed    bool
}

// Start implements cluster.Engine.
func (e *sharded) Start(node string, r cluster.Receiver) error {
	e.node, e.receiver = node, r
	if cluster.SendsOnly(r) {
		return nil
	}
	for _, name := range []string{e.channels.nodes(), e.channels.node(node)} {
		e.place(name, "", &channel{kind: shard, take: e.takeNative, confirmed: make(chan struct{})}, nil)
	}
	return nil
}

// take receives a message of a namespace.
func (e *sharded) take(namespace, payload string) {
	if !e.isOwn(payload) {
		e.takeShared(namespace, payload)
	}
}

// isOwn recognizes what this node has sent, which comes back, without decoding it.
func (e *sharded) isOwn(payload string) bool {
	const text, packed = `{"uid":"`, "\x85\xa3uid\xb0"
	for _, begin := range []string{text, packed} {
		if n := len(begin) + len(e.node); len(payload) > n && payload[len(begin):n] == e.node && payload[1:len(begin)] == begin[1:] {
			return true
		}
	}
	return false
}

// Open implements cluster.Engine.
func (e *sharded) Open(ctx context.Context, namespace string) error {
	for _, channel := range []string{e.channels.broadcast(namespace), e.channels.private(namespace, e.node)} {
		if err := e.subscribe(ctx, channel, func(_, payload string) { e.take(namespace, payload) }); err != nil {
			return err
		}
	}
	return nil
}

// Shut implements cluster.Engine.
func (e *sharded) Shut(namespace string) {
	e.unsubscribe(e.channels.broadcast(namespace))
	e.unsubscribe(e.channels.private(namespace, e.node))
}

// Join implements cluster.RoomEngine.
func (e *sharded) Join(ctx context.Context, namespace, room string, private bool) error {
	if e.mode == Static || e.mode == Dynamic && private {
		return nil
	}
	return e.subscribe(ctx, e.channels.private(namespace, room), func(_, payload string) {
		if e.receiver.Interested(namespace, room) {
			e.take(namespace, payload)
		}
	})
}

// Leave implements cluster.RoomEngine.
func (e *sharded) Leave(namespace, room string, private bool) {
	if e.mode == Static || e.mode == Dynamic && private {
		return
	}
	e.unsubscribe(e.channels.private(namespace, room))
}

// Publish implements cluster.Engine.
func (e *sharded) Publish(ctx context.Context, batch []*cluster.Message) (int, error) {
	if err := e.heard(ctx); err != nil {
		return 0, err
	}
	sent, err := publish(ctx, e.client, batch, func(p redis.Pipeliner, m *cluster.Message) error {
		channel, payload, err := e.encode(m)
		if err != nil {
			return err
		}
		return p.SPublish(ctx, channel, payload).Err()
	})
	if err != nil {
		reload(ctx, e.client)
	}
	return sent, err
}

func (e *sharded) encode(m *cluster.Message) (channel string, payload []byte, err error) {
	c := e.channels
	switch {
	case m.Native && m.To != "":
		channel = c.node(m.To)
	case m.Native:
		channel = c.nodes()
	case m.To != "":
		channel = c.private(m.Namespace, m.To)
	default:
		channel = c.broadcast(m.Namespace)
		if room := e.ownChannel(m); room != "" && !e.isRecent(c.private(m.Namespace, room)) {
			channel = c.private(m.Namespace, room)
		}
		if m.Type == cluster.SocketsJoin {
			for _, room := range m.Rooms {
				e.recent[c.private(m.Namespace, room)] = time.Now()
			}
		}
	}
	if m.Native {
		payload, err = m.AppendBinary(nil)
	} else {
		payload, _, err = wire.Encode(m, e.codec)
	}
	return channel, payload, err
}

// settled is how long a node may take to subscribe to the channel of a room that
// others have put its sockets into. Until then all nodes get what is for it.
const settled = 5 * time.Second

func (e *sharded) isRecent(channel string) bool {
	if len(e.recent) == 0 {
		return false
	}
	maps.DeleteFunc(e.recent, func(_ string, since time.Time) bool { return time.Since(since) > settled })
	_, young := e.recent[channel]
	return young
}

// ownChannel returns the room whose channel a message goes to, or "". As for Node, a
// room of 20 characters is one that a socket has of its own.
func (e *sharded) ownChannel(m *cluster.Message) string {
	if m.Type != cluster.Broadcast || m.Request != "" || e.mode == Static {
		return ""
	}
	room := m.Target.Socket
	if room == "" && len(m.Target.Rooms) == 1 {
		room = m.Target.Rooms[0]
	}
	if e.mode == Dynamic && len(utf16.Encode([]rune(room))) == 20 {
		return ""
	}
	return room
}

// Count implements cluster.MixedEngine.
func (e *sharded) Count(ctx context.Context, namespace string) (int, error) {
	return count(ctx, e.client, func(ctx context.Context, c redis.Cmdable) *redis.MapStringIntCmd {
		return c.PubSubShardNumSub(ctx, e.channels.broadcast(namespace))
	})
}

// Close implements cluster.Engine.
func (e *sharded) Close() error {
	for _, l := range e.close() {
		l.close()
	}
	return nil
}

var (
	_ cluster.MixedEngine = (*sharded)(nil)
	_ cluster.RoomEngine  = (*sharded)(nil)
)
