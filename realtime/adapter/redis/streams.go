package redis

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"unicode/utf16"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// StreamsOptions are those of a cluster on Redis Streams. The zero value works, and
// has the defaults of Node's adapter but for MaxLen.
type StreamsOptions struct {
	cluster.Options

	// Stream names the stream in which messages are kept. Default "socket.io". It is
	// the option streamName of Node's adapter.
	Stream string

	// Count is how many streams there are; it must be the same on all nodes. With
	// more than one their names are Stream, "-" and a number, and each namespace has
	// one of them, so that the servers of a Redis Cluster share the work. Default 1.
	Count int

	// MaxLen is about how many messages a stream keeps: a client that has missed
	// more cannot come back to where it was. Of different values in a cluster the
	// smallest counts; that of Node's adapter is 10 000 unless it is set. Default
	// 100 000.
	MaxLen int64

	// Prefix begins the channels on which requests and answers go. Default
	// "socket.io". It is the option channelPrefix of Node's adapter.
	Prefix string

	// SessionPrefix begins the keys of what is kept of clients that may come back.
	// Those that say which node may save it begin with "{" before that, unless it has
	// a hash tag of its own. Default "sio:session:".
	SessionPrefix string
}

func (o StreamsOptions) withDefaults() StreamsOptions {
	for option, value := range map[*string]string{&o.Stream: "socket.io", &o.Prefix: "socket.io", &o.SessionPrefix: "sio:session:"} {
		if *option == "" {
			*option = value
		}
	}
	if o.Count < 0 || o.MaxLen < 0 {
		panic("redis: Count or MaxLen is negative; leave it 0 for the default")
	}
	if o.Count == 0 {
		o.Count = 1
	}
	if o.MaxLen == 0 {
		o.MaxLen = 100_000
	}
	return o
}

// Streams returns the adapter for realtime's Config.Adapter that forms one cluster
// with servers of Node.js which have @socket.io/redis-streams-adapter:
// https://socket.io/docs/v4/redis-streams-adapter/. A node that was not connected
// for a while goes on where it was. With Config.Recovery clients can come back to
// any node, also after theirs was killed. It needs Redis 6.2. Several servers may
// use one client, which stays the caller's. Streams panics when an option cannot
// work.
func Streams(client redis.UniversalClient, o StreamsOptions) adapter.Provider {
	if client == nil {
		panic("redis: Streams needs a client; redis.NewClient of github.com/redis/go-redis/v9 makes one")
	}
	o = o.withDefaults()
	return cluster.New(o.Options, func(s adapter.Server) cluster.Engine {
		return &streams{engine: newEngine(client, o.Prefix, s), options: o}
	})
}

// streams is the cluster.LogEngine of one node on Redis Streams. What has to stay in
// order goes through the streams; answers, and what is between two nodes, by publish
// and subscribe.
type streams struct {
	engine
	options  StreamsOptions
	listener *listener
	tails    []*tail // of the streams, by their numbers
	sent     sent
}

// The fields of an entry. All but the last two are Node's. An entry with native has
// nothing else, and Node leaves it alone.
const (
	fieldNode      = "uid"
	fieldNamespace = "nsp"
	fieldType      = "type"
	fieldData      = "data"
	fieldSeq       = "seq"
	fieldNative    = "native"
)

// broadcast is the type of the entries that only concern who is in some rooms:
// cluster.Broadcast.
const broadcast = "3"

// Start implements cluster.Engine.
func (e *streams) Start(node string, r cluster.Receiver) error {
	e.node, e.receiver = node, r
	start := func(name string) *tail { return follow(e.client, name, e) }
	if cluster.SendsOnly(r) {
		start = func(name string) *tail { return &tail{name: name} }
	} else {
		e.listener = listen(e.client, r.Refuse)
		e.listener.begin(exact, e.takeNative, e.channels.nodes(), e.channels.node(node))
	}
	for i := range e.options.Count {
		name := e.options.Stream
		if e.options.Count > 1 {
			name += "-" + strconv.Itoa(i)
		}
		e.tails = append(e.tails, start(name))
	}
	return nil
}

