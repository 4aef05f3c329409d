package realtime

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Recovery lets a client that loses its connection for a moment resume where it
// was, with its id, its rooms and its values, and get the events that it missed,
// in order and once each: https://socket.io/docs/v4/connection-state-recovery.
// The client needs nothing for it; socket.recovered is true at both ends.
//
// An event that is emitted to a socket whose client is gone for a moment is one
// that it missed. Those that want an acknowledgement, and volatile ones, are not
// sent again.
// What would have to be sent again takes memory, and a client that has missed
// more than is kept begins anew.
type Recovery struct {
	// MaxDisconnection is how long a client may be gone; the reference calls it
	// maxDisconnectionDuration. Default 2 min.
	MaxDisconnection time.Duration

	// RunMiddleware runs the namespace's middleware for a client that resumes,
	// too; the reference calls the opposite skipMiddlewares. A client's
	// credentials may have ended meanwhile, or not.
	RunMiddleware bool

	// MaxBytes is how many bytes of events are kept, for each namespace. Default
	// 16 MiB.
	MaxBytes int

	// MaxSessions is how many clients that are gone may come back, to each
	// namespace; of more, those that have been gone longest cannot. Default
	// 100 000.
	MaxSessions int

	// OnExpired is told of each client that was gone for longer than that, or had
	// to make room for others. In a cluster whose engine keeps packets the server tells
	// that the client was on last, or one of the others when that has died or shut down;
	// on another engine nobody tells of those. It must not wait.
	OnExpired func(*ExpiredSession)
}

func (r Recovery) withDefaults() Recovery {
	setDefault(&r.MaxDisconnection, 2*time.Minute)
	setDefault(&r.MaxBytes, 16<<20)
	setDefault(&r.MaxSessions, 100_000)
	if r.MaxDisconnection < 0 || r.MaxBytes < 0 || r.MaxSessions < 0 {
		panic("realtime: Config.Recovery has a negative option; leave it 0 for the default")
	}
	return r
}

// retention is what the adapter has to keep: a packet for as long as a client
// may be gone, and may have been gone without the server's knowing.
func (c *Config) retention() adapter.Retention {
	if c.Recovery == nil {
		return adapter.Retention{}
	}
	var expired func(adapter.Session)
	if c.Recovery.OnExpired != nil {
		expired = c.expired
	}
	return adapter.Retention{
		Expired:  expired,
		Sessions: c.Recovery.MaxDisconnection,
		Packets:  c.Recovery.MaxDisconnection + c.PingInterval + 2*c.PingTimeout,
		Bytes:    c.Recovery.MaxBytes,
		Most:     c.Recovery.MaxSessions,
	}
}

// recoverable reports whether a client that was disconnected for that reason may
// come back.
func recoverable(reason string) bool {
	switch reason {
	case ReasonTransportClose, ReasonTransportError, ReasonPingTimeout, ReasonForcedClose, ReasonShuttingDown:
		return true
	}
	return false
}

// ExpiredSession is what [Recovery].OnExpired is told of a client that has not
// come back.
type ExpiredSession struct {
	ID    string   // of the socket
	Rooms []string // it was in, its own id first

	values map[string]any
}

// Value returns the value that Socket.Set kept, or nil; see [ValueOf].
func (s *ExpiredSession) Value(key string) any { return plainValue(s.values[key]) }

func (s *ExpiredSession) rawValue(key string) any { return s.values[key] }

