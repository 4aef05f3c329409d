package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// seat is a socket whose client may come back. It is a namespace with no other, too.
type seat struct {
	adapter.Namespace // what is not asked for
	id, pid           string
	chronicle         *chronicle // that it is in, or nil
	expired           func(adapter.Session)
	abandoned         func() // is called when it has to leave, or nil

	mu  sync.Mutex // guards the rest
	got []string   // the numbers it was sent
}

func (s *seat) ID() string                                 { return s.id }
func (s *seat) Name() string                               { return "/" }
func (s *seat) Codec() parser.Codec                        { return parser.JSON }
func (s *seat) WatchesRooms() bool                         { return false }
func (s *seat) Delivered(adapter.Packet, []adapter.Socket) {}
func (s *seat) Session(socket adapter.Socket) (adapter.Session, bool) {
	return adapter.Session{PID: socket.(*seat).pid, ID: socket.ID(), Data: json.RawMessage("{}")}, true
}

func (s *seat) Retention() adapter.Retention {
	return adapter.Retention{Sessions: time.Minute, Packets: 2 * time.Minute, Bytes: 1 << 20, Expired: s.expired}
}

// Owners implements adapter.Namespace.
func (s *seat) Owners(pid string) func(context.Context) {
	s.mu.Lock()
	c := s.chronicle
	s.chronicle = nil
	s.mu.Unlock()
	return func(context.Context) {
		if c != nil && (pid == "" || pid == s.pid) {
			if s.abandoned != nil {
				s.abandoned()
			}
			c.Persist(s.id, adapter.Session{PID: s.pid, Data: json.RawMessage("{}")})
		}
	}
}

// Deliver implements adapter.Host.
func (s *seat) Deliver(p adapter.Packet, sockets []adapter.Socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(sockets) > 0 {
		s.got = append(s.got, p.Offset)
	}
}

// table is a node, and the only seat it has.
type table struct {
	*seat
	*chronicle
	engine *shaky
}

// shaky is an engine of a hub that does not always do what it is asked.
type shaky struct {
	*hubLogEngine
	beforeSave atomic.Pointer[func()]
	afterTake  atomic.Pointer[func()]
	failing    atomic.Int32 // calls of Take, Tail and Read that fail
	unreadable atomic.Int32 // the number of an entry that cannot be read, or 0
}

var errShaky = errors.New("the test has this fail")

func (e *shaky) fails() error {
	if e.failing.Add(-1) >= 0 {
		return errShaky
	}
	return nil
}

func (e *shaky) Save(ctx context.Context, records []Record) error {
	if f := e.beforeSave.Load(); f != nil {
		(*f)()
	}
	return e.hubLogEngine.Save(ctx, records)
}

func (e *shaky) Take(ctx context.Context, key string, of int64) ([]byte, int64, error) {
	if err := e.fails(); err != nil {
		return nil, 0, err
	}
	value, term, err := e.hubLogEngine.Take(ctx, key, of)
	if f := e.afterTake.Load(); f != nil {
		(*f)()
	}
	return value, term, err
}

func (e *shaky) Tail(ctx context.Context, namespace string) (string, error) {
	if err := e.fails(); err != nil {
		return "", err
	}
	return e.hubLogEngine.Tail(ctx, namespace)
}

func (e *shaky) Read(ctx context.Context, namespace, after, upTo string, f func(*Message) bool) error {
	if err := e.fails(); err != nil {
		return err
	}
	unreadable := false
	err := e.hubLogEngine.Read(ctx, namespace, after, upTo, func(m *Message) bool {
		unreadable = m.Offset == fmt.Sprint(e.unreadable.Load())
		return !unreadable && f(m)
	})
	if unreadable {
		err = ErrUnreadable
	}
	return err
}

// atTables runs a test with nodes of a hub, of which the first has the client's socket.
func atTables(t *testing.T, count int, test func(t *testing.T, hub *Hub, tables []*table)) {
	atTablesTelling(t, count, nil, test)
}

