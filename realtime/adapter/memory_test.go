package adapter_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

type socket string

func (s socket) ID() string { return string(s) }

// host collects what is delivered, and what happens to rooms.
type host struct {
	keeps adapter.Retention

	mu    sync.Mutex
	got   []string
	rooms []string
}

func (h *host) Name() string                               { return "/" }
func (h *host) Retention() adapter.Retention               { return h.keeps }
func (h *host) Delivered(adapter.Packet, []adapter.Socket) {}
func (h *host) WatchesRooms() bool                         { return true }
func (h *host) ServerSide([]byte) []byte                   { return nil }

func (h *host) Room(event adapter.RoomEvent, room, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rooms = append(h.rooms, string(event)+" "+room+" "+id)
}

func (h *host) Deliver(p adapter.Packet, sockets []adapter.Socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range sockets {
		h.got = append(h.got, s.ID())
	}
}

func TestMemory(t *testing.T) {
	h := &host{}
	m := adapter.NewMemory(h)
	for _, id := range []string{"a", "b", "c"} {
		m.Add(socket(id))
	}
	m.Join("a", "red", "blue", "a")
	m.Join("b", "blue")
	m.Join("nobody", "red")
	tests := []struct {
		target adapter.Target
		want   []string
	}{
		{adapter.Target{}, []string{"a", "b", "c"}},
		{adapter.Target{Rooms: []string{"blue"}}, []string{"a", "b"}},
		{adapter.Target{Rooms: []string{"red", "blue", "a", "red"}}, []string{"a", "b"}},
		{adapter.Target{Rooms: []string{"c", "red"}}, []string{"a", "c"}},
		{adapter.Target{Except: []string{"red", "c"}}, []string{"b"}},
		{adapter.Target{Rooms: []string{"blue"}, Except: []string{"a"}}, []string{"b"}},
		{adapter.Target{Rooms: []string{"none"}}, nil},
	}
	for _, test := range tests {
		h.got = nil
		if err := m.Broadcast(adapter.Packet{}, test.target); err != nil {
			t.Error(err)
		}
		slices.Sort(h.got)
		if !slices.Equal(h.got, test.want) {
			t.Errorf("%+v reaches %v, want %v", test.target, h.got, test.want)
		}
	}
	if got := m.Rooms("a"); !slices.Equal(got, []string{"a", "blue", "red"}) {
		t.Errorf("rooms of a: %v", got)
	}
	m.Leave("a", "red", "never joined", "a")
	if got := m.Rooms("a"); !slices.Equal(got, []string{"a", "blue"}) {
		t.Errorf("rooms of a: %v", got)
	}
	if got := m.Remove("a"); !slices.Equal(got, []string{"a", "blue"}) {
		t.Errorf("removed from %v", got)
	}
	if m.Rooms("a") != nil || m.Remove("a") != nil || len(m.Sockets(adapter.Target{Rooms: []string{"a"}})) > 0 {
		t.Error("a is still known")
	}
}

// A broadcast costs nothing on the heap, however many sockets it reaches.
func TestBroadcastAllocations(t *testing.T) {
	m := adapter.NewMemory(discard{})
	for i := range 1000 {
		id := fmt.Sprint(i)
		m.Add(socket(id))
		m.Join(id, "room")
	}
	target := adapter.Target{Rooms: []string{"room"}, Except: []string{"7"}}
	m.Broadcast(adapter.Packet{}, target)
	if n := testing.AllocsPerRun(100, func() { m.Broadcast(adapter.Packet{}, target) }); n > 20 { // some, for the race detector has sync.Pool forget
		t.Errorf("%v allocations a broadcast to 1,000", n)
	}
}

type discard struct{}

func (discard) Name() string                               { return "/" }
func (discard) Retention() adapter.Retention               { return adapter.Retention{} }
func (discard) Deliver(adapter.Packet, []adapter.Socket)   {}
func (discard) Delivered(adapter.Packet, []adapter.Socket) {}
func (discard) WatchesRooms() bool                         { return false }
func (discard) Room(adapter.RoomEvent, string, string)     {}
func (discard) ServerSide([]byte) []byte                   { return nil }

func TestRoomEvents(t *testing.T) {
	h := &host{}
	m := adapter.NewMemory(h)
	for _, test := range []struct {
		do   func()
		want []string
	}{
		{func() { m.Add(socket("a")) }, []string{"create-room a ", "join-room a a"}},
		{func() { m.Join("a", "red") }, []string{"create-room red ", "join-room red a"}},
		{func() { m.Join("a", "red") }, nil},
		{func() { m.Add(socket("b")) }, []string{"create-room b ", "join-room b b"}},
		{func() { m.Join("b", "red", "a") }, []string{"join-room red b", "join-room a b"}},
		{func() { m.Leave("a", "red", "blue") }, []string{"leave-room red a"}},
		{func() { m.Remove("b") }, []string{"leave-room a b", "leave-room red b", "delete-room red ", "leave-room b b", "delete-room b "}},
		{func() { m.Remove("b") }, nil},
	} {
		h.rooms = nil
		test.do()
		slices.Sort(h.rooms)
		slices.Sort(test.want)
		if !slices.Equal(h.rooms, test.want) {
			t.Errorf("got %q, want %q", h.rooms, test.want)
		}
	}
}

func TestMemoryConcurrently(t *testing.T) {
	m := adapter.NewMemory(discard{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id := fmt.Sprint(i)
			for range 200 {
				m.Add(socket(id))
				m.Join(id, "x", "y")
				m.Broadcast(adapter.Packet{}, adapter.Target{Rooms: []string{"x"}})
				m.Leave(id, "x")
				m.Remove(id)
			}
		})
	}
	wg.Wait()
	if n := len(m.Sockets(adapter.Target{})); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
}
