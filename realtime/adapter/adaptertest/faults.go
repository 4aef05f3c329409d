package adaptertest

import (
	"fmt"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

// Fault is something that happens to an engine.
type Fault struct {
	// Break puts the engine out of reach, and Heal ends that.
	Break, Heal func()

	// Keeps says that nothing may be missing afterwards. Otherwise something may be
	// that was said while the engine was out of reach.
	Keeps bool
}

// RunFault has nodes say something before, while and after an engine is out of
// reach: each client gets it in order, nothing twice, and everything in the end
// unless the fault says otherwise.
func RunFault(t *testing.T, c Cluster, f Fault) {
	const count = 200
	s := &suite{T: t, cluster: c}
	config := realtime.Config{}
	if c.Recovers {
		config.Recovery = &realtime.Recovery{}
	}
	nodes := s.begin(3, config)
	s.ready("room")
	clients := s.dialAll(1)
	said := 0
	say := func() {
		for range count {
			said++
			s.check(nodes[0].To("room").Emit("count", said))
		}
	}
	say()
	last := make([]int, len(clients)) // that each has got
	for i, c := range clients {
		for range count {
			last[i]++
			c.expect(fmt.Sprintf("count %d", last[i]))
		}
	}
	f.Break()
	say()
	f.Heal()
	if f.Keeps {
		say()
		for i, c := range clients {
			for last[i] < said {
				last[i]++
				c.expect(fmt.Sprintf("count %d", last[i]))
			}
		}
		return
	}
	// Until everybody has got one of the last: how long a node takes to listen
	// again is its own affair.
	for i, c := range clients {
		first := said
		for last[i] <= first {
			said++
			s.check(nodes[0].To("room").Emit("count", said))
			for last[i] < said {
				var n int
				got, some := c.poll()
				if !some {
					break
				}
				if _, err := fmt.Sscanf(got, "count %d", &n); err != nil || n <= last[i] {
					s.Fatalf("client %d got %q after %d", i, got, last[i])
				}
				last[i] = n
			}
		}
	}
}

// RunCopies has a node say something that the log gets twice, as from a node that was
// not answered and has sent it again: clients that heard the first are not told the
// second when they come back to nodes that were started between the two, or after them.
// Repeat writes what the log of "/" has last once more.
func RunCopies(t *testing.T, c Cluster, repeat func()) {
	s := &suite{T: t, cluster: c}
	first := s.recovering(1, realtime.Recovery{})[0]
	var clients []*client
	for range 2 {
		c := first.dial()
		c.expect("ready false Ana 1 true")
		clients = append(clients, c)
	}
	s.check(first.To("room").Emit("one"))
	for _, c := range clients {
		c.expect("one")
		c.gone(first)
	}
	between := s.recovering(1, realtime.Recovery{})[1]
	repeat()
	after := s.recovering(1, realtime.Recovery{})[2]
	s.check(first.To("room").Emit("two"))
	for i, n := range []*node{between, after} {
		again := clients[i].back(n)
		again.recovers(clients[i])
		again.expect("two", "ready true Eva 2 true")
	}
}

// RunTexts has a node say texts of any size: each client gets them whole and in order.
func RunTexts(t *testing.T, c Cluster, texts []string) {
	s := &suite{T: t, cluster: c}
	config := realtime.Config{}
	if c.Recovers {
		config.Recovery = &realtime.Recovery{}
	}
	nodes := s.begin(3, config)
	s.ready("room")
	clients := s.dialAll(1)
	for _, text := range texts {
		s.check(nodes[0].To("room").Emit("text", text))
	}
	for _, c := range clients {
		for _, text := range texts {
			c.expect("text " + text)
		}
	}
}
