package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// place is where a message stands: its number in the stream, and when that was made.
// A stream that was lost and made again so goes on behind the one before it.
type place struct {
	epoch  int64
	number uint64
}

func (p place) String() string {
	return strconv.FormatInt(p.epoch, 36) + "-" + strconv.FormatUint(p.number, 10)
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.epoch, o.epoch), cmp.Compare(p.number, o.number))
}

func parsePlace(offset string) (p place, err error) {
	epoch, number, _ := strings.Cut(offset, "-")
	if p.epoch, err = strconv.ParseInt(epoch, 36, 64); err == nil {
		p.number, err = strconv.ParseUint(number, 10, 64)
	}
	if err != nil || p.epoch < 0 || p.String() != offset {
		return place{}, fmt.Errorf("nats: %.60q is no offset", offset)
	}
	return p, nil
}

// Compare implements cluster.LogEngine.
func (l *logEngine) Compare(a, b string) (int, error) {
	x, err := parsePlace(a)
	if err != nil {
		return 0, err
	}
	y, err := parsePlace(b)
	return x.compare(y), err
}

// logged reports whether a message goes through the stream: what is kept, and what
// tells sockets something that must not overtake it.
func logged(m *cluster.Message) bool {
	if m.Native || m.To != "" || m.Request != "" || m.Volatile {
		return false
	}
	switch m.Type {
	case cluster.Broadcast:
		return m.Keep
	case cluster.SocketsJoin, cluster.SocketsLeave, cluster.DisconnectSockets, cluster.ServerSideEmit:
		return true
	}
	return false
}

// Publish implements cluster.Engine.
func (l *logEngine) Publish(ctx context.Context, batch []*cluster.Message) (sent int, err error) {
	for sent < len(batch) && err == nil {
		n := sent + 1
		for n < len(batch) && logged(batch[n]) == logged(batch[sent]) {
			n++
		}
		publish := l.engine.Publish
		if logged(batch[sent]) {
			publish = l.publishLogged
		}
		done := 0
		done, err = publish(ctx, batch[sent:n])
		sent += done
	}
	return sent, err
}

// entry returns what goes into the stream for a message.
func (l *logEngine) entry(ctx context.Context, m *cluster.Message) (*nats.Msg, error) {
	data, err := m.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	if most := int(l.conn.MaxPayload()) - headroom; len(data) > most {
		if data, err = l.part(ctx, m, data, most); err != nil {
			return nil, err
		}
	}
	entry := &nats.Msg{Subject: l.subjects.log(m.Namespace), Data: data, Header: nats.Header{}}
	if m.Seq > 0 {
		entry.Header.Set(nats.MsgIdHdr, m.Node+"-"+strconv.FormatUint(m.Seq, 10))
	}
	return entry, nil
}

// Tail implements cluster.LogEngine. The stream has other namespaces' messages, too, and
// parts: up to where nothing stands behind the last one of this namespace the node
// passes, so that it is not behind others, which begin where the stream ends.
func (l *logEngine) Tail(ctx context.Context, namespace string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := l.logStream(ctx)
	if err != nil {
		return "", err
	}
	info := stream.CachedInfo()
	end := place{info.Created.UnixNano(), info.State.LastSeq}
	last := place{epoch: end.epoch}
	switch m, err := stream.GetLastMsgForSubject(ctx, l.subjects.log(namespace)); {
	case err == nil:
		last.number = m.Sequence
	case !errors.Is(err, jetstream.ErrMsgNotFound):
		return "", fmt.Errorf("nats: %w", err)
	}
	s := l.space(namespace)
	if s == nil {
		return later(last, end).String(), nil
	}
	read := s.position()
	if read.epoch != end.epoch {
		return later(last, end).String(), nil
	}
	tail := later(last, read)
	if tail.compare(end) >= 0 || info.Config.AllowDirect { // then who is behind the others may have told of the last one
		return tail.String(), nil
	}
	switch err := l.reaches(ctx, read); {
	case errors.Is(err, cluster.ErrTrimmed):
		return tail.String(), nil // what the node was not given may have been dropped, and nobody knows
	case err != nil:
		return "", err
	}
	s.mu.Lock()
	if s.until.compare(end) < 0 {
		s.last, s.until = last, end
	}
	s.mu.Unlock()
	select {
	case s.giving <- struct{}{}:
		l.settle(s)
		<-s.giving
		return end.String(), nil
	case <-ctx.Done():
		return "", fmt.Errorf("nats: the log is not read: %w", context.Cause(ctx))
	}
}

