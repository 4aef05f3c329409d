//go:build linux

package main

import (
	"crypto/rand"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
)

// A carrier takes one WebSocket frame with head bytes of header. A frame that is not shared is the caller's again when
// send returns.
type carrier interface {
	send(f []byte, head int, shared bool)
}

// A server is its sessions.
type server struct {
	pingInterval time.Duration

	mu      sync.RWMutex
	all     []*session
	rooms   map[string]*room
	polling map[string]*session
	wheel   [][]*session // who is pinged when; a slot is 100 ms
	slot    int
}

// A room is who is in it, in no order.
type room struct {
	mu      sync.RWMutex
	members []*session
}

const tick = 100 * time.Millisecond

func newServer(pingInterval time.Duration) *server {
	return &server{
		pingInterval: pingInterval,
		rooms:        map[string]*room{},
		polling:      map[string]*session{},
		wheel:        make([][]*session, max(2, int(pingInterval/tick))),
	}
}

// open begins a session and returns its Engine.IO handshake. It is pinged from then on.
func (s *server) open(c carrier, upgrades string) (*session, []byte) {
	n := &session{server: s, carrier: c, id: rand.Text()}
	s.mu.Lock()
	before := (s.slot + len(s.wheel) - 1) % len(s.wheel) // a whole turn away, and never the slot that is being pinged
	s.wheel[before] = append(s.wheel[before], n)
	s.mu.Unlock()
	b := append([]byte(`0{"sid":"`), n.id...)
	b = append(b, `","upgrades":[`...)
	b = append(b, upgrades...)
	b = append(b, `],"pingInterval":`...)
	b = strconv.AppendInt(b, s.pingInterval.Milliseconds(), 10)
	return n, append(b, `,"pingTimeout":20000,"maxPayload":1000000}`...)
}

// join adds a session to a room and makes the room if there is none.
func (s *server) join(n *session, name string) {
	s.mu.Lock()
	r := s.rooms[name]
	if r == nil {
		r = &room{}
		s.rooms[name] = r
	}
	s.mu.Unlock()
	r.mu.Lock()
	r.members = append(r.members, n)
	r.mu.Unlock()
	n.rooms = append(n.rooms, r)
}

// connect adds a session to those that a broadcast reaches.
func (s *server) connect(n *session) {
	s.mu.Lock()
	n.index, n.connected = len(s.all), true
	s.all = append(s.all, n)
	s.mu.Unlock()
}

// remove takes a session out of everything but the wheel, which drops it when it comes to it.
func (s *server) remove(n *session) {
	s.mu.Lock()
	n.closed = true
	if n.connected {
		last := len(s.all) - 1
		s.all[n.index] = s.all[last]
		s.all[n.index].index = n.index
		s.all[last] = nil
		s.all = s.all[:last]
		n.connected = false
	}
	s.mu.Unlock()
	for _, r := range n.rooms {
		r.mu.Lock()
		if i := slices.Index(r.members, n); i >= 0 {
			r.members = slices.Delete(r.members, i, i+1)
		}
		r.mu.Unlock()
	}
}

// broadcast sends one frame to many.
func broadcast(mu *sync.RWMutex, to *[]*session, f []byte, head int) {
	mu.RLock()
	defer mu.RUnlock()
	for _, n := range *to {
		n.send(f, head, true)
	}
}

// beat pings until the process ends.
func (s *server) beat() {
	for range time.Tick(tick) {
		s.ping()
	}
}

// ping pings those whose turn it is, from one goroutine at a time.
func (s *server) ping() {
	s.mu.Lock()
	s.slot = (s.slot + 1) % len(s.wheel)
	turn := s.wheel[s.slot]
	turn = slices.DeleteFunc(turn, func(n *session) bool { return n.closed })
	s.wheel[s.slot] = turn
	s.mu.Unlock()
	f := frame.Append(nil, frame.Text, []byte("2"))
	for _, n := range turn {
		n.send(f, frame.HeaderLen(1), true)
	}
}
