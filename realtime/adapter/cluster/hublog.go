package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// hubLog is the log of a namespace.
type hubLog struct {
	first   int // the number of the first entry; numbers begin with 1
	entries [][]byte
}

// hubMost is how many entries a log keeps.
const hubMost = 100_000

// last returns the number of the last entry.
func (l *hubLog) last() int { return l.first + len(l.entries) - 1 }

type hubRecord struct {
	value []byte
	until time.Time
}

// log returns the log of a namespace. mu is held.
func (h *Hub) log(namespace string) *hubLog {
	l := h.logs[namespace]
	if l == nil {
		l = &hubLog{first: 1}
		h.logs[namespace] = l
	}
	return l
}

// pump has the nodes read what is new in the logs.
func (h *Hub) pump() {
	h.mu.RLock()
	pumps := slices.Clone(h.pumps)
	h.mu.RUnlock()
	for _, pump := range pumps {
		pump()
	}
}

// hubLogEngine is the LogEngine of one node of a hub.
type hubLogEngine struct {
	hubEngine

	reading sync.Mutex // held while the node is given what is new; guards read
	read    map[string]int
}

// Start implements Engine.
func (e *hubLogEngine) Start(node string, r Receiver) error {
	if err := e.hubEngine.Start(node, r); err != nil || SendsOnly(r) {
		return err
	}
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.hub.pumps = append(e.hub.pumps, e.pump)
	return nil
}

// Open implements Engine.
func (e *hubLogEngine) Open(_ context.Context, namespace string) error {
	e.reading.Lock()
	defer e.reading.Unlock()
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	e.read[namespace] = e.hub.log(namespace).last()
	return nil
}

// Shut implements Engine.
func (e *hubLogEngine) Shut(namespace string) {
	e.reading.Lock()
	defer e.reading.Unlock()
	delete(e.read, namespace)
}

// Publish implements Engine.
func (e *hubLogEngine) Publish(ctx context.Context, batch []*Message) (int, error) {
	for i, m := range batch {
		if !m.Keep || m.Native {
			if _, err := e.hubEngine.Publish(ctx, batch[i:i+1]); err != nil {
				return i, err
			}
			continue
		}
		if e.hub.isCut(e.node) {
			return i, errCut
		}
		b, err := m.AppendBinary(nil)
		if err != nil {
			return i, err
		}
		e.hub.mu.Lock()
		l := e.hub.log(m.Namespace)
		l.entries = append(l.entries, b)
		if over := len(l.entries) - hubMost; over > 0 {
			l.entries, l.first = l.entries[over:], l.first+over
		}
		e.hub.mu.Unlock()
		e.hub.pump()
	}
	return len(batch), nil
}

// pump gives the node what is new.
func (e *hubLogEngine) pump() {
	e.reading.Lock()
	defer e.reading.Unlock()
	if e.hub.isCut(e.node) {
		return
	}
	for namespace, read := range e.read {
		for {
			e.hub.mu.RLock()
			l := e.hub.logs[namespace]
			var entries [][]byte
			lost := false
			if l != nil && read < l.last() {
				if lost = read < l.first-1; lost {
					read = l.first - 1
				}
				entries = slices.Clone(l.entries[read+1-l.first:])
			}
			e.hub.mu.RUnlock()
			if len(entries) == 0 {
				break
			}
			if lost {
				e.receiver.Lost(namespace)
			}
			for _, b := range entries {
				read++
				e.takeLogged(b, read)
			}
		}
		e.read[namespace] = read
	}
}

func (e *hubLogEngine) takeLogged(b []byte, number int) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return
	}
	m, err := ParseMessage(b)
	if err != nil {
		e.receiver.Refuse(err)
		return
	}
	m.Offset = strconv.Itoa(number)
	e.receiver.Receive(m)
}

// Tail implements LogEngine.
func (e *hubLogEngine) Tail(_ context.Context, namespace string) (string, error) {
	if e.hub.isCut(e.node) {
		return "", errCut
	}
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	return strconv.Itoa(e.hub.log(namespace).last()), nil
}

