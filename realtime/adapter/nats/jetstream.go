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

	ready chan struct{} // closed when the streams were there for the first time
	saved numbers

	// Of Publish.
	made    nats.Options // with these the connection was made
	connect func(nats.Options) (*outlet, error)
	out     *outlet // or nil

	logMu  sync.Mutex // guards the rest
	spaces map[string]*logSpace
}

// logSpace is a namespace's part of the log.
type logSpace struct {
	name   string
	opened chan struct{}   // closed when it is read
	ctx    context.Context // ends when it is shut
	shut   context.CancelFunc

	// Of the supervisor.
	stop func() // ends the reading, or nil

	giving chan struct{} // capacity 1: full while the node is given a message, and its parts are fetched

	mu          sync.Mutex // guards the rest
	read        place      // up to where the node was given the log
	last, until place      // behind last nothing stands up to until, as was seen when somebody looked
}

func newLogEngine(e *engine, js jetstream.JetStream, o Options, logger *slog.Logger) *logEngine {
	l := &logEngine{engine: e, js: js, options: o, logger: logger, kick: make(chan struct{}, 1), ended: make(chan struct{}), ready: make(chan struct{}), connect: connect, spaces: make(map[string]*logSpace)}
	l.made = e.conn.Opts
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Start implements cluster.Engine.
func (l *logEngine) Start(node string, r cluster.Receiver) error {
	if err := l.engine.Start(node, r); err != nil {
		return err
	}
	go l.supervise()
	return nil
}

// Open implements cluster.Engine.
func (l *logEngine) Open(ctx context.Context, namespace string) error {
	s := &logSpace{name: namespace, opened: make(chan struct{}), giving: make(chan struct{}, 1)}
	s.ctx, s.shut = context.WithCancel(l.ctx)
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
		s.shut()
		s.given() // what was being given
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
	l.hangUp()
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
	looks := time.NewTicker(l.options.KeepPackets / looksIn)
	defer looks.Stop()
	var retry <-chan time.Time
	pause := time.Duration(0)
	again := false
	for due := true; ; {
		if due {
			err := l.follow(reading, again)
			if l.ctx.Err() != nil {
				return
			}
			if err == nil {
				retry, pause, again = nil, 0, false
			} else {
				if pause == 0 {
					l.logger.Warn("nats: JetStream cannot be read; trying again", "stream", l.subjects.stream("log"), "error", err)
				}
				pause = min(max(2*pause, 50*time.Millisecond), 2*time.Second)
				retry = time.After(pause)
			}
		}
		due = true
		select {
		case <-l.kick:
		case <-statuses:
			again = true
		case <-retry:
		case <-looks.C:
			l.look(reading)
			due = false
		case <-l.ctx.Done():
			return
		}
	}
}

// looksIn is how often it is looked where the log ends, in the time for which it is kept.
const looksIn = 20

// look has the node be where the log ends in namespaces in which nothing is said: where
// it was last is not known any more some time, for what others say.
func (l *logEngine) look(reading map[*logSpace]bool) {
	if !l.conn.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, beginning)
	defer cancel()
	for s := range reading {
		if _, err := l.Tail(ctx, s.name); err != nil {
			return // until the next time
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
	select {
	case <-l.ready:
	default:
		close(l.ready)
	}
	l.logMu.Lock()
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
	read := s.position()
	lost := read.epoch != 0 && (read.epoch != epoch || read.number+1 < info.State.FirstSeq)
	if lost {
		l.receiver.Lost(s.name)
	}
	if read.epoch == 0 || lost {
		read = place{epoch, info.State.LastSeq}
		l.pass(s, read)
	}
	ctx, cancel := context.WithTimeout(ctx, beginning)
	defer cancel()
	consumer, err := l.js.OrderedConsumer(ctx, l.subjects.stream("log"), jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{l.subjects.log(s.name)}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: read.number + 1,
	})
	if err != nil {
		return err
	}
	reading, stop := context.WithCancel(s.ctx)
	reader, err := consumer.Consume(func(m jetstream.Msg) { l.takeLogged(reading, s, epoch, m) })
	if err != nil {
		stop()
		return err
	}
	s.stop = func() {
		stop()
		reader.Stop()
	}
	select {
	case <-s.opened:
	default:
		close(s.opened)
	}
	return nil
}

// end ends the reading, and waits until what was being given has been.
func (s *logSpace) end() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
	s.given()
}

// given waits until what is being given has been.
func (s *logSpace) given() {
	s.giving <- struct{}{}
	<-s.giving
}

// position returns up to where the node was given the log.
func (s *logSpace) position() place {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read
}

// advance notes that the node is given what stands at a place. giving is held, or nothing
// is read.
func (s *logSpace) advance(at place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = at
}

// space returns a namespace that is open, or nil.
func (l *logEngine) space(namespace string) *logSpace {
	l.logMu.Lock()
	defer l.logMu.Unlock()
	return l.spaces[namespace]
}

// takeLogged gives the node what stands in the log, while ctx lasts: what it could not be
// given by then comes again. The library calls it for a next message in another goroutine
// when one takes long.
func (l *logEngine) takeLogged(ctx context.Context, s *logSpace, epoch int64, msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		l.receiver.Refuse(fmt.Errorf("nats: %w", err))
		return
	}
	s.giving <- struct{}{}
	defer func() {
		l.settle(s)
		<-s.giving
	}()
	at := place{epoch, meta.Sequence.Stream}
	if ctx.Err() != nil || at.compare(s.position()) <= 0 {
		return
	}
	if l.skips(s.name, msg.Data()) {
		s.advance(at)
		l.receiver.Receive(&cluster.Message{Type: cluster.Heartbeat, Namespace: s.name, Offset: at.String(), Skipped: true})
		return
	}
	m, err := l.parse(ctx, msg.Data())
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, cluster.ErrTrimmed):
		l.receiver.Lost(s.name)
		l.pass(s, at)
		return
	case err != nil:
		l.receiver.Refuse(fmt.Errorf("nats: %w", err))
		l.pass(s, at)
		return
	}
	s.advance(at)
	m.Offset = at.String()
	l.receiver.Receive(m)
}

// pass tells the node that it has been given everything up to a place. giving is held, or
// nothing is read.
func (l *logEngine) pass(s *logSpace, at place) {
	s.advance(at)
	l.receiver.Receive(&cluster.Message{Namespace: s.name, Offset: at.String()})
}

// settle has the node pass what is known not to be there, when it has been given what
// stands before. giving is held.
func (l *logEngine) settle(s *logSpace) {
	s.mu.Lock()
	due := s.last.compare(s.read) <= 0 && s.read.compare(s.until) < 0
	until := s.until
	s.mu.Unlock()
	if due && s.ctx.Err() == nil {
		l.pass(s, until)
	}
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

// connected waits until the streams are there.
func (l *logEngine) connected(ctx context.Context) error {
	select {
	case <-l.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("nats: JetStream does not answer: %w", context.Cause(ctx))
	}
}

var (
	_ cluster.LogEngine  = (*logEngine)(nil)
	_ cluster.RoomEngine = (*logEngine)(nil)
)
