package realtime

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Listener is a handler that has been registered. It need not be kept.
type Listener struct {
	of     *listeners
	number uint32
}

// Off removes the handler. Calls that are under way or queued still happen.
func (l Listener) Off() {
	if l.of != nil {
		l.of.remove(func(e *listener) bool { return e.number == l.number })
	}
}

// listener is a handler in a set of them.
type listener struct {
	handler // or, without a signature, a function of the type that its kind has
	name    string
	kind    kind
	once    bool
	number  uint32 // no other in the set ever had it
}

// is reports whether it was registered for k.
func (l *listener) is(k key) bool { return l.kind == k.kind && l.name == k.name }

// key is what a handler was registered for: an event, or one of the things that
// have no name that a client could send.
type key struct {
	name string // of an event
	kind kind
}

type kind uint8

const (
	anEvent kind = iota
	anyIncoming
	anyOutgoing
	ofErrors
	ofDrain
)

func event(name string) key { return key{name, anEvent} }

// listeners are handlers in the order of registration. The zero value is ready.
// A socket has few: a list of them takes little memory, and they are found in it
// as fast as in a map. It holds them by value, so that they lie side by side: an
// idle socket's are in no cache.
type listeners struct {
	kinds atomic.Uint32 // those that were ever registered for, a bit each
	last  uint32        // the last number; guarded by mu

	mu    sync.Mutex         // guards the rest
	all   []listener         // appended to, otherwise replaced and never changed, so that it may be walked without the lock
	index map[key][]listener // all, by key, while there are more than few; made when it is needed
}

// few is how many handlers are looked for in the list.
const few = 16

// have reports whether there may be handlers of that kind, at next to no cost.
func (s *listeners) have(k kind) bool { return s.kinds.Load()&(1<<k) != 0 }

// add registers a handler, the last of its key, or the first.
func (s *listeners) add(k key, h handler, once, first bool) Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	entry := listener{h, k.name, k.kind, once, s.last}
	if first {
		s.all = append([]listener{entry}, s.all...)
	} else {
		s.all = append(s.all, entry)
	}
	s.index = nil
	s.kinds.Or(1 << k.kind)
	return Listener{s, s.last}
}

// remove removes the handlers for which f returns true.
func (s *listeners) remove(f func(*listener) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeLocked(f)
}

func (s *listeners) removeLocked(f func(*listener) bool) {
	s.all = slices.DeleteFunc(slices.Clone(s.all), func(l listener) bool { return f(&l) })
	s.index = nil
}

// drop removes the handlers of a key.
func (s *listeners) drop(k key) { s.remove(func(l *listener) bool { return l.is(k) }) }

// dropEvents removes the handlers of all events.
func (s *listeners) dropEvents() { s.remove(func(l *listener) bool { return l.kind == anEvent }) }

// of returns the handlers of a key.
func (s *listeners) of(k key) []listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(k)
}

// take returns the handlers of a key, and forgets those that run once.
func (s *listeners) take(k key) []listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.find(k)
	for _, l := range found {
		if l.once {
			s.removeLocked(func(l *listener) bool { return l.once && l.is(k) })
			break
		}
	}
	return found
}

// find is of. mu is held.
func (s *listeners) find(k key) []listener {
	if len(s.all) <= few {
		return pick(s.all, k)
	}
	if s.index == nil {
		s.index = make(map[key][]listener)
		for _, l := range s.all {
			k := key{l.name, l.kind}
			s.index[k] = append(s.index[k], l)
		}
	}
	return s.index[k]
}

// pick returns those of a key. Mostly there is one, or they stand together: then
// they are a part of the list.
func pick(all []listener, k key) []listener {
	from := 0
	for from < len(all) && !all[from].is(k) {
		from++
	}
	to := from
	for to < len(all) && all[to].is(k) {
		to++
	}
	found := all[from:to:to]
	for i := range all[to:] {
		if l := &all[to+i]; l.is(k) {
			found = append(found, *l)
		}
	}
	return found
}

// names returns the events that have handlers, sorted.
func (s *listeners) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, l := range s.all {
		if l.kind == anEvent {
			names = append(names, l.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