// sit adds a node to a hub.
func sit(hub *Hub, expired func(adapter.Session)) *table {
	e := &shaky{hubLogEngine: &hubLogEngine{hubEngine: hubEngine{hub: hub}, read: make(map[string]int)}}
	n := New(Options{}, func(adapter.Server) Engine { return e }).Open(adapter.Server{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	s := &seat{id: "sid", pid: "pid", expired: expired}
	return &table{s, n.Adapter(s).(*chronicle), e}
}

// leave ends the node.
func (b *table) leave(t *testing.T) {
	b.chronicle.Close()
	b.node.Close(t.Context())
}

// atTablesTelling is atTables where somebody is told of sessions that expire, one after the other.
func atTablesTelling(t *testing.T, count int, tell func(adapter.Session), test func(t *testing.T, hub *Hub, tables []*table)) {
	var mu sync.Mutex
	expired := func(s adapter.Session) {
		mu.Lock()
		defer mu.Unlock()
		tell(s)
	}
	if tell == nil {
		expired = nil
	}
	synctest.Test(t, func(t *testing.T) {
		hub := NewLogHub(Options{})
		var tables []*table
		for range count {
			b := sit(hub, expired)
			tables = append(tables, b)
			defer b.leave(t)
		}
		time.Sleep(time.Second)
		tables[0].seat.chronicle = tables[0].chronicle
		tables[0].Add(tables[0].seat)
		test(t, hub, tables)
	})
}

// comeBack has the client come back with what it has heard last, and returns where what
// it has missed stands.
func (b *table) comeBack(t *testing.T, offset string) (missed []string) {
	t.Helper()
	session, found := b.Restore("pid", offset)
	if !found || session.ID != "sid" {
		t.Fatalf("restored: %v, as %q", found, session.ID)
	}
	packets, able := b.Resume(b.seat, session, offset)
	if !able {
		t.Fatal("it does not go on where it was")
	}
	b.seat.mu.Lock()
	b.seat.chronicle = b.chronicle
	b.seat.mu.Unlock()
	for _, p := range packets {
		missed = append(missed, p.Offset)
	}
	return missed
}

func (b *table) say(t *testing.T, n int) {
	t.Helper()
	frames, err := parser.JSON.Encode(parser.Outgoing{Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "count", Args: []any{n}})
	if err == nil {
		err = b.Broadcast(adapter.Packet{Frames: frames, Keep: true}, adapter.Target{})
	}
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// forget has the node read everything in the log from now on.
func (b *table) forget() {
	b.chronicle.order.Lock()
	defer b.chronicle.order.Unlock()
	b.recent.begin("")
}

// kept returns the value of a record.
func (h *Hub) kept(key string) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.records[key].value
}

// lives reports at how many of the tables the client is.
func lives(tables []*table) (count int) {
	for _, b := range tables {
		b.chronicle.order.Lock()
		count += len(b.live)
		b.chronicle.order.Unlock()
	}
	return count
}

// What is kept of a session may be what a node said that has given it up since.
func TestRestoreOutOfDate(t *testing.T) {
	for _, to := range []int{2, 0} { // another one, or the one that has said it
		t.Run(fmt.Sprint(to), func(t *testing.T) {
			atTables(t, 3, func(t *testing.T, _ *Hub, tables []*table) {
				saved := func() { tables[0].Flush(t.Context()) } // what the second node has looked for in vain
				tables[1].engine.afterTake.Store(&saved)
				blocked := make(chan struct{})
				wait := func() { <-blocked }
				tables[1].engine.beforeSave.Store(&wait)
				tables[1].comeBack(t, "")
				tables[to].comeBack(t, "")
				close(blocked)
				if n := lives(tables); n != 1 {
					t.Errorf("the client is at %d nodes", n)
				}
			})
		})
	}
}

// A node that has given up a session does not delete what another one keeps of it.
func TestRestoreLateUpdate(t *testing.T) {
	atTables(t, 2, func(t *testing.T, hub *Hub, tables []*table) {
		tables[1].comeBack(t, "")
		tables[1].Flush(t.Context())
		tables[0].Update("pid")
		tables[0].Flush(t.Context())
		if len(hub.kept("pid")) == 0 {
			t.Error("it is not kept any more")
		}
	})
}

// Of two nodes that ask for a session at once, one gets it.
func TestRestoreRace(t *testing.T) {
	atTables(t, 3, func(t *testing.T, _ *Hub, tables []*table) {
		var found atomic.Int32
		var wg sync.WaitGroup
		for _, b := range tables[1:] {
			wg.Go(func() {
				if _, is := b.Restore("pid", ""); is {
					found.Add(1)
				}
			})
		}
		wg.Wait()
		if n := found.Load(); n != 1 {
			t.Errorf("%d nodes have restored it", n)
		}
	})
}

// A node that was out of reach while its client came back elsewhere does not write over
// what is kept of it since, nor give it up once more, nor tell that it has expired.
func TestRestorePartition(t *testing.T) {
	leave := map[string]func(b *table){
		"stays":    func(*table) {},
		"departs":  func(b *table) { b.Persist("sid", adapter.Session{PID: "pid", Data: json.RawMessage("{}")}) },
		"ends":     func(b *table) { b.Remove("sid") },
		"changes":  func(b *table) { b.Update("pid") },
		"gives up": func(b *table) { b.Persist("sid", adapter.Session{PID: "pid"}); b.saver.end("pid", 0) },
	}
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			tell := func(s adapter.Session) { t.Errorf("told of %s", s.ID) }
			atTablesTelling(t, 3, tell, func(t *testing.T, hub *Hub, tables []*table) {
				a, b := tables[0], tables[1]
				a.Flush(t.Context())
				hub.Cut(a.node.id)
				defer hub.Heal(a.node.id) // so that it can say goodbye
				b.comeBack(t, "0")
				b.Join("sid", "room")
				b.Flush(t.Context())
				leave(a)
				time.Sleep(20 * time.Second) // the node is taken for dead
				hub.Heal(a.node.id)
				a.Flush(t.Context())
				time.Sleep(20 * time.Second)
				var kept record
				if err := json.Unmarshal(hub.kept("pid"), &kept); err != nil || kept.Node != b.node.id {
					t.Fatalf("kept is %q, error %v", hub.kept("pid"), err)
				}
				time.Sleep(10 * time.Minute) // what is departed expires
				hub.mu.Lock()
				delete(hub.records, "pid") // so that all nodes are asked
				hub.mu.Unlock()
				session, found := tables[2].Restore("pid", "0")
				if want := []string{"sid", "room"}; !found || !slices.Equal(session.Rooms, want) {
					t.Errorf("restored: %v, in the rooms %v", found, session.Rooms)
				}
			})
		})
	}
}

