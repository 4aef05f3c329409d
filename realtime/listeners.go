package realtime

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Listener is a handler that has been registered. It need not be kept.
type Listener struct {
	of    *listeners
	key   key
	entry *listener
}

// Off removes the handler. Calls that are under way or queued still happen.
func (l Listener) Off() {
	if l.of == nil {
		return
	}
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	l.of.set(l.key, slices.DeleteFunc(slices.Clone(l.of.entries[l.key]), func(e *listener) bool { return e == l.entry }))
}

// listener is a handler in a set of them.
type listener struct {
	handler *handler // or
	fn      any      // of the type that its kind has
	once    bool
}

// key is what a handler was registered for: an event, or one of the things that
// have no name that a client could send.
type key struct {
	kind kind
	name string // of an event
}

type kind int

const (
	anEvent kind = iota
	anyIncoming
	anyOutgoing
	ofErrors
	ofDrain
)

func event(name string) key { return key{anEvent, name} }

// listeners are handlers in the order of registration. The zero value is ready.
// The slices are replaced and never changed, so that they may be walked without
// the lock.
type listeners struct {
	kinds atomic.Uint32 // those that were ever registered for, a bit each

	mu      sync.Mutex // guards the rest
	entries map[key][]*listener
}

// have reports whether there may be handlers of that kind, at next to no cost.
func (s *listeners) have(k kind) bool { return s.kinds.Load()&(1<<k) != 0 }

// add registers a handler, the last of its key, or the first.
func (s *listeners) add(k key, entry *listener, first bool) Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.entries[k]
	if first {
		l = append([]*listener{entry}, l...)
	} else {
		l = append(l[:len(l):len(l)], entry)
	}
	s.set(k, l)
	s.kinds.Or(1 << k.kind)
	return Listener{s, k, entry}
}

// set replaces the handlers of a key. mu is held.
func (s *listeners) set(k key, l []*listener) {
	switch {
	case len(l) == 0:
		delete(s.entries, k)
	case s.entries == nil:
		s.entries = map[key][]*listener{k: l}
	default:
		s.entries[k] = l
	}
}

// drop removes the handlers of a key.
func (s *listeners) drop(k key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, k)
}

// dropEvents removes the handlers of all events.
func (s *listeners) dropEvents() {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.entries, func(k key, _ []*listener) bool { return k.kind == anEvent })
}

// of returns the handlers of a key.
func (s *listeners) of(k key) []*listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[k]
}

// take returns the handlers of a key, and forgets those that run once.
func (s *listeners) take(k key) []*listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.entries[k]
	if slices.ContainsFunc(l, func(l *listener) bool { return l.once }) {
		s.set(k, slices.DeleteFunc(slices.Clone(l), func(l *listener) bool { return l.once }))
	}
	return l
}

// names returns the events that have handlers, sorted.
func (s *listeners) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for k := range s.entries {
		if k.kind == anEvent {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	return names
}
