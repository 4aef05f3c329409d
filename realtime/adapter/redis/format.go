package redis

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
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

// The types of requests.
const (
	typeSockets = iota
	typeAllRooms
	typeRemoteJoin
	typeRemoteLeave
	typeRemoteDisconnect
	typeRemoteFetch
	typeServerSideEmit
	typeBroadcast
	typeBroadcastClientCount
	typeBroadcastAck
)

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

// request is one, but for its packet as it goes out.
type request struct {
	UID       string       `json:"uid,omitempty"`
	RequestID string       `json:"requestId,omitempty"`
	Type      int          `json:"type"`
	Opts      *options     `json:"opts,omitempty"`
	Rooms     []string     `json:"rooms,omitempty"`
	Room      string       `json:"room,omitempty"` // with SID, in the place of Opts: older adapters
	SID       string       `json:"sid,omitempty"`
	Close     bool         `json:"close,omitempty"`
	Data      []parser.Raw `json:"data,omitempty"`
	Packet    *parser.Raw  `json:"packet,omitempty"`
	Seq       uint64       `json:"seq,omitempty"` // Node does not know it
}

var requestTypes = map[cluster.Type]int{
	cluster.SocketsJoin:       typeRemoteJoin,
	cluster.SocketsLeave:      typeRemoteLeave,
	cluster.DisconnectSockets: typeRemoteDisconnect,
	cluster.FetchSockets:      typeRemoteFetch,
	cluster.ServerSideEmit:    typeServerSideEmit,
	cluster.Broadcast:         typeBroadcast,
}

func encodeRequest(m *cluster.Message, codec parser.Codec) ([]byte, error) {
	t, known := requestTypes[m.Type]
	if !known {
		return nil, fmt.Errorf("no server of Node.js knows a request of type %d", m.Type)
	}
	r := request{UID: m.Node, RequestID: m.Request, Type: t, Rooms: m.Rooms, Close: m.Close, Seq: m.Seq}
	if m.Type == cluster.ServerSideEmit {
		if err := json.Unmarshal(m.Data, &r.Data); err != nil {
			return nil, err
		}
		return marshal(r)
	}
	o := optionsOf(m)
	r.Opts = &o
	if m.Type != cluster.Broadcast {
		return marshal(r)
	}
	packet, err := wire.EncodePacket(m.Frames, codec, m.Namespace)
	if err != nil {
		return nil, err
	}
	r.Packet = &parser.Raw{Codec: msgpack.Codec, Data: packet}
	return msgpack.Marshal(r)
}

func marshal(v any) ([]byte, error) { return json.Marshal(v) }

func unmarshal(b []byte, dst any) (err error) {
	if len(b) > 0 && b[0] == '{' {
		err = json.Unmarshal(b, dst)
	} else {
		err = msgpack.Codec.Unmarshal(b, nil, dst)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", wire.ErrInvalid, err)
	}
	return err
}

func decodeRequest(b []byte) (*request, error) {
	r := &request{}
	return r, unmarshal(b, r)
}

// message returns what a request asks for.
func (r *request) message(namespace string, codec parser.Codec) (*cluster.Message, error) {
	m := &cluster.Message{Node: r.UID, Namespace: namespace, Request: r.RequestID, Rooms: r.Rooms, Close: r.Close, Seq: r.Seq}
	if r.SID != "" && r.Opts == nil {
		r.Opts, m.Rooms, m.Request = &options{Rooms: []string{r.SID}}, []string{r.Room}, ""
	}
	if r.Opts != nil {
		r.Opts.apply(m)
	} else if r.Type == typeRemoteJoin || r.Type == typeRemoteLeave || r.Type == typeRemoteDisconnect || r.Type == typeBroadcast {
		return nil, fmt.Errorf("%w: it does not say who is meant", wire.ErrInvalid)
	}
	var err error
	switch r.Type {
	case typeSockets:
		m.Type, m.Target.Rooms, m.Rooms = cluster.FetchSockets, r.Rooms, nil
	case typeAllRooms, typeRemoteFetch:
		m.Type = cluster.FetchSockets
	case typeRemoteJoin:
		m.Type = cluster.SocketsJoin
	case typeRemoteLeave:
		m.Type = cluster.SocketsLeave
	case typeRemoteDisconnect:
		m.Type = cluster.DisconnectSockets
	case typeServerSideEmit:
		m.Type = cluster.ServerSideEmit
		if m.Data, err = json.Marshal(r.Data); r.Data == nil {
			err = fmt.Errorf("%w: it has no event", wire.ErrInvalid)
		}
	case typeBroadcast:
		m.Type = cluster.Broadcast
		if r.Packet == nil {
			return nil, fmt.Errorf("%w: it has no packet", wire.ErrInvalid)
		}
		m.Frames, _, err = wire.DecodePacket(r.Packet.Data, codec)
	default:
		err = fmt.Errorf("%w: a request of type %d", wire.ErrInvalid, r.Type)
	}
	return m, err
}

