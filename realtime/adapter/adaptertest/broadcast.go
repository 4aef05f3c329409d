package adaptertest

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"github.com/zocalo-go/zocalo/realtime"
)

// What each client must not get is shown by what it gets next: nodes that have
// something to say to another say it in order.

func testBroadcast(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	for _, n := range nodes {
		n.On("connection", func(socket *realtime.Socket) { socket.Join("all", "home of "+n.ID()); socket.Emit("ready") })
	}
	clients := s.dialAll(2)
	here, there := nodes[0], nodes[1]
	for _, b := range []struct {
		to   *realtime.Broadcast
		want string // of the clients, who gets it
	}{
		{here.Compress(true), "111111"},
		{here.To("all"), "111111"},
		{here.To("home of " + there.ID()), "001100"},
		{here.To("home of "+there.ID(), "home of "+here.ID()), "111100"},
		{here.To("all", "home of "+there.ID()), "111111"},
		{here.To("all").Except("home of " + there.ID()), "110011"},
		{here.Except("home of " + here.ID()), "001111"},
		{here.To(clients[2].sid), "001000"},
		{here.To(clients[0].sid, clients[5].sid), "100001"},
		{here.Except(clients[0].sid, clients[5].sid), "011110"},
		{here.To("nowhere"), "000000"},
		{there.To("home of " + here.ID()).Except(clients[0].sid), "010000"},
	} {
		s.check(b.to.Emit("hello", b.want))
		for i, c := range clients {
			if b.want[i] == '1' {
				c.expect("hello " + b.want)
			}
		}
	}
	s.check(here.Emit("end"))
	for _, c := range clients {
		c.expect("end")
	}
}

// Two nodes count at once, in a room and to everybody. Each client gets all of it, in
// the order of who sent it.
func testOrder(s *suite) {
	const count = 500
	nodes := s.begin(5, realtime.Config{})
	for _, n := range nodes {
		n.On("connection", func(socket *realtime.Socket) { socket.Join("room"); socket.Emit("ready") })
	}
	clients := s.dialAll(1)
	var wg sync.WaitGroup
	for _, n := range nodes[:2] {
		wg.Go(func() {
			for i := range count {
				to := n.To("room")
				if i%3 == 0 {
					to = n.Except("nobody")
				}
				if err := to.Emit("count", n.ID(), i); err != nil {
					s.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, c := range clients {
		next := map[string]int{}
		for range 2 * count {
			got := c.event()
			var id string
			var n int
			if _, err := fmt.Sscanf(got, "count %s %d", &id, &n); err != nil || n != next[id] {
				s.Fatalf("client %d got %q, want %d", i, got, next[id])
			}
			next[id]++
		}
	}
}

func testNamespaces(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	for _, n := range nodes {
		n.Of("/a")
	}
	nodes[0].Of("/only here")
	main, a := nodes[1].dial(), nodes[1].dialTo("/a", nil, auth{})
	s.check(nodes[0].Emit("main"))
	s.check(nodes[0].Of("/a").Emit("a"))
	s.check(nodes[0].Of("/only here").Emit("nobody"))
	s.check(nodes[0].Of("/a").Emit("end"))
	s.check(nodes[0].Emit("end"))
	main.expect("main", "end")
	a.expect("a", "end")

	// One that is made later hears of what comes from then on.
	nodes[1].Of("/later")
	later := nodes[1].dialTo("/later", nil, auth{})
	s.check(nodes[0].Of("/later").Emit("late"))
	later.expect("late")
}

func testLocal(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	here, there := nodes[0].dial(), nodes[1].dial()
	s.check(nodes[0].Local().Emit("local"))
	s.check(nodes[0].Emit("end"))
	here.expect("local", "end")
	there.expect("end")
}

func testBinary(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	c := nodes[1].dial()
	big := strings.Repeat("\x00\xff\x80binary", 20_000)
	s.check(nodes[0].Emit("binary", []byte{0, 1, 255}, map[string]any{"nested": []byte(big)}, "ünï\u2028code"))
	want := `452-["binary",{"_placeholder":true,"num":0},{"nested":{"_placeholder":true,"num":1}},"ünï`
	if got := c.next(); !strings.HasPrefix(got, want) {
		s.Errorf("got %q, want %s", got, want)
	}
	for _, want := range []string{"\x00\x01\xff", big} {
		if got := c.next(); got != "b"+base64.StdEncoding.EncodeToString([]byte(want)) {
			s.Errorf("got another attachment, of %d characters", len(got))
		}
	}
}