// Read implements LogEngine.
func (e *hubLogEngine) Read(_ context.Context, namespace, after, upTo string, f func(*Message) bool) error {
	from, err := offsetNumber(after)
	if err != nil {
		return err
	}
	to, err := offsetNumber(upTo)
	if err != nil {
		return err
	}
	if e.hub.isCut(e.node) {
		return errCut
	}
	e.hub.mu.Lock()
	l := e.hub.log(namespace)
	if from < l.first-1 {
		e.hub.mu.Unlock()
		return ErrTrimmed
	}
	to = min(to, l.last())
	var entries [][]byte
	if from < to {
		entries = slices.Clone(l.entries[from+1-l.first : to+1-l.first])
	}
	e.hub.mu.Unlock()
	for i, b := range entries {
		m, err := ParseMessage(b)
		if err != nil {
			return err
		}
		m.Offset = strconv.Itoa(from + 1 + i)
		if !f(m) {
			return nil
		}
	}
	return nil
}

// Before implements CopyingEngine.
func (e *hubLogEngine) Before(_ context.Context, namespace, offset string, f func(node string, seq uint64)) error {
	to, err := offsetNumber(offset)
	if err != nil {
		return err
	}
	if e.hub.isCut(e.node) {
		return errCut
	}
	e.hub.mu.Lock()
	l := e.hub.log(namespace)
	to = min(to, l.last())
	var entries [][]byte
	if from := max(l.first, to-windowSize); from <= to {
		entries = slices.Clone(l.entries[from-l.first : to+1-l.first])
	}
	e.hub.mu.Unlock()
	for _, b := range entries {
		if m, err := ParseMessage(b); err == nil {
			f(m.Node, m.Seq)
		}
	}
	return nil
}

// offsetNumber returns the number that an offset is.
func offsetNumber(offset string) (int, error) {
	n, err := strconv.Atoi(offset)
	if err != nil || n < 0 || strconv.Itoa(n) != offset {
		return 0, fmt.Errorf("%q is no offset", offset)
	}
	return n, nil
}

// Compare implements LogEngine.
func (e *hubLogEngine) Compare(a, b string) (int, error) {
	x, err := offsetNumber(a)
	if err != nil {
		return 0, err
	}
	y, err := offsetNumber(b)
	return cmp.Compare(x, y), err
}

// Save implements LogEngine.
func (e *hubLogEngine) Save(_ context.Context, records []Record) error {
	if e.hub.isCut(e.node) {
		return errCut
	}
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	for _, r := range records {
		if r.Term < e.hub.terms[r.Key] {
			continue
		}
		if r.Term > 0 {
			e.hub.terms[r.Key] = r.Term
		}
		if r.Value == nil {
			delete(e.hub.records, r.Key)
		} else {
			e.hub.records[r.Key] = hubRecord{r.Value, time.Now().Add(r.Keep)}
		}
	}
	return nil
}

// Load implements LogEngine.
func (e *hubLogEngine) Load(_ context.Context, key string) ([]byte, error) {
	if e.hub.isCut(e.node) {
		return nil, errCut
	}
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	r := e.hub.records[key]
	if time.Now().After(r.until) {
		delete(e.hub.records, key)
		return nil, nil
	}
	return r.value, nil
}

// Take implements LogEngine.
func (e *hubLogEngine) Take(ctx context.Context, key string, of int64) (value []byte, term int64, err error) {
	value, err = e.Load(ctx, key)
	e.hub.mu.Lock()
	defer e.hub.mu.Unlock()
	term = e.hub.terms[key]
	if _, there := e.hub.records[key]; err != nil || !there || of != AnyTerm && of != term {
		return nil, term, err
	}
	delete(e.hub.records, key)
	e.hub.terms[key]++
	return value, term + 1, nil
}

var _ CopyingEngine = (*hubLogEngine)(nil)
