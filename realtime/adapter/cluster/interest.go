package cluster

import (
	"context"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// interest tells a RoomEngine which rooms the sockets of a namespace are in.
//
// What happens to a room is told when it has happened, and so perhaps in another
// order: it is the reason to look, and what counts is what is seen then.
type interest struct {
	space *space

	mu     sync.Mutex // guards the rest
	rooms  map[string]*roomInterest
	closed bool
}

// roomInterest is what the engine knows of a room.
type roomInterest struct {
	private bool
	joined  bool          // the engine was told
	busy    chan struct{} // closed when who tells it now has done so; or nil
}

func (i *interest) init(s *space) {
	i.space = s
	i.rooms = make(map[string]*roomInterest)
}

// watches reports whether there is anybody to tell.
func (i *interest) watches() bool { return i.space.node.rooms != nil }

// room notes that something has happened to a room. When it returns, the engine
// knows of a room that is there.
func (i *interest) room(event adapter.RoomEvent, room string) {
	if !i.watches() || event != adapter.CreateRoom && event != adapter.DeleteRoom {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for !i.closed {
		r := i.rooms[room]
		there := i.space.Occupied(room)
		switch {
		case r != nil && r.busy != nil:
			busy := r.busy
			i.mu.Unlock()
			<-busy
			i.mu.Lock()
			continue
		case r == nil && there:
			r = &roomInterest{private: len(i.space.Memory.Rooms(room)) > 0}
			i.rooms[room] = r
		case r == nil || r.joined == there:
			return
		}
		r.busy = make(chan struct{})
		i.mu.Unlock()
		i.change(room, r.private, there)
		i.mu.Lock()
		close(r.busy)
		r.busy, r.joined = nil, there
		if !there {
			delete(i.rooms, room)
		}
	}
}

func (i *interest) change(room string, private, there bool) {
	engine, name := i.space.node.rooms, i.space.name
	if !there {
		engine.Leave(name, room, private)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := engine.Join(ctx, name, room, private); err != nil {
		i.space.node.logger.Warn("cluster: a room does not hear the other nodes yet", "namespace", name, "error", err)
	}
}

// close tells nothing any more.
func (i *interest) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
}
