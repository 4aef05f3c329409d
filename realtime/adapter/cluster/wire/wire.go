// Package wire writes and reads the messages that npm's socket.io-adapter sends
// between nodes (its class ClusterAdapter), so that servers of this module and of
// Node.js form one cluster: as the sharded Redis adapter, the Redis Streams
// adapter and the Postgres adapter carry them.
//
// Start with [Encode] and [Decode]. An engine that carries the members of a
// message apart from its data, as Redis Streams do, needs [EncodeData] and
// [DecodeData]; one that has a message of its own around a packet, as Redis
// pub/sub does, [EncodePacket] and [DecodePacket].
//
// Members that Node does not know, and ignores, say what only nodes of this
// module do: seq, socket, ids, args.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// ErrInvalid is wrapped by the errors that a bad message causes.
var ErrInvalid = errors.New("not a message of a Socket.IO cluster")

// message is a ClusterMessage or a ClusterResponse.
type message struct {
	UID  string `json:"uid"`
	NSP  string `json:"nsp"`
	Type int    `json:"type"`
	Seq  uint64 `json:"seq,omitempty"`
	Data *data  `json:"data,omitempty"`
}

// data is that of any message.
type data struct {
	Opts        *opts     `json:"opts,omitempty"` // first, so that who looks for it finds it soon
	RequestID   string    `json:"requestId,omitempty"`
	Rooms       []string  `json:"rooms,omitempty"`
	Close       *bool     `json:"close,omitempty"`
	ClientCount *int      `json:"clientCount,omitempty"`
	Sockets     *[]socket `json:"sockets,omitempty"`
	Packet      any       `json:"packet,omitempty"`
	Args        any       `json:"args,omitempty"` // all arguments of an answer that has not just one
	IDs         []string  `json:"ids,omitempty"`
}

type opts struct {
	Rooms  []string `json:"rooms"`
	Except []string `json:"except"`
	Flags  flags    `json:"flags"`
	Socket string   `json:"socket,omitempty"`
}

type flags struct {
	Volatile bool  `json:"volatile,omitempty"`
	Compress *bool `json:"compress,omitempty"`
	Timeout  int64 `json:"timeout,omitempty"` // ms
}

type socket struct {
	ID        string          `json:"id"`
	Handshake json.RawMessage `json:"handshake"`
	Rooms     []string        `json:"rooms"`
	Data      json.RawMessage `json:"data,omitempty"`
}

// packet is what Node's adapters know of a packet.
type packet struct {
	Type int    `json:"type"`
	Data any    `json:"data"`
	NSP  string `json:"nsp"`
}

// Encode returns a message whose frames codec has encoded: as JSON, or as
// MessagePack where it holds binary, as Node does it.
func Encode(m *cluster.Message, codec parser.Codec) (text []byte, isMsgpack bool, err error) {
	d, binary, err := dataOf(m, codec)
	if err != nil {
		return nil, false, err
	}
	return encode(message{m.Node, m.Namespace, int(m.Type), m.Seq, d}, binary)
}

// EncodeMsgpack is Encode that returns MessagePack whatever the message holds.
func EncodeMsgpack(m *cluster.Message, codec parser.Codec) ([]byte, error) {
	d, _, err := dataOf(m, codec)
	if err != nil {
		return nil, err
	}
	return msgpack.Marshal(message{m.Node, m.Namespace, int(m.Type), m.Seq, d})
}

// EncodeData returns the data of a message alone, or nil when it has none.
func EncodeData(m *cluster.Message, codec parser.Codec) (text []byte, isMsgpack bool, err error) {
	d, binary, err := dataOf(m, codec)
	if err != nil || d == nil {
		return nil, false, err
	}
	return encode(d, binary)
}

func encode(v any, binary bool) ([]byte, bool, error) {
	if binary {
		b, err := msgpack.Marshal(v)
		return b, true, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, false, err
	}
	return b.Bytes()[:b.Len()-1], false, nil
}

