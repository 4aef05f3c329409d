package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// A record is the last message of its subject in a stream; one without a value is
// none. How long it is kept stands in a header, in milliseconds. What time it is,
// the last message of the stream tells, since every node writes there with each sign
// of life: only the server's clock counts.
const keepHeader = "Zocalo-Keep"

// wrongLastSequence is the same as the library's JSErrCodeStreamWrongLastSequence,
// from servers since 2.12.
const wrongLastSequence = 10164

// Save implements cluster.LogEngine.
func (l *logEngine) Save(ctx context.Context, records []cluster.Record) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.connected(ctx); err != nil {
		return err
	}
	acks := make([]jetstream.PubAckFuture, len(records))
	for i, r := range records {
		m := &nats.Msg{Subject: l.subjects.session(r.Key), Data: r.Value, Header: nats.Header{}}
		m.Header.Set(keepHeader, strconv.FormatInt(r.Keep.Milliseconds(), 10))
		ack, err := l.js.PublishMsgAsync(m)
		if err != nil {
			return fmt.Errorf("nats: %w", err)
		}
		acks[i] = ack
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return fmt.Errorf("nats: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("nats: JetStream does not answer: %w", context.Cause(ctx))
		}
	}
	return nil
}

// Load implements cluster.LogEngine.
func (l *logEngine) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, err := l.load(ctx, key)
	return value, err
}

func (l *logEngine) load(ctx context.Context, key string) (value []byte, number uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = again(ctx, func() (err error) {
		value, number, err = l.loadOnce(ctx, key)
		return err
	})
	return value, number, err
}

func (l *logEngine) loadOnce(ctx context.Context, key string) (value []byte, number uint64, err error) {
	if err := l.connected(ctx); err != nil {
		return nil, 0, err
	}
	s, err := l.find(ctx, l.subjects.stream("sessions"))
	if err != nil {
		return nil, 0, fmt.Errorf("nats: %w", err)
	}
	m, err := s.GetLastMsgForSubject(ctx, l.subjects.session(key))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("nats: %w", err)
	}
	keep, err := strconv.ParseInt(m.Header.Get(keepHeader), 10, 64)
	if err != nil || len(m.Data) == 0 || s.CachedInfo().State.LastTime.Sub(m.Time) > time.Duration(keep)*time.Millisecond {
		return nil, 0, nil
	}
	return m.Data, m.Sequence, nil
}

// Take implements cluster.LogEngine.
func (l *logEngine) Take(ctx context.Context, key string) ([]byte, error) {
	value, number, err := l.load(ctx, key)
	if err != nil || value == nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	none := &nats.Msg{Subject: l.subjects.session(key), Header: nats.Header{}}
	none.Header.Set(keepHeader, "0")
	_, err = l.js.PublishMsg(ctx, none, jetstream.WithExpectLastSequencePerSubject(number))
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == wrongLastSequence):
		return nil, nil // somebody else has it
	case err != nil:
		return nil, fmt.Errorf("nats: %w", err)
	}
	return value, nil
}
