package wire_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

var codecs = map[string]parser.Codec{"json": parser.JSON, "msgpack": msgpack.Codec}

func frames(t *testing.T, codec parser.Codec, p parser.Outgoing) []parser.Frame {
	t.Helper()
	p.Namespace = "/chat"
	f, err := codec.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func event(t *testing.T, codec parser.Codec, args ...any) []parser.Frame {
	return frames(t, codec, parser.Outgoing{Type: parser.Event, ID: parser.NoID, Event: "héllo", Args: args})
}

func ack(t *testing.T, codec parser.Codec, args ...any) []parser.Frame {
	return frames(t, codec, parser.Outgoing{Type: parser.Ack, Args: args})
}

func TestRoundTrip(t *testing.T) {
	to := adapter.Target{Rooms: []string{"a", "b"}, Except: []string{"c"}}
	everyone := adapter.Target{Rooms: []string{}, Except: []string{}}
	for name, codec := range codecs {
		for _, m := range []cluster.Message{
			{Type: cluster.InitialHeartbeat},
			{Type: cluster.Heartbeat, Seq: 7},
			{Type: cluster.AdapterClose},
			{Type: cluster.Broadcast, Target: to, Keep: true, Frames: event(t, codec, 1, "<x>", map[string]any{"a": nil}, int64(1)<<60)},
			{Type: cluster.Broadcast, Target: everyone, Keep: true, Plain: true, Frames: event(t, codec)},
			{Type: cluster.Broadcast, Target: to, Keep: true, Frames: event(t, codec, []byte{0, 255}, map[string]any{"deep": []byte("x")})},
			{Type: cluster.Broadcast, Target: to, Volatile: true, Frames: event(t, codec, true)},
			{Type: cluster.Broadcast, Target: to, Request: "r", Timeout: 3 * time.Second, Frames: event(t, codec, "ack me")},
			{Type: cluster.SocketsJoin, Target: to, Rooms: []string{"x", "ÿ"}},
			{Type: cluster.SocketsLeave, Target: everyone, Rooms: []string{"x"}},
			{Type: cluster.DisconnectSockets, Target: to, Close: true},
			{Type: cluster.FetchSockets, Target: to, Request: "r"},
			{Type: cluster.FetchSocketsResponse, Request: "r", Sockets: []adapter.RemoteSocket{{ID: "i", Handshake: json.RawMessage(`{"auth":{}}`), Rooms: []string{"i"}, Data: json.RawMessage(`{"a":1}`)}}},
			{Type: cluster.ServerSideEmit, Data: []byte(`["name",1,{"b":[]}]`)},
			{Type: cluster.ServerSideEmitResponse, Request: "r", Data: []byte(`["one"]`)},
			{Type: cluster.ServerSideEmitResponse, Request: "r", Data: []byte(`[1,2]`)},
			{Type: cluster.BroadcastClientCount, Request: "r", Count: 2, IDs: []string{"a", "b"}},
			{Type: cluster.BroadcastAck, Request: "r", IDs: []string{"a"}, Frames: ack(t, codec, "one")},
			{Type: cluster.BroadcastAck, Request: "r", IDs: []string{"a"}, Frames: ack(t, codec, 1, []byte{2})},
		} {
			m.Node, m.Namespace = "uid", "/chat"
			b, _, err := wire.Encode(&m, codec)
			if err != nil {
				t.Fatalf("%s %+v: %v", name, m, err)
			}
			got, err := wire.Decode(b, codec)
			if err != nil {
				t.Fatalf("%s %s: %v", name, b, err)
			}
			if !reflect.DeepEqual(*got, m) {
				t.Errorf("%s: got\n%+v, want\n%+v", name, *got, m)
			}
			data, _, err := wire.EncodeData(&m, codec)
			alone := cluster.Message{Type: m.Type, Node: m.Node, Namespace: m.Namespace, Seq: m.Seq}
			if err == nil {
				err = wire.DecodeData(&alone, data, codec)
			}
			if err != nil || !reflect.DeepEqual(alone, m) {
				t.Errorf("%s: its data alone gives\n%+v, %v, want\n%+v", name, alone, err, m)
			}
		}
	}
}

// What Node writes.
func TestNode(t *testing.T) {
	m, err := wire.Decode([]byte(`{"type":3,"data":{"packet":{"type":2,"data":["hello","wörld",1.50],"nsp":"/"},"opts":{"rooms":["r"],"except":[],"flags":{}}},"uid":"a","nsp":"/"}`), parser.JSON)
	if err != nil || string(m.Frames[0].Data) != `2["hello","wörld",1.50]` || m.Node != "a" || m.Target.Rooms[0] != "r" {
		t.Errorf("%+v, %v", m, err)
	}
	for text, want := range map[string]string{
		`{"uid":"a","nsp":"/","type":10,"data":{"requestId":"r","packet":"x"}}`: `["x"]`,
		`{"uid":"a","nsp":"/","type":10,"data":{"requestId":"r"}}`:              `[]`,
		`{"uid":"a","nsp":"/","type":9,"data":{"packet":["x",1]}}`:              `["x",1]`,
	} {
		if m, err := wire.Decode([]byte(text), parser.JSON); err != nil || string(m.Data) != want {
			t.Errorf("%s: %s, %v", text, m.Data, err)
		}
	}
	// MessagePack with bytes: {type:2,data:["b",<01>],nsp:"/"}.
	packet, _ := hex.DecodeString("83a47479706502a46461746192a162c40101a36e7370a12f")
	f, namespace, err := wire.DecodePacket(packet, parser.JSON)
	if err != nil || namespace != "/" || len(f) != 2 || string(f[0].Data) != `51-["b",{"_placeholder":true,"num":0}]` || string(f[1].Data) != "\x01" {
		t.Errorf("%v %s %v", f, namespace, err)
	}
	again, err := wire.EncodePacket(f, parser.JSON, "/")
	if err != nil || string(again) != string(packet) {
		t.Errorf("%x, %v", again, err)
	}
}

func TestInvalid(t *testing.T) {
	for _, text := range []string{
		"", "{", "[]", "null", "{}", `{"nsp":"/","type":3}`, `{"nsp":"/","type":3,"data":{}}`, `{"nsp":"/","type":300,"data":{}}`, `{"nsp":"/","type":-1,"data":{}}`,
		`{"nsp":"/","type":3,"data":{"opts":null,"packet":null}}`, `{"nsp":"/","type":3,"data":{"opts":{}}}`,
		`{"nsp":"/","type":3,"data":{"opts":{},"packet":{"type":2,"data":[]}}}`, `{"nsp":"/","type":3,"data":{"opts":{},"packet":{"type":2,"data":[{}]}}}`,
		`{"nsp":"/","type":3,"data":{"opts":{},"packet":{"type":2,"data":["disconnect"]}}}`, `{"nsp":"/","type":3,"data":{"opts":{},"packet":{"type":0,"data":["x"]}}}`,
		`{"nsp":"/","type":4,"data":{"opts":{"rooms":7}}}`, `{"nsp":7}`, `{"nsp":"0","type":2}`, `{"nsp":"/a,b","type":2}`, "\xdd\xff\xff\xff\xff", "\x81", strings.Repeat("[", 1e5),
		`{"nsp":"/","type":3,"data":"` + strings.Repeat("x", 1000) + `"}`,
	} {
		for name, codec := range codecs {
			if m, err := wire.Decode([]byte(text), codec); !errors.Is(err, wire.ErrInvalid) {
				t.Errorf("%s %.60q: %+v, %v", name, text, m, err)
			}
		}
	}
	if _, _, err := wire.Encode(&cluster.Message{Type: cluster.Direct}, parser.JSON); !errors.Is(err, cluster.ErrUnfit) {
		t.Errorf("%v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"type":3,"data":{"packet":{"type":2,"data":["hello",{"_placeholder":true,"num":0}],"nsp":"/"},"opts":{"rooms":["r"],"except":[],"flags":{}}},"uid":"a","nsp":"/"}`))
	b, _ := msgpack.Marshal(map[string]any{"type": 12, "uid": "a", "nsp": "/", "data": map[string]any{"requestId": "r", "packet": []byte{1}}})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, codec := range codecs {
			m, err := wire.Decode(b, codec)
			if err != nil {
				continue
			}
			for _, frame := range [][]parser.Frame{m.Frames} {
				if len(frame) > 0 {
					if _, err := parser.DecodeFrames(codec, frame); err != nil {
						t.Errorf("%q becomes frames that cannot be read: %v", b, err)
					}
				}
			}
		}
	})
}

// What a broadcast is for is read without decoding it, and only where that is sure.
func TestRooms(t *testing.T) {
	f := event(t, parser.JSON, `"data":{"opts":{"rooms":["x"],"except":[`)
	for _, m := range []cluster.Message{
		{Target: adapter.Target{Rooms: []string{"a", `],"except":[`, "é"}, Except: []string{"b"}}},
		{Target: adapter.Target{Socket: "sid"}, Seq: 9},
		{Target: adapter.Target{}, Seq: 1},
	} {
		m.Type, m.Node, m.Namespace, m.Frames = cluster.Broadcast, "node", "/chat", f
		text, _, err := wire.Encode(&m, parser.JSON)
		if err != nil {
			t.Fatal(err)
		}
		want := m.Target.Rooms
		if m.Target.Socket != "" {
			want = []string{m.Target.Socket}
		}
		if rooms, ok := wire.Rooms(text); !ok || len(rooms) != len(want) || len(want) > 0 && !reflect.DeepEqual(rooms, want) {
			t.Errorf("%s: got %q, %v", text, rooms, ok)
		}
		if text, _, err = wire.EncodeData(&m, parser.JSON); err != nil {
			t.Fatal(err)
		}
		if rooms, ok := wire.DataRooms(string(text)); !ok || len(rooms) != len(want) || len(want) > 0 && !reflect.DeepEqual(rooms, want) {
			t.Errorf("%s: got %q, %v", text, rooms, ok)
		}
	}
	join := cluster.Message{Type: cluster.SocketsJoin, Node: `,"type":3,"data":{"opts":{"rooms":["x"],"except":[`, Namespace: "/chat", Rooms: []string{"r"}}
	text, _, err := wire.Encode(&join, parser.JSON)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(text), "", "{}", `{"uid":"a","type":3,"nsp":"/","data":{"packet":{}}}`, `,"type":3,"data":{"opts":{"rooms":[],"except":[`[:30]} {
		if rooms, ok := wire.Rooms([]byte(text)); ok {
			t.Errorf("%s: rooms %q", text, rooms)
		}
	}
}

