package engineio

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// packets returns one text packet a letter.
func letters(s string) (packets []Packet) {
	for _, c := range s {
		packets = append(packets, text(string(c)))
	}
	return packets
}

// waiting returns the letters of what waits in an outbox, and empties it.
func waiting(o *outbox) string {
	var b strings.Builder
	packets, _ := o.vacate(nil)
	for _, p := range packets {
		b.Write(p.frame[p.header+1:])
	}
	return b.String()
}

func TestOverflow(t *testing.T) {
	for _, test := range []struct {
		name     string
		overflow Overflow
		steps    string // groups to add; lower case ones are volatile; "!" says that the one before is refused
		want     string
	}{
		{"disconnect", OverflowDisconnect, "A BC D EF! G!", "ABCD"},
		{"drop newest", OverflowDropNewest, "A BCD EF! G!", "ABCD"},
		{"drop newest: one that is too large, alone", OverflowDropNewest, "ABCDE F!", "ABCDE"},
		{"drop newest: volatile ones do not wait", OverflowDropNewest, "a! B c!", "B"},
		{"drop oldest: volatile ones wait", OverflowDropOldest, "a bc D", "abcD"},
		{"drop oldest: groups go whole", OverflowDropOldest, "ab cd e", "cde"},
		{"drop oldest: no more than needed", OverflowDropOldest, "a b C d E", "bCdE"},
		{"drop oldest: lasting ones stay", OverflowDropOldest, "A bc D E", "ADE"},
		{"drop oldest: a group in the middle", OverflowDropOldest, "A bc D e f", "ADef"},
		{"drop oldest: none goes in vain", OverflowDropOldest, "A B c DEF!", "ABc"},
		{"drop oldest: none left", OverflowDropOldest, "ABC d E F!", "ABCE"},
		{"drop oldest: a volatile one that does not fit", OverflowDropOldest, "ABCD e!", "ABCD"},
		{"drop oldest: all of them", OverflowDropOldest, "a b c d EFGH", "EFGH"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, config := range []Config{
				{MaxBuffered: 1000, MaxBufferedPackets: 4},
				{MaxBuffered: 4 * text("a").size()},
			} {
				config.Overflow = test.overflow
				o := newOutbox(&config, true)
				for group := range strings.FieldsSeq(test.steps) {
					name, refused := strings.CutSuffix(group, "!")
					var taken bool
					if packets := letters(name); strings.ToLower(name) == name {
						taken = o.addVolatile(packets...)
					} else {
						taken = o.add(packets...) == nil
					}
					if taken == refused {
						t.Errorf("%s: taken %v", group, taken)
					}
				}
				if n, size := o.queue.len(), o.buffered(); n*text("a").size() != size {
					t.Errorf("%d packets weigh %d", n, size)
				}
				expect(t, waiting(&o), test.want)
				if o.queue.len() != 0 || o.queue.volatile != 0 || o.queue.volatileBytes != 0 || o.buffered() != 0 {
					t.Errorf("left: %+v", o.queue)
				}
			}
		})
	}
}

// The queue does what a plain list would do that is searched from the start.
func TestDropOldestAtRandom(t *testing.T) {
	type group struct {
		packets  []Packet
		volatile bool
	}
	const limit = 20
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, seed))
		o := newOutbox(&Config{MaxBuffered: 1 << 20, MaxBufferedPackets: limit, Overflow: OverflowDropOldest}, true)
		var model []group
		count := func(volatile bool) (n int) {
			for _, g := range model {
				if !g.volatile || volatile {
					n += len(g.packets)
				}
			}
			return n
		}
		for i := range 300 {
			g := group{volatile: r.IntN(4) > 0}
			for range 1 + r.IntN(4) {
				g.packets = append(g.packets, text(fmt.Sprint(i)))
			}
			fits := count(false) == 0 || count(false)+len(g.packets) <= limit
			if fits {
				for count(true) > 0 && count(true)+len(g.packets) > limit {
					oldest := slices.IndexFunc(model, func(g group) bool { return g.volatile })
					model = slices.Delete(model, oldest, oldest+1)
				}
				model = append(model, g)
			}
			taken := false
			if g.volatile {
				taken = o.addVolatile(g.packets...)
			} else {
				taken = o.add(g.packets...) == nil
			}
			if taken != fits {
				t.Fatalf("seed %d, step %d: taken %v, want %v", seed, i, taken, fits)
			}
			if len(o.queue.packets) > 2*limit+8 {
				t.Fatalf("seed %d: the queue keeps %d packets, %d of which wait", seed, len(o.queue.packets), o.queue.len())
			}
			if r.IntN(40) > 0 {
				continue
			}
			got, _ := o.vacate(nil)
			var want []Packet
			for _, g := range model {
				want = append(want, g.packets...)
			}
			if !slices.EqualFunc(got, want, samePacket) {
				t.Fatalf("seed %d, step %d: got %d packets, want %d", seed, i, len(got), len(want))
			}
			model = nil
		}
	}
}

