package presence

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// member is a node, and what it was told of changes.
type member struct {
	*registry
	t    *testing.T
	told map[ref]*entry
	live []uint64 // own entries
	cut  bool
}

// world is a cluster.
type world struct {
	t       *testing.T
	hub     *cluster.Hub
	members []*member
}

func newWorld(t *testing.T, nodes int) *world {
	w := &world{t: t, hub: cluster.NewHub(cluster.Options{})}
	for range nodes {
		w.start()
	}
	time.Sleep(time.Second)
	return w
}

func (w *world) start() *member {
	logger := slog.New(slog.DiscardHandler)
	m := &member{t: w.t, told: make(map[ref]*entry)}
	m.registry = &registry{node: w.hub.Open(adapter.Server{Logger: logger}), topic: "presence", logger: logger, every: 5 * time.Second,
		most: 1000, decode: decodeMeta[int], changed: m.hear}
	m.registry.start()
	w.members = append(w.members, m)
	return m
}

// hear checks that changes fit each other.
func (m *member) hear(news []change) {
	for _, c := range news {
		switch {
		case c.before == nil && c.after == nil:
			m.t.Error("a change of nothing")
		case c.before == nil:
			if m.told[c.after.ref] != nil {
				m.t.Errorf("%v has joined twice", c.after.ref)
			}
			m.told[c.after.ref] = c.after
		case m.told[c.before.ref] != c.before:
			m.t.Errorf("%v changes, but was not told of so", c.before.ref)
		case c.after == nil:
			delete(m.told, c.before.ref)
		default:
			m.told[c.after.ref] = c.after
		}
	}
}

func (m *member) join(room string, meta int) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.put(0, room, "socket", "key", json.RawMessage(fmt.Sprint(meta)), meta)
	m.live = append(m.live, n)
	return n
}

// change does something to one of the node's own at random.
func (m *member) change(random *rand.Rand) {
	switch {
	case len(m.live) == 0 || random.IntN(3) > 0:
		m.join(fmt.Sprint(random.IntN(5)), random.IntN(100))
	case random.IntN(2) == 0:
		m.mu.Lock()
		defer m.mu.Unlock()
		n := m.live[random.IntN(len(m.live))]
		meta := random.IntN(100)
		m.put(n, m.own.entries[n].room, "socket", "key", json.RawMessage(fmt.Sprint(meta)), meta)
	default:
		m.mu.Lock()
		defer m.mu.Unlock()
		i := random.IntN(len(m.live))
		m.remove(m.live[i])
		m.live = slices.Delete(m.live, i, i+1)
	}
}

// facts is everything that a node knows, or only its own.
func (m *member) facts(own bool) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	facts := []string{}
	size := 0
	for _, in := range m.view.rooms {
		for _, e := range in {
			size++
			if m.told[e.ref] != e {
				m.t.Errorf("%v is there, and nobody was told", e.ref)
			}
			if !own || e.node == m.node.ID() {
				facts = append(facts, fmt.Sprint(e.name(), e.room, e.socket, e.key, string(e.meta), e.value))
			}
		}
	}
	if size != m.view.size || size != len(m.told) {
		m.t.Errorf("there are %d, counted as %d, and told of %d", size, m.view.size, len(m.told))
	}
	slices.Sort(facts)
	return facts
}

// converged fails unless every node knows what each says of its own, and no more.
func (w *world) converged() {
	w.t.Helper()
	var want []string
	for _, m := range w.members {
		want = append(want, m.facts(true)...)
	}
	slices.Sort(want)
	for i, m := range w.members {
		if got := m.facts(false); !slices.Equal(got, want) {
			w.t.Fatalf("node %d knows\n%q\nand all together say\n%q", i, got, want)
		}
	}
}

// end closes nodes.
func (w *world) end(members ...*member) {
	for _, m := range members {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		m.node.Close(ctx)
		cancel()
	}
	time.Sleep(time.Minute) // signs of life end
}

// Whatever happens, all nodes know the same in the end, and no ghosts.
func TestConvergence(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { converge(t, rand.New(rand.NewPCG(seed, 8))) })
		})
	}
}