// Open implements cluster.Engine.
func (e *streams) Open(ctx context.Context, namespace string) error {
	t := e.tail(namespace)
	t.open(namespace)
	// What Node does not keep, and answers.
	err := e.listener.add(ctx, exact, func(_, payload string) { e.takeShared(namespace, payload) },
		e.channels.broadcast(namespace), e.channels.private(namespace, e.node))
	if err != nil {
		return err
	}
	return t.wait(ctx)
}

// Shut implements cluster.Engine.
func (e *streams) Shut(namespace string) {
	e.tail(namespace).shut(namespace)
	e.listener.remove(e.channels.broadcast(namespace), e.channels.private(namespace, e.node))
}

// tail returns that of a namespace's stream: Node chooses it so.
func (e *streams) tail(namespace string) *tail {
	if len(e.tails) == 1 {
		return e.tails[0]
	}
	var hash int32
	for _, unit := range utf16.Encode([]rune(namespace)) {
		hash = hash*31 + int32(unit)
	}
	// Node has a stream "-1" for a hash below 0, of which it does not read. Such a
	// namespace works among the nodes of this module alone.
	return e.tails[(int(hash)%len(e.tails)+len(e.tails))%len(e.tails)]
}

// take receives an entry of a stream. What is for rooms that nobody here is in is not
// even decoded, where it holds no binary. It reports whether it is a broadcast that cannot
// be read.
func (e *streams) take(id string, values map[string]any) (gap bool) {
	if namespace, skip := e.skips(values); skip {
		e.receiver.Receive(&cluster.Message{Type: cluster.Heartbeat, Namespace: namespace, Offset: id, Skipped: true})
		return false
	}
	m, err := e.parse(values)
	if err != nil {
		e.receiver.Refuse(fmt.Errorf("redis: %w", err))
		return mayBeKept(values)
	}
	if !m.Native {
		m.Offset = id
	}
	e.receiver.Receive(m)
	return false
}

// mayBeKept reports whether an entry that cannot be read may be a broadcast, which
// somebody may have to be told who comes back.
func mayBeKept(values map[string]any) bool {
	if _, native := values[fieldNative]; native {
		return false
	}
	kind, _ := values[fieldType].(string)
	_, err := strconv.ParseUint(kind, 10, 8)
	return kind == broadcast || err != nil
}

// skips reports whether an entry of another node reaches nobody here. This node's own
// need no decoding.
func (e *streams) skips(values map[string]any) (namespace string, skip bool) {
	node, _ := values[fieldNode].(string)
	kind, _ := values[fieldType].(string)
	if node == e.node || kind != broadcast {
		return "", false
	}
	namespace, _ = values[fieldNamespace].(string)
	data, _ := values[fieldData].(string)
	rooms, ok := wire.DataRooms(data)
	return namespace, ok && !e.receiver.Interested(namespace, rooms...)
}

// parse reads an entry.
func (e *streams) parse(values map[string]any) (*cluster.Message, error) {
	text := func(field string) string { s, _ := values[field].(string); return s }
	if native := text(fieldNative); native != "" {
		m, err := cluster.ParseMessage([]byte(native))
		if err == nil && !m.Native {
			err = cluster.ErrForeign
		}
		return m, err
	}
	kind, err := strconv.ParseUint(text(fieldType), 10, 8)
	if err != nil {
		return nil, fmt.Errorf("%w: its type is %q", wire.ErrInvalid, text(fieldType))
	}
	m := &cluster.Message{Type: cluster.Type(kind), Node: text(fieldNode), Namespace: text(fieldNamespace)}
	if m.Seq, err = strconv.ParseUint(text(fieldSeq), 10, 64); err != nil {
		m.Seq = 0
	}
	if m.Node == e.node {
		if own := e.sent.take(m.Seq); own != nil {
			c := *own
			return &c, nil
		}
	}
	data := []byte(text(fieldData))
	if len(data) > 0 && data[0] != '{' {
		if data, err = base64.StdEncoding.AppendDecode(nil, data); err != nil {
			return nil, fmt.Errorf("%w: %w", wire.ErrInvalid, err)
		}
	}
	return m, wire.DecodeData(m, data, e.codec)
}

