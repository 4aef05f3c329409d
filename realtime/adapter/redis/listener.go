package redis

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// listener receives what is published, in order, in one goroutine. When a connection
// is lost, or Redis is silent on it, it makes another, and subscribes there to all
// that it listens to.
//
// It does not leave that to the client library, which takes a server for alive
// as long as it can be written to, and cannot subscribe again to channels of
// different slots in a Redis Cluster.
type listener struct {
	client redis.UniversalClient
	open   func(context.Context, ...string) *redis.PubSub
	route  func(context.Context, *listener) error // or nil: called before each connection
	refuse func(error)
	ctx    context.Context
	cancel context.CancelFunc
	kick   chan struct{} // capacity 1: there is something to listen to
	done   chan struct{} // closed when the goroutine has ended

	// Of the goroutine.
	was bool // it has listened before

	mu       sync.Mutex    // guards the rest
	pubsub   *redis.PubSub // of the present connection, or nil
	channels map[string]*channel
	leaving  map[string]int  // how often Redis has still to say that it was left
	due      map[string]bool // what the present connection has still to confirm
	up       chan struct{}   // closed while that is nothing, and while there are no channels
	failure  error           // of the last connection
}

const (
	healthCheck = 3 * time.Second  // how often a silent connection is tried
	patience    = 10 * time.Second // how long Redis may take to answer
	minPause    = 20 * time.Millisecond
	maxPause    = time.Second // between two connections
)

var (
	errDeaf   = errors.New("redis: this node cannot subscribe, and says nothing while it does not hear the others; see whether Redis can be reached, and lets its user subscribe")
	errMoved  = errors.New("redis: another server has the channel")
	errMissed = errors.New("redis: the connection was lost; what the other nodes said meanwhile is missing")
)

// listen begins to listen to what is added, by connections of a client. It tells
// refuse when something may have been missed.
func listen(client redis.UniversalClient, refuse func(error)) *listener {
	l := newListener(client, client.Subscribe, refuse)
	go l.run()
	return l
}

func newListener(client redis.UniversalClient, open func(context.Context, ...string) *redis.PubSub, refuse func(error)) *listener {
	l := &listener{client: client, open: open, refuse: refuse, kick: make(chan struct{}, 1), done: make(chan struct{}), channels: make(map[string]*channel), leaving: make(map[string]int), up: make(chan struct{})}
	l.hear()
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *listener) run() {
	defer close(l.done)
	pause := minPause
	for {
		began := time.Now()
		if err := l.connect(); err != nil {
			l.down(err)
			reload(l.ctx, l.client)
		}
		if time.Since(began) > maxPause {
			pause = minPause
		}
		var retry <-chan time.Time
		kick := l.kick
		if !l.idle() {
			retry, kick = time.After(pause), nil
			pause = min(2*pause, maxPause)
		}
		select {
		case <-l.ctx.Done():
			return
		case <-retry:
		case <-kick:
		}
	}
}

// down notes that there is no connection.
func (l *listener) down(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pubsub, l.failure = nil, err
	if len(l.channels) > 0 {
		l.unhear()
	}
}

func (l *listener) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.channels) == 0
}

// connect is one connection's time. It returns nil when there is nothing to listen to.
func (l *listener) connect() error {
	if l.idle() {
		return nil
	}
	if l.route != nil {
		if err := l.route(l.ctx, l); err != nil || l.idle() {
			return err
		}
	}
	p := l.open(l.ctx)
	defer p.Close()
	l.mu.Lock()
	names := make(map[kind][]string)
	l.pubsub, l.due = p, make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(l.channels)) {
		k := l.channels[name].kind
		names[k] = append(names[k], name)
		l.due[name] = true
	}
	clear(l.leaving)
	l.mu.Unlock()
	for _, k := range []kind{exact, shard, pattern} { // a pattern leads to any server of a Redis Cluster
		if err := k.subscribe(l.ctx, p, names[k]...); err != nil {
			return err
		}
	}
	return l.receive(p)
}

// receive takes what comes until the connection fails.
func (l *listener) receive(p *redis.PubSub) error {
	heard := new(atomic.Uint64)
	stop := watch(l.ctx, p, heard)
	defer stop()
	missed := l.was
	for {
		message, err := p.Receive(l.ctx)
		if err != nil {
			return err
		}
		heard.Add(1)
		switch m := message.(type) {
		case *redis.Subscription:
			if strings.HasSuffix(m.Kind, "unsubscribe") {
				if !l.left(m.Channel) {
					return errMoved
				}
				continue
			}
			l.confirm(m.Channel)
			if l.was = true; missed {
				missed = false
				l.refuse(errMissed)
			}
		case *redis.Message:
			name := m.Pattern
			if name == "" {
				name = m.Channel
			}
			if c := l.channel(name); c != nil {
				c.take(m.Channel, m.Payload)
			}
		}
	}
}

// watch closes a connection when Redis does not answer on it. heard counts what has
// come there. What it returns ends it.
func watch(ctx context.Context, p *redis.PubSub, heard *atomic.Uint64) (stop func()) {
	var mu sync.Mutex // held while timer is set
	var timer *time.Timer
	last, asked := uint64(0), false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(healthCheck, func() {
		mu.Lock()
		defer mu.Unlock()
		now := heard.Load()
		silent := now == last
		last = now
		switch {
		case !silent:
			asked = false
			timer.Reset(healthCheck)
		case !asked:
			asked = true
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			if p.Ping(ctx) != nil {
				p.Close()
				return
			}
			timer.Reset(patience)
		default:
			p.Close()
		}
	})
	return func() { timer.Stop() }
}

func (l *listener) close() {
	l.cancel()
	l.mu.Lock()
	p := l.pubsub
	l.mu.Unlock()
	if p != nil {
		p.Close()
	}
	<-l.done
}
