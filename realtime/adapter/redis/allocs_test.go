//go:build !race

package redis

import (
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// empty is a node with nobody in any room.
type empty struct {
	cluster.Receiver
	skipped int
}

func (r *empty) Interested(string, ...string) bool { return false }

func (r *empty) Receive(m *cluster.Message) {
	if m.Skipped {
		r.skipped++
	}
}

// What is in a stream for rooms that nobody here is in costs the same whatever its
// size: of the event nothing is decoded.
func TestAllocations(t *testing.T) {
	node := &empty{}
	e := &streams{engine: engine{codec: parser.JSON, node: "here", receiver: node}}
	cost := func(words int) float64 {
		frames, err := parser.JSON.Encode(parser.Outgoing{
			Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "news", Args: []any{strings.Fields(strings.Repeat("word ", words))},
		})
		if err != nil {
			t.Fatal(err)
		}
		m := &cluster.Message{Type: cluster.Broadcast, Node: "there", Namespace: "/", Frames: frames, Target: adapter.Target{Rooms: []string{"room"}}}
		data, _, err := wire.EncodeData(m, parser.JSON)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]any{fieldNode: m.Node, fieldNamespace: m.Namespace, fieldType: "3", fieldData: string(data), fieldSeq: "1"}
		return testing.AllocsPerRun(100, func() { e.take("1-0", values) })
	}
	small, large := cost(1), cost(50_000)
	t.Logf("%v allocations", small)
	if small > 8 || large != small {
		t.Errorf("%v allocations for a small event, %v for a large one", small, large)
	}
	if node.skipped == 0 {
		t.Error("nothing was skipped")
	}
}
