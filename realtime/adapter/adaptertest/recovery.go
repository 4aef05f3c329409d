package adaptertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// recovering starts nodes whose clients can come back. Each says to a client what
// it knows of it.
func (s *suite) recovering(count int, recovery realtime.Recovery) []*node {
	s.Helper()
	config := realtime.Config{Recovery: &recovery}
	for range count {
		n := s.start(config)
		n.On("connection", func(socket *realtime.Socket) {
			if !socket.Recovered() {
				socket.Join("room", "café")
				socket.Leave("café")
				socket.Set("name", "Ana")
				socket.Set("count", 1)
			} else {
				count, _ := realtime.ValueOf[int](socket, "count")
				socket.Set("count", count+1)
			}
			rooms := socket.Rooms()
			socket.Emit("ready", socket.Recovered(), socket.Value("name"), socket.Value("count"), slices.Contains(rooms, "room") && len(rooms) == 2)
			socket.On("disconnect", func() { socket.Set("name", "Eva") })
			socket.On("echo", func(args realtime.Args) { socket.Emit("echo", args.Values()...) })
		})
	}
	s.meet()
	return s.nodes
}

// back connects the client again, to that node, with what it knows.
func (c *client) back(n *node) *client {
	c.suite.Helper()
	return n.dialTo("/", c.acks, auth{PID: c.pid, Offset: c.offset})
}

// until takes events up to one that must come next, but for those that say that the
// client is ready, of which the client has not heard some.
func (c *client) until(want string) {
	c.suite.Helper()
	for {
		got := c.event()
		if got == want {
			return
		}
		if !strings.HasPrefix(got, "ready ") {
			c.suite.Fatalf("got %q, want %q", got, want)
		}
	}
}

// gone breaks the connection, and waits until the node knows.
func (c *client) gone(n *node) {
	c.suite.Helper()
	socket := n.Socket(c.sid)
	if socket == nil {
		c.suite.Fatal("the node does not know the client")
	}
	done := make(chan struct{})
	socket.On("disconnect", func() { close(done) })
	c.conn.Close()
	c.suite.wait(done, "the disconnect")
}

// recovers checks that a client is what another was.
func (c *client) recovers(was *client) {
	c.suite.Helper()
	if !c.recovered || c.sid != was.sid || c.pid != was.pid {
		c.suite.Fatalf("recovered: %v, as %s, was %s", c.recovered, c.sid, was.sid)
	}
}

func testRecovery(s *suite) {
	nodes := s.recovering(2, realtime.Recovery{})
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	s.check(nodes[1].Emit("before", "x"))
	c.expect("before x")
	c.gone(nodes[0])
	s.check(nodes[1].To("room").Emit("missed", 1))
	s.check(nodes[1].To("café").Emit("missed", "not its room"))
	s.check(nodes[1].Except("room").Emit("missed", "not it"))
	s.check(nodes[1].To("room").Volatile().Emit("missed", "volatile"))
	s.check(nodes[1].Emit("missed", []byte("2")))
	s.check(nodes[1].To(c.sid).Emit("missed", 3))
	s.check(nodes[1].Emit("missed", 4))

	again := c.back(nodes[0])
	again.recovers(c)
	again.expect("missed 1")
	if got := again.next(); len(got) < 30 || got[:30] != `451-["missed",{"_placeholder":`[:30] {
		s.Errorf("got %q", got)
	}
	if got := again.next(); got != "bMg==" {
		s.Errorf("got %q", got)
	}
	again.expect("missed 3", "missed 4", "ready true Eva 2 true")
	again.send(`42["echo","a"]`)
	again.expect("echo a")
	s.check(nodes[1].To("room").Emit("live"))
	again.expect("live")
	if got := nodes[0].Sockets(); len(got) != 1 {
		s.Errorf("%d sockets are there", len(got))
	}
}

// A client comes back to another node, that has noticed or not, and has the
// values that its handlers have left.
func testRecoveryElsewhere(s *suite) {
	nodes := s.recovering(3, realtime.Recovery{})
	for _, noticed := range []bool{true, false} {
		c := nodes[0].dial()
		c.expect("ready false Ana 1 true")
		if noticed {
			c.gone(nodes[0])
		}
		s.check(nodes[2].To("room").Emit("one"))
		s.check(nodes[2].Emit("two"))
		if !noticed { // it has come, but the client says it has not
			offset := c.offset
			c.expect("one", "two")
			c.offset = offset
		}
		again := c.back(nodes[1])
		again.recovers(c)
		again.expect("one", "two", "ready true Eva 2 true")
		c.ended() // its first node has let it go
		s.check(nodes[0].To(c.sid).Emit("only once"))
		s.check(nodes[0].To(c.sid).Emit("end")) // who connects next may receive it else
		again.expect("only once", "end")
		if n := len(nodes[0].Sockets()); n != 0 {
			s.Errorf("the first node has %d sockets", n)
		}
		again.close(nodes[1])
	}
}

