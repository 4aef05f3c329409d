package redis

import (
	"fmt"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// The messages of @socket.io/redis-adapter. A broadcast is an array in MessagePack:
//
//	[node, {type, data, nsp}, {rooms, except, flags}, seq]
//
// of which Node knows the first three. Requests and answers are JSON, or
// MessagePack where they hold a packet.

// options say who is meant.
type options struct {
	Rooms  []string `json:"rooms"`
	Except []string `json:"except"`
	Flags  *flags   `json:"flags,omitempty"`
}

type flags struct {
	Volatile bool  `json:"volatile,omitempty"`
	Compress *bool `json:"compress,omitempty"`
	Timeout  int64 `json:"timeout,omitempty"` // ms
}

func optionsOf(m *cluster.Message) options {
	t := m.Target
	if t.Socket != "" { // which is a room, too
		t.Rooms, t.Except = []string{t.Socket}, nil
	}
	o := options{Rooms: append([]string{}, t.Rooms...), Except: append([]string{}, t.Except...)}
	if m.Type == cluster.Broadcast {
		o.Flags = &flags{Volatile: m.Volatile, Timeout: int64(m.Timeout / time.Millisecond)}
		if m.Plain {
			o.Flags.Compress = new(bool)
		}
	}
	return o
}

func (o *options) apply(m *cluster.Message) {
	m.Target = adapter.Target{Rooms: o.Rooms, Except: o.Except}
	if f := o.Flags; f != nil {
		m.Volatile, m.Plain = f.Volatile, f.Compress != nil && !*f.Compress
		m.Timeout = time.Duration(max(0, f.Timeout)) * time.Millisecond
	}
}

func encodeBroadcast(m *cluster.Message, codec parser.Codec) ([]byte, error) {
	packet, err := wire.EncodePacket(m.Frames, codec, m.Namespace)
	if err != nil {
		return nil, err
	}
	opts, err := msgpack.Marshal(optionsOf(m))
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(m.Node)+len(packet)+len(opts)+16)
	b = msgp.AppendArrayHeader(b, 4)
	b = msgp.AppendString(b, m.Node)
	b = append(append(b, packet...), opts...)
	return msgp.AppendUint64(b, m.Seq), nil
}

// decodeBroadcast returns nil for a message of the node's own.
func decodeBroadcast(b []byte, namespace, self string, codec parser.Codec) (*cluster.Message, error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || n < 3 {
		return nil, fmt.Errorf("%w: it is no array of three", wire.ErrInvalid)
	}
	node, b, err := msgp.ReadStringBytes(b)
	if err != nil {
		return nil, fmt.Errorf("%w: its node has no name", wire.ErrInvalid)
	}
	if node == self {
		return nil, nil
	}
	packet, b, err := element(b)
	if err != nil {
		return nil, err
	}
	opts, b, err := element(b)
	if err != nil {
		return nil, err
	}
	m := &cluster.Message{Type: cluster.Broadcast, Node: node, Namespace: namespace}
	if n > 3 {
		if m.Seq, _, err = msgp.ReadUint64Bytes(b); err != nil {
			m.Seq = 0
		}
	}
	var o options
	if err := msgpack.Codec.Unmarshal(opts, nil, &o); err != nil {
		return nil, fmt.Errorf("%w: %w", wire.ErrInvalid, err)
	}
	o.apply(m)
	frames, of, err := wire.DecodePacket(packet, codec)
	if err != nil {
		return nil, err
	}
	if of != namespace {
		return nil, fmt.Errorf("%w: its packet is for %q", wire.ErrInvalid, of)
	}
	m.Frames, m.Keep = frames, !m.Volatile
	return m, nil
}

// element cuts off the first value.
func element(b []byte) (value, rest []byte, err error) {
	rest, err = msgp.Skip(b)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", wire.ErrInvalid, err)
	}
	return b[:len(b)-len(rest)], rest, nil
}
