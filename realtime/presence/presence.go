package presence

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// The events of Options.Events. Both have the room as their first argument.
//
// "presence_state" has everybody as its second, a list of what [Entry] is as JSON,
// which takes the place of what the client knew. "presence_diff" has an object of
// such lists, "joins", "updates" and "leaves"; entries are told apart by "ref".
const (
	EventState = "presence_state"
	EventDiff  = "presence_diff"
)

// ErrMetaTooLarge is returned for what is to be known of somebody when it has more
// than Options.MaxMeta bytes as JSON.
var ErrMetaTooLarge = errors.New("presence: the meta is too large; raise Options.MaxMeta, or keep it elsewhere by its key")

// Options are those of a [Tracker]. The zero value works.
type Options[M any] struct {
	// Name tells the trackers of one namespace apart, if there are several. It is
	// the same on all nodes.
	Name string

	// Events has the clients in a room told: each that is tracked, or given to
	// Watch, gets EventState, and from then on EventDiff.
	Events bool

	// OnJoin, OnUpdate and OnLeave are called on every node for everybody on any
	// node; Tracker.Here says of whom only one node thinks so. They may wait: who
	// comes and goes meanwhile is told afterwards.
	OnJoin   func(Entry[M])
	OnUpdate func(before, after Entry[M])
	OnLeave  func(Entry[M])

	// MaxMeta is how many bytes of JSON may be known of one. Default 4 KiB.
	MaxMeta int

	// MaxEntries is how many entries of other nodes are believed in. What is beyond
	// is dropped, with a line in the log. Default a million.
	MaxEntries int

	// HeartbeatInterval is the time between two signs of life, by which a node
	// notices that it has missed something. That a node is dead is the cluster's to
	// say. Default 5 s.
	HeartbeatInterval time.Duration
}

func (o Options[M]) withDefaults() Options[M] {
	o.MaxMeta = cmp.Or(o.MaxMeta, 4<<10)
	o.MaxEntries = cmp.Or(o.MaxEntries, 1_000_000)
	o.HeartbeatInterval = cmp.Or(o.HeartbeatInterval, 5*time.Second)
	if o.MaxMeta < 0 || o.MaxEntries < 0 || o.HeartbeatInterval < 0 {
		panic("presence: an option is negative; leave it 0 for the default")
	}
	return o
}

// Entry is a socket in a room, and who that is. As JSON, which clients get, it
// has "ref", "id", "key" and "meta".
type Entry[M any] struct {
	Ref    string `json:"ref"` // no other has it, nor has had it
	Socket string `json:"id"`
	Key    string `json:"key"`  // who it is; somebody may be there more than once
	Meta   M      `json:"meta"` // is shared, and not to be changed
	Room   string `json:"-"`
	Node   string `json:"-"` // the name of the node with the socket; "" without a cluster
}

// Diff is the second argument of EventDiff.
type Diff[M any] struct {
	Joins   []Entry[M] `json:"joins"`
	Updates []Entry[M] `json:"updates"`
	Leaves  []Entry[M] `json:"leaves"`
}

// Tracker knows who is in the rooms of a namespace. What is to be known of
// somebody is an M, which goes to other nodes, and to clients, as JSON.
type Tracker[M any] struct {
	options   Options[M]
	namespace *realtime.Namespace
	lane      lane
	registry  registry

	// Guarded by registry.mu.
	tracked map[place]tracked
}

// place is a socket, by its id, in a room.
type place struct{ id, room string }

// tracked is a socket that is there.
type tracked struct {
	socket *realtime.Socket
	n      uint64      // of the entry
	stop   func() bool // ends the wait for the socket's end
}

// New returns a tracker of a namespace, which has to be one that stays: one that
// Server.Of has made, or server.Namespace. All nodes need one with the same name.
// New panics when there is one already on this node, or an option cannot work.
func New[M any](n *realtime.Namespace, o Options[M]) *Tracker[M] {
	o = o.withDefaults()
	t := &Tracker[M]{options: o, namespace: n, tracked: make(map[place]tracked)}
	config := n.Server().Config()
	t.lane.server, t.lane.logger = n.Server(), config.Logger
	topic := "presence " + n.Name() + " " + o.Name
	if n.Value(topic) != nil {
		panic(fmt.Sprintf("presence: the namespace %s has a tracker of the name %q; give Options.Name, or use that one", n.Name(), o.Name))
	}
	n.Set(topic, true)
	t.registry = registry{node: n.Server().Node(), topic: topic, logger: config.Logger, every: o.HeartbeatInterval,
		most: o.MaxEntries, decode: decodeMeta[M], changed: t.changed}
	n.On("leave-room", func(room, id string) { t.leave(place{id, room}, nil) })
	t.registry.start()
	return t
}

func decodeMeta[M any](text json.RawMessage) (any, error) {
	var value M
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	return value, nil
}

