package adapter

// What follows is for adapters that know the sockets of their own server by a
// Memory.

// Occupied reports whether a socket is in any of the rooms, or at all when none
// is named.
func (m *Memory) Occupied(rooms ...string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(rooms) == 0 {
		return len(m.members) > 0
	}
	for _, room := range rooms {
		if m.members[room] != nil || len(m.rooms[room]) > 0 {
			return true
		}
	}
	return false
}

// AppendSockets appends what Sockets returns.
func (m *Memory) AppendSockets(dst []Socket, t Target) []Socket { return m.appendSockets(dst, t) }

// Insert makes a socket known that is in rooms from the beginning. Unlike Add it
// calls nothing: what it returns must be called, when no lock is held, and tells
// who watches rooms.
func (m *Memory) Insert(s Socket, rooms []string) (tell func()) {
	since := make(map[string]uint64, len(rooms))
	for _, room := range rooms {
		if room != s.ID() {
			since[room] = 0
		}
	}
	happened := m.insert(&member{socket: s, id: s.ID()}, since)
	return func() { m.tell(happened) }
}
