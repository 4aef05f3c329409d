package realtime

import (
	"fmt"
	"testing"
)

// However many handlers there are, those of an event are found, in their order,
// and those that run once are forgotten.
func TestListeners(t *testing.T) {
	for _, others := range []int{0, few, 10 * few} {
		t.Run(fmt.Sprintf("others=%d", others), func(t *testing.T) {
			var set listeners
			var all []Listener
			add := func(name string, i int, once, first bool) {
				all = append(all, set.add(event(name), handler{fn: i}, once, first))
			}
			add("a", 1, false, false)
			for i := range others {
				add(fmt.Sprint(i), 100+i, false, false)
			}
			add("a", 2, true, false)
			add("a", 3, false, false)
			add("a", 0, false, true)
			check := func(when string, found []listener, want ...int) {
				t.Helper()
				var got []int
				for _, l := range found {
					got = append(got, l.fn.(int))
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %v, want %v", when, got, want)
				}
			}
			check("at first", set.of(event("a")), 0, 1, 2, 3)
			check("the first time", set.take(event("a")), 0, 1, 2, 3)
			check("then", set.take(event("a")), 0, 1, 3)
			all[0].Off()
			check("after Off", set.of(event("a")), 0, 3)
			check("another", set.of(event("none")))
			check("another kind", set.of(key{kind: anyIncoming}))
			if names := set.names(); len(names) != others+1 {
				t.Errorf("%d names, want %d", len(names), others+1)
			}
			set.drop(event("a"))
			check("after dropping", set.of(event("a")))
			if n := len(set.names()); n != others {
				t.Errorf("%d names, want %d", n, others)
			}
		})
	}
}