// Track has a socket join a room, and be known there as key, with a meta, until
// it leaves the room or is disconnected. For one that is tracked in the room
// already it changes key and meta. With Options.Events the socket gets EventState
// the first time.
//
// It fails when the socket may join no more rooms ([realtime.ErrTooManyRooms]) or
// has been disconnected ([realtime.ErrNotConnected]), and when meta is too large
// ([ErrMetaTooLarge]) or cannot be marshalled.
func (t *Tracker[M]) Track(s *realtime.Socket, room, key string, meta M) error {
	if s.Namespace() != t.namespace {
		return fmt.Errorf("presence: the socket is in the namespace %s, and the tracker is of %s", s.Namespace().Name(), t.namespace.Name())
	}
	text, err := json.Marshal(meta)
	if err != nil {
		return fmt.Errorf("presence: the meta of %q: %w", key, err)
	}
	if len(text) > t.options.MaxMeta {
		return fmt.Errorf("%w: it has %d bytes", ErrMetaTooLarge, len(text))
	}
	value, err := decodeMeta[M](text) // as other nodes have it, and nobody's to change
	if err != nil {
		return fmt.Errorf("presence: the meta of %q cannot be read back: %w", key, err)
	}
	at := place{s.ID(), room}
	fresh, err := t.put(s, at, key, text, value)
	if err != nil || !fresh {
		return err
	}
	// Who leaves the room from now on is not tracked any more, whichever comes first.
	if err := s.Join(room); err != nil {
		t.leave(at, s)
		return err
	}
	t.show(s, room)
	return nil
}

// put notes a socket, and reports whether it was not there before.
func (t *Tracker[M]) put(s *realtime.Socket, at place, key string, text json.RawMessage, value any) (fresh bool, err error) {
	g := &t.registry
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx := s.Context()
	if ctx.Err() != nil {
		return false, realtime.ErrNotConnected
	}
	was, there := t.tracked[at]
	if there && was.socket == s {
		g.put(was.n, at.room, at.id, key, text, value)
		return false, nil
	}
	if there { // it was recovered: the one before it has the same id, and cannot be connected any more
		was.stop()
		g.remove(was.n)
	}
	stop := context.AfterFunc(ctx, func() { t.leave(at, s) })
	t.tracked[at] = tracked{s, g.put(0, at.room, at.id, key, text, value), stop}
	return true, nil
}

// Untrack ends what Track began. The socket stays in the room.
func (t *Tracker[M]) Untrack(s *realtime.Socket, room string) { t.leave(place{s.ID(), room}, s) }

// leave ends the entry of a socket, or of whatever socket there is.
func (t *Tracker[M]) leave(at place, s *realtime.Socket) {
	g := &t.registry
	g.mu.Lock()
	defer g.mu.Unlock()
	if was, there := t.tracked[at]; there && (s == nil || was.socket == s) {
		was.stop()
		delete(t.tracked, at)
		g.remove(was.n)
	}
}

// Watch has a socket join a room, and with Options.Events told who is there,
// without being there itself.
func (t *Tracker[M]) Watch(s *realtime.Socket, room string) error {
	if err := s.Join(room); err != nil {
		return err
	}
	t.show(s, room)
	return nil
}

// List returns who is in a room, as far as this node knows, in the order of their
// keys.
func (t *Tracker[M]) List(room string) []Entry[M] { return entries[M](t.registry.list(room)) }

// Here reports whether an entry is that of a socket of this node.
func (t *Tracker[M]) Here(e Entry[M]) bool { return e.Node == t.registry.node.ID() }

// entries returns what users see of entries, sorted.
func entries[M any](all []*entry) []Entry[M] {
	list := make([]Entry[M], len(all))
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.node, b.node), cmp.Compare(a.n, b.n))
	})
	for i, e := range all {
		list[i] = public[M](e)
	}
	return list
}

func public[M any](e *entry) Entry[M] {
	meta, _ := e.value.(M) // one that is an interface may hold nil
	return Entry[M]{Ref: e.name(), Socket: e.socket, Key: e.key, Meta: meta, Room: e.room, Node: e.node}
}

// name is the ref for people.
func (r ref) name() string { return r.node + "-" + strconv.FormatUint(r.n, 36) }

// lane runs functions one after the other, by a goroutine that exists while there
// are any, and that the server waits for.
type lane struct {
	server *realtime.Server
	logger *slog.Logger

	mu      sync.Mutex // guards the rest
	queue   []func()
	running bool
}

func (l *lane) do(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, f)
	if !l.running {
		l.running = true
		l.server.Go(l.run)
	}
}

func (l *lane) run() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.queue, l.running = nil, false
			l.mu.Unlock()
			return
		}
		f := l.queue[0]
		l.queue = l.queue[1:]
		l.mu.Unlock()
		f()
	}
}
