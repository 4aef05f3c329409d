package engineio

import (
	"context"
	"encoding/binary"
	"time"
)

// handle takes a message of another node.
func (f *foreign) handle(from string, b []byte) {
	m, err := decodeMessage(b)
	if err != nil {
		f.warn(from)
		return
	}
	key := laneKey{from, m.lane, m.flags&flagAsker == 0}
	f.mu.Lock()
	l := f.lanes[key]
	f.mu.Unlock()
	switch {
	case l != nil:
		l.take(m)
	case m.kind == messageOpen && !key.asked:
		f.opened(key, m)
	case m.kind == messageData: // its end was lost
		newLane(f, key, 0).send(messageReset, nil)
	}
}

// warn tells of messages that make no sense, once.
func (f *foreign) warn(from string) {
	f.warned.Do(func() {
		f.server.config.Logger.Warn("realtime: another node sent what is no message, ignoring those", "node", from,
			"cure", "nodes of one cluster must run compatible versions, and have the engine between them to themselves")
	})
}

// take takes a message of the other end.
func (l *lane) take(m message) {
	switch m.kind {
	case messageReset:
		l.end(errReset)
		return
	case messageRoom:
		l.grant(m.body)
		return
	case messageLetGo:
		l.release()
		return
	}
	size := int64(len(m.body))
	if l.foreign.bytes.Add(size) > maxLaneBytes {
		l.foreign.bytes.Add(-size)
		l.reset(errCrowd)
		return
	}
	m.body = append([]byte(nil), m.body...)
	l.mu.Lock()
	gap := m.kind.ordered() && m.seq != l.expected
	ended := l.err != nil
	if !gap && !ended {
		if m.kind.ordered() {
			l.expected++
		}
		l.inbox = append(l.inbox, m)
	}
	l.mu.Unlock()
	if gap || ended {
		l.foreign.bytes.Add(-size)
	}
	if gap && !ended {
		l.reset(errGap)
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// grant notes how much data the other end has taken.
func (l *lane) grant(body []byte) {
	if len(body) != 8 {
		l.foreign.warn(l.key.node)
		return
	}
	taken := binary.BigEndian.Uint64(body)
	l.mu.Lock()
	if taken > l.acked && taken <= l.unacked {
		l.acked = taken
	}
	l.mu.Unlock()
	select {
	case l.room <- struct{}{}:
	default:
	}
}

// patienceSteps are the parts of the time that is waited for another node. A process
// that stands still, on a busy machine, loses no more than one of them: else its time
// would be over before it sees what has come meanwhile.
const patienceSteps = 4

// receive waits for the next message, for no longer than the limit, unless that is
// 0. A messageSign does not count. The message's body may be kept.
func (l *lane) receive(ctx context.Context, limit time.Duration) (message, error) {
	l.takeData()
	var late <-chan time.Time
	if limit > 0 {
		steps := time.NewTicker(max(limit/patienceSteps, 1))
		defer steps.Stop()
		late = steps.C
	}
	for waited := 0; ; {
		l.mu.Lock()
		if len(l.inbox) > 0 {
			m := l.inbox[0]
			l.inbox[0] = message{}
			if l.inbox = l.inbox[1:]; len(l.inbox) == 0 {
				l.inbox = nil
			}
			l.mu.Unlock()
			l.foreign.bytes.Add(-int64(len(m.body)))
			if m.kind == messageData {
				l.size = len(m.body)
			}
			return m, nil
		}
		err := l.err
		l.mu.Unlock()
		if err == nil && waited == patienceSteps {
			err = errSilent
		}
		if err != nil {
			return message{}, err
		}
		select {
		case <-l.wake:
		case <-l.done:
		case <-ctx.Done():
			return message{}, context.Cause(ctx)
		case <-late:
			waited++
		}
	}
}

// takeData makes room in the window for the data that has been handled.
func (l *lane) takeData() {
	if l.size == 0 {
		return
	}
	l.taken += uint64(l.size)
	l.size = 0
	if l.taken-l.granted >= laneWindow/4 {
		l.granted = l.taken
		l.send(messageRoom, binary.BigEndian.AppendUint64(nil, l.taken))
	}
}

// receiveWhole is receive for a message in several parts, which it appends to dst;
// no more than most bytes. It returns the message's kind.
func (l *lane) receiveWhole(ctx context.Context, limit time.Duration, dst []byte, most int) (messageKind, []byte, error) {
	for {
		m, err := l.receive(ctx, limit)
		if err != nil {
			return 0, dst, err
		}
		if len(dst)+len(m.body) > most {
			return 0, dst, errLarge
		}
		if dst == nil && m.flags&flagMore == 0 {
			return m.kind, m.body, nil
		}
		dst = append(dst, m.body...)
		if m.flags&flagMore == 0 {
			return m.kind, dst, nil
		}
	}
}
