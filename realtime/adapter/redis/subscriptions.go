package redis

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// channel is a channel, or a pattern, that is listened to.
type channel struct {
	kind      kind
	take      func(channel, payload string)
	confirmed chan struct{} // closed when Redis knows
	once      sync.Once
}

// kind is one of the ways to subscribe.
type kind int

const (
	exact kind = iota
	pattern
	shard
)

func (k kind) subscribe(ctx context.Context, p *redis.PubSub, names ...string) error {
	switch {
	case len(names) == 0:
		return nil
	case k == pattern:
		return p.PSubscribe(ctx, names...)
	case k == shard:
		for _, name := range names { // those of one command must have one slot
			if err := p.SSubscribe(ctx, name); err != nil {
				return err
			}
		}
		return nil
	}
	return p.Subscribe(ctx, names...)
}

func (k kind) unsubscribe(ctx context.Context, p *redis.PubSub, names ...string) error {
	switch k {
	case pattern:
		return p.PUnsubscribe(ctx, names...)
	case shard:
		return p.SUnsubscribe(ctx, names...)
	}
	return p.Unsubscribe(ctx, names...)
}

func (l *listener) channel(name string) *channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.channels[name]
}

// add listens to channels, and waits until Redis knows. It goes on trying when it
// returns an error.
func (l *listener) add(ctx context.Context, k kind, take func(channel, payload string), names ...string) error {
	added := l.begin(k, take, names...)
	for i, c := range added {
		if err := c.wait(ctx, names[i]); err != nil {
			return err
		}
	}
	return nil
}

// wait waits until Redis knows that a channel is listened to.
func (c *channel) wait(ctx context.Context, name string) error {
	select {
	case <-c.confirmed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("redis: subscribing to %s: %w", name, context.Cause(ctx))
	}
}

// begin is add that does not wait.
func (l *listener) begin(k kind, take func(channel, payload string), names ...string) []*channel {
	added := make([]*channel, len(names))
	for i, name := range names {
		added[i] = &channel{kind: k, take: take, confirmed: make(chan struct{})}
		l.ask(l.note(name, added[i]), k, name)
	}
	return added
}

// note has the next connection listen to a channel. It returns the present one, or
// nil, for ask.
func (l *listener) note(name string, c *channel) *redis.PubSub {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.channels) == 0 && l.pubsub == nil {
		l.unhear()
	}
	l.channels[name] = c
	return l.pubsub
}

// ask has a connection listen to a channel.
func (l *listener) ask(p *redis.PubSub, k kind, name string) {
	if p != nil {
		k.subscribe(l.ctx, p, name) // the goroutine finds out when it fails
		return
	}
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// all returns what is listened to, and forget ends it without telling Redis.
func (l *listener) all() map[string]*channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.channels)
}

func (l *listener) forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if delete(l.channels, name); len(l.channels) == 0 {
		l.hear()
	}
}

// remove ends that.
func (l *listener) remove(names ...string) {
	of := make(map[kind][]string)
	l.mu.Lock()
	p := l.pubsub
	for _, name := range names {
		if c := l.channels[name]; c != nil {
			of[c.kind] = append(of[c.kind], name)
			delete(l.channels, name)
			if p != nil {
				l.leaving[name]++
			}
		}
	}
	if len(l.channels) == 0 {
		l.hear()
	}
	l.mu.Unlock()
	if p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	for k, names := range of {
		k.unsubscribe(ctx, p, names...) // a connection that is gone has forgotten it
	}
}

// left reports whether this node has asked for what Redis says: that a channel is
// not listened to any more.
func (l *listener) left(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving[name] == 0 {
		return false
	}
	if l.leaving[name]--; l.leaving[name] == 0 {
		delete(l.leaving, name)
	}
	return true
}

// confirm notes that Redis knows of a channel.
func (l *listener) confirm(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.channels[name]; c != nil {
		c.once.Do(func() { close(c.confirmed) })
	}
	if delete(l.due, name); len(l.due) == 0 {
		l.hear()
	}
}

// hear closes up, and unhear takes that back. mu is held.
func (l *listener) hear() {
	select {
	case <-l.up:
	default:
		close(l.up)
	}
}

func (l *listener) unhear() {
	select {
	case <-l.up:
		l.up = make(chan struct{})
	default:
	}
}

// heard returns nil when Redis knows all that the listener began with, or soon. A node
// says nothing before: it would not hear the answers.
func (l *listener) heard(ctx context.Context) error {
	l.mu.Lock()
	up, failure := l.up, l.failure
	l.mu.Unlock()
	soon := time.NewTimer(maxPause)
	defer soon.Stop()
	select {
	case <-up:
		return nil
	case <-soon.C:
	case <-ctx.Done():
	}
	if failure == nil {
		return errDeaf
	}
	return fmt.Errorf("%w: %w", errDeaf, failure)
}

// literal returns a pattern that means a text and nothing else.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}
