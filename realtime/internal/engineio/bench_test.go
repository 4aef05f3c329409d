package engineio

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// What it costs to send one packet, without the network.
func BenchmarkOutbox(b *testing.B) {
	for name, overflow := range map[string]Overflow{"disconnect": OverflowDisconnect, "drop oldest": OverflowDropOldest} {
		b.Run(name, func(b *testing.B) {
			o := newOutbox(&Config{MaxBuffered: 1 << 30, Overflow: overflow}, true)
			p := text("hello")
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				o.add(p)
				if n++; n%1000 == 0 {
					packets, _ := o.vacate(nil)
					o.queue.packets = packets[:0]
				}
			}
		})
	}
}

// What it costs to send to a client that takes nothing, when the oldest volatile
// packet has to give way to each new one.
func BenchmarkDropOldest(b *testing.B) {
	o := newOutbox(&Config{MaxBuffered: 4 << 20, Overflow: OverflowDropOldest}, true)
	p := text("hello")
	b.ReportAllocs()
	for b.Loop() {
		o.addVolatile(p)
	}
}

// What a client costs that connects by WebSocket and goes away, without the network
// and net/http.
func BenchmarkConnect(b *testing.B) {
	server, _, _ := newListened(Config{MaxPayload: 1 << 20})
	server.connect = func(*Session, *http.Request) Handler { return &counted{} }
	r := upgradeRequest("")
	b.ReportAllocs()
	for b.Loop() {
		server.ServeHTTP(hijacked{httptest.NewRecorder(), &playback{}}, r)
	}
}

// counted is a Handler that counts.
type counted struct{ messages int }

func (c *counted) Message([]byte, bool) error { c.messages++; return nil }
func (c *counted) Closed(string)              {}
