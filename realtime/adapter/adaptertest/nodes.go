package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Nodes are told of those that come, and of those that say goodbye.
func testNodes(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	if got := nodes[0].Nodes(); !slices.Equal(got, []string{nodes[1].ID()}) {
		s.Errorf("node %s knows %v", nodes[0].ID(), got)
	}
	third := s.start(realtime.Config{})
	s.meet()
	if got := nodes[0].Nodes(); len(got) != 2 || !slices.IsSorted(got) {
		s.Errorf("it knows %v", got)
	}
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	s.check(third.Shutdown(ctx))
	for _, n := range nodes[:2] {
		n.await(third.ID(), false)
	}
	if err := nodes[0].Send(third.ID(), "topic", nil); !errors.Is(err, adapter.ErrNoNode) {
		s.Errorf("sending to who has gone: %v", err)
	}
	if _, err := nodes[0].FetchSockets(s.Context()); err != nil {
		s.Error(err)
	}
}

func testDirect(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	got := make(chan string, 1000)
	for i, n := range nodes {
		n.Handle("topic", func(from string, message []byte) { got <- fmt.Sprint(i, from, string(message)) })
	}
	next := func(want string) {
		s.Helper()
		select {
		case text := <-got:
			if text != want {
				s.Errorf("got %q, want %q", text, want)
			}
		case <-time.After(patience):
			s.Fatalf("waited in vain for %q", want)
		}
	}
	for k := range 20 {
		s.check(nodes[0].Send(nodes[1].ID(), "topic", fmt.Append(nil, k)))
	}
	for k := range 20 {
		next(fmt.Sprint(1, nodes[0].ID(), k))
	}
	s.check(nodes[1].Send("", "other topic", nil))
	s.check(nodes[1].Send("", "topic", []byte("all")))
	all := []string{<-got, <-got}
	slices.Sort(all)
	if want := []string{"0" + nodes[1].ID() + "all", "2" + nodes[1].ID() + "all"}; !slices.Equal(all, want) {
		s.Errorf("got %q, want %q", all, want)
	}
}

// A node that does not answer is named, beside the answers of the others.
func testSilentNode(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	s.ready()
	s.dialAll(1)
	s.cluster.Cut(nodes[2].ID())
	var sockets []*realtime.RemoteSocket
	s.silent(nodes[2], func(ctx context.Context) (err error) {
		sockets, err = nodes[0].FetchSockets(ctx)
		return err
	})
	if len(sockets) != 2 {
		s.Errorf("fetched %d sockets, want 2", len(sockets))
	}
	s.silent(nodes[2], func(ctx context.Context) error {
		_, err := nodes[0].ServerSideEmitWithAck(ctx, "anything")
		return err
	})
	s.cluster.Heal(nodes[2].ID())
}

// silent checks that only a node is missing where all are asked, who get more time when
// on a busy machine others do not answer, either.
func (s *suite) silent(n *node, ask func(context.Context) error) {
	s.Helper()
	var err error
	for limit := time.Second; limit < patience; limit *= 2 {
		ctx, cancel := context.WithTimeout(s.Context(), limit)
		err = ask(ctx)
		cancel()
		var missing *realtime.MissingError
		if !errors.As(err, &missing) || len(missing.Nodes) == 1 {
			break
		}
	}
	s.missing(err, n)
}

// missing checks that an error names a node, and no other. The node may be known
// to be dead already: then nobody waits for it.
func (s *suite) missing(err error, n *node) {
	s.Helper()
	if err == nil && !slices.Contains(s.nodes[0].Nodes(), n.ID()) {
		return
	}
	var missing *realtime.MissingError
	if !errors.As(err, &missing) || !slices.Equal(missing.Nodes, []string{n.ID()}) {
		s.Errorf("the error is %v", err)
	}
}

// A node that dies while others wait for it is not waited for any more.
func testDeadNode(s *suite) {
	nodes := s.begin(3, realtime.Config{})
	s.ready()
	here := nodes[0].dialTo("/", func(string) string { return "[1]" }, auth{})
	asked := make(chan struct{})
	there := nodes[2].dialTo("/", func(string) string { close(asked); return "" }, auth{})
	here.expect("ready")
	there.expect("ready")
	go func() {
		<-asked
		s.cluster.Cut(nodes[2].ID())
	}()
	answers, err := nodes[0].EmitWithAck(s.Context(), "question") // without a limit
	s.missing(err, nodes[2])
	if len(answers) != 1 || !errors.Is(err, adapter.ErrNodeGone) {
		s.Errorf("%d answers, %v", len(answers), err)
	}
	nodes[1].await(nodes[2].ID(), false)
	if sockets, err := nodes[0].FetchSockets(s.Context()); err != nil || len(sockets) != 1 {
		s.Errorf("fetched %d sockets, %v", len(sockets), err)
	}
	s.cluster.Heal(nodes[2].ID())
}

// Nodes that lose each other find each other again.
func testPartition(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	s.ready()
	clients := s.dialAll(1)
	s.cluster.Cut(nodes[1].ID())
	nodes[0].await(nodes[1].ID(), false)
	s.check(nodes[0].Local().Emit("apart"))
	clients[0].expect("apart")
	s.cluster.Heal(nodes[1].ID())
	s.meet()
	s.check(nodes[0].Emit("together"))
	clients[0].expect("together")
	clients[1].expect("together")
	s.check(nodes[1].Emit("again"))
	clients[0].expect("again")
	clients[1].expect("again")
}

// What is no message does nothing.
func testGarbage(s *suite) {
	nodes := s.begin(2, realtime.Config{})
	s.ready()
	clients := s.dialAll(1)
	for _, garbage := range [][]byte{
		nil, {0}, []byte("garbage"), []byte("{}"), []byte("[]"), []byte(`{"type":3}`), []byte(`{"type":3,"uid":"x","nsp":"/"}`),
		[]byte(`{"type":3,"uid":"x","nsp":"/","data":{"opts":null,"packet":null}}`), {'Z', 99, 3, 0}, {'Z', 1, 3, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1},
		{0x84, 0xa4}, {0xdd, 0xff, 0xff, 0xff, 0xff}, make([]byte, 1<<20),
	} {
		s.cluster.Inject(garbage)
	}
	s.check(nodes[0].Emit("still here"))
	for _, c := range clients {
		c.expect("still here")
	}
	if sockets, err := nodes[1].FetchSockets(s.Context()); err != nil || len(sockets) != 2 {
		s.Errorf("fetched %d sockets, %v", len(sockets), err)
	}
}