// A node that takes its time to give up a client is waited for.
func TestRestoreSlow(t *testing.T) {
	atTables(t, 2, func(t *testing.T, _ *Hub, tables []*table) {
		a, b := tables[0], tables[1]
		a.Flush(t.Context())
		a.abandoned = func() { time.Sleep(claimWait - time.Millisecond); a.Join("sid", "late") }
		session, found := b.Restore("pid", "0")
		if want := []string{"sid", "late"}; !found || !slices.Equal(session.Rooms, want) {
			t.Errorf("restored: %v, in the rooms %v", found, session.Rooms)
		}
	})
}

// Of the clients of a node that is dead the first waits for it a moment, and the others not
// even that.
func TestRestoreSilent(t *testing.T) {
	atTables(t, 2, func(t *testing.T, hub *Hub, tables []*table) {
		a, b := tables[0], tables[1]
		a.Add(&seat{id: "sid", pid: "another"})
		a.Flush(t.Context())
		hub.Cut(a.node.id)
		defer hub.Heal(a.node.id) // so that it can say goodbye
		for i, pid := range []string{"pid", "another"} {
			most := []time.Duration{silentWait, 0}[i]
			begun := time.Now()
			_, found := b.Restore(pid, "0")
			if waited := time.Since(begun); !found || waited > most {
				t.Errorf("%s is restored: %v, after %v", pid, found, waited)
			}
		}
		hub.Heal(a.node.id)
		time.Sleep(10 * time.Second)
		if b.node.peers.isMute(a.node.id) {
			t.Error("nobody waits for the node that is there again")
		}
	})
}

// What a client has missed that was gone when its node died is what it has missed since
// it went, whatever the clients that were there still had received.
func TestRestoreDepartedDead(t *testing.T) {
	atTables(t, 2, func(t *testing.T, hub *Hub, tables []*table) {
		a, b := tables[0], tables[1]
		a.Persist("sid", adapter.Session{PID: "pid", Data: json.RawMessage("{}")})
		a.say(t, 1)
		a.say(t, 2)
		a.Flush(t.Context())
		if err := a.lease(t.Context(), []byte(`{"safe":"1"}`)); err != nil {
			t.Fatal(err)
		}
		hub.Cut(a.node.id)
		defer hub.Heal(a.node.id) // so that it can say goodbye
		if missed := b.comeBack(t, "0"); !slices.Equal(missed, []string{"1", "2"}) {
			t.Errorf("it has missed %v", missed)
		}
	})
}

