//go:build !race

// The race detector makes pools forget at random.

package realtime_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

// What an event may cost on the heap, from the client to its handler and back,
// or from a handler to a client.
func TestAllocations(t *testing.T) {
	const batch = 100
	p := person{12345, "hello, wo", "alice"}
	w := newBenchWorld(t)
	w.crowd(1)
	s := w.server.Sockets()[0]
	fed := func(event string) func() {
		events := bytes.Repeat(masked(event), batch)
		return func() { w.wires[0].feed(events) }
	}
	for _, test := range []struct {
		name   string
		budget float64 // allocations an event
		answer string  // what goes out for one
		do     func()  // a batch of them
	}{
		// The packet, its bytes, the Ack, the values with what they hold, the frame.
		{"echo", 5, `431[` + someone + `]`, fed(`421["echo",` + someone + `]`)},
		// By reflection, and encoding/json.
		{"typed", 15, `431[` + someone + `]`, fed(`421["typed",` + someone + `]`)},
		// The list of arguments, what it holds, the frame.
		{"emit", 3, `42["tick",` + someone + `]`, func() {
			for range batch {
				s.Emit("tick", p)
			}
		}},
		{"emit a text", 2, `42["tick","hello"]`, func() {
			for range batch {
				s.Emit("tick", "hello")
			}
		}},
	} {
		n := testing.AllocsPerRun(20, func() {
			since := w.written.Load()
			test.do()
			w.await(since, batch*framed(test.answer))
		}) / batch
		if n > test.budget+0.5 { // something for the batch
			t.Errorf("%s: %.2f allocations, its budget is %v", test.name, n, test.budget)
		}
	}
}

// A receiver more costs a broadcast nothing on the heap, nor does one less.
func TestReceiversAllocateNothing(t *testing.T) {
	message := framed(`42["tick",` + someone + `]`)
	for _, target := range []struct {
		name string
		of   func(*realtime.Server) *realtime.Broadcast
	}{
		{"everybody", (*realtime.Server).Local},
		{"rooms", func(s *realtime.Server) *realtime.Broadcast { return s.To("all", "some") }},
		{"except", func(s *realtime.Server) *realtime.Broadcast { return s.To("all").Except("some") }},
	} {
		cost := func(sockets int) float64 {
			w := newBenchWorld(t)
			w.crowd(sockets)
			for i, s := range w.server.Sockets() {
				if i%4 == 0 {
					s.Join("some")
				}
			}
			b := target.of(w.server)
			receivers := int64(len(b.Sockets()))
			const batch = 100
			return testing.AllocsPerRun(10, func() {
				since := w.written.Load()
				for range batch {
					b.Emit("tick", person{12345, "hello, wo", "alice"})
				}
				w.await(since, batch*receivers*message)
			}) / batch
		}
		few, many := cost(8), cost(108)
		if each := (many - few) / 100; each > 0.1 { // a connection in memory takes a goroutine for each batch
			t.Errorf("%s: %.3f allocations for each receiver: %.1f to few, %.1f to many", target.name, each, few, many)
		}
	}
}

// Nobody pays for a handshake that is not asked for, nor twice for one that is.
func TestHandshakeAllocates(t *testing.T) {
	w := newBenchWorld(t)
	w.crowd(1)
	s := w.server.Sockets()[0]
	h := s.Handshake()
	if n := testing.AllocsPerRun(100, func() { s.Handshake() }); n != 0 {
		t.Errorf("%v allocations for a handshake that is there", n)
	}
	runtime.KeepAlive(h)
}
