// Package adaptertest is one suite of tests for every adapter that connects
// several servers: real ones, of package realtime, in one process, and clients
// over the network.
//
// Start with [Run], which runs all that applies to a [Cluster].
package adaptertest

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// Cluster is what is tested: nodes that know each other, and nobody else.
type Cluster struct {
	// Adapter returns the adapter of one more node.
	Adapter func() adapter.Provider

	// Cut has nothing go to a node any more, nor come from it, and Heal ends that.
	// Without them, what happens to a node that dies is not tested.
	Cut, Heal func(node string)

	// Inject gives bytes to all nodes, where they expect messages of others.
	// Without it, what happens to garbage is not tested.
	Inject func(b []byte)

	// Recovers says that clients can come back to any node.
	Recovers bool

	// Overtakes says that what goes to different rooms may overtake each other. What
	// order that has is not tested.
	Overtakes bool
}

// Options are what a cluster should be tested with: nodes that are quick to find
// out who is dead, but not so quick that a busy machine confuses them.
func Options() cluster.Options {
	return cluster.Options{HeartbeatInterval: 200 * time.Millisecond, HeartbeatTimeout: 3 * time.Second, RequestTimeout: 20 * time.Second}
}

// Run runs the suite, without the tests of what a cluster does not offer. It calls
// open for each test, which begins with a new cluster, and once before them, to know
// what that is.
func Run(t *testing.T, open func(t *testing.T) Cluster) {
	offered := open(t)
	for _, test := range tests {
		if test.needs == nil || test.needs(offered) {
			t.Run(test.name, func(t *testing.T) { test.run(&suite{T: t, cluster: open(t)}) })
		}
	}
}

// tests are the suite, each with what it needs of a cluster, if that is not offered by
// all of them.
var tests = []struct {
	name  string
	needs func(Cluster) bool
	run   func(*suite)
}{
	{"Broadcast", nil, testBroadcast},
	{"BroadcastOrder", ordered, testOrder},
	{"BroadcastNamespaces", nil, testNamespaces},
	{"BroadcastLocal", nil, testLocal},
	{"BroadcastBinary", nil, testBinary},
	{"SocketsJoin", nil, testSocketsJoin},
	{"DisconnectSockets", nil, testDisconnectSockets},
	{"FetchSockets", nil, testFetchSockets},
	{"RemoteSocket", nil, testRemoteSocket},
	{"ServerSideEmit", nil, testServerSideEmit},
	{"ServerSideEmitWithAck", nil, testServerSideEmitWithAck},
	{"EmitWithAck", nil, testEmitWithAck},
	{"EmitWithAckDisconnected", nil, testEmitWithAckDisconnected},
	{"EmitWithAckTimeout", nil, testEmitWithAckTimeout},
	{"Nodes", nil, testNodes},
	{"Direct", nil, testDirect},
	{"SilentNode", Cluster.cuts, testSilentNode},
	{"DeadNode", Cluster.cuts, testDeadNode},
	{"Partition", Cluster.cuts, testPartition},
	{"Garbage", Cluster.injects, testGarbage},
	{"Emitter", nil, testEmitter},
	{"EmitterOrder", ordered, testEmitterOrder},
	{"EmitterRequests", nil, testEmitterRequests},
	{"EmitterUnknown", nil, testEmitterUnknown},
	{"Recovery", Cluster.recovers, testRecovery},
	{"RecoveryElsewhere", Cluster.recovers, testRecoveryElsewhere},
	{"RecoveryNamespaces", Cluster.recovers, testRecoveryNamespaces},
	{"RecoveryTwice", Cluster.recovers, testRecoveryTwice},
	{"RecoveryAfterShutdown", Cluster.recovers, testRecoveryAfterShutdown},
	{"RecoveryAfterDeath", Cluster.recoversAndCuts, testRecoveryAfterDeath},
	{"RecoveryPartition", Cluster.recoversAndCuts, testRecoveryPartition},
	{"RecoveryCount", Cluster.recovers, testRecoveryCount},
	{"RecoveryExpired", Cluster.recovers, testRecoveryExpired},
	{"RecoveryExpiredAfterShutdown", Cluster.recovers, testRecoveryExpiredAfterShutdown},
	{"RecoveryExpiredAfterDeath", Cluster.recoversAndCuts, testRecoveryExpiredAfterDeath},
	{"RecoveryHostile", Cluster.recovers, testRecoveryHostile},
	{"RecoveryEmitter", Cluster.recovers, testRecoveryEmitter},
}

