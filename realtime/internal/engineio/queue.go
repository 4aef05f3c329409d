package engineio

import (
	"slices"
	"sync"
)

// Overflow says what happens to packets that do not fit under Config.MaxBuffered
// and Config.MaxBufferedPackets.
type Overflow int

const (
	// OverflowDisconnect ends the session with ReasonTransportError.
	OverflowDisconnect Overflow = iota

	// OverflowDropNewest does not take them. The session lives, and the client
	// does not know.
	OverflowDropNewest

	// OverflowDropOldest is OverflowDisconnect, but volatile packets may wait for
	// a client that cannot take them at once, until they have to give way: the
	// oldest first, and to others of their kind, too.
	OverflowDropOldest
)

// queue holds the packets that wait in an outbox, oldest first. What is added in
// one call is a group: it leaves together, or is let go together.
//
// Packets that are lent have to be copied, so the small ones are copied one behind
// the other into a run, as they will be written.
type queue struct {
	packets []Packet // those that were let go have no frame
	bytes   int      // what they weigh
	gone    int32    // how many were let go
	joined  int32    // how many more there are, in runs

	volatile      int // packets that may be let go
	volatileBytes int // what they weigh
	seen          int // packets before the first that may be let go, or fewer
}

// The places of a packet in a group that may be let go.
const (
	volatileFirst = 1 + iota
	volatileNext
)

// weigh returns what packets weigh in a queue, in bytes.
func weigh(packets []Packet) (size int) {
	for _, p := range packets {
		size += p.size()
	}
	return size
}

// len returns how many packets wait.
func (q *queue) len() int { return len(q.packets) - int(q.gone) + int(q.joined) }

// add adds a group that weighs size. With runs, who takes it can write them.
func (q *queue) add(packets []Packet, size int, runs bool) {
	if q.packets == nil {
		q.packets = memory()
	}
	for i := range packets {
		if p := &packets[i]; runs && p.lent && len(p.frame) <= maxJoined {
			q.join(p)
		} else {
			q.packets = append(q.packets, p.owned())
		}
	}
	q.bytes += size
}

// join adds a copy of p to the run at the end of the queue, or to a new one.
func (q *queue) join(p *Packet) {
	last := len(q.packets) - 1
	if last >= 0 && q.packets[last].run.fits(p) {
		q.joined++
	} else {
		q.packets = append(q.packets, Packet{run: runs.Get().(*run)})
		last++
	}
	end := &q.packets[last]
	end.run.add(p)
	end.frame = end.run.frames
}

// addVolatile adds a group that may be let go.
func (q *queue) addVolatile(packets []Packet, size int) {
	place := uint8(volatileFirst)
	for _, p := range packets {
		p = p.owned()
		p.place = place
		q.packets = append(q.packets, p)
		place = volatileNext
	}
	q.bytes += size
	q.volatile += len(packets)
	q.volatileBytes += size
}

// makeRoom sees that a group of n packets that weigh size fits under the limits
// of c, and lets volatile ones go for it, of which it returns the number and the
// weight. It lets none go in vain. A group alone fits always.
func (q *queue) makeRoom(c *Config, n, size int) (gone, freed int, ok bool) {
	fits := func(waiting, bytes int) bool {
		return waiting == 0 || bytes+size <= c.MaxBuffered && (c.MaxBufferedPackets == 0 || waiting+n <= c.MaxBufferedPackets)
	}
	if !fits(q.len()-q.volatile, q.bytes-q.volatileBytes) {
		return 0, 0, false
	}
	before, bytes := q.volatile, q.bytes
	for !fits(q.len(), q.bytes) {
		q.letGo()
	}
	return before - q.volatile, bytes - q.bytes, true
}

// letGo lets the oldest volatile group go. There is one.
func (q *queue) letGo() {
	for q.packets[q.seen].place != volatileFirst {
		q.seen++
	}
	for first := true; q.seen < len(q.packets) && (first || q.packets[q.seen].place == volatileNext); first = false {
		size := q.packets[q.seen].size()
		q.bytes -= size
		q.volatileBytes -= size
		q.volatile--
		q.gone++
		q.packets[q.seen] = Packet{}
		q.seen++
	}
	if int(q.gone) > len(q.packets)/2 { // what is gone shall not add up, nor cost more than it did to come
		q.compact()
	}
}

// compact forgets the packets that were let go.
func (q *queue) compact() {
	q.packets = slices.DeleteFunc(q.packets, func(p Packet) bool { return p.frame == nil })
	q.gone, q.seen = 0, 0
}

// take removes all packets and returns them with their weight. The queue goes on
// with spare, which may be nil.
func (q *queue) take(spare []Packet) (packets []Packet, size int) {
	if q.gone > 0 {
		q.compact()
	}
	packets, size = q.packets, q.bytes
	*q = queue{packets: spare}
	return packets, size
}

// rest lets the memory of an empty queue go.
func (q *queue) rest() {
	recycle(q.packets)
	q.packets = nil
}

// Memory for queues goes from one to the next, since few have something at a
// time. The boxes are what a sync.Pool wants to hold it by.
var spares, boxes sync.Pool

// The capacities of memory that is made, and of the largest that is kept, in
// packets.
const (
	newQueue  = 8
	keptQueue = 1024
)

// memory returns some for a queue that has none.
func memory() []Packet {
	box, _ := spares.Get().(*[]Packet)
	if box == nil {
		return make([]Packet, 0, newQueue)
	}
	packets := *box
	*box = nil
	boxes.Put(box)
	return packets
}

// recycle takes the memory of packets, which nobody else may have, and of what
// they hold.
func recycle(packets []Packet) {
	free(packets)
	if cap(packets) == 0 || cap(packets) > keptQueue {
		return
	}
	box, _ := boxes.Get().(*[]Packet)
	if box == nil {
		box = new([]Packet)
	}
	*box = packets[:0]
	spares.Put(box)
}
