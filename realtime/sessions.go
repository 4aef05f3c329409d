package realtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// savedSessions is what SaveSessions writes.
type savedSessions struct {
	Namespaces map[string]json.RawMessage `json:"namespaces"`          // of an adapter.Keeper each, by name
	Unclaimed  map[string]unclaimed       `json:"unclaimed,omitempty"` // of the server before, still
}

// unclaimed are the sessions of a namespace that nobody has made yet.
type unclaimed struct {
	Sessions json.RawMessage `json:"sessions"`
	Until    time.Time       `json:"until"` // they can be resumed then no longer
}

func (u unclaimed) expired() bool { return !time.Now().Before(u.Until) }

// Recovers reports whether clients can resume after their connection broke:
// whether Config.Recovery is set.
func (s *Server) Recovers() bool { return s.config.Recovery != nil }

// SaveSessions writes, after [Server.Shutdown] has returned nil, what the clients
// need to resume at the server after this one: their sessions, with rooms and
// values, and the events that they may miss meanwhile. The next process reads it
// by [Server.LoadSessions]. In development an App passes it on at every restart.
//
// Values are written as JSON, and what cannot be is logged and left out. It is a
// secret: who has it can resume as any of the clients. It writes the sessions of
// adapters that are an [adapter.Keeper]; those of a cluster are with the cluster.
func (s *Server) SaveSessions(w io.Writer) error {
	if !s.drained.Load() {
		return errors.New("realtime: SaveSessions before Shutdown has returned nil: the clients that are there have no sessions to save")
	}
	saved := savedSessions{Namespaces: make(map[string]json.RawMessage)}
	s.mu.Lock()
	saved.Unclaimed = maps.Clone(s.unclaimed)
	namespaces := make([]*Namespace, 0, len(s.namespaces))
	for _, n := range s.namespaces {
		namespaces = append(namespaces, n)
	}
	s.mu.Unlock()
	for _, n := range namespaces {
		k, able := n.adapter.(adapter.Keeper)
		if !able || !s.Recovers() {
			continue
		}
		text, err := k.Save()
		if err != nil {
			return fmt.Errorf("realtime: saving the sessions of %q: %w", n.name, err)
		}
		saved.Namespaces[n.name] = text
	}
	if err := json.NewEncoder(w).Encode(saved); err != nil {
		return fmt.Errorf("realtime: saving sessions: %w", err)
	}
	return nil
}

// LoadSessions has the server go on with the sessions that [Server.SaveSessions]
// of the one before wrote. It must be called before anybody connects or anything
// is emitted: otherwise the error is [adapter.ErrNotEmpty], and clients that come
// back begin anew. A value that was set before has to be asked for by [ValueOf],
// which knows its type.
func (s *Server) LoadSessions(r io.Reader) error {
	var saved savedSessions
	if err := json.NewDecoder(r).Decode(&saved); err != nil {
		return fmt.Errorf("realtime: loading sessions: %w", err)
	}
	if !s.Recovers() {
		return nil
	}
	all := make(map[string]unclaimed, len(saved.Namespaces)+len(saved.Unclaimed))
	maps.Copy(all, saved.Unclaimed)
	for name, text := range saved.Namespaces {
		all[name] = unclaimed{text, time.Now().Add(s.config.Recovery.MaxDisconnection)}
	}
	var errs []error
	for name, sessions := range all {
		s.mu.Lock()
		n := s.namespaces[name]
		if n == nil { // until somebody makes it
			if s.unclaimed == nil {
				s.unclaimed = make(map[string]unclaimed)
			}
			s.unclaimed[name] = sessions
		}
		s.mu.Unlock()
		if n != nil && !sessions.expired() {
			<-n.opened
			errs = append(errs, n.load(sessions.Sessions))
		}
	}
	return errors.Join(errs...)
}

// inherit loads what was saved of a namespace of that name, which has just been
// made.
func (n *Namespace) inherit() {
	n.server.mu.Lock()
	maps.DeleteFunc(n.server.unclaimed, func(_ string, u unclaimed) bool { return u.expired() })
	sessions, found := n.server.unclaimed[n.name]
	delete(n.server.unclaimed, n.name)
	n.server.mu.Unlock()
	if !found {
		return
	}
	if err := n.load(sessions.Sessions); err != nil {
		n.server.config.Logger.Warn("realtime: clients that come back begin anew", "namespace", n.name, "error", err)
	}
}

func (n *Namespace) load(text json.RawMessage) error {
	k, able := n.adapter.(adapter.Keeper)
	if !able {
		return nil
	}
	if err := k.Load(text); err != nil {
		return fmt.Errorf("realtime: loading the sessions of %q: %w", n.name, err)
	}
	return nil
}

// MarshalJSON returns the values, where another server goes on with them.
func (l *legacy) MarshalJSON() ([]byte, error) {
	return jsonOf(l.inherit(), func(key string, err error) {
		l.home.server.config.Logger.Warn("realtime: a socket's value cannot be told as JSON, and is lost to the next server",
			"namespace", l.home.name, "key", key, "error", err)
	}), nil
}

// valuesIn returns the values in the data of a session.
func valuesIn(data any) map[string]any {
	switch data := data.(type) {
	case *legacy:
		return data.inherit()
	case json.RawMessage:
		return valuesOf(data)
	}
	return nil
}
