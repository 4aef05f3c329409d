package adaptertest

import (
	"encoding/json"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

// RunGap has something stand in the log of "/" that nobody can read, as spoil leaves it
// there. Who was there or away when that happened may have been to have it, and begins
// anew; who has come since goes on where it was.
func RunGap(t *testing.T, c Cluster, spoil func()) {
	s := &suite{T: t, cluster: c}
	nodes := s.recovering(3, realtime.Recovery{})
	var here, away, scouts []*client // one of each node
	for _, n := range nodes {
		for _, group := range []*[]*client{&here, &away, &scouts} {
			c := n.dial()
			c.expect("ready false Ana 1 true")
			*group = append(*group, c)
		}
	}
	s.check(nodes[0].To("room").Emit("before"))
	for _, group := range [][]*client{here, away, scouts} {
		for _, c := range group {
			c.expect("before")
		}
	}
	for i, n := range nodes {
		away[i].gone(n)
		scouts[i].gone(n)
	}
	spoil()
	for i, n := range nodes {
		// When somebody comes back a node that has not been told looks for itself. It
		// breaks all connections then, that one among them.
		text, _ := json.Marshal(auth{PID: scouts[i].pid, Offset: scouts[i].offset})
		n.connect(nil).send("40" + string(text))
		here[i].ended()
	}
	for i := range nodes {
		for _, group := range [][]*client{here, away} {
			if again := group[i].back(nodes[(i+1)%len(nodes)]); again.recovered {
				s.Error("a client is told that it has missed nothing")
			}
		}
	}
	since := nodes[0].dial()
	since.expect("ready false Ana 1 true")
	s.check(nodes[1].To("room").Emit("after"))
	since.expect("after")
	since.gone(nodes[0])
	s.check(nodes[1].To("room").Emit("missed"))
	for _, n := range nodes[:2] {
		again := since.back(n)
		again.recovers(since)
		again.until("missed")
	}
}