// Publish implements cluster.Engine. Messages of a Redis Cluster that go through
// different servers of it go one group after the other.
func (e *streams) Publish(ctx context.Context, batch []*cluster.Message) (sent int, err error) {
	if e.listener != nil {
		if err := e.listener.heard(ctx); err != nil {
			return 0, err
		}
	}
	for len(batch) > 0 {
		via := e.via(ctx, batch[0])
		n := 1
		for n < len(batch) && e.via(ctx, batch[n]) == via {
			n++
		}
		done, err := publish(ctx, via, batch[:n], func(p redis.Pipeliner, m *cluster.Message) error { return e.write(ctx, p, m) })
		sent += done
		if err != nil {
			reload(ctx, e.client)
			return sent, err
		}
		batch = batch[n:]
	}
	return sent, nil
}

// via returns the client of the server that a message goes through.
func (e *streams) via(ctx context.Context, m *cluster.Message) redis.Cmdable {
	if e.logged(m) {
		return master(ctx, e.client, e.tail(m.Namespace).name)
	}
	return master(ctx, e.client, e.tails[0].name)
}

// logged reports whether a message goes through a stream. Those that have to be
// acknowledged do not: Node would give them to clients that come back.
func (e *streams) logged(m *cluster.Message) bool {
	switch {
	case m.To != "" || m.Namespace == "":
		return false
	case m.Native:
		return m.Type == cluster.Broadcast || m.Type == cluster.FetchSockets || m.Type == cluster.ServerSideEmit
	}
	return m.Type != cluster.Broadcast || m.Request == ""
}

// write writes the command that sends a message.
func (e *streams) write(ctx context.Context, p redis.Pipeliner, m *cluster.Message) error {
	c := e.channels
	switch {
	case e.logged(m):
		values, err := e.entry(m)
		if err != nil {
			return err
		}
		if m.Keep && !m.Native && m.Seq > 0 {
			e.sent.add(m)
		}
		return p.XAdd(ctx, &redis.XAddArgs{Stream: e.tail(m.Namespace).name, MaxLen: e.options.MaxLen, Approx: true, Values: values}).Err()
	case m.Native:
		payload, err := m.AppendBinary(nil)
		if err != nil {
			return err
		}
		channel := c.nodes()
		if m.To != "" {
			channel = c.node(m.To)
		}
		return p.Publish(ctx, channel, payload).Err()
	}
	payload, isMsgpack, err := wire.Encode(m, e.codec)
	if err == nil && !isMsgpack { // Node wants nothing else there
		payload, err = msgpack.Marshal(parser.Raw{Data: payload})
	}
	if err != nil {
		return err
	}
	channel := c.broadcast(m.Namespace)
	if m.To != "" {
		channel = c.private(m.Namespace, m.To)
	}
	return p.Publish(ctx, channel, payload).Err()
}

// entry returns the fields of an entry.
func (e *streams) entry(m *cluster.Message) ([]any, error) {
	if m.Native {
		b, err := m.AppendBinary(nil)
		return []any{fieldNative, b}, err
	}
	data, isMsgpack, err := wire.EncodeData(m, e.codec)
	if err != nil {
		return nil, err
	}
	if isMsgpack {
		data = base64.StdEncoding.AppendEncode(nil, data)
	}
	return []any{
		fieldNode, m.Node, fieldNamespace, m.Namespace, fieldType, strconv.Itoa(int(m.Type)),
		fieldData, data, fieldSeq, strconv.FormatUint(m.Seq, 10),
	}, nil
}

// Count implements cluster.MixedEngine.
func (e *streams) Count(ctx context.Context, namespace string) (int, error) {
	return count(ctx, e.client, func(ctx context.Context, c redis.Cmdable) *redis.MapStringIntCmd {
		return c.PubSubNumSub(ctx, e.channels.broadcast(namespace))
	})
}

// Close implements cluster.Engine.
func (e *streams) Close() error {
	if e.listener == nil { // it has only sent
		return nil
	}
	for _, t := range e.tails {
		t.close()
	}
	e.listener.close()
	return nil
}

var (
	_ cluster.MixedEngine   = (*streams)(nil)
	_ cluster.CopyingEngine = (*streams)(nil)
)