// expired tells of a session that is not kept any more.
func (c *Config) expired(s adapter.Session) {
	defer func() {
		if v := recover(); v != nil {
			c.Logger.Error("realtime: handler panicked", "event", "OnExpired", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	c.Recovery.OnExpired(&ExpiredSession{ID: s.ID, Rooms: s.Rooms, values: valuesIn(s.Data)})
}

// legacy is what a socket leaves to the one that goes on where it was: its
// values, which its handlers may change until they have ended.
type legacy struct {
	home *Namespace

	mu     sync.Mutex // guards the rest
	socket *Socket    // until its handlers have ended
	values map[string]any
}

// inherit returns the values.
func (l *legacy) inherit() map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.socket != nil {
		return l.socket.values.snapshot()
	}
	return l.values
}

// settle notes that the values do not change any more.
func (l *legacy) settle() {
	values := l.inherit()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.socket, l.values = nil, values
}

// sharer returns what keeps sessions where other servers find them, if anything
// does.
func (n *Namespace) sharer() (adapter.Sharer, bool) {
	shared, able := n.adapter.(adapter.Sharer)
	return shared, able && n.recoverable != nil
}

// changed notes that the values of the socket have changed.
func (s *Socket) changed() {
	if s.pid == "" {
		return
	}
	if shared, able := s.namespace.sharer(); able {
		shared.Update(s.pid)
	}
}

// Session implements adapter.Namespace.
func (h host) Session(socket adapter.Socket) (adapter.Session, bool) {
	s := socket.(*Socket)
	return adapter.Session{PID: s.pid, ID: s.id, Data: socketData{s}}, s.pid != ""
}

// socketData are a socket's values, for other servers.
type socketData struct{ socket *Socket }

// MarshalJSON returns the values as an object.
func (d socketData) MarshalJSON() ([]byte, error) { return d.socket.values.json(d.socket.warn), nil }

// Owners implements adapter.Namespace.
func (h host) Owners(pid string) (abandon func(ctx context.Context)) {
	n := h.namespace
	n.mu.Lock()
	sockets := n.recoverable[pid]
	if pid == "" {
		for _, owners := range n.recoverable {
			sockets = append(sockets[:len(sockets):len(sockets)], owners...)
		}
	}
	n.mu.Unlock()
	return func(ctx context.Context) {
		for _, s := range sockets {
			s.client.session.Abort()
		}
		for _, s := range sockets {
			select {
			case <-s.inbox.finished():
			case <-ctx.Done():
				return
			}
		}
	}
}

// depart takes the socket out of the adapter, which keeps its session if the
// client may come back. It returns the rooms that the socket was in. Some time
// later, all handlers having run, bequeath follows.
func (s *Socket) depart(reason string, joined bool) []string {
	if s.pid == "" || !recoverable(reason) || !joined && !s.recovered { // or does not know that it could
		return s.namespace.adapter.Remove(s.id)
	}
	s.legacy = &legacy{home: s.namespace, socket: s}
	return s.namespace.adapter.(adapter.Recoverer).Persist(s.id, adapter.Session{PID: s.pid, Data: s.legacy})
}

// bequeath makes way for the socket that goes on where this one was.
func (s *Socket) bequeath() {
	if s.legacy != nil {
		s.legacy.settle()
		s.changed()
	}
	s.disown()
}

// own makes s one of the sockets that have its secret, if it has one, and
// returns those that had it before.
func (s *Socket) own() (others []*Socket) {
	n := s.namespace
	n.mu.Lock()
	defer n.mu.Unlock()
	others = n.recoverable[s.pid]
	if s.pid != "" && !slices.Contains(others, s) {
		n.recoverable[s.pid] = append(others[:len(others):len(others)], s)
	}
	return others
}

// disown undoes own.
func (s *Socket) disown() {
	n := s.namespace
	n.mu.Lock()
	defer n.mu.Unlock()
	owners := slices.DeleteFunc(slices.Clone(n.recoverable[s.pid]), func(o *Socket) bool { return o == s })
	if len(owners) > 0 {
		n.recoverable[s.pid] = owners
	} else {
		delete(n.recoverable, s.pid)
	}
}

// reclaim is what a client that was here before asks for in its auth.
type reclaim struct {
	PID    any `json:"pid"`
	Offset any `json:"offset"`
}

// restore takes the session that the client asks for.
func (s *Socket) restore() (session adapter.Session, offset string, found bool) {
	var asked reclaim
	if json.Unmarshal(s.introduced.auth, &asked) != nil {
		return session, "", false
	}
	pid, _ := asked.PID.(string)
	offset, ok := asked.Offset.(string)
	if pid == "" || !ok && asked.Offset != nil || !s.claim(pid) {
		return session, "", false
	}
	n := s.namespace
	session, found = n.adapter.(adapter.Recoverer).Restore(pid, offset)
	if !found {
		s.disown()
		n.server.config.Metrics.Add(MetricRecovered, "no", 1)
		return session, "", false
	}
	n.server.config.Metrics.Add(MetricRecovered, "yes", 1)
	if was := valuesIn(session.Data); was != nil {
		s.values.replace(was)
	}
	return session, offset, true
}

// claim makes s the last socket that has that secret. The others, whose
// connections the server does not know to be broken, or whose handlers run still,
// come to their end first: their events come before those of s, and their
// handlers may change its values. It reports false when the client of s is gone
// before that.
func (s *Socket) claim(pid string) bool {
	s.pid = pid
	others := s.own()
	for _, o := range others {
		o.client.session.Abort()
	}
	for _, o := range others {
		select {
		case <-o.inbox.finished():
		case <-s.client.over():
			s.disown()
			return false
		}
	}
	return true
}

// anew gives the socket a name of its own, and a secret if clients may come
// back, which tells the client that it does not go on where it was.
func (s *Socket) anew(recovers bool) {
	s.id, s.pid = s.client.socketID(s.namespace.name), ""
	if recovers {
		s.pid = newSecret()
	}
}
