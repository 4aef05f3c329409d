package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// ready has each node say to who has connected that its handlers have run.
func (s *suite) ready(rooms ...string) {
	for i, n := range s.nodes {
		n.On("connection", func(socket *realtime.Socket) {
			socket.Join(rooms...)
			socket.Set("node", i)
			socket.Set("name", struct{ First, Last string }{"Ana", "García"})
			socket.Emit("ready")
		})
	}
}

func testSocketsJoin(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	s.ready("lobby")
	clients := s.dialAll(1)
	here := nodes[0]
	s.check(here.To("lobby").Except(clients[0].sid).SocketsJoin("plaza", "café"))
	s.check(here.To("café").Emit("joined"))
	s.check(here.To(clients[1].sid).SocketsLeave("plaza"))
	s.check(here.To("plaza").Emit("left"))
	s.check(here.Local().SocketsJoin("plaza"))
	s.check(here.To("plaza").Emit("local"))
	s.check(here.Emit("end"))
	clients[0].expect("local", "end")
	clients[1].expect("joined", "end")
	clients[2].expect("joined", "left", "local", "end")
}

func testDisconnectSockets(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	s.ready()
	clients := s.dialAll(2)
	s.check(nodes[0].To(clients[2].sid).DisconnectSockets(false))
	if got := clients[2].next(); got != "41" {
		s.Errorf("got %q, want 41", got)
	}
	s.check(nodes[0].To(clients[3].sid, clients[1].sid).DisconnectSockets(true))
	clients[3].ended()
	clients[1].ended()
	s.check(nodes[1].Emit("end"))
	clients[0].expect("end")
}

func testFetchSockets(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	s.ready("lobby")
	clients := s.dialAll(2)
	for i, n := range nodes {
		sockets, err := n.FetchSockets(s.Context())
		s.check(err)
		if len(sockets) != len(clients) {
			s.Fatalf("node %d sees %d sockets, want %d", i, len(sockets), len(clients))
		}
		for _, socket := range sockets {
			home := slices.IndexFunc(clients, func(c *client) bool { return c.sid == socket.ID() }) / 2
			if got := socket.Rooms(); !slices.Equal(got, []string{socket.ID(), "lobby"}) {
				s.Errorf("its rooms are %q", got)
			}
			if got, ok := realtime.ValueOf[int](socket, "node"); !ok || got != home {
				s.Errorf("its node is %v, want %d", got, home)
			}
			if got, ok := realtime.ValueOf[struct{ First, Last string }](socket, "name"); !ok || got.Last != "García" {
				s.Errorf("its name is %+v", got)
			}
			if h := socket.Handshake(); h.Address == "" || h.Headers.Get("Upgrade") != "websocket" || h.Query["EIO"] != "4" || string(h.Auth) != "{}" || time.Since(h.Time) > time.Hour {
				s.Errorf("its handshake is %+v", h)
			}
		}
	}
	for _, test := range []struct {
		of   *realtime.Broadcast
		want int
	}{
		{nodes[0].To("lobby").Except(clients[5].sid), 5},
		{nodes[0].To(clients[4].sid), 1},
		{nodes[0].Local(), 2},
		{nodes[0].To("nowhere"), 0},
	} {
		if sockets, err := test.of.FetchSockets(s.Context()); err != nil || len(sockets) != test.want {
			s.Errorf("fetched %d sockets, %v, want %d", len(sockets), err, test.want)
		}
	}
	// A namespace that only this node has.
	if sockets, err := nodes[0].Of("/alone").FetchSockets(s.Context()); err != nil || len(sockets) != 0 {
		s.Errorf("fetched %d sockets, %v", len(sockets), err)
	}
}

func testRemoteSocket(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	s.ready()
	there := nodes[1].dialTo("/", func(string) string { return `["pong",1]` }, auth{})
	there.expect("ready")
	sockets, err := nodes[0].FetchSockets(s.Context())
	s.check(err)
	if len(sockets) != 1 {
		s.Fatalf("fetched %d sockets", len(sockets))
	}
	remote := sockets[0]
	s.check(remote.Emit("hello"))
	there.expect("hello")
	s.check(remote.Join("room"))
	s.check(nodes[0].To("room").Emit("joined"))
	s.check(remote.Leave("room"))
	s.check(nodes[0].To("room").Emit("left"))
	there.expect("joined")
	answer, err := remote.EmitWithAck(s.Context(), "ping")
	s.check(err)
	var word string
	var n int
	if err := answer.Decode(&word, &n); err != nil || word != "pong" {
		s.Errorf("answered %q %d, %v", word, n, err)
	}
	s.check(remote.Disconnect(true))
	there.ended()
}

func testServerSideEmit(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	got := make(chan string, 1000)
	for i, n := range nodes {
		n.On("count", func(from string, k int) { got <- fmt.Sprint(i, k) })
	}
	for k := range 100 {
		s.check(nodes[0].ServerSideEmit("count", "zero", k))
	}
	next := map[int]int{}
	for range 200 {
		var i, k int
		select {
		case text := <-got:
			fmt.Sscan(text, &i, &k)
		case <-time.After(patience):
			s.Fatalf("only %v came", next)
		}
		if i == 0 || k != next[i] {
			s.Fatalf("node %d got %d, want %d", i, k, next[i])
		}
		next[i]++
	}
}