// dataOf returns a message's data, and whether it holds binary.
func dataOf(m *cluster.Message, codec parser.Codec) (d *data, binary bool, err error) {
	d = &data{RequestID: m.Request}
	switch m.Type {
	case cluster.InitialHeartbeat, cluster.Heartbeat, cluster.AdapterClose:
		return nil, false, nil
	case cluster.Broadcast, cluster.SocketsJoin, cluster.SocketsLeave, cluster.DisconnectSockets, cluster.FetchSockets:
		d.Opts = optsOf(m)
	}
	switch m.Type {
	case cluster.Broadcast:
		var list any
		list, binary, err = eventData(m.Frames, codec)
		d.Packet = packet{int(parser.Event), list, m.Namespace}
	case cluster.SocketsJoin, cluster.SocketsLeave:
		d.Rooms = m.Rooms
	case cluster.DisconnectSockets:
		d.Close = &m.Close
	case cluster.FetchSockets:
	case cluster.FetchSocketsResponse:
		sockets := make([]socket, len(m.Sockets))
		for i, s := range m.Sockets {
			sockets[i] = socket(s)
		}
		d.Sockets = &sockets
	case cluster.ServerSideEmit:
		d.Packet = parser.Raw{Data: m.Data}
	case cluster.ServerSideEmitResponse:
		err = d.answer(m.Data)
	case cluster.BroadcastClientCount:
		d.ClientCount, d.IDs = &m.Count, m.IDs
	case cluster.BroadcastAck:
		d.IDs = m.IDs
		binary, err = d.ack(m.Frames, codec)
	default:
		err = fmt.Errorf("%w: Node has no message of type %d", cluster.ErrUnfit, m.Type)
	}
	return d, binary, err
}

func optsOf(m *cluster.Message) *opts {
	t := m.Target
	o := &opts{Rooms: t.Rooms, Except: t.Except, Socket: t.Socket}
	if t.Socket != "" { // which is a room, too
		o.Rooms, o.Except = []string{t.Socket}, nil
	}
	if o.Rooms == nil {
		o.Rooms = []string{}
	}
	if o.Except == nil {
		o.Except = []string{}
	}
	o.Flags = flags{Volatile: m.Volatile, Timeout: int64(m.Timeout / time.Millisecond)}
	if m.Plain {
		o.Flags.Compress = new(bool)
	}
	return o
}

// answer sets the answer to a server-side event: Node knows one argument.
func (d *data) answer(array []byte) error {
	var args []json.RawMessage
	if len(array) > 0 {
		if err := json.Unmarshal(array, &args); err != nil {
			return err
		}
	}
	d.Packet = parser.Raw{Data: []byte("null")}
	if len(args) > 0 {
		d.Packet = parser.Raw{Data: args[0]}
	}
	if len(args) != 1 {
		d.Args = args
	}
	return nil
}

// ack sets a client's acknowledgement.
func (d *data) ack(frames []parser.Frame, codec parser.Codec) (binary bool, err error) {
	p, err := parser.DecodeFrames(codec, frames)
	if err != nil {
		return false, err
	}
	args := p.Values(codec)
	d.Packet = parser.Raw{Data: []byte("null")}
	if len(args) > 0 {
		d.Packet = args[0]
	}
	if len(args) != 1 {
		d.Args = args
	}
	return holdsBinary(frames, codec), nil
}

// holdsBinary reports whether a packet may hold binary.
func holdsBinary(frames []parser.Frame, codec parser.Codec) bool {
	return len(frames) != 1 || codec != parser.Codec(parser.JSON)
}

// eventData returns the array that an event is, its name first.
func eventData(frames []parser.Frame, codec parser.Codec) (list any, binary bool, err error) {
	if !holdsBinary(frames, codec) {
		if i := bytes.IndexByte(frames[0].Data, '['); i >= 0 {
			return parser.Raw{Data: frames[0].Data[i:]}, false, nil
		}
	}
	p, err := parser.DecodeFrames(codec, frames)
	if err != nil {
		return nil, false, err
	}
	return append([]any{p.Event}, p.Values(codec)...), true, nil
}

// EncodePacket returns the packet of an event as Node's adapters have it, in
// MessagePack: a map with type, data and nsp.
func EncodePacket(frames []parser.Frame, codec parser.Codec, namespace string) ([]byte, error) {
	list, _, err := eventData(frames, codec)
	if err != nil {
		return nil, err
	}
	return msgpack.Marshal(packet{int(parser.Event), list, namespace})
}