// response is an answer.
type response struct {
	Type        int         `json:"type"`
	RequestID   string      `json:"requestId"`
	Data        *parser.Raw `json:"data"`
	ClientCount int         `json:"clientCount"`
	Packet      *parser.Raw `json:"packet"`
	Sockets     []socket    `json:"sockets"`
}

type socket struct {
	ID        string          `json:"id"`
	Handshake json.RawMessage `json:"handshake"`
	Rooms     []string        `json:"rooms"`
	Data      json.RawMessage `json:"data,omitempty"`
}

// encodeResponse returns the answer to a request of that type.
func encodeResponse(m *cluster.Message, to int, codec parser.Codec) ([]byte, error) {
	type fields = map[string]any
	switch m.Type {
	case cluster.FetchSocketsResponse:
		switch to {
		case typeAllRooms:
			return marshal(fields{"requestId": m.Request, "rooms": roomsOf(m.Sockets)})
		case typeSockets:
			ids := make([]string, len(m.Sockets))
			for i, s := range m.Sockets {
				ids[i] = s.ID
			}
			return marshal(fields{"requestId": m.Request, "sockets": ids})
		}
		sockets := make([]socket, len(m.Sockets))
		for i, s := range m.Sockets {
			sockets[i] = socket(s)
		}
		return marshal(fields{"requestId": m.Request, "sockets": sockets})
	case cluster.ServerSideEmitResponse:
		var args []json.RawMessage
		if len(m.Data) > 0 {
			if err := json.Unmarshal(m.Data, &args); err != nil {
				return nil, err
			}
		}
		args = append(args, nil)
		return marshal(fields{"type": typeServerSideEmit, "requestId": m.Request, "data": args[0]})
	case cluster.BroadcastClientCount:
		return marshal(fields{"type": typeBroadcastClientCount, "requestId": m.Request, "clientCount": m.Count})
	case cluster.BroadcastAck:
		p, err := parser.DecodeFrames(codec, m.Frames)
		if err != nil {
			return nil, err
		}
		args := append(p.Values(codec), nil)
		return msgpack.Marshal(fields{"type": typeBroadcastAck, "requestId": m.Request, "packet": args[0]})
	}
	return nil, fmt.Errorf("no server of Node.js knows an answer of type %d", m.Type)
}

func roomsOf(sockets []adapter.RemoteSocket) []string {
	rooms := []string{}
	for _, s := range sockets {
		rooms = append(rooms, s.Rooms...)
	}
	slices.Sort(rooms)
	return slices.Compact(rooms)
}

// decodeResponse returns nil for an answer that no request of this module has.
func decodeResponse(b []byte, namespace string, codec parser.Codec) (*cluster.Message, error) {
	var head struct {
		RequestID string `json:"requestId"`
	}
	if err := unmarshal(b, &head); err != nil {
		return nil, err
	}
	if !cluster.IsOwnRequest(head.RequestID) {
		return nil, nil // of Node's servers among themselves, in whatever form
	}
	var r response
	if err := unmarshal(b, &r); err != nil {
		return nil, err
	}
	m := &cluster.Message{Namespace: namespace, Request: r.RequestID}
	switch {
	case r.Sockets != nil:
		m.Type = cluster.FetchSocketsResponse
		for _, s := range r.Sockets {
			m.Sockets = append(m.Sockets, adapter.RemoteSocket(s))
		}
	case r.Type == typeServerSideEmit:
		m.Type, m.Data = cluster.ServerSideEmitResponse, []byte("[]")
		if r.Data != nil {
			value, err := r.Data.MarshalJSON()
			if err != nil {
				return nil, fmt.Errorf("%w: %w", wire.ErrInvalid, err)
			}
			m.Data = slices.Concat([]byte{'['}, value, []byte{']'})
		}
	case r.Type == typeBroadcastClientCount:
		m.Type, m.Count = cluster.BroadcastClientCount, r.ClientCount
	case r.Type == typeBroadcastAck:
		m.Type = cluster.BroadcastAck
		var args []any
		if r.Packet != nil {
			args = []any{*r.Packet}
		}
		frames, err := codec.Encode(parser.Outgoing{Type: parser.Ack, Namespace: namespace, Args: args})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", wire.ErrInvalid, err)
		}
		m.Frames = frames
	default:
		return nil, fmt.Errorf("%w: an answer of type %d", wire.ErrInvalid, r.Type)
	}
	return m, nil
}

// asked remembers which requests of Node want to know something else than the
// sockets that answer them.
type asked struct {
	mu    sync.Mutex // guards the rest
	types map[string]int
	order []string
}

// mostAsked is how many requests may be under way.
const mostAsked = 1024

func newAsked() *asked { return &asked{types: make(map[string]int)} }

func (a *asked) note(r *request) {
	if r.Type != typeSockets && r.Type != typeAllRooms {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.order) >= mostAsked {
		delete(a.types, a.order[0])
		a.order = a.order[1:]
	}
	a.types[r.RequestID] = r.Type
	a.order = append(a.order, r.RequestID)
}

// take returns the type of a request that is answered.
func (a *asked) take(id string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, noted := a.types[id]
	if !noted {
		return typeRemoteFetch
	}
	delete(a.types, id)
	return t
}