func (c Cluster) cuts() bool            { return c.Cut != nil && c.Heal != nil }
func (c Cluster) injects() bool         { return c.Inject != nil }
func (c Cluster) recovers() bool        { return c.Recovers }
func (c Cluster) recoversAndCuts() bool { return c.recovers() && c.cuts() }

func ordered(c Cluster) bool { return !c.Overtakes }

// suite is one test and its nodes.
type suite struct {
	*testing.T
	cluster Cluster
	nodes   []*node
}

// node is a server, and how to reach it.
type node struct {
	*realtime.Server
	adapter.Node
	suite  *suite
	http   *httptest.Server
	sharer adapter.Sharer // of "/", or nil
}

// capture is a provider that tells which node it has opened.
type capture struct {
	adapter.Provider
	node   captured
	sharer adapter.Sharer // of "/", if it is one
}

type captured struct {
	adapter.Node
	of *capture
}

func (c *capture) Open(s adapter.Server) adapter.Node {
	c.node = captured{c.Provider.Open(s), c}
	return c.node
}

func (n captured) Adapter(host adapter.Namespace) adapter.Adapter {
	a := n.Node.Adapter(host)
	if k, able := a.(adapter.Sharer); able && host.Name() == "/" {
		n.of.sharer = k
	}
	return a
}

// start adds a node with that configuration.
func (s *suite) start(config realtime.Config) *node {
	s.Helper()
	c := &capture{Provider: s.cluster.Adapter()}
	config.Adapter = c
	if config.Logger == nil {
		config.Logger = slog.New(slog.NewTextHandler(s.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	n := &node{Server: realtime.NewServer(config), suite: s}
	n.Node, n.sharer = c.node, c.sharer
	n.http = httptest.NewServer(n.Server)
	s.Cleanup(n.stop)
	s.nodes = append(s.nodes, n)
	return n
}

func (n *node) stop() {
	n.http.CloseClientConnections()
	n.Server.Close()
	n.http.Close()
}

// begin starts nodes and waits until each knows all others.
func (s *suite) begin(count int, config realtime.Config) []*node {
	s.Helper()
	for range count {
		s.start(config)
	}
	s.meet()
	return s.nodes
}

// dialAll connects as many clients to each node, and waits until the node has
// said to each that it is ready.
func (s *suite) dialAll(count int) (clients []*client) {
	s.Helper()
	for _, n := range s.nodes {
		for range count {
			c := n.dial()
			c.expect("ready")
			clients = append(clients, c)
		}
	}
	return clients
}

// meet waits until each node knows all others.
func (s *suite) meet() {
	s.Helper()
	for _, n := range s.nodes {
		for _, o := range s.nodes {
			if n != o {
				n.await(o.ID(), true)
			}
		}
	}
}

// await waits until a node knows another, or no longer.
func (n *node) await(other string, there bool) {
	n.suite.Helper()
	done := make(chan struct{})
	var once sync.Once
	n.Watch(func(id string, is bool) {
		if id == other && is == there {
			once.Do(func() { close(done) })
		}
	})
	if !there && !slices.Contains(n.Nodes(), other) {
		return
	}
	n.suite.wait(done, fmt.Sprintf("node %s to be known: %v", other, there))
}

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

func (s *suite) wait(done <-chan struct{}, what string) {
	s.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		s.Fatalf("waited in vain for %s", what)
	}
}

// check ends the test when something failed.
func (s *suite) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}
