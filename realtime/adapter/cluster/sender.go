package cluster

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// sender gives what a node has to say to its engine, in order, and its sign of
// life in between.
type sender struct {
	node    *node
	ctx     context.Context // of what the engine is given
	cancel  context.CancelFunc
	wake    chan struct{} // capacity 1: there is something in queue
	settled chan struct{} // closed when the nodes that are there have had time to say so
	done    chan struct{} // closed when the goroutine has ended
	down    atomic.Bool   // the engine is out of reach, and that has been logged

	// Of the goroutine.
	settling *time.Timer // closes settled; nil until something has been sent
	last     time.Time   // when the engine was out of reach last

	mu     sync.Mutex // guards the rest
	queue  []*Message
	held   int // bytes of queue
	seq    uint64
	closed bool // nothing more is taken; what is queued is sent still
}

// settleTime is how long the nodes that are there may take to greet a new one.
const settleTime = 200 * time.Millisecond

// batch is how many messages an engine is given at a time, at most.
const batch = 256

func (s *sender) init(n *node) {
	s.node = n
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.wake, s.done, s.settled = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
}

func (s *sender) start() {
	s.add(&Message{Type: InitialHeartbeat, Native: true, Node: s.node.id})
	go s.run()
}

// size is about how many bytes a message holds.
func (m *Message) size() int {
	const overhead = 300
	size := overhead + len(m.Data)
	for _, f := range m.Frames {
		size += len(f.Data)
	}
	for _, o := range m.Sockets {
		size += len(o.Handshake) + len(o.Data)
	}
	return size
}

// add queues a message.
func (s *sender) add(m *Message) error {
	size := m.size()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return adapter.ErrClosed
	}
	if s.held > 0 && s.held+size > s.node.options.MaxQueued {
		return adapter.ErrBusy
	}
	if m.To == "" && m.Type != Heartbeat {
		s.seq++
		m.Seq = s.seq
	}
	s.queue = append(s.queue, m)
	s.held += size
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// run sends until nothing more will come, or the context has ended.
func (s *sender) run() {
	defer close(s.done)
	beats := time.NewTicker(s.node.options.HeartbeatInterval)
	defer beats.Stop()
	for {
		select {
		case <-s.wake:
			if !s.drain() {
				return
			}
		case <-beats.C:
			s.node.beat()
		case <-s.ctx.Done():
			return
		}
	}
}

// drain sends what is queued, and reports whether there may be more some day.
func (s *sender) drain() bool {
	pause := time.Duration(0)
	for {
		s.mu.Lock()
		n := min(len(s.queue), batch)
		messages, closed := s.queue[:n:n], s.closed
		s.mu.Unlock()
		if n == 0 {
			return !closed
		}
		sent, err := s.node.engine.Publish(s.ctx, messages)
		if errors.Is(err, ErrUnfit) && sent < n {
			s.node.logger.Error("cluster: a message cannot be sent, and is dropped", "node", s.node.id, "error", err)
			sent, err = sent+1, nil
		}
		s.drop(sent)
		if sent > 0 && s.settling == nil {
			s.settling = time.AfterFunc(settleTime, func() { close(s.settled) })
		}
		switch {
		case err == nil:
			if s.down.Swap(false) {
				s.node.logger.Info("cluster: the other nodes can be reached again", "node", s.node.id)
			}
			pause = 0
			continue
		case s.ctx.Err() != nil:
			return false
		case !s.down.Swap(true):
			s.node.logger.Warn("cluster: the other nodes cannot be reached; trying again", "node", s.node.id, "error", err,
				"cure", "start the engine that Config.Adapter connects to, or mend its address; what is said meanwhile waits, up to MaxQueued bytes")
		}
		s.last = time.Now()
		s.shed()
		pause = min(max(2*pause, 20*time.Millisecond), time.Second)
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
			return false
		}
	}
}

// warn logs what comes of an engine that does not do what it should, unless it is out of
// reach, which has been logged.
func (n *node) warn(message string, args ...any) {
	if !n.sender.down.Load() {
		n.logger.Warn(message, args...)
	}
}

// wasDown reports whether the engine was out of reach not longer ago than that. It
// is called by the goroutine.
func (s *sender) wasDown(ago time.Duration) bool {
	return !s.last.IsZero() && time.Since(s.last) < ago
}

// drop takes the first n messages out of the queue.
func (s *sender) drop(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.queue[:n] {
		s.held -= m.size()
	}
	clear(s.queue[:n])
	s.queue = s.queue[n:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
}

// shed drops what is of no use later.
func (s *sender) shed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.queue[:0]
	for _, m := range s.queue {
		if m.Volatile || m.Type == Heartbeat {
			s.held -= m.size()
		} else {
			kept = append(kept, m)
		}
	}
	clear(s.queue[len(kept):])
	s.queue = kept
}

// close takes nothing more, and waits until everything has been sent, or ctx
// ends. It returns the cause then, if something is left.
func (s *sender) close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	var err error
	select {
	case <-s.done:
	case <-ctx.Done():
		s.cancel()
		<-s.done
		s.mu.Lock()
		if len(s.queue) > 0 {
			err = context.Cause(ctx)
		}
		s.mu.Unlock()
	}
	s.cancel()
	return err
}
