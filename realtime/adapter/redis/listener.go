package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// listener receives what is published, in order, in one goroutine. The client
// library connects again, and subscribes again, by itself.
type listener struct {
	pubsub *redis.PubSub
	refuse func(error)
	done   chan struct{} // closed when the goroutine has ended

	mu       sync.RWMutex // guards the rest
	channels map[string]*channel
}

// channel is a channel, or a pattern, that is listened to.
type channel struct {
	take      func(channel, payload string)
	confirmed chan struct{} // closed when Redis knows
	once      sync.Once
}

const (
	healthCheck = 3 * time.Second  // how often a silent connection is tried
	received    = 4096             // messages that wait to be taken
	patience    = 10 * time.Second // how long Redis may take to answer
)

// listen begins to listen to what is added. It tells refuse when something may have
// been missed.
func listen(p *redis.PubSub, refuse func(error)) *listener {
	l := &listener{pubsub: p, refuse: refuse, done: make(chan struct{}), channels: make(map[string]*channel)}
	messages := p.ChannelWithSubscriptions(redis.WithChannelSize(received), redis.WithChannelHealthCheckInterval(healthCheck))
	go l.run(messages)
	return l
}

func (l *listener) run(messages <-chan any) {
	defer close(l.done)
	for message := range messages {
		switch m := message.(type) {
		case *redis.Subscription:
			if strings.HasSuffix(m.Kind, "unsubscribe") {
				continue
			}
			if c := l.channel(m.Channel); c != nil {
				again := true
				c.once.Do(func() { again = false; close(c.confirmed) })
				if again {
					l.refuse(errors.New("redis: the connection was lost; what the other nodes said meanwhile is missing"))
				}
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

func (l *listener) channel(name string) *channel {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.channels[name]
}

// add listens to channels by one of the subscribing methods, and waits until Redis
// knows. The library goes on trying when it returns an error.
func (l *listener) add(ctx context.Context, subscribe func(context.Context, ...string) error, take func(channel, payload string), names ...string) error {
	added := l.note(take, names)
	if err := subscribe(ctx, names...); err != nil {
		return err
	}
	for i, c := range added {
		select {
		case <-c.confirmed:
		case <-ctx.Done():
			return fmt.Errorf("redis: subscribing to %s: %w", names[i], context.Cause(ctx))
		}
	}
	return nil
}

// begin listens to channels without waiting: the library goes on trying.
func (l *listener) begin(subscribe func(context.Context, ...string) error, take func(channel, payload string), names ...string) {
	l.note(take, names)
	subscribe(context.Background(), names...)
}

func (l *listener) note(take func(channel, payload string), names []string) []*channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	added := make([]*channel, len(names))
	for i, name := range names {
		added[i] = &channel{take: take, confirmed: make(chan struct{})}
		l.channels[name] = added[i]
	}
	return added
}

// remove ends that.
func (l *listener) remove(unsubscribe func(context.Context, ...string) error, names ...string) {
	l.mu.Lock()
	for _, name := range names {
		delete(l.channels, name)
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	unsubscribe(ctx, names...) // a connection that is gone has forgotten it
}

func (l *listener) close() error {
	err := l.pubsub.Close()
	<-l.done
	return err
}

// literal returns a pattern that means a text and nothing else.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}
