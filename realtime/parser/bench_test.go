package parser_test

import (
	"testing"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

type message struct {
	User string `json:"user"`
	Text string `json:"text"`
	N    int    `json:"n"`
}

// costs are what a packet may cost, in allocations. The race detector makes some
// of its own; without it there is one less, or two.
func costs() []struct {
	name   string
	budget float64
	run    func()
} {
	encode := func(args ...any) func() {
		p := parser.Outgoing{Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "message", Args: args}
		return func() {
			if _, err := parser.JSON.Encode(p); err != nil {
				panic(err)
			}
		}
	}
	decode := func(frames ...parser.Frame) func() {
		d := parser.JSON.NewDecoder(parser.Limits{})
		return func() {
			for _, frame := range frames {
				if _, err := d.Decode(frame.Data, frame.Binary); err != nil {
					panic(err)
				}
			}
		}
	}
	return []struct {
		name   string
		budget float64
		run    func()
	}{
		{"EncodeText", 2, encode("hello world")},
		{"EncodeStruct", 2, encode(message{"a", "hello world", 3})},
		{"EncodeBinary", 10, encode(make([]byte, 100), map[string]any{"a": []byte("x")})},
		{"Decode", 2, decode(parser.Frame{Data: []byte(`2["message",{"user":"a","text":"hello world","n":3}]`)})},
		{"DecodeBinary", 6, decode(
			parser.Frame{Data: []byte(`51-["message",{"user":"a","text":{"_placeholder":true,"num":0},"n":3}]`)},
			parser.Frame{Data: make([]byte, 100), Binary: true})},
	}
}

func TestAllocations(t *testing.T) {
	for _, cost := range costs() {
		least := testing.AllocsPerRun(100, cost.run)
		for range 10 { // under the race detector a sync.Pool forgets at times
			least = min(least, testing.AllocsPerRun(1, cost.run))
		}
		if least > cost.budget {
			t.Errorf("%s: %v allocations, its budget is %v", cost.name, least, cost.budget)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	for _, cost := range costs() {
		b.Run(cost.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cost.run()
			}
		})
	}
}
