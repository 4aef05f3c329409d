package parser_test

import (
	"encoding/json"
	"fmt"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// plain is a codec for people who watch their packets: a packet is one JSON
// object. It has no attachments; bytes travel as base64.
type plain struct{}

type plainPacket struct {
	Type parser.Type `json:"type"`
	NS   string      `json:"nsp"`
	ID   *int64      `json:"id,omitempty"`
	Data any         `json:"data,omitempty"`
}

func (plain) Encode(p parser.Outgoing) ([]parser.Frame, error) {
	out := plainPacket{Type: p.Type, NS: p.Namespace, Data: p.Data}
	if p.ID != parser.NoID {
		out.ID = &p.ID
	}
	switch p.Type {
	case parser.Event:
		out.Data = append([]any{p.Event}, p.Args...)
	case parser.Ack:
		out.Data = append([]any{}, p.Args...)
	}
	text, err := json.Marshal(out)
	return []parser.Frame{{Data: text}}, err
}

func (plain) NewDecoder(limits parser.Limits) parser.Decoder { return plainDecoder{} }

func (plain) Unmarshal(arg []byte, _ [][]byte, dst any) error { return json.Unmarshal(arg, dst) }

func (plain) JSON(arg []byte, _ [][]byte) ([]byte, error) { return arg, nil }

// plainDecoder has nothing to remember: every frame is a packet.
type plainDecoder struct{}

func (plainDecoder) Decode(data []byte, binary bool) (*parser.Packet, error) {
	if binary {
		return nil, fmt.Errorf("%w: binary", parser.ErrInvalid)
	}
	var payload json.RawMessage
	in := plainPacket{Data: &payload}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", parser.ErrInvalid, err)
	}
	p := &parser.Packet{Type: in.Type, Namespace: in.NS, ID: parser.NoID}
	if in.ID != nil {
		p.ID = *in.ID
	}
	if err := takePayload(p, payload); err != nil {
		return nil, fmt.Errorf("%w: %w", parser.ErrInvalid, err)
	}
	return p, nil
}

// takePayload checks that the payload is one for the packet's type.
func takePayload(p *parser.Packet, payload json.RawMessage) error {
	switch p.Type {
	case parser.Connect:
		p.Data = payload
		var object map[string]json.RawMessage
		if payload == nil {
			return nil
		}
		return json.Unmarshal(payload, &object)
	case parser.Disconnect:
		return nil
	case parser.Event, parser.Ack:
		var list []json.RawMessage
		if err := json.Unmarshal(payload, &list); err != nil {
			return err
		}
		for _, element := range list {
			p.Args = append(p.Args, element)
		}
		if p.Type == parser.Ack {
			return nil
		}
		if len(list) == 0 || json.Unmarshal(list[0], &p.Event) != nil || parser.Reserved(p.Event) {
			return fmt.Errorf("no name for an event: %s", payload)
		}
		p.Args = p.Args[1:]
		return nil
	}
	return fmt.Errorf("a client does not send %v", p.Type)
}

// A codec of one's own. A server takes it as its Config.Codec, and clients its
// counterpart as their parser.
func ExampleCodec() {
	var codec parser.Codec = plain{}

	frames, err := codec.Encode(parser.Outgoing{
		Type: parser.Event, Namespace: "/", ID: 7, Event: "order", Args: []any{"churros", 3, []byte("bytes")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", frames[0].Data)

	decoder := codec.NewDecoder(parser.Limits{})
	p, err := decoder.Decode([]byte(`{"type":2,"nsp":"/","data":["order","tacos",4]}`), false)
	if err != nil {
		fmt.Println(err)
		return
	}
	var what string
	var n int
	codec.Unmarshal(p.Args[0], p.Attachments, &what)
	codec.Unmarshal(p.Args[1], p.Attachments, &n)
	fmt.Println(p.Event, n, what)

	_, err = decoder.Decode([]byte(`{"type":2,"nsp":"/","data":["disconnect"]}`), false)
	fmt.Println(err)

	// Output:
	// {"type":2,"nsp":"/","id":7,"data":["order","churros",3,"Ynl0ZXM="]}
	// order 4 tacos
	// invalid Socket.IO packet: no name for an event: ["disconnect"]
}