// What comes of the session when a packet does not fit.
func TestOverflowOfSession(t *testing.T) {
	for overflow, want := range map[Overflow][]string{
		OverflowDisconnect: {"closed: transport error"},
		OverflowDropNewest: nil,
		OverflowDropOldest: {"closed: transport error"},
	} {
		inWorlds(t, Config{MaxBufferedPackets: 2, Overflow: overflow}, func(w *world) {
			url, p := w.open()
			p.Send(letters("ab")...)
			if err := p.Send(letters("cd")...); err != ErrSlow {
				t.Errorf("got %v", err)
			}
			if p.SendVolatile(letters("ef")...) {
				t.Error("a volatile packet was taken")
			}
			p.expect(t, want...)
			if dropped := w.tally.of("dropped overflow"); dropped != 2 || w.tally.of("dropped volatile") != 2 {
				t.Errorf("%d dropped", dropped)
			}
			if overflow == OverflowDropNewest {
				w.poll(url, "4a 4b")
				p.expect(t, "drained")
				p.Send(letters("gh")...)
				time.Sleep(25 * time.Second) // a ping finds its place always
				w.poll(url, "4g 4h 2")
				p.expect(t, "drained")
				w.post(url, "3")
				p.expect(t, "heartbeat")
			}
		})
	}
}

func TestSendContext(t *testing.T) {
	inWorlds(t, Config{MaxBufferedPackets: 2}, func(w *world) {
		url, p := w.open()
		errs := make(chan error, 1)
		send := func(ctx context.Context, s string) { errs <- p.SendContext(ctx, letters(s)...) }
		send(w.t.Context(), "ab")
		if err := <-errs; err != nil {
			t.Errorf("with room: %v", err)
		}
		go send(w.t.Context(), "cd")
		synctest.Wait()
		w.poll(url, "4a 4b")
		if err := <-errs; err != nil {
			t.Errorf("after the poll: %v", err)
		}

		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(w.t.Context())
		go send(ctx, "ef")
		synctest.Wait()
		cancel(gone)
		if err := <-errs; err != gone {
			t.Errorf("after its context: %v", err)
		}
		w.poll(url, "4c 4d")
		send(ctx, "gh")
		if err := <-errs; err != gone {
			t.Errorf("with an ended context and room: %v", err)
		}

		if err := p.WaitRoom(w.t.Context(), letters("gh")...); err != nil || p.Buffered() != 0 {
			t.Errorf("room: %v, %d bytes wait", err, p.Buffered())
		}
		p.Send(letters("ij")...)
		waited := make(chan error, 1)
		go func() { waited <- p.WaitRoom(w.t.Context(), letters("m")...) }()
		go send(w.t.Context(), "kl")
		synctest.Wait()
		p.Close()
		if err := <-errs; err != ErrClosed {
			t.Errorf("after the end: %v", err)
		}
		if err := <-waited; err != ErrClosed {
			t.Errorf("after the end: %v", err)
		}
		w.poll(url, "4i 4j")
		w.poll(url, "1")
	})
}

// Many who wait all get their turn, and nothing is lost, whatever the transport.
func TestSendContextFromMany(t *testing.T) {
	inWorlds(t, Config{MaxBufferedPackets: 3, MaxBuffered: 1 << 20}, func(w *world) {
		const senders, each = 20, 20
		ws, p := w.openSocket()
		defer ws.CloseNow()
		url, q := w.open()
		var sending sync.WaitGroup
		for i := range senders {
			sending.Go(func() {
				for j := range each {
					for _, peer := range []*peer{p, q} {
						if err := peer.SendContext(w.t.Context(), text(fmt.Sprint(i, " ", j)), text("attachment")); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		check := func(next map[int]int, packet, attachment string) {
			var i, j int
			if _, err := fmt.Sscanf(packet, "4%d %d", &i, &j); err != nil || next[i] != j || attachment != "4attachment" {
				t.Errorf("%q and %q came, want %d", packet, attachment, next[i])
			}
			next[i]++
		}
		var receiving sync.WaitGroup
		receiving.Go(func() {
			next := make(map[int]int)
			for range senders * each {
				check(next, w.read(ws), w.read(ws))
			}
		})
		for n, next := 0, make(map[int]int); n < senders*each; {
			answer := w.get(url)
			if answer.StatusCode != 200 {
				t.Fatalf("poll: %d %s", answer.StatusCode, answer.body)
			}
			for pair := range slices.Chunk(strings.Split(answer.body, "\x1e"), 2) {
				check(next, pair[0], pair[1])
				n++
			}
		}
		receiving.Wait()
		sending.Wait()
	})
}
