package redis

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

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
