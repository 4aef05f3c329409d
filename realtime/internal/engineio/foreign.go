package engineio

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A client's requests may reach any node of a cluster, whatever the load balancer
// does, though its session lives on one: its owner, whose name is a part of the
// session's id. Another node passes what it receives to the owner over a [lane]
// and answers with what comes back.
//
//   - A poll and a POST are taken by the owner as if they had come to it: by the
//     one door of the outbox, by the rules for two at once. The poll's packets are
//     gone when they are sent to the other node; it says whether its client has
//     them, and if not, the session has ended, as after a broken answer.
//   - A WebSocket or stream that wants to take the session over stays where it is,
//     and is a carrier of the session by way of a tunnel.
//   - CORS, headers, compression, and the client's going away are the receiving
//     node's. What came from another node is never passed on.
//   - An owner that is unknown, has left or does not answer is the same as a
//     session that is unknown: the client begins a new one.

// Peers are the other nodes of a cluster.
type Peers interface {
	// ID returns the name of this node: letters and digits.
	ID() string

	// Send sends a message to a node, without waiting. Messages to one node arrive
	// there in order, or not at all.
	Send(node string, message []byte) error

	// Handle makes f receive the messages of other nodes, those of one node one at a
	// time. f does not keep them, and does not wait.
	Handle(f func(from string, message []byte))

	// Watch makes f hear of nodes that come and go. It does not wait.
	Watch(f func(node string, there bool))
}

const (
	// foreignPatience is how long an owner may take for a first sign of life. It
	// gives one in foreignSign, also where the answer takes longer.
	foreignPatience = 10 * time.Second
	foreignSign     = time.Second

	// arrivalPatience is how long a request waits for an owner that this node has not
	// heard of: a new node may have got its first client a moment ago. maxGone is of
	// how many nodes is remembered that they have gone, and need not be waited for.
	arrivalPatience = time.Second
	maxGone         = 1000

	// maxLanes is how many requests and connections may be passed on, and taken
	// from others, at a time; maxLaneBytes how much of them may wait.
	maxLanes     = 200_000
	maxLaneBytes = 128 << 20

	// maxForeignID is how long an id of another node's session may be.
	maxForeignID = 256
)

// foreign is a server's part in the requests that reach the wrong node.
type foreign struct {
	server *Server
	peers  Peers
	self   string
	tasks  sync.WaitGroup // of the requests of other nodes
	next   atomic.Uint64
	bytes  atomic.Int64 // that wait in lanes
	warned sync.Once

	mu      sync.Mutex // guards the rest
	lanes   map[laneKey]*lane
	leaving bool // who waits here is sent elsewhere
	closed  bool
	arrival chan struct{}   // closed when a node comes
	gone    map[string]bool // nodes that were there, and are not any more
	empty   chan struct{}   // closed when there are no lanes while leaving
}

// newForeign returns nil where there are no other nodes.
func newForeign(s *Server) *foreign {
	peers := s.config.Peers
	if peers == nil || peers.ID() == "" {
		return nil
	}
	f := &foreign{server: s, peers: peers, self: peers.ID(), lanes: make(map[laneKey]*lane),
		arrival: make(chan struct{}), gone: make(map[string]bool), empty: make(chan struct{})}
	peers.Handle(f.handle)
	peers.Watch(func(node string, there bool) {
		if there {
			f.arrive()
		} else {
			f.lost(node)
		}
	})
	return f
}

// name returns the session id that tells the owner, too.
func (f *foreign) name(id string) string {
	if f == nil {
		return id
	}
	return id + "." + f.self
}

// owner returns the node that has the session sid, or "" if that is this one, or
// nobody can tell.
func (f *foreign) owner(sid string) string {
	if f == nil || len(sid) > maxForeignID {
		return ""
	}
	node := sid[strings.LastIndexByte(sid, '.')+1:]
	if len(node) == len(sid) || node == f.self {
		return ""
	}
	return node
}