// An engine that is out of reach for a moment does not have clients begin anew.
func TestRestoreTriesAgain(t *testing.T) {
	atTables(t, 2, func(t *testing.T, _ *Hub, tables []*table) {
		tables[0].say(t, 1)
		tables[0].Flush(t.Context())
		tables[1].engine.failing.Store(8)
		if missed := tables[1].comeBack(t, "0"); !slices.Equal(missed, []string{"1"}) {
			t.Errorf("it has missed %v", missed)
		}
	})
}

// copyFirst writes the first message of the log once more, as a node does that was not
// answered.
func (h *Hub) copyFirst() {
	h.mu.Lock()
	l := h.logs["/"]
	l.entries = append(l.entries, l.entries[0])
	h.mu.Unlock()
	h.pump()
	synctest.Wait()
}

// A node that has not read the first of two copies itself knows the second.
func TestRestoreCopiesLate(t *testing.T) {
	atTables(t, 1, func(t *testing.T, hub *Hub, tables []*table) {
		tables[0].say(t, 1)
		between := sit(hub, nil)
		defer between.leave(t)
		time.Sleep(time.Second)
		if missed := between.comeBack(t, "1"); len(missed) > 0 {
			t.Errorf("it has missed %v", missed)
		}
		hub.copyFirst()
		if len(between.got) > 0 {
			t.Errorf("it got %v", between.got)
		}
		after := sit(hub, nil)
		defer after.leave(t)
		time.Sleep(time.Second)
		tables[0].say(t, 2)
		for offset, want := range map[string][]string{"0": {"1", "3"}, "1": {"3"}, "2": {"3"}} {
			for _, b := range []*table{after, between, tables[0]} {
				if missed := b.comeBack(t, offset); !slices.Equal(missed, want) {
					t.Errorf("behind %s it has missed %v, want %v", offset, missed, want)
				}
			}
		}
	})
}

// What the log has twice a client is told once, also when it comes back between the two.
func TestRestoreCopies(t *testing.T) {
	atTables(t, 2, func(t *testing.T, hub *Hub, tables []*table) {
		tables[0].say(t, 1)
		hub.copyFirst()
		tables[0].say(t, 2)
		for _, recalled := range []bool{true, false} {
			if !recalled {
				for _, b := range tables {
					b.forget()
				}
			}
			for offset, want := range map[string][]string{"0": {"1", "3"}, "1": {"3"}, "3": nil} {
				for _, b := range []*table{tables[1], tables[0]} {
					if missed := b.comeBack(t, offset); !slices.Equal(missed, want) {
						t.Errorf("recalled %v: behind %s it has missed %v, want %v", recalled, offset, missed, want)
					}
				}
			}
		}
		if !slices.Equal(tables[0].got, []string{"1", "3"}) {
			t.Errorf("the first socket got %v", tables[0].got)
		}
	})
}

// A session that is given to a node where nobody waits for it any more is kept for the client.
func TestRestoreGivenTooLate(t *testing.T) {
	atTables(t, 3, func(t *testing.T, _ *Hub, tables []*table) {
		tables[0].say(t, 1)
		question, _ := json.Marshal(claiming{ID: "of long ago", Namespace: "/", PID: "pid"})
		if err := tables[1].node.Send(tables[0].node.id, claimTopic, question); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := lives(tables); n != 0 {
			t.Errorf("the client is at %d tables", n)
		}
		tables[1].say(t, 2)
		if missed := tables[2].comeBack(t, "1"); !slices.Equal(missed, []string{"2"}) {
			t.Errorf("it has missed %v", missed)
		}
	})
}

