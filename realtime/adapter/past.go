package adapter

import (
	"strconv"
	"sync/atomic"
	"time"
)

// past is what an adapter keeps of what was sent, and the sessions of those who
// may ask for it.
//
// A client that comes back has missed exactly what was kept behind the packet it
// received last and was meant for a room that it was in by then. Packets are
// dropped when they are older than any session can ask for: its client answered
// a later ping, and so had received them. Of those dropped earlier, for their
// bytes, the last is noted: a client that has not received that far cannot be
// helped. Offsets are given out before packets are ordered, so that those of two
// packets that are sent at once may be the wrong way round.
type past struct {
	keeps   Retention
	offsets atomic.Uint64 // given out

	// Guarded by the adapter's order.
	count    uint64 // packets ever kept: the number of the next one
	packets  []keptPacket
	held     int    // bytes of packets
	lost     uint64 // behind the last packet that was dropped for its bytes
	lostID   uint64 // what its offset stood for
	lostMax  uint64 // the largest of those of all dropped for their bytes
	sessions map[string]keptSession
	queue    []expiry  // of sessions, oldest first; some of them taken meanwhile
	expired  []Session // that somebody is to be told of
}

type keptPacket struct {
	packet Packet
	target Target
	number uint64
	size   int
	at     time.Time
}

type keptSession struct {
	session Session
	at      time.Time
}

type expiry struct {
	pid string
	at  time.Time
}

// place is where in the past a socket stood: Session.State.
type place struct {
	since uint64
	rooms map[string]uint64
}

func newPast(keeps Retention) *past {
	return &past{keeps: keeps, sessions: make(map[string]keptSession)}
}

// offset returns one for the next packet. Later ones are larger.
func (p *past) offset() string { return strconv.FormatUint(p.offsets.Add(1), 36) }

func offsetID(offset string) (uint64, bool) {
	id, err := strconv.ParseUint(offset, 36, 64)
	return id, err == nil
}

// keep keeps a packet.
func (p *past) keep(packet Packet, t Target) {
	now := time.Now()
	size := keptSize(packet)
	p.packets = append(p.packets, keptPacket{packet, t, p.count, size, now})
	p.count++
	p.held += size
	p.expire(now)
}

// keptSize is how many bytes a kept packet takes.
func keptSize(packet Packet) int {
	const overhead = 200 // of what is kept with the bytes
	size := overhead
	for _, f := range packet.Frames {
		size += len(f.Data)
	}
	return size
}

// expire drops what is too old or too much.
func (p *past) expire(now time.Time) {
	n := 0
	for ; n < len(p.packets); n++ {
		oldest := &p.packets[n]
		if now.Sub(oldest.at) <= p.keeps.Packets {
			if p.held <= p.keeps.Bytes {
				break
			}
			p.lost = oldest.number + 1
			p.lostID, _ = offsetID(oldest.packet.Offset)
			p.lostMax = max(p.lostMax, p.lostID)
		}
		p.held -= oldest.size
		*oldest = keptPacket{}
	}
	p.packets = p.packets[n:]
	n = 0
	for ; n < len(p.queue) && now.Sub(p.queue[n].at) > p.keeps.Sessions; n++ {
		p.drop(p.queue[n])
	}
	p.queue = p.queue[n:]
}

// persist keeps a session.
func (p *past) persist(s Session) {
	kept := keptSession{s, time.Now()}
	p.expire(kept.at)
	p.sessions[s.PID] = kept
	p.queue = append(p.queue, expiry{s.PID, kept.at})
	for most := p.keeps.Most; most > 0 && len(p.sessions) > most; p.queue = p.queue[1:] {
		p.drop(p.queue[0])
	}
}

// drop drops a session, unless it has been taken, and kept again, meanwhile.
func (p *past) drop(e expiry) {
	if kept := p.sessions[e.pid]; kept.at.Equal(e.at) {
		delete(p.sessions, e.pid)
		if p.keeps.Expired != nil {
			p.expired = append(p.expired, kept.session)
		}
	}
}

