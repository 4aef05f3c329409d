package redis

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

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
