package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"
)

// The home of a sharded channel is the address of the server of a Redis Cluster that
// has it. It is "" without a Redis Cluster, and while it is not known. Each home has a
// listener; when that has failed, it looks whether its channels are elsewhere now.

// home returns the home of a channel.
func (e *sharded) home(ctx context.Context, name string) (string, error) {
	c, is := e.client.(*redis.ClusterClient)
	if !is {
		return "", nil
	}
	m, err := c.MasterForKey(ctx, name)
	if err != nil {
		return "", fmt.Errorf("redis: %w", err)
	}
	return m.Options().Addr, nil
}

// subscribe listens to a channel, and waits until Redis knows.
func (e *sharded) subscribe(ctx context.Context, name string, take func(channel, payload string)) error {
	home, _ := e.home(ctx, name)
	c := &channel{kind: shard, take: take, confirmed: make(chan struct{})}
	e.place(name, home, c, nil)
	return c.wait(ctx, name)
}

func (e *sharded) unsubscribe(name string) {
	e.mu.Lock()
	l := e.homes[name]
	delete(e.homes, name)
	e.mu.Unlock()
	if l != nil {
		l.remove(name)
	}
}

// place has the listener of a home listen to a channel, in the stead of another one
// unless that is nil, or does not have it any more.
func (e *sharded) place(name, home string, c *channel, from *listener) {
	e.mu.Lock()
	if from != nil {
		if e.homes[name] != from {
			e.mu.Unlock()
			return
		}
		from.forget(name)
	}
	l := e.listener(home)
	e.homes[name] = l
	p := l.note(name, c)
	e.mu.Unlock()
	l.ask(p, shard, name)
}

// listener returns that of a home. mu is held.
func (e *sharded) listener(home string) *listener {
	l := e.listeners[home]
	if l != nil {
		return l
	}
	l = newListener(e.client, e.client.SSubscribe, e.receiver.Refuse)
	if _, is := e.client.(*redis.ClusterClient); is {
		l.route = func(ctx context.Context, l *listener) error { return e.route(ctx, l, home) }
	}
	if e.closed {
		close(l.done)
	} else {
		go l.run()
	}
	e.listeners[home] = l
	return l
}

// route gives the channels of a listener that have another home to the listener of
// that. It fails when the home of one is not known. The listener has no connection.
func (e *sharded) route(ctx context.Context, l *listener, home string) error {
	channels := l.all()
	for _, name := range slices.Sorted(maps.Keys(channels)) {
		now, err := e.home(ctx, name)
		if err != nil {
			return err
		}
		if now != home {
			e.place(name, now, channels[name], l)
		}
	}
	return nil
}

// close has no listener begin any more, and returns those that there are.
func (e *sharded) close() []*listener {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return slices.Collect(maps.Values(e.listeners))
}

// heard returns nil when all listeners hear.
func (e *sharded) heard(ctx context.Context) error {
	e.mu.Lock()
	listeners := slices.Collect(maps.Values(e.listeners))
	e.mu.Unlock()
	for _, l := range listeners {
		if err := l.heard(ctx); err != nil {
			return err
		}
	}
	return nil
}
