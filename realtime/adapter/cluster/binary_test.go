package cluster_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

var messages = []cluster.Message{
	{Type: cluster.Heartbeat, Native: true, Node: "a"},
	{Type: cluster.Broadcast, Node: "a", Namespace: "/", Seq: 1 << 40, Target: adapter.Target{Rooms: []string{"r", ""}, Except: []string{"é"}}, Keep: true,
		Frames: []parser.Frame{{Data: []byte(`2["x"]`)}, {Data: []byte{0, 255}, Binary: true}}},
	{Type: cluster.Broadcast, Node: "a", Namespace: "/", Request: "r", Timeout: time.Minute, Volatile: true, Plain: true, Target: adapter.Target{Socket: "s"}},
	{Type: cluster.FetchSocketsResponse, Native: true, Node: "a", To: "b", Namespace: "/", Request: "r",
		Sockets: []adapter.RemoteSocket{{ID: "s", Handshake: json.RawMessage("{}"), Rooms: []string{"s", "t"}, Data: json.RawMessage(`{"a":1}`)}}},
	{Type: cluster.BroadcastClientCount, Native: true, To: "b", Namespace: "/", Count: 2, IDs: []string{"x", "y"}, Absent: true},
	{Type: cluster.SocketsJoin, Node: "a", Namespace: "/", Rooms: []string{"x"}},
	{Type: cluster.DisconnectSockets, Node: "a", Namespace: "/", Close: true},
	{Type: cluster.Direct, Native: true, Node: "a", Topic: "t", Data: []byte{}},
	{Type: cluster.ServerSideEmitResponse, Native: true, Node: "a", Data: nil},
}

func TestBinary(t *testing.T) {
	for _, m := range messages {
		b, err := m.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cluster.ParseMessage(b)
		if err != nil || !reflect.DeepEqual(*got, m) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, m)
		}
		for n := range b {
			if _, err := cluster.ParseMessage(b[:n]); !errors.Is(err, cluster.ErrForeign) {
				t.Fatalf("%x without its end: %v", b[:n], err)
			}
		}
		if _, err := cluster.ParseMessage(append(b, 0)); !errors.Is(err, cluster.ErrForeign) {
			t.Errorf("with something behind its end: %v", err)
		}
	}
}

// What can be read is written as it was read.
func FuzzParseMessage(f *testing.F) {
	for _, m := range messages {
		b, _ := m.AppendBinary(nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := cluster.ParseMessage(b)
		if err != nil {
			return
		}
		again, _ := m.AppendBinary(nil)
		same, err := cluster.ParseMessage(again)
		if err != nil || !reflect.DeepEqual(same, m) {
			t.Errorf("%x becomes %+v, and that %+v, %v", b, m, same, err)
		}
	})
}