// take takes the session with that pid, if what its client missed is kept.
func (p *past) take(pid, offset string) (Session, bool) {
	p.expire(time.Now())
	kept, found := p.sessions[pid]
	if !found {
		return Session{}, false
	}
	if _, able := p.behind(offset, kept.session.State.(place)); !able {
		return Session{}, false
	}
	delete(p.sessions, pid)
	return kept.session, true
}

// behind returns the number of the first packet that the client has not
// received whose last one had that offset, and whether all from there on are
// kept.
func (p *past) behind(offset string, s place) (uint64, bool) {
	if offset == "" {
		return s.since, s.since >= p.lost
	}
	// A client comes back soon: its packet is among the last.
	for i := len(p.packets) - 1; i >= 0; i-- {
		if p.packets[i].packet.Offset == offset {
			return p.packets[i].number + 1, true
		}
	}
	id, ok := offsetID(offset)
	switch {
	case !ok || id > p.offsets.Load() || id <= p.lostMax && id != p.lostID:
		return 0, false
	case len(p.packets) == 0:
		return p.count, true
	}
	first, _ := offsetID(p.packets[0].packet.Offset)
	return p.packets[0].number, id < first
}

// missed returns the packets from a number on that were meant for a socket.
func (p *past) missed(from uint64, id string, s place) []Packet {
	var missed []Packet
	for _, k := range p.packets {
		if k.number >= from && s.wasMeant(id, k) {
			missed = append(missed, k.packet)
		}
	}
	return missed
}

// wasMeant reports whether a packet was for the socket with that id.
func (s place) wasMeant(id string, k keptPacket) bool {
	in := func(rooms []string) bool {
		for _, room := range rooms {
			since, joined := s.rooms[room]
			if room == id || joined && since <= k.number {
				return true
			}
		}
		return false
	}
	if k.target.Socket != "" {
		return k.target.Socket == id && k.number >= s.since
	}
	return k.number >= s.since && (len(k.target.Rooms) == 0 || in(k.target.Rooms)) && !in(k.target.Except)
}

// Offset implements [Recoverer].
func (m *Memory) Offset() string { return m.past.offset() }

// Persist implements [Recoverer].
func (m *Memory) Persist(id string, s Session) []string {
	was, rooms := m.remove(id)
	if was == nil {
		return nil
	}
	s.ID, s.Rooms, s.State = id, rooms, place{was.since, was.rooms}
	m.order.Lock()
	m.past.persist(s)
	m.order.Unlock()
	if m.past.keeps.Expired != nil {
		time.AfterFunc(m.past.keeps.Sessions+1, m.expire)
		m.expire() // those who had to make room
	}
	return rooms
}

// expire tells of the sessions that have expired.
func (m *Memory) expire() {
	m.order.Lock()
	m.past.expire(time.Now())
	expired := m.past.expired
	m.past.expired = nil
	m.order.Unlock()
	for _, s := range expired {
		m.past.keeps.Expired(s)
	}
}

// Restore implements [Recoverer].
func (m *Memory) Restore(pid, offset string) (Session, bool) {
	m.order.Lock()
	defer m.order.Unlock()
	return m.past.take(pid, offset)
}

// Resume implements [Recoverer].
func (m *Memory) Resume(socket Socket, s Session, offset string) ([]Packet, bool) {
	stood := s.State.(place)
	m.order.Lock()
	from, able := m.past.behind(offset, stood)
	if !able {
		m.order.Unlock()
		return nil, false
	}
	missed := m.past.missed(from, s.ID, stood)
	happened := m.insert(&member{socket: socket, id: s.ID, since: stood.since}, stood.rooms)
	m.order.Unlock()
	m.tell(happened)
	return missed, true
}

// Sessions implements [Recoverer].
func (m *Memory) Sessions() int {
	m.order.Lock()
	defer m.order.Unlock()
	m.past.expire(time.Now())
	return len(m.past.sessions)
}