// close leaves the namespace for good.
func (c *client) close(n *node) {
	c.suite.Helper()
	socket := n.Socket(c.sid)
	done := make(chan struct{})
	socket.On("disconnect", func() { close(done) })
	c.send("41" + c.namespace)
	c.suite.wait(done, "the disconnect")
	c.conn.Close()
}

// What is said in another namespace, which may share a log with this one, keeps nobody
// waiting.
func testRecoveryNamespaces(s *suite) {
	nodes := s.recovering(2, realtime.Recovery{})
	for _, n := range nodes {
		n.Of("/other")
	}
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	s.check(nodes[1].To("room").Emit("before"))
	c.expect("before")
	c.gone(nodes[0])
	other := nodes[0].dialTo("/other", nil, auth{})
	s.check(nodes[1].Of("/other").Emit("elsewhere"))
	other.expect("elsewhere")
	again := c.back(nodes[1])
	again.recovers(c)
	again.expect("ready true Eva 2 true")
}

// A second drop, before anybody has noticed the first.
func testRecoveryTwice(s *suite) {
	nodes := s.recovering(3, realtime.Recovery{})
	first := nodes[0].dial()
	first.expect("ready false Ana 1 true")
	second := first.back(nodes[1])
	second.recovers(first)
	s.check(nodes[0].Emit("one"))
	third := second.back(nodes[2]) // without having read anything
	third.recovers(first)
	third.until("one")
	s.check(nodes[1].Emit("two")) // now, because what two nodes say at once has no order
	third.until("two")
	_, err := nodes[2].FetchSockets(s.Context()) // and with that its questions to the others have been answered
	s.check(err)
	fourth := third.back(nodes[0])
	fourth.recovers(first)
	for _, c := range []*client{first, second, third} {
		c.ended()
	}
	// One who says goodbye does not come back.
	s.check(nodes[0].sharer.Flush(s.Context()))
	fourth.close(nodes[0])
	s.check(nodes[0].sharer.Flush(s.Context()))
	if c := fourth.back(nodes[1]); c.recovered {
		s.Error("it was recovered after it had said goodbye")
	}
}

// The node shuts down in an orderly way.
func testRecoveryAfterShutdown(s *suite) {
	nodes := s.recovering(3, realtime.Recovery{})
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	s.check(nodes[0].Shutdown(ctx))
	c.ended()
	s.check(nodes[1].To("room").Emit("missed"))
	again := c.back(nodes[2])
	again.recovers(c)
	again.expect("missed", "ready true Eva 2 true")
}

// The node dies. What the client has is as it was saved.
func testRecoveryAfterDeath(s *suite) {
	nodes := s.recovering(3, realtime.Recovery{})
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	s.check(nodes[1].Emit("before"))
	c.expect("before")
	s.check(nodes[0].sharer.Flush(s.Context()))
	s.cluster.Cut(nodes[0].ID())
	defer s.cluster.Heal(nodes[0].ID())
	c.conn.Close()
	s.check(nodes[1].To("room").Emit("missed", 1))
	again := c.back(nodes[2])
	again.recovers(c)
	again.expect("missed 1", "ready true Ana 2 true")
	s.check(nodes[1].To("room").Emit("live"))
	again.expect("live")
}

// A node is out of reach while its client comes back to another one. When it is there again
// it does not write over what is kept of the client since.
func testRecoveryPartition(s *suite) {
	nodes := s.recovering(3, realtime.Recovery{})
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	s.check(nodes[1].Emit("before"))
	c.expect("before")
	s.check(nodes[0].sharer.Flush(s.Context()))
	s.cluster.Cut(nodes[0].ID())
	c.gone(nodes[0])
	second := c.back(nodes[1])
	second.recovers(c)
	second.expect("ready true Ana 2 true")
	s.check(nodes[1].sharer.Flush(s.Context()))
	s.cluster.Heal(nodes[0].ID())
	s.check(nodes[0].sharer.Flush(s.Context()))
	second.gone(nodes[1])
	s.check(nodes[1].Emit("missed"))
	third := second.back(nodes[2])
	third.recovers(c)
	third.expect("missed", "ready true Eva 3 true")
}

