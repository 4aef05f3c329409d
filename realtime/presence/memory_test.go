//go:build !race

// The race detector takes memory of its own.

package presence

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// quiet is a node that reaches nobody.
type quiet struct{ adapter.Node }

func (quiet) ID() string                              { return "0123456789abcdef" }
func (quiet) Handle(string, func(string, []byte))     {}
func (quiet) Watch(func(string, bool))                {}
func (quiet) Send(to, topic string, msg []byte) error { return adapter.ErrClosed }

// What an entry of another node takes in memory, with a meta of some 40 bytes. The guide
// to scaling has the number.
func TestAllocationsMemory(t *testing.T) {
	const entries, rooms, budget = 100_000, 1000, 400 // bytes
	type user struct {
		Name   string `json:"name"`
		Typing bool   `json:"typing"`
	}
	g := &registry{node: quiet{}, logger: slog.New(slog.DiscardHandler), every: time.Hour, most: entries, decode: decodeMeta[user], changed: func([]change) {}}
	g.start()
	const other = "fedcba9876543210"
	r := g.view.add(other)
	before := heap()
	for n := range uint64(entries) {
		m := message{Kind: kindDelta, From: n, At: n + 1, Set: []record{{
			N: n + 1, Room: fmt.Sprintf("plaza %d", n%rooms), Socket: fmt.Sprintf("%020d", n), Key: fmt.Sprintf("user %d", n),
			Meta: json.RawMessage(fmt.Sprintf(`{"name":"Ana %d","typing":false}`, n)),
		}}}
		g.receive(other, m.encode())
	}
	each := (heap() - before) / entries
	if g.view.size != entries || len(r.entries) != entries {
		t.Fatalf("%d entries are known", g.view.size)
	}
	t.Logf("%d bytes an entry", each)
	if each > budget {
		t.Errorf("an entry takes %d bytes, want %d at most", each, budget)
	}
	runtime.KeepAlive(g)
}

// heap returns how many bytes are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
