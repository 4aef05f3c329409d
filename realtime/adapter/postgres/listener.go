package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// listener receives notifications, in order, in one goroutine, on a connection
// that nobody else uses. It connects again by itself.
type listener struct {
	engine *engine
	ctx    context.Context
	cancel context.CancelFunc
	ready  chan struct{} // closed when it was connected for the first time
	done   chan struct{} // closed when the goroutine has ended

	mu        sync.Mutex // guards the rest
	wanted    map[string]*channel
	changed   bool               // wanted has, since the goroutine looked
	up        chan struct{}      // closed while it listens
	interrupt context.CancelFunc // ends the goroutine's waiting
}

// channel is one that is listened to.
type channel struct {
	name      string
	namespace string // whose it is, or ""
	confirmed chan struct{}
	once      sync.Once
}

const (
	healthCheck = 3 * time.Second // after which a silent connection is tried
	minPause    = 50 * time.Millisecond
	maxPause    = time.Second // between two attempts to connect
)

func newListener(e *engine) *listener {
	l := &listener{engine: e, ready: make(chan struct{}), done: make(chan struct{}), wanted: make(map[string]*channel), up: make(chan struct{}), interrupt: func() {}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *listener) start() { go l.run() }

// add listens to a channel, soon.
func (l *listener) add(name, namespace string) *channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.wanted[name]
	if c == nil {
		c = &channel{name: name, namespace: namespace, confirmed: make(chan struct{})}
		l.wanted[name] = c
		l.changed = true
		l.interrupt()
	}
	return c
}

func (l *listener) remove(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wanted, name)
	l.changed = true
	l.interrupt()
}

func (l *listener) channel(name string) *channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wanted[name]
}

// listening returns what is closed while it listens.
func (l *listener) listening() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

func (l *listener) close() {
	l.cancel()
	<-l.done
}

// run listens, again and again.
func (l *listener) run() {
	defer close(l.done)
	pause := minPause
	for down := false; ; {
		began := time.Now()
		err := l.listen(func() {
			if down {
				l.engine.logger.Info("postgres: connected", "node", l.engine.node)
			}
			down, pause = false, minPause
			close(l.listening())
		})
		l.mu.Lock()
		select {
		case <-l.up:
			l.up = make(chan struct{})
		default:
		}
		l.mu.Unlock()
		if l.ctx.Err() != nil {
			return
		}
		if !down {
			down = true
			select {
			case <-l.ready:
				l.engine.logger.Warn("postgres: the connection is lost; connecting again", "node", l.engine.node, "error", err, "after", time.Since(began))
			default:
				l.engine.logger.Warn("postgres: cannot connect; trying again", "node", l.engine.node, "error", err)
			}
		}
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// listen is one connection's time.
func (l *listener) listen(connected func()) error {
	conn, err := l.connect()
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		conn.Close(ctx)
	}()
	heard := make(map[string]*channel)
	for first := true; ; first = false {
		if err := l.follow(conn, heard); err != nil {
			return err
		}
		if first {
			connected()
		}
		if err := l.receive(conn); err != nil {
			return err
		}
	}
}

// connect takes a connection out of the pool, whose hooks have seen to it.
func (l *listener) connect() (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	pooled, err := l.engine.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	conn := pooled.Hijack()
	if err := makeTables(ctx, conn, l.engine.options); err != nil {
		conn.Close(ctx)
		return nil, err
	}
	select {
	case <-l.ready:
	default:
		close(l.ready)
	}
	return conn, nil
}

// follow listens to what is wanted, and to nothing else.
func (l *listener) follow(conn *pgx.Conn, heard map[string]*channel) error {
	l.mu.Lock()
	wanted := maps.Clone(l.wanted)
	l.changed = false
	l.mu.Unlock()
	for name, c := range heard {
		if wanted[name] != c {
			delete(heard, name)
			if err := l.execute(conn, "UNLISTEN "+pgx.Identifier{name}.Sanitize()); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		c := wanted[name]
		if heard[name] == c {
			continue
		}
		if err := l.execute(conn, "LISTEN "+pgx.Identifier{name}.Sanitize()); err != nil {
			return err
		}
		if log := l.engine.log; log != nil && c.namespace != "" {
			if err := log.heard(l.ctx, conn, c.namespace); err != nil {
				return fmt.Errorf("reading what was missed: %w", err)
			}
		}
		heard[name] = c
		c.once.Do(func() { close(c.confirmed) })
	}
	return nil
}

func (l *listener) execute(conn *pgx.Conn, sql string) error {
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// receive takes notifications until something else is wanted.
func (l *listener) receive(conn *pgx.Conn) error {
	for {
		l.mu.Lock()
		if l.changed {
			l.mu.Unlock()
			return nil
		}
		ctx, cancel := context.WithTimeout(l.ctx, healthCheck)
		l.interrupt = cancel
		l.mu.Unlock()
		n, err := conn.WaitForNotification(ctx)
		ended := ctx.Err()
		cancel()
		switch {
		case err == nil:
			if err := l.engine.take(n); err != nil {
				return fmt.Errorf("reading what was notified: %w", err)
			}
		case l.ctx.Err() != nil || conn.IsClosed() || ended == nil:
			return err
		case errors.Is(ended, context.DeadlineExceeded):
			if err := l.ping(conn); err != nil {
				return err
			}
		}
	}
}

func (l *listener) ping(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	return conn.Ping(ctx)
}
