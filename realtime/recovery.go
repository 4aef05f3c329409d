package realtime

import (
	"cmp"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// Recovery lets a client that loses its connection for a moment resume where it
// was, with its id, its rooms and its values, and get the events that it missed,
// in order and once each: https://socket.io/docs/v4/connection-state-recovery.
// The client needs nothing for it; socket.recovered is true at both ends.
//
// Events that want an acknowledgement, and volatile ones, are not sent again.
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
}

func (r Recovery) withDefaults() Recovery {
	setDefault(&r.MaxDisconnection, 2*time.Minute)
	setDefault(&r.MaxBytes, 16<<20)
	if r.MaxDisconnection < 0 || r.MaxBytes < 0 {
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
	return adapter.Retention{
		Sessions: c.Recovery.MaxDisconnection,
		Packets:  c.Recovery.MaxDisconnection + c.PingInterval + 2*c.PingTimeout,
		Bytes:    c.Recovery.MaxBytes,
	}
}

// recoverable reports whether a client that was disconnected for that reason may
// come back.
func recoverable(reason string) bool {
	switch reason {
	case ReasonTransportClose, ReasonTransportError, ReasonPingTimeout, ReasonForcedClose:
		return true
	}
	return false
}

// remember makes the socket known by its secret, for as long as it is connected.
func (s *Socket) remember() {
	n := s.namespace
	n.mu.Lock()
	defer n.mu.Unlock()
	n.recoverable[s.pid] = s
}

// depart takes the socket out of the adapter, which keeps its session if it may
// come back. It returns the rooms that the socket was in.
func (s *Socket) depart(reason string) []string {
	n := s.namespace
	if s.pid == "" {
		return n.adapter.Remove(s.id)
	}
	var rooms []string
	if recoverable(reason) {
		rooms = n.adapter.(adapter.Recoverer).Persist(s.id, adapter.Session{PID: s.pid, Data: cmp.Or(s.heir, s)})
	} else {
		rooms = n.adapter.Remove(s.id)
	}
	n.mu.Lock()
	delete(n.recoverable, s.pid)
	n.mu.Unlock()
	return rooms
}

// reclaim is what a client that was here before asks for in its auth.
type reclaim struct {
	PID    any `json:"pid"`
	Offset any `json:"offset"`
}

// restore takes the session that the client asks for. A socket that still has
// it, because the server has not noticed yet that its connection is broken, is
// disconnected first.
func (s *Socket) restore() (session adapter.Session, offset string, found bool) {
	var asked reclaim
	if s.handshake.DecodeAuth(&asked) != nil {
		return session, "", false
	}
	pid, _ := asked.PID.(string)
	offset, ok := asked.Offset.(string)
	if pid == "" || !ok && asked.Offset != nil {
		return session, "", false
	}
	n := s.namespace
	n.mu.Lock()
	before := n.recoverable[pid]
	n.mu.Unlock()
	if before != nil {
		if before.client == s.client {
			return session, "", false
		}
		before.client.session.Abort()
		if !before.ended(s.client.gone) {
			return session, "", false
		}
	}
	session, found = n.adapter.(adapter.Recoverer).Restore(pid, offset)
	if !found {
		n.server.config.Metrics.Add(MetricRecovered, "no", 1)
		return session, "", false
	}
	n.server.config.Metrics.Add(MetricRecovered, "yes", 1)
	if before, ok := session.Data.(*Socket); ok {
		// Its events come before those of this one, and its handlers may still
		// change its values.
		if before.ended(s.client.gone) {
			s.values.replace(before.values.snapshot())
		} else {
			s.heir = before
		}
	}
	return session, offset, true
}

// ended waits until all handlers of the socket have run, or for the channel.
func (s *Socket) ended(unless <-chan struct{}) bool {
	select {
	case <-s.inbox.done:
		return true
	case <-unless:
		return false
	}
}
