package engineio

import "testing"

// What it costs to send one packet, without the network.
func BenchmarkOutbox(b *testing.B) {
	for name, overflow := range map[string]Overflow{"disconnect": OverflowDisconnect, "drop oldest": OverflowDropOldest} {
		b.Run(name, func(b *testing.B) {
			o := newOutbox(&Config{MaxBuffered: 1 << 30, Overflow: overflow})
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
	o := newOutbox(&Config{MaxBuffered: 4 << 20, Overflow: OverflowDropOldest})
	p := text("hello")
	b.ReportAllocs()
	for b.Loop() {
		o.addVolatile(p)
	}
}