// The same of what Node writes, where the packet comes first and may hold anything.
func TestDataRooms(t *testing.T) {
	const fake = `,"opts":{"rooms":["x"],"except":[],"flags":{}}`
	for text, want := range map[string]string{
		`{"packet":{"type":2,"data":["e"],"nsp":"/"},"opts":{"rooms":["a","b"],"except":["c"],"flags":{}}}`:                         "[a b]",
		`{"packet":{"type":2,"data":["e",{"y":1` + fake + `}],"nsp":"/"},"opts":{"rooms":[],"except":[],"flags":{}}}`:               "[]",
		`{"packet":{"type":2,"data":["e",{"y":1` + fake + `}],"nsp":"/"}}`:                                                          "",
		`{"packet":{"type":2,"data":["e"],"nsp":"/"},"requestId":"0123456789abcdef","opts":{"rooms":["a"],"except":[],"flags":{}}}`: "",
		`{"type":3,"packet":{}` + fake + `}`: "",
		`{"opts":{"rooms":["a"]`:             "",
		`{"opts":{"rooms":[1],"except":[]}}`: "",
		"":                                   "", "gqRvcHRz": "",
	} {
		got := ""
		if rooms, ok := wire.DataRooms(text); ok {
			got = fmt.Sprint(rooms)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
