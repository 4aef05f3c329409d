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

	order sync.Mutex // of deliveries, where they are kept; taken before mu
	past  *past      // nil where nothing is kept; guarded by order

	mu      sync.RWMutex // guards the rest
	members map[string]*member
	rooms   map[string]map[string]*member // by room, by id; without the sockets' own rooms
}

// member is a socket and its rooms.
type member struct {
	socket Socket
	id     string
	since  uint64            // what was kept when it was added
	rooms  map[string]uint64 // what was kept when it joined each; nil while there is none
}

// NewMemory returns the adapter of a namespace. It is a [Factory].
func NewMemory(host Host) Adapter {
	m := &Memory{
		host:    host,
		scratch: sync.Pool{New: func() any { return new([]Socket) }},
		members: make(map[string]*member),
		rooms:   make(map[string]map[string]*member),
	}
	if keeps := host.Retention(); keeps.Sessions > 0 {
		m.past = newPast(keeps)
	}
	return m
}

// Add implements [Adapter].
func (m *Memory) Add(s Socket) {
	m.tell(m.insert(&member{socket: s, id: s.ID(), since: m.now()}, nil))
}

// now returns how many packets have been kept, from which on a socket that joins
// now gets them.
func (m *Memory) now() uint64 {
	if m.past == nil {
		return 0
	}
	m.order.Lock()
	defer m.order.Unlock()
	return m.past.count
}

// insert makes s known, as a member of rooms, and returns what is to be told.
func (m *Memory) insert(s *member, rooms map[string]uint64) (happened []roomChange) {
	watched := m.host.WatchesRooms()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.members[s.id] = s
	if watched {
		happened = append(happened, roomChange{CreateRoom, s.id, ""}, roomChange{JoinRoom, s.id, s.id})
	}
	for room, since := range rooms {
		happened = m.join(s, room, since, watched, happened)
	}
	return happened
}

// roomChange is what has happened to a room.
type roomChange struct {
	event    RoomEvent
	room, id string
}

func (m *Memory) tell(happened []roomChange) {
	for _, h := range happened {
		m.host.Room(h.event, h.room, h.id)
	}
}

// Remove implements [Adapter].
func (m *Memory) Remove(id string) []string {
	s, rooms := m.remove(id)
	if s == nil {
		return nil
	}
	return rooms
}

// remove makes a socket unknown and returns what was known of it.
func (m *Memory) remove(id string) (s *member, rooms []string) {
	var happened []roomChange
	watched := m.host.WatchesRooms()
	m.mu.Lock()
	s = m.members[id]
	if s == nil {
		m.mu.Unlock()
		return nil, nil
	}
	delete(m.members, id)
	rooms = s.list()
	kept := maps.Clone(s.rooms)
	for room := range kept {
		happened = m.leave(s, room, watched, happened)
	}
	s.rooms = kept
	m.mu.Unlock()
	if watched {
		happened = append(happened, roomChange{LeaveRoom, id, id}, roomChange{DeleteRoom, id, ""})
	}
	m.tell(happened)
	return s, rooms
}

// Join implements [Adapter].
func (m *Memory) Join(id string, rooms ...string) {
	if len(rooms) == 0 {
		return
	}
	var happened []roomChange
	watched, now := m.host.WatchesRooms(), m.now()
	m.mu.Lock()
	if s := m.members[id]; s != nil {
		for _, room := range rooms {
			happened = m.join(s, room, now, watched, happened)
		}
	}
	m.mu.Unlock()
	m.tell(happened)
}

// join puts s into a room. mu is held.
func (m *Memory) join(s *member, room string, since uint64, watched bool, happened []roomChange) []roomChange {
	if _, in := s.rooms[room]; in || room == s.id {
		return happened
	}
	if s.rooms == nil {
		s.rooms = make(map[string]uint64)
	}
	s.rooms[room] = since
	in := m.rooms[room]
	if in == nil {
		in = make(map[string]*member)
		m.rooms[room] = in
		if watched && m.members[room] == nil {
			happened = append(happened, roomChange{CreateRoom, room, ""})
		}
	}
	in[s.id] = s
	if watched {
		happened = append(happened, roomChange{JoinRoom, room, s.id})
	}
	return happened
}

// Leave implements [Adapter]. A socket stays in the room of its own id.
func (m *Memory) Leave(id string, rooms ...string) {
	var happened []roomChange
	watched := m.host.WatchesRooms()
	m.mu.Lock()
	if s := m.members[id]; s != nil {
		for _, room := range rooms {
			happened = m.leave(s, room, watched, happened)
		}
	}
	m.mu.Unlock()
	m.tell(happened)
}

// leave takes s out of a room, and the room out of the map when it was the
// last. mu is held.
func (m *Memory) leave(s *member, room string, watched bool, happened []roomChange) []roomChange {
	if _, in := s.rooms[room]; !in {
		return happened
	}
	delete(s.rooms, room)
	if watched {
		happened = append(happened, roomChange{LeaveRoom, room, s.id})
	}
	in := m.rooms[room]
	delete(in, s.id)
	if len(in) == 0 {
		delete(m.rooms, room)
		if watched && m.members[room] == nil {
			happened = append(happened, roomChange{DeleteRoom, room, ""})
		}
	}
	return happened
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
	var sockets []Socket
	if m.past != nil && p.Offset != "" {
		// Every socket receives packets in the order in which they are kept, so
		// that one offset tells what it has.
		m.order.Lock()
		m.past.keep(p, t)
		sockets = m.appendSockets((*scratch)[:0], t)
		m.host.Deliver(p, sockets)
		m.order.Unlock()
	} else {
		sockets = m.appendSockets((*scratch)[:0], t)
		m.host.Deliver(p, sockets)
	}
	m.host.Delivered(p, sockets)
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
	if t.Socket != "" {
		if s := m.members[t.Socket]; s != nil {
			dst = append(dst, s.socket)
		}
		return dst
	}
	if len(t.Rooms) == 0 {
		dst = slices.Grow(dst, len(m.members))
		for _, s := range m.members {
			if !s.inAny(t.Except) {
				dst = append(dst, s.socket)
			}
		}
		return dst
	}
	for i, room := range t.Rooms {
		if s := m.members[room]; s != nil && !s.inAny(t.Rooms[:i]) && !s.inAny(t.Except) {
			dst = append(dst, s.socket)
		}
		for id, s := range m.rooms[room] {
			if id != room && !s.inAny(t.Rooms[:i]) && !s.inAny(t.Except) {
				dst = append(dst, s.socket)
			}
		}
	}
	return dst
}

// inAny reports whether s is in one of the rooms. The adapter's mu is held.
func (s *member) inAny(rooms []string) bool {
	for _, room := range rooms {
		if _, in := s.rooms[room]; in || room == s.id {
			return true
		}
	}
	return false
}