func converge(t *testing.T, random *rand.Rand) {
	w := newWorld(t, 3)
	var dead []*member
	for range 150 {
		i := random.IntN(len(w.members))
		m := w.members[i]
		switch p := random.IntN(100); {
		case p < 70:
			m.change(random)
		case p < 78:
			m.cut = !m.cut
			if m.cut {
				w.hub.Cut(m.node.ID())
			} else {
				w.hub.Heal(m.node.ID())
			}
		case p < 80 && len(w.members) > 2: // it dies
			w.hub.Cut(m.node.ID())
			dead = append(dead, m)
			w.members = slices.Delete(w.members, i, i+1)
		case p < 81 && len(w.members) > 2 && !m.cut: // it goes
			w.members = slices.Delete(w.members, i, i+1)
			w.end(m)
		case p < 83 && len(w.members) < 5:
			w.start()
		case p < 88 && !m.cut: // it misses something, and nobody notices that it was away
			w.hub.Cut(m.node.ID())
			for range 3 {
				w.members[random.IntN(len(w.members))].change(random)
				time.Sleep(time.Second)
			}
			w.hub.Heal(m.node.ID())
		case p < 90:
			w.hub.Inject([]byte("garbage"))
			m.receive(w.members[0].node.ID(), []byte("garbage"))
		default:
			time.Sleep(time.Duration(random.IntN(12_000)) * time.Millisecond)
		}
	}
	for _, m := range w.members {
		w.hub.Heal(m.node.ID())
	}
	time.Sleep(40 * time.Second)
	w.converged()
	w.end(append(dead, w.members...)...)
}

// A change is known everywhere at once, and that of a thousand takes few messages.
func TestChangeArrivesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for i := range 1000 {
			w.members[0].join("plaza", i)
		}
		time.Sleep(gather)
		synctest.Wait()
		w.converged()
		if at := w.members[0].own.version; at > 2 {
			t.Errorf("a thousand joins took %d messages", at)
		}
		w.end(w.members...)
	})
}

// Those on a node that dies have left when the cluster takes it for dead.
func TestDeathIsLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.members[1].join("plaza", 1)
		time.Sleep(gather)
		synctest.Wait()
		if n := len(w.members[0].list("plaza")); n != 1 {
			t.Fatalf("%d are there, want 1", n)
		}
		w.hub.Cut(w.members[1].node.ID())
		time.Sleep(20 * time.Second)
		if n := len(w.members[0].list("plaza")); n != 0 {
			t.Fatalf("%d are there after their node has died", n)
		}
		w.hub.Heal(w.members[1].node.ID())
		time.Sleep(10 * time.Second)
		w.converged()
		w.end(w.members...)
	})
}

// What another node says is believed only so far.
func TestHostileMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		here, there := w.members[0], w.members[1]
		there.join("plaza", 1)
		time.Sleep(gather)
		synctest.Wait()
		id := there.node.ID()
		for _, hostile := range []string{"", "null", "{}", "[]", `{"v":2,"kind":"delta"}`, `{"v":1,"kind":"?"}`, "\x00\xff",
			`{"v":1,"kind":"delta","from":1,"at":18446744073709551615,"gone":[1,2,3]}`,
			`{"v":1,"kind":"state","at":99,"part":7,"last":true}`,
			`{"v":1,"kind":"beat","at":5}`,
			`{"v":1,"kind":"delta","from":1,"at":2,"set":[{"n":9,"meta":"no number"},{"n":10}]}`} {
			here.receive(id, []byte(hostile))
			here.receive("a stranger", []byte(hostile))
			here.receive(here.node.ID(), []byte(hostile))
		}
		time.Sleep(10 * time.Second)
		w.converged()

		// More than may be is not kept.
		for i := range 1500 {
			there.join("plaza", i)
		}
		time.Sleep(time.Second)
		if n := len(here.list("plaza")); n != 1000 {
			t.Errorf("%d are believed in, want 1000", n)
		}
		w.end(w.members...)
	})
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"v":1,"kind":"delta","at":1,"set":[{"n":1,"room":"plaza","id":"a","key":"b","meta":1}]}`))
	f.Add([]byte(`{"v":1,"kind":"state","at":3,"last":true,"set":[{"n":1,"room":"plaza","meta":1},{"n":1,"room":"square","meta":2}]}`))
	f.Add([]byte(`{"v":1,"kind":"delta","at":2,"gone":[1,1]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(m.encode())
		if err != nil || again.Kind != m.Kind || len(again.Set) != len(m.Set) {
			t.Fatalf("%s became %+v: %v", b, again, err)
		}
		v := newView()
		r := v.add("other")
		r.asked = true
		v.apply(r, m, func(o *record) *entry {
			return &entry{ref{"other", o.N}, o.Room, o.Socket, o.Key, o.Meta, nil}
		})
		n := 0
		for _, in := range v.rooms {
			n += len(in)
		}
		if n != v.size || n != len(r.entries) {
			t.Fatalf("%d in rooms, %d counted, %d of the node", n, v.size, len(r.entries))
		}
	})
}
