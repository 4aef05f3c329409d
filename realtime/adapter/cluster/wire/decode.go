package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// received is a message as it came in.
type received struct {
	UID  string     `json:"uid"`
	NSP  string     `json:"nsp"`
	Type int        `json:"type"`
	Seq  uint64     `json:"seq"`
	Data parser.Raw `json:"data"`
}

// receivedData is its data.
type receivedData struct {
	Opts        *opts        `json:"opts"`
	RequestID   string       `json:"requestId"`
	Rooms       []string     `json:"rooms"`
	Close       bool         `json:"close"`
	ClientCount int          `json:"clientCount"`
	Sockets     []socket     `json:"sockets"`
	Packet      parser.Raw   `json:"packet"`
	Args        []parser.Raw `json:"args"`
	IDs         []string     `json:"ids"`
}

// receivedPacket is a packet.
type receivedPacket struct {
	Type int          `json:"type"`
	Data []parser.Raw `json:"data"`
	NSP  string       `json:"nsp"`
}

// Decode reads what Encode has written, or a server of Node.js: JSON if it begins
// with a brace, and MessagePack otherwise. The frames of the message are those
// that codec makes of it. The message shares the bytes.
func Decode(b []byte, codec parser.Codec) (*cluster.Message, error) { return DecodeIn("", b, codec) }

// DecodeIn is Decode of a message that belongs to a namespace where it names none:
// those of @socket.io/postgres-emitter do not.
func DecodeIn(namespace string, b []byte, codec parser.Codec) (*cluster.Message, error) {
	var r received
	if err := unmarshal(b, &r); err != nil {
		return nil, err
	}
	if r.NSP == "" {
		r.NSP = namespace
	}
	if err := checkNamespace(r.NSP); err != nil {
		return nil, err
	}
	m := &cluster.Message{Type: cluster.Type(r.Type), Node: r.UID, Namespace: r.NSP, Seq: r.Seq}
	if r.Type < 0 || r.Type > 255 {
		return nil, fmt.Errorf("%w: its type is %d", ErrInvalid, r.Type)
	}
	return m, decodeData(m, r.Data, codec)
}

// DecodeData reads the data of a message, whose other members are set.
func DecodeData(m *cluster.Message, b []byte, codec parser.Codec) error {
	if len(b) == 0 {
		return decodeData(m, parser.Raw{}, codec)
	}
	if b[0] == '{' {
		return decodeData(m, parser.Raw{Data: b}, codec)
	}
	return decodeData(m, parser.Raw{Codec: msgpack.Codec, Data: b}, codec)
}

func unmarshal(b []byte, dst any) error {
	var err error
	if len(b) > 0 && b[0] == '{' {
		err = json.Unmarshal(b, dst)
	} else {
		err = msgpack.Codec.Unmarshal(b, nil, dst)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func decodeData(m *cluster.Message, raw parser.Raw, codec parser.Codec) error {
	switch m.Type {
	case cluster.InitialHeartbeat, cluster.Heartbeat, cluster.AdapterClose:
		return nil
	}
	if len(raw.Data) == 0 {
		return fmt.Errorf("%w: it has no data", ErrInvalid)
	}
	var d receivedData
	if err := raw.Unmarshal(&d); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	m.Request, m.Rooms, m.Close, m.IDs, m.Count = d.RequestID, d.Rooms, d.Close, d.IDs, d.ClientCount
	if m.Type < cluster.FetchSocketsResponse {
		if d.Opts == nil {
			return fmt.Errorf("%w: it has no opts", ErrInvalid)
		}
		o := d.Opts
		m.Target = adapter.Target{Socket: o.Socket, Rooms: o.Rooms, Except: o.Except}
		m.Volatile, m.Timeout = o.Flags.Volatile, time.Duration(max(0, o.Flags.Timeout))*time.Millisecond
		m.Plain = o.Flags.Compress != nil && !*o.Flags.Compress
	}
	var err error
	switch m.Type {
	case cluster.Broadcast:
		m.Frames, err = event(d.Packet, codec, m.Namespace)
		m.Keep = m.Request == "" && !m.Volatile
	case cluster.FetchSocketsResponse:
		for _, s := range d.Sockets {
			m.Sockets = append(m.Sockets, adapter.RemoteSocket(s))
		}
	case cluster.ServerSideEmit:
		m.Data, err = d.Packet.MarshalJSON()
	case cluster.ServerSideEmitResponse:
		m.Data, err = json.Marshal(d.args())
	case cluster.BroadcastAck:
		args := d.args()
		values := make([]any, len(args))
		for i, arg := range args {
			values[i] = arg
		}
		m.Frames, err = codec.Encode(parser.Outgoing{Type: parser.Ack, Namespace: m.Namespace, Args: values})
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// args returns the arguments of an answer: those that a node of this module has
// listed, or the one that Node knows.
func (d *receivedData) args() []parser.Raw {
	if d.Args != nil {
		return d.Args
	}
	if len(d.Packet.Data) == 0 {
		return []parser.Raw{}
	}
	return []parser.Raw{d.Packet}
}

// DecodePacket returns the frames that codec makes of the packet of an event,
// which is MessagePack, and its namespace, "/" where it names none.
func DecodePacket(b []byte, codec parser.Codec) (frames []parser.Frame, namespace string, err error) {
	raw := parser.Raw{Codec: msgpack.Codec, Data: b}
	var p receivedPacket
	if err := raw.Unmarshal(&p); err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if p.NSP == "" {
		p.NSP = "/"
	}
	if err := checkNamespace(p.NSP); err != nil {
		return nil, "", err
	}
	frames, err = p.frames(codec, p.NSP)
	return frames, p.NSP, err
}

// checkNamespace refuses a name that would be something else in front of a
// packet.
func checkNamespace(name string) error {
	if !strings.HasPrefix(name, "/") || strings.Contains(name, ",") {
		return fmt.Errorf("%w: its namespace is %q", ErrInvalid, name)
	}
	return nil
}

// event returns the frames of a packet.
func event(raw parser.Raw, codec parser.Codec, namespace string) ([]parser.Frame, error) {
	if len(raw.Data) == 0 {
		return nil, fmt.Errorf("%w: it has no packet", ErrInvalid)
	}
	var p receivedPacket
	if err := raw.Unmarshal(&p); err != nil {
		return nil, err
	}
	return p.frames(codec, namespace)
}

func (p *receivedPacket) frames(codec parser.Codec, namespace string) ([]parser.Frame, error) {
	if t := parser.Type(p.Type); t != parser.Event && t != parser.BinaryEvent || len(p.Data) == 0 {
		return nil, fmt.Errorf("%w: its packet is no event", ErrInvalid)
	}
	var name any
	if err := p.Data[0].Unmarshal(&name); err != nil {
		return nil, err
	}
	text, isText := name.(string)
	if !isText {
		if _, isMap := name.(map[string]any); isMap || name == nil {
			return nil, fmt.Errorf("%w: its event has no name", ErrInvalid)
		}
		text = strings.TrimSpace(fmt.Sprint(name)) // a number
	}
	if parser.Reserved(text) {
		return nil, fmt.Errorf("%w: the name of its event, %q, is reserved", ErrInvalid, text)
	}
	args := make([]any, len(p.Data)-1)
	for i, arg := range p.Data[1:] {
		args[i] = arg
	}
	return codec.Encode(parser.Outgoing{Type: parser.Event, Namespace: namespace, ID: parser.NoID, Event: text, Args: args})
}