// Clients come and go between the nodes, while two of these count. Each client
// sees everything, once, in order.
func testRecoveryCount(s *suite) {
	const clients, count, drops = 12, 300, 8
	nodes := s.recovering(3, realtime.Recovery{})
	begin := make(chan struct{})
	var counting, wg sync.WaitGroup
	for k, n := range nodes[:2] {
		counting.Go(func() {
			<-begin
			for i := range count {
				if err := n.To("room").Emit("count", k, i); err != nil {
					s.Error(err)
				}
			}
		})
	}
	for i := range clients {
		c := nodes[i%3].dial()
		c.expect("ready false Ana 1 true")
		wg.Go(func() {
			next := []int{0, 0}
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for drop := 0; next[0] < count || next[1] < count; {
				if drop < drops && random.IntN(40) == 0 {
					drop++
					if random.IntN(2) == 0 {
						c.conn.Close()
					}
					was := c
					if c = was.back(nodes[random.IntN(3)]); !c.recovered {
						s.Errorf("client %d was not recovered", i)
						return
					}
				}
				var k, n int
				event := c.event()
				if _, err := fmt.Sscanf(event, "count %d %d", &k, &n); err != nil {
					continue // it is ready
				}
				if n != next[k] {
					s.Errorf("client %d got %q, want %d", i, event, next[k])
					return
				}
				next[k]++
			}
		})
	}
	close(begin)
	counting.Wait()
	wg.Wait()
}

// expiry is who is told of sessions that expire, on any node.
type expiry struct {
	suite *suite
	told  chan string
}

// expiring starts nodes whose clients can come back for a short while.
func (s *suite) expiring(count int) ([]*node, expiry) {
	s.Helper()
	e := expiry{s, make(chan string, 10)}
	return s.recovering(count, realtime.Recovery{MaxDisconnection: 500 * time.Millisecond, OnExpired: func(x *realtime.ExpiredSession) {
		e.told <- fmt.Sprint(x.ID, " ", x.Value("name"), " ", len(x.Rooms))
	}}), e
}

// await waits until the session of a client has expired, with that name.
func (e expiry) await(c *client, name string) {
	e.suite.Helper()
	select {
	case got := <-e.told:
		if want := c.sid + " " + name + " 2"; got != want {
			e.suite.Errorf("expired %q, want %q", got, want)
		}
	case <-time.After(patience):
		e.suite.Fatal("nobody is told that it has expired")
	}
}

// end ends nodes, which waits for what they still do, and checks that they have told of
// nothing more.
func (e expiry) end(nodes ...*node) {
	e.suite.Helper()
	for _, n := range nodes {
		e.suite.check(n.Server.Close())
	}
	select {
	case got := <-e.told:
		e.suite.Errorf("expired, too: %q", got)
	default:
	}
}

func testRecoveryExpired(s *suite) {
	nodes, expired := s.expiring(2)
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	c.gone(nodes[0])
	expired.await(c, "Eva")
	again := c.back(nodes[1])
	if again.recovered {
		s.Error("it was recovered after too long")
	}
	again.expect("ready false Ana 1 true")
	again.close(nodes[1])
	expired.end(nodes...)
}

// The node shuts down, and another one tells of who does not come back.
func testRecoveryExpiredAfterShutdown(s *suite) {
	nodes, expired := s.expiring(3)
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	s.check(nodes[0].Shutdown(ctx))
	expired.await(c, "Eva")
	expired.end(nodes[1:]...)
}

// The node dies, and another one tells of who does not come back.
func testRecoveryExpiredAfterDeath(s *suite) {
	nodes, expired := s.expiring(3)
	c, other := nodes[0].dial(), nodes[0].dial()
	c.expect("ready false Ana 1 true")
	other.expect("ready false Ana 1 true")
	again := other.back(nodes[1]) // in time
	again.recovers(other)
	again.expect("ready true Eva 2 true")
	s.check(nodes[0].sharer.Flush(s.Context()))
	s.cluster.Cut(nodes[0].ID())
	defer s.cluster.Heal(nodes[0].ID())
	c.conn.Close()
	expired.await(c, "Ana")
	again.close(nodes[1])
	expired.end(nodes[1:]...)
}

// What a client makes up does not help it.
func testRecoveryHostile(s *suite) {
	nodes := s.recovering(2, realtime.Recovery{})
	for _, offset := range []string{"zzz", "-1", "99999999999999999999-0", "9999999999999-0", "999999999", "0-0-0", "*", "$", "+", "(1-1", "1; DROP TABLE"} {
		c := nodes[0].dial()
		c.expect("ready false Ana 1 true")
		c.offset = offset
		if again := c.back(nodes[1]); again.recovered && offset != "-1" {
			s.Errorf("recovered behind %q", offset)
		}
	}
	c := nodes[0].dial()
	c.expect("ready false Ana 1 true")
	for _, pid := range []string{"x", "../x", "node-" + nodes[0].ID() + "-2f", c.sid, "*", "a\x00b"} {
		c.pid = pid
		if again := c.back(nodes[1]); again.recovered {
			s.Errorf("recovered as %q", pid)
		}
	}
}
