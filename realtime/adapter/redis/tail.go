package redis

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// tail reads what comes into a stream, in a goroutine and by a client of its own.
type tail struct {
	name   string
	client redis.UniversalClient // that waits for entries
	engine *streams
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended
	ready  chan struct{} // closed when it is known where the stream ended at first

	mu         sync.Mutex // held while something is received; guards the rest
	position   string     // of the last entry that was read
	namespaces map[string]bool
	due        map[string]string // namespaces that have to be told when the reader is at an offset
	lost       string            // the first entry of the stream when something was dropped before it
	closed     bool
}

const (
	readCount = 256             // entries at a time, at most
	readBlock = 5 * time.Second // how long to wait for some
	beginning = "0-0"           // stands before the first entry
)

// follow begins to read a stream behind its present end.
func follow(client redis.UniversalClient, name string, e *streams) *tail {
	t := &tail{
		name: name, client: duplicate(client), engine: e, done: make(chan struct{}), ready: make(chan struct{}),
		namespaces: make(map[string]bool), due: make(map[string]string),
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	go t.run()
	return t
}

// duplicate returns a client of the same servers that nobody else uses: closing it
// ends what waits. It shares no settings of maintenance notifications, which a client
// changes when it connects, and does without them.
func duplicate(client redis.UniversalClient) redis.UniversalClient {
	off := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch c := client.(type) {
	case *redis.ClusterClient:
		o := *c.Options()
		o.MaintNotificationsConfig = off
		return redis.NewClusterClient(&o)
	case *redis.Client:
		o := *c.Options()
		o.MinIdleConns, o.MaintNotificationsConfig = 0, off
		return redis.NewClient(&o)
	}
	panic("redis: Streams needs a *redis.Client or a *redis.ClusterClient")
}

func (t *tail) run() {
	defer close(t.done)
	pause, failed := time.Duration(0), false
	for t.ctx.Err() == nil {
		err := t.step(failed)
		if failed = err != nil; !failed {
			pause = 0
			continue
		}
		reload(t.ctx, t.client)
		pause = min(max(2*pause, 20*time.Millisecond), time.Second)
		select {
		case <-time.After(pause):
		case <-t.ctx.Done():
		}
	}
}

// step waits for entries, and takes them. After a failure it sees first whether
// some are missing.
func (t *tail) step(failed bool) error {
	select {
	case <-t.ready:
	default:
		return t.begin()
	}
	if failed {
		if err := t.check(); err != nil {
			return err
		}
	}
	got, err := t.client.XRead(t.ctx, &redis.XReadArgs{Streams: []string{t.name, t.position}, Count: readCount, Block: readBlock}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil
	case err != nil:
		return err
	}
	for _, stream := range got {
		if len(stream.Messages) == readCount { // it may lag behind so far that something was dropped
			if err := t.check(); err != nil {
				return err
			}
		}
		t.take(stream.Messages)
	}
	return nil
}

// begin learns where the stream ends.
func (t *tail) begin() error {
	end, err := t.engine.end(t.ctx, t.client, t.name)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.position = end
	t.mu.Unlock()
	close(t.ready)
	return nil
}

// check tells who is concerned when entries were dropped that have not been read.
func (t *tail) check() error {
	first, covered, err := covers(t.ctx, t.client, t.name, t.position)
	if err != nil || covered {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || first == t.lost {
		return nil
	}
	t.lost = first
	for namespace := range t.namespaces {
		t.engine.receiver.Lost(namespace)
	}
	return nil
}

// take receives entries. Of those that cannot be read a namespace is told once: who comes
// there from then on has come behind all of them.
func (t *tail) take(entries []redis.XMessage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	told := make(map[string]bool)
	for _, entry := range entries {
		if t.closed {
			return
		}
		t.position = entry.ID
		namespace, _ := entry.Values[fieldNamespace].(string)
		_, native := entry.Values[fieldNative]
		if (native || t.namespaces[namespace]) && t.engine.take(entry.ID, entry.Values) {
			if !told[namespace] {
				told[namespace] = true
				t.engine.receiver.Lost(namespace)
			}
			t.engine.receiver.Receive(passed(namespace, entry.ID))
		}
	}
	t.settle()
}

// settle tells the namespaces that wait for it how far the reader is. mu is held.
func (t *tail) settle() {
	for namespace, offset := range t.due {
		if order, err := t.engine.Compare(t.position, offset); err == nil && order >= 0 {
			delete(t.due, namespace)
			t.engine.receiver.Receive(passed(namespace, offset))
		}
	}
}

// tell has a namespace told when everything up to an offset has been received: what
// stands there may concern others.
func (t *tail) tell(namespace, offset string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed && t.namespaces[namespace] {
		t.due[namespace] = offset
		t.settle()
	}
}

func (t *tail) open(namespace string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.namespaces[namespace] = true
}

func (t *tail) shut(namespace string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.namespaces, namespace)
	delete(t.due, namespace)
}

// wait waits until it is known where the stream ended.
func (t *tail) wait(ctx context.Context) error {
	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *tail) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	t.client.Close()
	<-t.done
}

// covers reports whether all entries behind an offset are still in a stream, and
// which is the first that is.
func covers(ctx context.Context, c redis.Cmdable, stream, after string) (first string, covered bool, err error) {
	info, err := c.XInfoStream(ctx, stream).Result()
	switch {
	case err != nil && strings.Contains(err.Error(), "no such key"):
		return beginning, after == beginning, nil
	case err != nil:
		return "", false, err
	}
	return info.FirstEntry.ID, reaches(info, after), nil
}

func reaches(info *redis.XInfoStream, after string) bool {
	if after == beginning {
		return info.EntriesAdded == info.Length
	}
	order, err := compareIDs(info.FirstEntry.ID, after)
	return err == nil && info.Length > 0 && order <= 0
}
