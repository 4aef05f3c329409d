package adaptertest

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/emitter"
)

// emitter returns one for the cluster, which ends with the test.
func (s *suite) emitter() *emitter.Emitter {
	s.Helper()
	e := emitter.New(unlined(s.cluster.Adapter()), emitter.Options{Timeout: patience})
	s.Cleanup(func() {
		if err := e.Close(); err != nil {
			s.Error(err)
		}
	})
	return e
}

func testEmitter(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	for _, n := range nodes {
		n.On("connection", func(socket *realtime.Socket) { socket.Join("all", "home of "+n.ID()); socket.Emit("ready") })
		n.Of("/a")
	}
	clients := s.dialAll(2)
	aside := nodes[2].dialTo("/a", nil, auth{})
	e := s.emitter()
	first, second := "home of "+nodes[0].ID(), "home of "+nodes[1].ID()
	for _, b := range []struct {
		to   *emitter.Broadcast
		want string // of the clients, who gets it
	}{
		{e.Compress(false), "111111"},
		{e.To("all"), "111111"},
		{e.In(second), "001100"},
		{e.To(second, first), "111100"},
		{e.To("all", second), "111111"},
		{e.To("all").Except(second), "110011"},
		{e.Except(first), "001111"},
		{e.To(clients[2].sid), "001000"},
		{e.To(clients[0].sid, clients[5].sid), "100001"},
		{e.Except(clients[0].sid, clients[5].sid), "011110"},
		{e.To("nowhere"), "000000"},
	} {
		s.check(b.to.Emit("hello", b.want))
		for i, c := range clients {
			if b.want[i] == '1' {
				c.expect("hello " + b.want)
			}
		}
	}
	big := strings.Repeat("\x00\xff\x80binary", 20_000)
	s.check(e.Emit("binary", []byte(big), "ünï\u2028code"))
	for _, c := range clients {
		if text, want := c.next(), `451-["binary",{"_placeholder":true,"num":0},"ünï`+"\u2028"+`code"]`; strings.ReplaceAll(text, `\u2028`, "\u2028") != want {
			s.Errorf("got %q, want %q", text, want)
		}
		if got := c.next(); got != "b"+base64.StdEncoding.EncodeToString([]byte(big)) {
			s.Errorf("an attachment has %d bytes of base64, or is another", len(got))
		}
	}
	s.check(e.Of("a").Send("aside"))
	s.check(e.Emit("end"))
	aside.expect("message aside")
	for _, c := range clients {
		c.expect("end")
	}
}

// What each goroutine emits arrives in its order, whole, at every client.
func testEmitterOrder(s *suite) {
	const count, goroutines = 300, 4
	nodes := s.begin(3, realtime.Config{})
	for _, n := range nodes {
		n.On("connection", func(socket *realtime.Socket) { socket.Join("room"); socket.Emit("ready") })
	}
	clients := s.dialAll(1)
	e := s.emitter()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range count {
				to := e.To("room")
				if i%3 == 0 {
					to = e.Except("nobody")
				}
				if err := to.Emit("count", g, i); err != nil {
					s.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, c := range clients {
		var next [goroutines]int
		for range goroutines * count {
			got := c.event()
			var g, n int
			if _, err := fmt.Sscanf(got, "count %d %d", &g, &n); err != nil || n != next[g] {
				s.Fatalf("client %d got %q", i, got)
			}
			next[g]++
		}
	}
}

// What an emitter has the servers do is done before what it says afterwards.
func testEmitterRequests(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	told := make(chan string, 16)
	for _, n := range nodes {
		n.On("connection", func(socket *realtime.Socket) { socket.Emit("ready") })
		n.On("told", func(what string, data map[string]int) { told <- fmt.Sprint(n.ID(), what, data["n"]) })
	}
	clients := s.dialAll(2)
	e := s.emitter()
	s.check(e.To(clients[0].sid, clients[3].sid).SocketsJoin("a", "b"))
	s.check(e.To("a").Emit("a"))
	s.check(e.To("a").Except(clients[0].sid).SocketsLeave("b"))
	s.check(e.To("b").Emit("b"))
	s.check(e.SocketsJoin("c"))
	s.check(e.To("c").Emit("c"))
	clients[0].expect("a", "b", "c")
	clients[1].expect("c")
	clients[2].expect("c")
	clients[3].expect("a", "c")

	s.check(e.ServerSideEmit("told", "news ", map[string]int{"n": 7}))
	got := []string{<-told, <-told}
	for _, n := range nodes {
		if want := n.ID() + "news 7"; got[0] != want && got[1] != want {
			s.Errorf("the servers got %q, want %q to be there", got, want)
		}
	}

	s.check(e.To(clients[1].sid).DisconnectSockets(false))
	if got := clients[1].next(); got != "41" {
		s.Errorf("got %q, want to be disconnected", got)
	}
	s.check(e.To("a").DisconnectSockets(true))
	clients[0].ended()
	clients[3].ended()
	s.check(e.Emit("end"))
	clients[2].expect("end")
}

// Nobody waits for an emitter, which no node takes for one.
func testEmitterUnknown(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	c := nodes[1].dial()
	s.check(s.emitter().Emit("hello"))
	c.expect("hello")
	sockets, err := nodes[0].FetchSockets(s.Context())
	if err != nil || len(sockets) != 1 {
		s.Errorf("FetchSockets returned %d sockets and %v", len(sockets), err)
	}
	if others := nodes[0].Nodes(); len(others) != 1 {
		s.Errorf("the nodes are %q", others)
	}
}

// A client that was away gets what was emitted meanwhile.
func testRecoveryEmitter(s *suite) {
	nodes := s.recovering(2, realtime.Recovery{})
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	e := s.emitter()
	s.check(e.Emit("before"))
	c.expect("before")
	c.gone(nodes[0])
	s.check(e.To("room").Emit("missed", 1))
	s.check(e.To("café").Emit("for others"))
	s.check(e.Volatile().Emit("volatile"))
	s.check(e.To(c.sid).Emit("missed", 2))
	again := c.back(nodes[1])
	again.recovers(c)
	again.expect("missed 1", "missed 2")
	s.check(e.Emit("after"))
	for again.event() != "after" { // "ready" comes when its handler has run
	}
}