func testServerSideEmitWithAck(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	for i, n := range nodes {
		n.On("who", func(greeting string) string { return fmt.Sprint(greeting, " ", i) })
		// A handler may ask the others in its turn.
		n.On("all", func(ctx context.Context) (int, error) {
			answers, err := n.ServerSideEmitWithAck(ctx, "who", "and")
			return len(answers), err
		})
	}
	answers, err := nodes[1].ServerSideEmitWithAck(s.Context(), "who", "I am")
	s.check(err)
	var texts []string
	for _, a := range answers {
		var text string
		s.check(a.Decode(&text))
		texts = append(texts, text)
	}
	slices.Sort(texts)
	if got := strings.Join(texts, ", "); got != "I am 0, I am 2" {
		s.Errorf("answered %q", got)
	}
	answers, err = nodes[0].ServerSideEmitWithAck(s.Context(), "all")
	s.check(err)
	for _, a := range answers {
		var n int
		if err := a.Decode(&n); err != nil || n != 2 {
			s.Errorf("answered %d, %v", n, err)
		}
	}
	if len(answers) != 2 {
		s.Errorf("%d have answered", len(answers))
	}
	// Nobody has a namespace that only this node has, and nobody is waited for.
	if answers, err := nodes[0].Of("/alone").ServerSideEmitWithAck(s.Context(), "who"); err != nil || len(answers) != 0 {
		s.Errorf("%d have answered, %v", len(answers), err)
	}
}

func testEmitWithAck(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	s.ready()
	var clients []*client
	for i, n := range nodes {
		for k := range 2 {
			c := n.dialTo("/", func(string) string { return fmt.Sprintf(`[%d,"x"]`, 2*i+k) }, auth{})
			c.expect("ready")
			clients = append(clients, c)
		}
	}
	for range 20 {
		answers, err := nodes[0].Timeout(patience).EmitWithAck(s.Context(), "how many")
		s.check(err)
		if len(answers) != len(clients) {
			s.Fatalf("%d answers, want %d", len(answers), len(clients))
		}
		seen := map[int]bool{}
		for _, a := range answers {
			var i int
			if err := a.Args.Decode(&i); err != nil || clients[i].sid != a.ID || seen[i] {
				s.Errorf("%s answered %d, %v", a.ID, i, err)
			}
			seen[i] = true
		}
	}
	if answers, err := nodes[0].To("nobody").EmitWithAck(s.Context(), "how many"); err != nil || len(answers) != 0 {
		s.Errorf("%d answers, %v", len(answers), err)
	}
	done := make(chan struct{})
	s.check(nodes[2].To(clients[0].sid, clients[5].sid).Timeout(patience).Emit("how many", func(err error, answers []realtime.Answer) {
		defer close(done)
		if err != nil || len(answers) != 2 {
			s.Errorf("%d answers, %v", len(answers), err)
		}
	}))
	s.wait(done, "the callback")
}

// A socket that is disconnected instead of answering is named.
func testEmitWithAckDisconnected(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	s.ready()
	asked := make(chan struct{})
	here := nodes[0].dialTo("/", func(string) string { return "[]" }, auth{})
	there := nodes[1].dialTo("/", func(string) string { close(asked); return "" }, auth{})
	here.expect("ready")
	there.expect("ready")
	var wg sync.WaitGroup
	wg.Go(func() {
		s.wait(asked, "the event")
		there.conn.Close()
	})
	answers, err := nodes[0].EmitWithAck(s.Context(), "question")
	wg.Wait()
	var missing *realtime.MissingError
	if !errors.As(err, &missing) || !slices.Equal(missing.IDs, []string{there.sid}) || len(missing.Nodes) != 0 {
		s.Errorf("the error is %v", err)
	}
	if len(answers) != 1 || answers[0].ID != here.sid {
		s.Errorf("the answers are %v", answers)
	}
}

// So is one that does not answer in time.
func testEmitWithAckTimeout(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	s.ready()
	asked := make(chan struct{})
	silent := nodes[1].dialTo("/", func(string) string { close(asked); return "" }, auth{})
	silent.expect("ready")
	ctx, cancel := context.WithCancel(s.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		s.wait(asked, "the event")
		// That it was asked is known when the node has answered something later.
		_, err := nodes[0].FetchSockets(s.Context())
		if err != nil {
			s.Error(err)
		}
		cancel()
	})
	answers, err := nodes[0].EmitWithAck(ctx, "question")
	wg.Wait()
	var missing *realtime.MissingError
	if !errors.As(err, &missing) || !errors.Is(err, context.Canceled) || len(answers) != 0 {
		s.Fatalf("%d answers, %v", len(answers), err)
	}
	if !slices.Equal(missing.IDs, []string{silent.sid}) || !slices.Equal(missing.Nodes, []string{nodes[1].ID()}) {
		s.Errorf("missing are %+v", missing)
	}
}
