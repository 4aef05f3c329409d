package adapter

import (
	"maps"
	"slices"
	"sync"
)

// Memory is the adapter of a server on its own. Joining and leaving take
// constant time; a broadcast visits the sockets it reaches.
type Memory struct {
	host    Host
	scratch sync.Pool // *[]Socket

	mu      sync.RWMutex // guards the rest
	members map[string]*member
	rooms   map[string]map[string]*member // by room, by id; without the sockets' own rooms
}

type member struct {
	socket Socket
	id     string
	rooms  map[string]struct{} // nil while there is none
}

// NewMemory returns the adapter of a namespace. It is a [Factory].
func NewMemory(host Host) Adapter {
	return &Memory{
		host:    host,
		scratch: sync.Pool{New: func() any { return new([]Socket) }},
		members: make(map[string]*member),
		rooms:   make(map[string]map[string]*member),
	}
}

// Add implements [Adapter].
func (m *Memory) Add(s Socket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.members[s.ID()] = &member{socket: s, id: s.ID()}
}

// Remove implements [Adapter].
func (m *Memory) Remove(id string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.members[id]
	if s == nil {
		return nil
	}
	delete(m.members, id)
	rooms := s.list()
	for room := range s.rooms {
		m.leave(s, room)
	}
	return rooms
}

// Join implements [Adapter].
func (m *Memory) Join(id string, rooms ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.members[id]
	if s == nil {
		return
	}
	for _, room := range rooms {
		if room == id {
			continue
		}
		if s.rooms == nil {
			s.rooms = make(map[string]struct{})
		}
		s.rooms[room] = struct{}{}
		if m.rooms[room] == nil {
			m.rooms[room] = make(map[string]*member)
		}
		m.rooms[room][id] = s
	}
}

// Leave implements [Adapter]. A socket stays in the room of its own id.
func (m *Memory) Leave(id string, rooms ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.members[id]
	if s == nil {
		return
	}
	for _, room := range rooms {
		m.leave(s, room)
	}
}

// leave takes s out of a room, and the room out of the map when it was the
// last. mu is held.
func (m *Memory) leave(s *member, room string) {
	delete(s.rooms, room)
	if in := m.rooms[room]; in != nil {
		delete(in, s.id)
		if len(in) == 0 {
			delete(m.rooms, room)
		}
	}
}

// Rooms implements [Adapter].
func (m *Memory) Rooms(id string) []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s := m.members[id]; s != nil {
		return s.list()
	}
	return nil
}

func (s *member) list() []string {
	return append([]string{s.id}, slices.Sorted(maps.Keys(s.rooms))...)
}

// Sockets implements [Adapter].
func (m *Memory) Sockets(t Target) []Socket { return m.appendSockets(nil, t) }

// Broadcast implements [Adapter]. It never fails.
func (m *Memory) Broadcast(p Packet, t Target) error {
	scratch := m.scratch.Get().(*[]Socket)
	sockets := m.appendSockets((*scratch)[:0], t)
	m.host.Deliver(p, sockets)
	clear(sockets)
	*scratch = sockets
	m.scratch.Put(scratch)
	return nil
}

// Close implements [Adapter].
func (m *Memory) Close() error { return nil }

// appendSockets appends the sockets that t means, each once.
func (m *Memory) appendSockets(dst []Socket, t Target) []Socket {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(t.Rooms) == 0 {
		dst = slices.Grow(dst, len(m.members))
		for _, s := range m.members {
			if !m.inAny(s, t.Except) {
				dst = append(dst, s.socket)
			}
		}
		return dst
	}
	for i, room := range t.Rooms {
		if s := m.members[room]; s != nil && !m.inAny(s, t.Rooms[:i]) && !m.inAny(s, t.Except) {
			dst = append(dst, s.socket)
		}
		for id, s := range m.rooms[room] {
			if id != room && !m.inAny(s, t.Rooms[:i]) && !m.inAny(s, t.Except) {
				dst = append(dst, s.socket)
			}
		}
	}
	return dst
}

// inAny reports whether s is in one of the rooms. mu is held.
func (m *Memory) inAny(s *member, rooms []string) bool {
	for _, room := range rooms {
		if _, in := s.rooms[room]; in || room == s.id {
			return true
		}
	}
	return false
}
