package adapter

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Keeper is a Recoverer whose memory is that of the process, and can be handed
// to the adapter of the same namespace in the next one.
type Keeper interface {
	Recoverer

	// Save returns what is kept, as JSON. Session.Data is marshalled. Nothing may
	// be sent, and no socket be there, any more.
	Save() ([]byte, error)

	// Load keeps what Save returned, from where its packets and offsets go on;
	// Session.Data is a json.RawMessage. It fails when something is kept, or a
	// socket is there, already: the clients that are away have missed it, in an
	// order that nobody knows.
	Load(saved []byte) error
}

// ErrNotEmpty is the error of loading into an adapter that is in use.
var ErrNotEmpty = errors.New("adapter: sessions of the server before cannot be loaded any more: something was sent, or somebody connected, before")

// savedPast is a past as JSON. Times are told by how long ago they were.
type savedPast struct {
	Offsets, Count        uint64
	Lost, LostID, LostMax uint64
	Packets               []savedPacket
	Sessions              []savedSession
}

type savedPacket struct {
	Frames []parser.Frame
	Offset string
	Plain  bool
	Target Target
	Number uint64
	Age    time.Duration
}

type savedSession struct {
	PID, ID    string
	Data       json.RawMessage
	Since      uint64
	RoomsSince map[string]uint64
	Age        time.Duration
}

// Save implements [Keeper].
func (m *Memory) Save() ([]byte, error) {
	if m.past == nil {
		return []byte("null"), nil
	}
	m.order.Lock()
	defer m.order.Unlock()
	return m.past.save(time.Now())
}

func (p *past) save(now time.Time) ([]byte, error) {
	p.expire(now)
	saved := savedPast{Offsets: p.offsets.Load(), Count: p.count, Lost: p.lost, LostID: p.lostID, LostMax: p.lostMax}
	for _, k := range p.packets {
		saved.Packets = append(saved.Packets, savedPacket{k.packet.Frames, k.packet.Offset, k.packet.Plain, k.target, k.number, now.Sub(k.at)})
	}
	for _, e := range p.queue {
		kept, found := p.sessions[e.pid]
		if !found || !kept.at.Equal(e.at) {
			continue
		}
		data, err := json.Marshal(kept.session.Data)
		if err != nil {
			return nil, fmt.Errorf("adapter: the data of a session: %w", err)
		}
		stood := kept.session.State.(place)
		saved.Sessions = append(saved.Sessions, savedSession{e.pid, kept.session.ID, data, stood.since, stood.rooms, now.Sub(e.at)})
	}
	return json.Marshal(saved)
}

// Load implements [Keeper].
func (m *Memory) Load(saved []byte) error {
	var was savedPast
	if err := json.Unmarshal(saved, &was); err != nil {
		return fmt.Errorf("adapter: sessions of the server before: %w", err)
	}
	if m.past == nil {
		return nil
	}
	m.order.Lock()
	defer m.order.Unlock()
	m.mu.RLock()
	used := len(m.members) > 0
	m.mu.RUnlock()
	if used || m.past.offsets.Load() > 0 || m.past.count > 0 || len(m.past.sessions) > 0 {
		return ErrNotEmpty
	}
	m.past.load(was, time.Now())
	return nil
}

func (p *past) load(was savedPast, now time.Time) {
	p.offsets.Store(was.Offsets)
	p.count, p.lost, p.lostID, p.lostMax = was.Count, was.Lost, was.LostID, was.LostMax
	for _, s := range was.Packets {
		packet := Packet{Frames: s.Frames, Offset: s.Offset, Plain: s.Plain}
		kept := keptPacket{packet, s.Target, s.Number, keptSize(packet), now.Add(-s.Age)}
		p.packets = append(p.packets, kept)
		p.held += kept.size
	}
	for _, s := range was.Sessions {
		at := now.Add(-s.Age)
		session := Session{PID: s.PID, ID: s.ID, Rooms: append([]string{s.ID}, slices.Sorted(maps.Keys(s.RoomsSince))...), Data: s.Data,
			State: place{s.Since, s.RoomsSince}}
		p.sessions[s.PID] = keptSession{session, at}
		p.queue = append(p.queue, expiry{s.PID, at})
	}
	p.expire(now)
}
