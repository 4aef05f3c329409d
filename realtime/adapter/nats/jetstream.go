package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// logEngine is the cluster.LogEngine of one node. What is kept, and what has to stay
// in order with it, goes through a stream; all else as on NATS without it.
type logEngine struct {
	*engine
	js      jetstream.JetStream
	options Options
	logger  *slog.Logger
	ctx     context.Context
	cancel  context.CancelFunc
	kick    chan struct{} // capacity 1: there is something to do for the supervisor
	ended   chan struct{} // closed when it has ended

	logMu  sync.Mutex // guards the rest
	epoch  int64      // when the stream was made, by the server's clock; 0 while that is not known
	ready  chan struct{}
	spaces map[string]*logSpace
}

// logSpace is a namespace's part of the log.
type logSpace struct {
	name   string
	opened chan struct{} // closed when it is read

	// Of the supervisor.
	reader jetstream.ConsumeContext

	mu   sync.Mutex // held while the node is given a message; guards the rest
	read place      // up to where it was
	shut bool
}

func newLogEngine(e *engine, o Options, logger *slog.Logger) *logEngine {
	l := &logEngine{engine: e, options: o, logger: logger, kick: make(chan struct{}, 1), ended: make(chan struct{}), ready: make(chan struct{}), spaces: make(map[string]*logSpace)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Start implements cluster.Engine.
func (l *logEngine) Start(node string, r cluster.Receiver) error {
	js, err := jetstream.New(l.conn)
	if err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	l.js = js
	if err := l.engine.Start(node, r); err != nil {
		return err
	}
	go l.supervise()
	return nil
}

// Open implements cluster.Engine.
func (l *logEngine) Open(ctx context.Context, namespace string) error {
	s := &logSpace{name: namespace, opened: make(chan struct{})}
	l.logMu.Lock()
	l.spaces[namespace] = s
	l.logMu.Unlock()
	l.wake()
	if err := l.engine.Open(ctx, namespace); err != nil {
		return err
	}
	select {
	case <-s.opened:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("nats: reading the stream %s: %w", l.subjects.stream("log"), context.Cause(ctx))
	}
}

// Shut implements cluster.Engine.
func (l *logEngine) Shut(namespace string) {
	l.engine.Shut(namespace)
	l.logMu.Lock()
	s := l.spaces[namespace]
	delete(l.spaces, namespace)
	l.logMu.Unlock()
	if s != nil {
		s.mu.Lock()
		s.shut = true
		s.mu.Unlock()
	}
	l.wake()
}

func (l *logEngine) wake() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// Close implements cluster.Engine.
func (l *logEngine) Close() error {
	l.cancel()
	<-l.ended
	return l.engine.Close()
}

// supervise has the spaces read, and begins again wherever the connection was lost.
func (l *logEngine) supervise() {
	defer close(l.ended)
	statuses := l.conn.StatusChanged(nats.CONNECTED)
	defer l.conn.RemoveStatusListener(statuses)
	reading := make(map[*logSpace]bool)
	defer func() {
		for s := range reading {
			s.end()
		}
	}()
	pause := time.Duration(0)
	again := false
	for {
		err := l.follow(reading, again)
		if l.ctx.Err() != nil {
			return
		}
		var retry <-chan time.Time
		if err != nil {
			if pause == 0 {
				l.logger.Warn("nats: JetStream cannot be read; trying again", "stream", l.subjects.stream("log"), "error", err)
			}
			pause = min(max(2*pause, 50*time.Millisecond), 2*time.Second)
			retry = time.After(pause)
		} else {
			pause, again = 0, false
		}
		select {
		case <-l.kick:
		case <-statuses:
			again = true
		case <-retry:
		case <-l.ctx.Done():
			return
		}
	}
}

// follow has the spaces read that there are, and no others.
func (l *logEngine) follow(reading map[*logSpace]bool, again bool) error {
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	info, err := l.streams(ctx)
	if err != nil {
		return err
	}
	l.logMu.Lock()
	l.epoch = info.Created.UnixNano()
	select {
	case <-l.ready:
	default:
		close(l.ready)
	}
	wanted := make(map[*logSpace]bool)
	for _, s := range l.spaces {
		wanted[s] = true
	}
	l.logMu.Unlock()
	for s := range reading {
		if !wanted[s] {
			s.end()
			delete(reading, s)
		}
	}
	for s := range wanted {
		if reading[s] && !again {
			continue
		}
		if err := l.begin(ctx, s, info); err != nil {
			return err
		}
		reading[s] = true
	}
	return nil
}

// beginning is how long it may take to begin to read: a question is lost when the stream
// has no leader.
const beginning = 3 * time.Second

// begin reads a namespace from where it was.
func (l *logEngine) begin(ctx context.Context, s *logSpace, info *jetstream.StreamInfo) error {
	s.end()
	epoch := info.Created.UnixNano()
	s.mu.Lock()
	lost := s.read.epoch != 0 && (s.read.epoch != epoch || s.read.number+1 < info.State.FirstSeq)
	if s.read.epoch == 0 || lost {
		s.read = place{epoch, info.State.LastSeq}
	}
	from := s.read.number + 1
	s.mu.Unlock()
	if lost {
		l.receiver.Lost(s.name)
	}
	ctx, cancel := context.WithTimeout(ctx, beginning)
	defer cancel()
	consumer, err := l.js.OrderedConsumer(ctx, l.subjects.stream("log"), jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{l.subjects.log(s.name)}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
	})
	if err != nil {
		return err
	}
	s.reader, err = consumer.Consume(func(m jetstream.Msg) { l.takeLogged(s, epoch, m) })
	if err != nil {
		return err
	}
	select {
	case <-s.opened:
	default:
		close(s.opened)
	}
	return nil
}

// end ends the reading.
func (s *logSpace) end() {
	if s.reader != nil {
		s.reader.Stop()
		s.reader = nil
	}
}

// takeLogged gives the node what stands in the log.
func (l *logEngine) takeLogged(s *logSpace, epoch int64, msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		l.receiver.Refuse(fmt.Errorf("nats: %w", err))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := place{epoch, meta.Sequence.Stream}
	if s.shut || at.compare(s.read) <= 0 || l.ctx.Err() != nil {
		return
	}
	s.read = at
	m, err := l.parse(l.ctx, msg.Data())
	if err != nil {
		l.receiver.Refuse(fmt.Errorf("nats: %w", err))
		return
	}
	m.Offset = at.String()
	l.receiver.Receive(m)
}

// streams makes the streams that are missing, and describes that of the log.
func (l *logEngine) streams(ctx context.Context) (*jetstream.StreamInfo, error) {
	const longest = 2 * time.Hour // that a session is kept
	log, err := l.stream(ctx, jetstream.StreamConfig{
		Name: l.subjects.stream("log"), Subjects: []string{l.subjects.logs(), l.subjects.parts()},
		MaxAge: l.options.KeepPackets, MaxBytes: orUnlimited(l.options.MaxBytes), Replicas: l.options.Replicas,
	})
	if err != nil {
		return nil, err
	}
	_, err = l.stream(ctx, jetstream.StreamConfig{
		Name: l.subjects.stream("sessions"), Subjects: []string{l.subjects.sessions()},
		MaxAge: longest, MaxMsgsPerSubject: 1, MaxBytes: -1, Replicas: l.options.Replicas,
	})
	return log, err
}

func orUnlimited(n int64) int64 {
	if n == 0 {
		return -1
	}
	return n
}

func (l *logEngine) stream(ctx context.Context, c jetstream.StreamConfig) (*jetstream.StreamInfo, error) {
	s, err := l.find(ctx, c.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = l.js.CreateStream(ctx, c)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was quicker
			s, err = l.find(ctx, c.Name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the stream %s: %w", c.Name, err)
	}
	return s.CachedInfo(), nil
}

// find returns a stream as it is now. A stream that has no leader yet, in a cluster
// of NATS servers, does not answer: it is asked again and again.
func (l *logEngine) find(ctx context.Context, name string) (s jetstream.Stream, err error) {
	const patience = time.Second
	for {
		once, cancel := context.WithTimeout(ctx, patience)
		err = again(once, func() (err error) {
			s, err = l.js.Stream(once, name)
			return err
		})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return s, err
		}
	}
}

// connected waits until the streams are there, and returns when that of the log was
// made.
func (l *logEngine) connected(ctx context.Context) (epoch int64, err error) {
	select {
	case <-l.ready:
	case <-ctx.Done():
		return 0, fmt.Errorf("nats: JetStream does not answer: %w", context.Cause(ctx))
	}
	l.logMu.Lock()
	defer l.logMu.Unlock()
	return l.epoch, nil
}

var (
	_ cluster.LogEngine  = (*logEngine)(nil)
	_ cluster.RoomEngine = (*logEngine)(nil)
)