// later returns the later one of two places.
func later(a, b place) place {
	if a.compare(b) < 0 {
		return b
	}
	return a
}

// logStream returns the stream of the log as it is now.
func (l *logEngine) logStream(ctx context.Context) (jetstream.Stream, error) {
	if err := l.connected(ctx); err != nil {
		return nil, err
	}
	s, err := l.find(ctx, l.subjects.stream("log"))
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return s, nil
}

// Read implements cluster.LogEngine.
func (l *logEngine) Read(ctx context.Context, namespace, after, upTo string, f func(*cluster.Message) bool) error {
	from, err := parsePlace(after)
	if err != nil {
		return err
	}
	to, err := parsePlace(upTo)
	if err != nil {
		return err
	}
	return again(ctx, func() error {
		return l.between(ctx, namespace, from, to, func(messages []*cluster.Message) (more bool, err error) {
			if err := l.reaches(ctx, from); err != nil { // after reading: what is there now was there then
				return false, err
			}
			for _, m := range messages {
				if from, err = parsePlace(m.Offset); err != nil || !f(m) {
					return false, err
				}
			}
			return true, nil
		})
	})
}

// reaches fails when something behind a place may have been dropped.
func (l *logEngine) reaches(ctx context.Context, from place) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := l.logStream(ctx)
	if err != nil {
		return err
	}
	if info := stream.CachedInfo(); from.epoch != info.Created.UnixNano() || from.number+1 < info.State.FirstSeq {
		return cluster.ErrTrimmed
	}
	return nil
}

// again calls f until it does not fail any more because nobody is there to answer:
// in a cluster of NATS servers it takes a moment until all know where a consumer is, or
// who leads a stream.
func again(ctx context.Context, f func() error) error {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		err := f()
		if !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, jetstream.ErrNoStreamResponse) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// readAtOnce is how many messages are read, and held, at a time.
const readAtOnce = 500

// between reads the log behind one place, up to another, and calls f with some messages at
// a time, at least once, until it returns false.
func (l *logEngine) between(ctx context.Context, namespace string, from, to place, f func([]*cluster.Message) (more bool, err error)) error {
	if from.compare(to) >= 0 {
		_, err := f(nil)
		return err
	}
	consumer, err := l.js.CreateConsumer(ctx, l.subjects.stream("log"), jetstream.ConsumerConfig{
		FilterSubject: l.subjects.log(namespace), DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from.number + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	name := consumer.CachedInfo().Name
	defer l.conn.Publish("$JS.API.CONSUMER.DELETE."+l.subjects.stream("log")+"."+name, nil) // nobody waits for it
	for left := consumer.CachedInfo().NumPending; ; {
		var messages []*cluster.Message
		if messages, left, err = l.fetch(ctx, consumer, from.epoch, to, left); err != nil {
			return err
		}
		if more, err := f(messages); err != nil || !more || left == 0 {
			return err
		}
	}
}

// fetch reads some of those messages that are left, and returns those up to a place, and
// how many are left then.
func (l *logEngine) fetch(ctx context.Context, consumer jetstream.Consumer, epoch int64, to place, left uint64) (messages []*cluster.Message, rest uint64, err error) {
	if left == 0 {
		return nil, 0, nil
	}
	batch, err := consumer.Fetch(int(min(left, readAtOnce)), jetstream.FetchMaxWait(patience))
	if err != nil {
		return nil, 0, fmt.Errorf("nats: %w", err)
	}
	got := uint64(0)
	for msg := range batch.Messages() {
		got++
		meta, err := msg.Metadata()
		if err != nil {
			return nil, 0, fmt.Errorf("nats: %w", err)
		}
		at := place{epoch, meta.Sequence.Stream}
		if at.compare(to) > 0 {
			return messages, 0, nil
		}
		m, err := l.parse(ctx, msg.Data())
		switch {
		case errors.Is(err, cluster.ErrForeign):
			continue // the nodes have refused it, too
		case err != nil:
			return nil, 0, err
		}
		m.Offset = at.String()
		messages = append(messages, m)
	}
	if err := batch.Error(); err != nil {
		return nil, 0, fmt.Errorf("nats: %w", err)
	}
	if got == 0 {
		return nil, 0, errors.New("nats: JetStream does not answer")
	}
	return messages, left - min(got, left), nil
}
