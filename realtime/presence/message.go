package presence

import (
	"encoding/json"
	"errors"
	"fmt"
)

// format is the version of messages.
const format = 1

// message is what nodes tell each other, as JSON.
type message struct {
	Format int    `json:"v"`
	Kind   kind   `json:"kind"`
	From   uint64 `json:"from,omitempty"` // of a delta: the version it changes
	At     uint64 `json:"at,omitempty"`   // the version that it makes, or is
	Part   int    `json:"part,omitempty"` // of a state, from 0 on
	Last   bool   `json:"last,omitempty"` // no more parts come

	Set  []record `json:"set,omitempty"`
	Gone []uint64 `json:"gone,omitempty"`
}

type kind string

const (
	kindBeat  kind = "beat"  // a sign of life: At
	kindDelta kind = "delta" // From, At, Set, Gone
	kindAsk   kind = "ask"   // for the state
	kindState kind = "state" // everything: At, Part, Last, Set
)

// record is an entry as it is told.
type record struct {
	N      uint64          `json:"n"`
	Room   string          `json:"room"`
	Socket string          `json:"id"`
	Key    string          `json:"key"`
	Meta   json.RawMessage `json:"meta"`
}

// size is about how many bytes a record takes.
func (r *record) size() int { return 64 + len(r.Room) + len(r.Socket) + len(r.Key) + len(r.Meta) }

// chunk is how many bytes of records go into one message, about.
const chunk = 128 << 10

// split returns how many of the records fit into one message.
func split(records []record) int {
	size := 0
	for i := range records {
		if size += records[i].size(); size > chunk && i > 0 {
			return i
		}
	}
	return len(records)
}

func (m message) encode() []byte {
	m.Format = format
	b, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("presence: %v", err)) // meta has been marshalled before
	}
	return b
}

var errForeign = errors.New("not a message of this version of presence; run the same release on all nodes")

func decode(b []byte) (*message, error) {
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%w: %v", errForeign, err)
	}
	if m.Format != format {
		return nil, errForeign
	}
	switch m.Kind {
	case kindBeat, kindDelta, kindAsk, kindState:
		return &m, nil
	}
	return nil, errForeign
}
