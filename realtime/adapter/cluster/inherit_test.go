package cluster

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// One of the nodes that are left tells of the sessions of one that has died or said
// goodbye, once, and of none whose client has come back.
func TestInherit(t *testing.T) {
	const clients = rosterPageSize + 10 // on two pages
	end := map[string]func(t *testing.T, hub *Hub, b *table){
		"killed": func(_ *testing.T, hub *Hub, b *table) { hub.Cut(b.node.id) },
		"closed": func(t *testing.T, _ *Hub, b *table) { b.chronicle.Close(); b.node.Close(t.Context()) },
	}
	for name, end := range end {
		t.Run(name, func(t *testing.T) {
			var told []string
			tell := func(s adapter.Session) { told = append(told, fmt.Sprintf("%s %s", s.ID, s.Data)) }
			atTablesTelling(t, 4, tell, func(t *testing.T, hub *Hub, tables []*table) {
				b := tables[0]
				want := make([]string, clients)
				for i := range clients {
					guest := &seat{id: fmt.Sprintf("guest-%02d", i), pid: fmt.Sprint("pid-", i)}
					b.Add(guest)
					want[i] = guest.id + " {}"
					if i%2 == 0 { // some have left before
						b.Persist(guest.id, adapter.Session{PID: guest.pid, Data: json.RawMessage("{}")})
					}
				}
				b.Flush(t.Context())
				end(t, hub, b)
				tables[1].comeBack(t, "0")
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				slices.Sort(told)
				if !slices.Equal(told, want) {
					t.Errorf("told of %q, want %q", told, want)
				}
				if hub.Heal(b.node.id); len(hub.kept(rosterKey(b.node.id, "/", 0))) > 0 {
					t.Error("the roster is kept still")
				}
			})
		})
	}
}

// A node that was only out of reach has its sessions.
func TestInheritHealed(t *testing.T) {
	tell := func(s adapter.Session) { t.Errorf("told of %s", s.ID) }
	atTablesTelling(t, 3, tell, func(t *testing.T, hub *Hub, tables []*table) {
		tables[0].Flush(t.Context())
		hub.Cut(tables[0].node.id)
		time.Sleep(30 * time.Second)
		hub.Heal(tables[0].node.id)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
	})
}

// A session that another node has taken up meanwhile is that one's.
func TestInheritTaken(t *testing.T) {
	tell := func(s adapter.Session) { t.Errorf("told of %s", s.ID) }
	atTablesTelling(t, 2, tell, func(t *testing.T, hub *Hub, tables []*table) {
		tables[0].Persist("sid", adapter.Session{PID: "pid", Data: json.RawMessage("{}")})
		tables[0].Flush(t.Context())
		value, err := json.Marshal(record{PID: "pid", SID: "sid", Node: tables[1].node.id, Live: true})
		if err == nil {
			err = tables[1].engine.Save(t.Context(), []Record{{Key: "pid", Value: value, Keep: liveFor}})
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if !slices.Equal(hub.kept("pid"), value) {
			t.Errorf("%q is kept of it", hub.kept("pid"))
		}
	})
}

// A roster has the sessions that are there, on no more pages than it needs.
func TestRoster(t *testing.T) {
	r := roster{on: make(map[string]int)}
	now := time.Now()
	for i := range 3 * rosterPageSize {
		r.add(fmt.Sprint(i))
		r.add(fmt.Sprint(i))
	}
	if due := r.due(now); !slices.Equal(due, []int{0, 1, 2}) {
		t.Errorf("due are %v", due)
	}
	r.saved(r.due(now), now)
	r.remove("5")
	r.remove("never there")
	if due := r.due(now); !slices.Equal(due, []int{0}) {
		t.Errorf("without one of them due are %v", due)
	}
	r.add("another")
	if len(r.pages) != 3 || !slices.Contains(r.pages[0].PIDs, "another") || slices.Contains(r.pages[0].PIDs, "5") {
		t.Errorf("%d pages, of which the first has %v", len(r.pages), r.pages[0].PIDs)
	}
	r.saved(r.due(now), now)
	if due := r.due(now.Add(liveFor / 2)); len(due) != 3 || len(r.due(now)) > 0 {
		t.Errorf("before they expire due are %v", due)
	}
	for i := range 3 * rosterPageSize {
		r.remove(fmt.Sprint(i))
	}
	if r.remove("another"); len(r.on) > 0 || len(r.pages[0].PIDs) > 0 {
		t.Errorf("%v are left", r.on)
	}
}
