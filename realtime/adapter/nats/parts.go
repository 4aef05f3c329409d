package nats

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// What is larger than a NATS message may be goes in parts, which follow each
// other:
//
//	'P' id [16]byte, index uint32, size of the whole uint32, bytes
//
// A whole message begins with another letter.
const (
	partMark   = 'P'
	partHeader = 1 + 16 + 4 + 4
)

const (
	maxWhole   = 256 << 20 // bytes of a message that is put together
	maxPartial = 64        // messages that are put together at a time
)

// split calls send with the parts of data, each of most bytes or fewer.
func split(data []byte, most int, send func([]byte) error) error {
	if len(data) > maxWhole || most <= partHeader {
		return fmt.Errorf("nats: a message of %d bytes: %w", len(data), cluster.ErrUnfit)
	}
	head := make([]byte, partHeader)
	head[0] = partMark
	rand.Read(head[1:17])
	binary.BigEndian.PutUint32(head[21:], uint32(len(data)))
	for index := uint32(0); len(data) > 0; index++ {
		n := min(most-partHeader, len(data))
		binary.BigEndian.PutUint32(head[17:], index)
		if err := send(append(head[:partHeader:partHeader], data[:n]...)); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// assembly puts parts together. It belongs to one goroutine.
type assembly struct {
	partial map[[16]byte]*whole
	order   [][16]byte // of their beginnings: the oldest are given up
	held    int        // bytes of all of them
	most    int        // bytes that may be held, as many as a message has at most
}

type whole struct {
	data []byte
	size int
	next uint32
}

func newAssembly(most int) *assembly {
	return &assembly{partial: make(map[[16]byte]*whole), most: most}
}

// add returns a message that data is, or completes. Parts of which one is missing
// are nothing.
func (a *assembly) add(data []byte) ([]byte, bool) {
	if len(data) <= partHeader || data[0] != partMark {
		return data, true
	}
	id := [16]byte(data[1:17])
	index, size := binary.BigEndian.Uint32(data[17:]), int(binary.BigEndian.Uint32(data[21:]))
	data = data[partHeader:]
	w := a.partial[id]
	if w == nil {
		if index != 0 || size > a.most {
			return nil, false
		}
		w = &whole{size: size}
		a.partial[id] = w
		a.order = append(a.order, id)
	}
	if index != w.next || len(w.data)+len(data) > w.size {
		a.drop(id)
		return nil, false
	}
	w.data, w.next = append(w.data, data...), w.next+1
	a.held += len(data)
	if len(w.data) == w.size {
		a.drop(id)
		return w.data, true
	}
	for len(a.order) > maxPartial || a.held > a.most {
		a.drop(a.order[0])
	}
	return nil, false
}

// drop ends the waiting for the rest of a message.
func (a *assembly) drop(id [16]byte) {
	a.held -= len(a.partial[id].data)
	delete(a.partial, id)
	a.order = slices.DeleteFunc(a.order, func(other [16]byte) bool { return other == id })
}
