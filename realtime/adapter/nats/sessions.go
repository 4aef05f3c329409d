package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// A record is the last message of its subject in a stream; one without a value is
// none. How long it is kept stands in a header, in milliseconds, and its Term in another.
// What time it is, the last message of the stream tells, since every node writes there
// with each sign of life: only the server's clock counts.
const (
	keepHeader = "Zocalo-Keep"
	termHeader = "Zocalo-Term"
)

// wrongLastSequence is the same as the library's JSErrCodeStreamWrongLastSequence,
// from servers since 2.12.
const wrongLastSequence = 10164

// isLate reports whether a message was refused because its subject has another one since.
func isLate(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == wrongLastSequence)
}

// numbers remembers the numbers of the messages that this node has saved records with: it
// need not ask which is the last of a subject before the next.
type numbers struct {
	mu sync.Mutex // guards the rest
	of map[string]uint64
}

// mostNumbers is how many are remembered; which one is not, is asked for.
const mostNumbers = 1 << 17

func (n *numbers) get(key string) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.of[key]
}

// set remembers a number, or with 0 that there is none.
func (n *numbers) set(key string, number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case number == 0:
		delete(n.of, key)
	case n.of == nil || len(n.of) >= mostNumbers:
		n.of = map[string]uint64{key: number}
	default:
		n.of[key] = number
	}
}

// message returns that of a record.
func (l *logEngine) message(r cluster.Record) *nats.Msg {
	m := &nats.Msg{Subject: l.subjects.session(r.Key), Data: r.Value, Header: nats.Header{}}
	m.Header.Set(keepHeader, strconv.FormatInt(r.Keep.Milliseconds(), 10))
	if r.Term > 0 {
		m.Header.Set(termHeader, strconv.FormatInt(r.Term, 10))
	}
	return m
}

// Save implements cluster.LogEngine. Each record follows the one that is the last as far
// as this node knows. Where that is not so, it looks for the Term of that one, and tries
// again.
func (l *logEngine) Save(ctx context.Context, records []cluster.Record) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.connected(ctx); err != nil {
		return err
	}
	for len(records) > 0 {
		late, err := l.saveOnce(ctx, records)
		if err != nil {
			return err
		}
		records = nil
		for _, r := range late {
			_, term, number, err := l.load(ctx, r.Key)
			if err != nil {
				return err
			}
			if term <= r.Term {
				l.saved.set(r.Key, number)
				records = append(records, r)
			}
		}
	}
	return nil
}

// saveOnce saves records, and returns those that were refused because there is another one
// since.
func (l *logEngine) saveOnce(ctx context.Context, records []cluster.Record) (late []cluster.Record, err error) {
	acks := make([]jetstream.PubAckFuture, len(records))
	for i, r := range records {
		ack, err := l.js.PublishMsgAsync(l.message(r), jetstream.WithExpectLastSequencePerSubject(l.saved.get(r.Key)))
		if err != nil {
			return nil, fmt.Errorf("nats: %w", err)
		}
		acks[i] = ack
	}
	for i, ack := range acks {
		r := records[i]
		select {
		case saved := <-ack.Ok():
			number := saved.Sequence
			if r.Value == nil {
				number = 0 // nothing more is to be saved of it
			}
			l.saved.set(r.Key, number)
		case err := <-ack.Err():
			if !isLate(err) {
				return nil, fmt.Errorf("nats: %w", err)
			}
			late = append(late, r)
		case <-ctx.Done():
			return nil, fmt.Errorf("nats: JetStream does not answer: %w", context.Cause(ctx))
		}
	}
	return late, nil
}

// Load implements cluster.LogEngine.
func (l *logEngine) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, _, err := l.load(ctx, key)
	return value, err
}

// load returns what there is of a record, and the number of its last message, or 0.
func (l *logEngine) load(ctx context.Context, key string) (value []byte, term int64, number uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = again(ctx, func() (err error) {
		value, term, number, err = l.loadOnce(ctx, key)
		return err
	})
	return value, term, number, err
}

func (l *logEngine) loadOnce(ctx context.Context, key string) (value []byte, term int64, number uint64, err error) {
	if err := l.connected(ctx); err != nil {
		return nil, 0, 0, err
	}
	s, err := l.find(ctx, l.subjects.stream("sessions"))
	if err != nil {
		return nil, 0, 0, fmt.Errorf("nats: %w", err)
	}
	m, err := s.GetLastMsgForSubject(ctx, l.subjects.session(key))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, 0, 0, nil
	case err != nil:
		return nil, 0, 0, fmt.Errorf("nats: %w", err)
	}
	term, _ = strconv.ParseInt(m.Header.Get(termHeader), 10, 64) // 0 without one
	keep, err := strconv.ParseInt(m.Header.Get(keepHeader), 10, 64)
	if err != nil || len(m.Data) == 0 || s.CachedInfo().State.LastTime.Sub(m.Time) > time.Duration(keep)*time.Millisecond {
		return nil, term, m.Sequence, nil
	}
	return m.Data, term, m.Sequence, nil
}

// Take implements cluster.LogEngine.
func (l *logEngine) Take(ctx context.Context, key string, of int64) (value []byte, term int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		value, term, number, err := l.load(ctx, key)
		if err != nil || value == nil || of != cluster.AnyTerm && of != term {
			return nil, term, err
		}
		none := l.message(cluster.Record{Key: key, Term: term + 1})
		_, err = l.js.PublishMsg(ctx, none, jetstream.WithExpectLastSequencePerSubject(number))
		switch {
		case err == nil:
			return value, term + 1, nil
		case !isLate(err):
			return nil, 0, fmt.Errorf("nats: %w", err)
		}
	}
}