// What is remembered of the log is bounded, and what is not is read there.
func TestRestoreRecent(t *testing.T) {
	r := recent{of: &hubLogEngine{}}
	r.begin("0")
	const count, size = 100, recentBytes / 50
	for i := range count {
		r.add(&Message{Offset: fmt.Sprint(i + 1), Data: make([]byte, size)})
	}
	if r.bytes > recentBytes || r.reaches("40") || !r.reaches("60") {
		t.Errorf("it holds %d bytes, from %s on", r.bytes, r.from)
	}
	var got []string
	for _, m := range r.between("97", "99") {
		got = append(got, m.Offset)
	}
	if !slices.Equal(got, []string{"98", "99"}) || len(r.between(fmt.Sprint(count), fmt.Sprint(count))) > 0 {
		t.Errorf("between 97 and 99 it has %v", got)
	}
	if r.begin(""); r.reaches("99") {
		t.Error("it reaches over a gap")
	}
}

// What an engine has skipped because a client was not back yet is told to it.
func TestRestoreSkipped(t *testing.T) {
	atTables(t, 2, func(t *testing.T, hub *Hub, tables []*table) {
		tables[0].Join("sid", "room")
		tables[0].say(t, 1)
		b := tables[1]
		session, found := b.Restore("pid", "1")
		if !found {
			t.Fatal("it is not restored")
		}
		hub.mu.Lock()
		l := hub.logs["/"]
		l.entries = append(l.entries, l.entries[0])
		hub.mu.Unlock()
		if b.node.Interested("/", "room") {
			t.Fatal("somebody is there already")
		}
		if _, able := b.Resume(b.seat, session, "1"); !able {
			t.Fatal("it does not go on where it was")
		}
		m, err := ParseMessage(l.entries[1])
		if err != nil {
			t.Fatal(err)
		}
		b.node.peers.mu.Lock()
		b.node.peers.known[m.Node].seqs = window{} // as if it were another message
		b.node.peers.mu.Unlock()
		b.node.Receive(&Message{Type: Heartbeat, Namespace: "/", Offset: "2", Skipped: true})
		synctest.Wait()
		b.seat.mu.Lock()
		defer b.seat.mu.Unlock()
		if !slices.Equal(b.got, []string{"2"}) {
			t.Errorf("it got %v", b.got)
		}
	})
}

// Where a message is missing a client is told nothing that follows it, and comes back
// at once: anew if it was there before the gap, and as it was if it came behind it.
func TestLost(t *testing.T) {
	atTables(t, 2, func(t *testing.T, hub *Hub, tables []*table) {
		tables[0].say(t, 1)
		tables[0].Flush(t.Context())
		b := tables[1]
		for _, o := range tables {
			o.engine.unreadable.Store(2)
			o.engine.reading.Lock() // the log is read by hand
			o.engine.read = nil
			o.engine.reading.Unlock()
		}
		tables[0].say(t, 2)
		tables[0].say(t, 3)
		for _, o := range tables {
			o.node.Lost("/")
			o.node.Receive(&Message{Namespace: "/", Offset: "2"})
			hub.mu.RLock()
			third := hub.logs["/"].entries[2]
			hub.mu.RUnlock()
			o.engine.takeLogged(third, 3)
		}
		synctest.Wait()
		if !slices.Equal(tables[0].got, []string{"1"}) {
			t.Errorf("the socket got %v", tables[0].got)
		}
		began := time.Now()
		if _, found := b.Restore("pid", "1"); found {
			t.Error("it is restored over the gap")
		}
		tables[1].seat.chronicle = b.chronicle
		hub.mu.Lock()
		delete(hub.terms, "pid") // as of one who begins anew
		hub.mu.Unlock()
		b.Add(b.seat)
		b.Flush(t.Context())
		b.Owners("")(t.Context())
		if missed := tables[0].comeBack(t, "3"); missed != nil {
			t.Errorf("it has missed %v", missed)
		}
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("it waited for %v", waited)
		}
	})
}

// What a node has skipped, and cannot read when a client comes back that was to have
// it, does not keep that client waiting.
func TestLostSkipped(t *testing.T) {
	atTables(t, 2, func(t *testing.T, hub *Hub, tables []*table) {
		tables[0].say(t, 1)
		b := tables[1]
		b.engine.unreadable.Store(2)
		b.node.Receive(&Message{Type: Heartbeat, Namespace: "/", Offset: "2", Skipped: true, resumed: 1})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.reach(ctx, "2"); err != nil {
			t.Error(err)
		}
	})
}