// pass answers a request of a session that lives on the node owner.
func (f *foreign) pass(w http.ResponseWriter, r *http.Request, owner string, to destination) {
	f.server.count.add(MetricForwarded, to.transport, 1)
	switch {
	case isUpgrade(r) && to.transport == WebSocket:
		f.passUpgrade(w, r, owner, to)
	case to.transport != Polling:
		f.server.refuse(w, r, errBadRequest)
	case r.Method == http.MethodGet:
		f.passPoll(w, r, owner, to)
	case r.Method == http.MethodPost:
		f.passPost(w, r, owner, to)
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// destination is where a request or connection of a client wants to go.
type destination struct {
	sid       string
	protocol  int
	transport string
}

// silence is how long an owner that has given a sign of life may say nothing: it
// sends every client a ping in this time, and ends who does not answer.
func (f *foreign) silence() time.Duration {
	c := &f.server.config
	return c.PingInterval + c.PingTimeout
}

// arrive has those look again who wait for a node.
func (f *foreign) arrive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.arrival)
	f.arrival = make(chan struct{})
}

// await sends the first message of a lane once its node is there. It returns the
// error with which that failed before, if the node does not come.
func (f *foreign) await(ctx context.Context, l *lane, first []byte) error {
	patience := time.After(arrivalPatience)
	for {
		f.mu.Lock()
		arrival, gone := f.arrival, f.gone[l.key.node]
		f.mu.Unlock()
		err := l.send(messageOpen, first)
		if err == nil || gone {
			return err
		}
		l.sent.Store(0)
		select {
		case <-arrival:
		case <-l.done:
			return err
		case <-ctx.Done():
			return err
		case <-patience:
			return err
		}
	}
}

// lost ends what is under way with a node that has gone.
func (f *foreign) lost(node string) {
	f.mu.Lock()
	if len(f.gone) >= maxGone {
		clear(f.gone)
	}
	f.gone[node] = true
	f.mu.Unlock()
	for _, l := range f.all(func(l *lane) bool { return l.key.node == node }) {
		l.end(errPeer)
	}
}

// all returns the lanes of a kind.
func (f *foreign) all(want func(*lane) bool) (lanes []*lane) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.lanes {
		if want(l) {
			lanes = append(lanes, l)
		}
	}
	return lanes
}

// leave sends the clients of other nodes' sessions elsewhere: the polls that wait
// here, and those to come, are answered at once.
func (f *foreign) leave() {
	if f == nil {
		return
	}
	f.mu.Lock()
	f.leaving = true
	f.checkEmpty()
	f.mu.Unlock()
	for _, l := range f.all(func(l *lane) bool { return l.key.asked && l.kind == lanePoll }) {
		l.send(messageLetGo, nil)
	}
}

func (f *foreign) isLeaving() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leaving
}

// held returns the lanes of connections that this node holds for others.
func (f *foreign) held() []*lane {
	if f == nil {
		return nil
	}
	return f.all(func(l *lane) bool { return l.key.asked && l.kind == laneTunnel })
}

// checkEmpty tells wait when nothing is under way any more. mu is held.
func (f *foreign) checkEmpty() {
	if !f.leaving || len(f.lanes) > 0 {
		return
	}
	select {
	case <-f.empty:
	default:
		close(f.empty)
	}
}

// wait waits until nothing is under way with other nodes, a moment, and ends what
// is left then.
func (f *foreign) wait(ctx context.Context) {
	if f == nil {
		return
	}
	select {
	case <-f.empty:
	case <-time.After(lastPoll):
	case <-ctx.Done():
	}
	f.cut()
	f.tasks.Wait()
}

// cut ends what is under way with other nodes, and takes no more of it.
func (f *foreign) cut() {
	if f == nil {
		return
	}
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for _, l := range f.all(func(*lane) bool { return true }) {
		l.reset(errGone)
	}
}
