package nats

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// What is too large for one message stands in the stream in parts, which nobody is given,
// and behind them an entry that says where they are.

// headroom is how many bytes the headers of a message may have.
const headroom = 1024

// partedMark begins such an entry.
const partedMark = 'S'

// parted is the rest of it, as JSON.
type parted struct {
	ID    string    `json:"id"`
	First uint64    `json:"first"`           // the number of the first part
	Count int       `json:"count"`           // of parts
	Rooms *[]string `json:"rooms,omitempty"` // that a broadcast is for; none for everybody
}

// maxNames is how many bytes of rooms' names an entry may have.
const maxNames = 512

// part writes the parts of a message, each of most bytes or fewer, and returns its entry.
func (l *logEngine) part(ctx context.Context, m *cluster.Message, data []byte, most int) ([]byte, error) {
	if len(data) > maxWhole || most < headroom {
		return nil, fmt.Errorf("nats: a message of %d bytes: %w", len(data), cluster.ErrUnfit)
	}
	p := parted{ID: rand.Text(), Rooms: rooms(m)}
	for ; len(data) > 0; p.Count++ {
		n := min(most, len(data))
		ack, err := l.js.Publish(ctx, l.subjects.part(p.ID), data[:n])
		if err != nil {
			return nil, fmt.Errorf("nats: %w", err)
		}
		if p.Count == 0 {
			p.First = ack.Sequence
		}
		data = data[n:]
	}
	text, err := json.Marshal(p)
	return append([]byte{partedMark}, text...), err
}

// rooms returns the rooms that a broadcast is for, or nil for what is none, or has too
// many of them.
func rooms(m *cluster.Message) *[]string {
	if m.Type != cluster.Broadcast {
		return nil
	}
	list := append([]string{}, m.Target.Rooms...)
	if m.Target.Socket != "" {
		list = []string{m.Target.Socket}
	}
	if text, _ := json.Marshal(list); len(text) > maxNames {
		return nil
	}
	return &list
}

// parseParted reads an entry, if it is one that says where parts are.
func parseParted(data []byte) (p parted, is bool, err error) {
	if len(data) == 0 || data[0] != partedMark {
		return p, false, nil
	}
	if err := json.Unmarshal(data[1:], &p); err != nil {
		return p, true, fmt.Errorf("%w: %w", cluster.ErrForeign, err)
	}
	return p, true, nil
}

// skips reports whether an entry is one of parts that reach nobody here, and need not be
// fetched.
func (l *logEngine) skips(namespace string, data []byte) bool {
	p, is, err := parseParted(data)
	return is && err == nil && p.Rooms != nil && !l.receiver.Interested(namespace, *p.Rooms...)
}

// parse reads an entry, and fetches its parts until it has them, or some are known to have
// been dropped: then it fails with [cluster.ErrTrimmed]; or until ctx ends. What is no
// message is a [cluster.ErrForeign].
func (l *logEngine) parse(ctx context.Context, data []byte) (*cluster.Message, error) {
	p, is, err := parseParted(data)
	if err != nil {
		return nil, err
	}
	if is {
		if data, err = l.assemble(ctx, p); err != nil {
			return nil, err
		}
	}
	return cluster.ParseMessage(data)
}

// assemble fetches the parts of a message.
func (l *logEngine) assemble(ctx context.Context, p parted) (whole []byte, err error) {
	var stream jetstream.Stream
	err = l.insist(ctx, func(ctx context.Context) (err error) {
		stream, err = l.find(ctx, l.subjects.stream("log"))
		return err
	})
	for next := p.First; err == nil && p.Count > 0; p.Count-- {
		var part *jetstream.RawStreamMsg
		err = l.insist(ctx, func(ctx context.Context) (err error) {
			part, err = stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(l.subjects.part(p.ID)))
			return err
		})
		if err != nil {
			break
		}
		if whole = append(whole, part.Data...); len(whole) > maxWhole {
			return nil, fmt.Errorf("%w: it has more than %d bytes", cluster.ErrForeign, maxWhole)
		}
		next = part.Sequence + 1
	}
	return whole, err
}

// insist calls f until it succeeds, or what it asks for is known not to be there, or ctx
// ends.
func (l *logEngine) insist(ctx context.Context, f func(context.Context) error) error {
	for pause := time.Duration(0); ; {
		once, cancel := context.WithTimeout(ctx, patience)
		err := f(once)
		cancel()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, jetstream.ErrMsgNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
			return fmt.Errorf("nats: a part of a message: %w: %w", cluster.ErrTrimmed, err)
		case pause == 0 && ctx.Err() == nil:
			l.logger.Warn("nats: a part of a message cannot be fetched; trying again", "stream", l.subjects.stream("log"), "error", err)
		}
		pause = min(max(2*pause, 20*time.Millisecond), time.Second)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("nats: a part of a message: %w", err)
		}
	}
}
