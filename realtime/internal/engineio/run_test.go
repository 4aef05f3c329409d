package engineio

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// lend returns a lent packet, and what has its memory written over.
func lend(s string) (p Packet, spoil func()) {
	buf := append(make([]byte, Headroom), s...)
	return Lend(nil, buf)[0], func() {
		for i := range buf {
			buf[i] = 'x'
		}
	}
}

// tape is a sink that can be tried, and takes as many packets as mood says.
type tape struct {
	mood func(n int) int // nil for all of n

	mu  sync.Mutex
	got []byte
}

func (r *tape) tries() bool  { return true }
func (r *tape) finish()      {}
func (r *tape) name() string { return WebSocket }

func (r *tape) write(packets []Packet) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range packets {
		r.got = append(r.got, p.frame...)
	}
	return nil
}

func (r *tape) tryWrite(packets []Packet, _ *attempt) (done int, blocked bool, err error) {
	done = len(packets)
	if r.mood != nil {
		done = r.mood(done)
	}
	return done, done < len(packets), r.write(packets[:done])
}

func TestLend(t *testing.T) {
	for _, size := range []int{0, 1, 124, 125, 126, 1 << 10, 1<<16 - 2, 1<<16 - 1, 1 << 16} {
		s := strings.Repeat("a", size)
		p, _ := lend(s)
		want := text(s)
		if !bytes.Equal(p.frame, want.frame) || p.header != want.header {
			t.Errorf("a text of %d bytes is lent as %d bytes, %d of them header", size, len(p.frame), p.header)
		}
	}
}

// Whatever is sent leaves in order, and counts as what it is, whether it is lent
// or shared, fits into a run or not, and however much the client takes at once.
func TestRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		sizes := []int{1, 50, 200, maxJoined - 5, maxJoined - 4, 2000, 5000}
		moods := rand.New(rand.NewPCG(3, 4)) // the flusher's, one at a time
		flushers := newFlushers()
		for range 100 {
			counted := map[string]int64{}
			var mu sync.Mutex
			config := &Config{MaxBuffered: 1 << 20, MaxBufferedPackets: 1 << 10, Count: func(m string, _ string, n int64) {
				mu.Lock()
				defer mu.Unlock()
				counted[m] += n
			}}
			o := newOutbox(config, false)
			o.flusher = flushers.one()
			sink := &tape{mood: func(n int) int { return moods.IntN(n + 1) }}
			o.attach(sink)
			var want []byte
			packets, payload := int64(0), 0
			for range 1 + r.IntN(60) {
				s := strings.Repeat(string(rune('a'+r.IntN(26))), sizes[r.IntN(len(sizes))])
				shared := text(s)
				var err error
				switch r.IntN(4) {
				case 0:
					err = o.add(shared)
				case 1:
					want = append(want, shared.frame...)
					packets, payload = packets+1, payload+len(shared.payload())
					p, spoil := lend(s)
					err = o.add(p, shared)
					spoil()
				default:
					p, spoil := lend(s)
					err = o.add(p)
					spoil()
				}
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, shared.frame...)
				packets, payload = packets+1, payload+len(shared.payload())
				if r.IntN(10) == 0 {
					synctest.Wait()
				}
			}
			synctest.Wait()
			if !bytes.Equal(sink.got, want) {
				t.Fatalf("%d bytes left, want %d, or other ones", len(sink.got), len(want))
			}
			if counted[MetricPacketsOut] != packets || counted[MetricBytesOut] != int64(payload) || counted[MetricBuffered] != 0 {
				t.Errorf("counted %v, want %d packets, %d bytes", counted, packets, payload)
			}
		}
	})
}

// The packets of a run count for the limits as others do.
func TestRunLimit(t *testing.T) {
	o := newOutbox(&Config{MaxBuffered: 1 << 20, MaxBufferedPackets: 3}, false)
	o.sink, o.runs, o.draining = &tape{}, true, true // nobody takes anything
	p, _ := lend("a")
	for range 3 {
		if err := o.add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.add(p); err != ErrSlow || len(o.queue.packets) != 1 {
		t.Errorf("the fourth packet: %v; there are %d in the queue", err, len(o.queue.packets))
	}
	packets, size := o.queue.take(nil)
	if size != 3*p.size() || !bytes.Equal(packets[0].frame, bytes.Repeat(p.frame, 3)) || o.queue.len() != 0 {
		t.Errorf("they weigh %d, and are %q", size, packets[0].frame)
	}
}

// Where nobody takes runs, what is lent is copied.
func TestLentToPoll(t *testing.T) {
	o := newOutbox(&Config{MaxBuffered: 1000, Overflow: OverflowDropOldest}, true)
	for i, add := range []func(Packet){func(p Packet) { o.add(p) }, func(p Packet) { o.addVolatile(p) }} {
		p, spoil := lend(string(rune('a' + i)))
		add(p)
		spoil()
	}
	p, spoil := lend("c")
	kept := Owned(nil, []Packet{p, text("d")})
	spoil()
	o.add(kept...)
	expect(t, payload(t, &o), "4a 4b 4c 4d")
}
