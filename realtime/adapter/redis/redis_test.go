//go:build unix

package redis_test

import (
	"context"
	"crypto/rand"
	"net"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

// connect returns a client of a Redis server, which ends with the test.
func connect(t testing.TB, s *services.Service) *redis.Client {
	t.Helper()
	return connectBy(t, s, nil)
}

// connectBy is connect by a function that connects.
func connectBy(t testing.TB, s *services.Service, dial func(ctx context.Context, network, addr string) (net.Conn, error)) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.Addr, Dialer: dial})
	t.Cleanup(func() { client.Close() })
	return client
}

// onLines is a cluster of nodes each of which has a client of its own, on a line of its own.
func onLines(t *testing.T, s *services.Service, open func(redis.UniversalClient) adapter.Provider) adaptertest.Cluster {
	lines := new(adaptertest.Lines)
	return adaptertest.Cluster{
		Adapter: func() adapter.Provider {
			return lines.Provider(func(l *adaptertest.Line) adapter.Provider { return open(connectBy(t, s, l.DialContext)) })
		},
		Cut: lines.Cut, Heal: lines.Heal,
	}
}

func TestAdapter(t *testing.T) {
	s := services.Redis(t)
	adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
		o := redisadapter.Options{Options: adaptertest.Options(), Prefix: rand.Text()}
		outside := connect(t, s)
		c := onLines(t, s, func(client redis.UniversalClient) adapter.Provider { return redisadapter.New(client, o) })
		c.Inject = func(b []byte) {
			for _, channel := range []string{"-nodes#", "#/#", "-request#/#", "-response#/#"} {
				outside.Publish(t.Context(), o.Prefix+channel, b)
			}
		}
		return c
	})
}

func TestStreams(t *testing.T) {
	s := services.Redis(t)
	for name, count := range map[string]int{"one stream": 1, "three streams": 3} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
				name := rand.Text()
				o := redisadapter.StreamsOptions{Options: adaptertest.Options(), Stream: name, Count: count, Prefix: name, SessionPrefix: name + ":"}
				outside := connect(t, s)
				c := onLines(t, s, func(client redis.UniversalClient) adapter.Provider { return redisadapter.Streams(client, o) })
				c.Recovers = true
				c.Inject = func(b []byte) {
					outside.Publish(t.Context(), name+"-nodes#", b)
					outside.Publish(t.Context(), name+"#/#", b)
					for _, stream := range []string{name, name + "-0", name + "-1", name + "-2"} {
						outside.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []any{"native", b}})
						outside.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []any{"nsp", "/", "type", "8", "uid", "x", "data", b}})
					}
				}
				return c
			})
		})
	}
}

// What a stream has twice, because a node that lost its connection has sent it again, a
// client is told once.
func TestStreamsCopies(t *testing.T) {
	client, name := connect(t, services.Redis(t)), rand.Text()
	o := redisadapter.StreamsOptions{Options: adaptertest.Options(), Stream: name, Prefix: name, SessionPrefix: name + ":"}
	c := adaptertest.Cluster{Adapter: func() adapter.Provider { return redisadapter.Streams(client, o) }, Recovers: true}
	adaptertest.RunCopies(t, c, func() {
		last, err := client.XRevRangeN(t.Context(), name, "+", "-", 1).Result()
		if err == nil {
			err = client.XAdd(t.Context(), &redis.XAddArgs{Stream: name, Values: last[0].Values}).Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What stands in a stream that nobody can read is missing, unless it is no broadcast.
func TestStreamsGap(t *testing.T) {
	client := connect(t, services.Redis(t))
	for name, entry := range map[string][]any{
		"garbage":   {"nsp", "/", "type", "3", "uid", "x", "data", "garbage"},
		"cut off":   {"nsp", "/", "type", "3", "uid", "x", "data", `{"packet":{"type":2,"data":["missed`},
		"no packet": {"nsp", "/", "type", "3", "uid", "x", "data", `{"opts":{"rooms":[],"except":[],"flags":{}}}`},
		"no type":   {"nsp", "/", "uid", "x", "data", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			stream := rand.Text()
			o := redisadapter.StreamsOptions{Options: adaptertest.Options(), Stream: stream, Prefix: stream, SessionPrefix: stream + ":"}
			c := adaptertest.Cluster{Adapter: func() adapter.Provider { return redisadapter.Streams(client, o) }, Recovers: true}
			adaptertest.RunGap(t, c, func() {
				_, err := client.TxPipelined(t.Context(), func(p redis.Pipeliner) error { // a second gap would break connections again
					for range 3 {
						p.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: entry})
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestSharded(t *testing.T) {
	s := services.Redis(t)
	for _, mode := range []redisadapter.SubscriptionMode{redisadapter.Dynamic, redisadapter.DynamicPrivate, redisadapter.Static} {
		t.Run(string(mode), func(t *testing.T) {
			adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
				o := redisadapter.ShardedOptions{Options: adaptertest.Options(), Prefix: rand.Text(), Mode: mode}
				outside := connect(t, s)
				c := onLines(t, s, func(client redis.UniversalClient) adapter.Provider { return redisadapter.Sharded(client, o) })
				c.Inject = func(b []byte) {
					outside.SPublish(t.Context(), o.Prefix+"-nodes#", b)
					outside.SPublish(t.Context(), o.Prefix+"#/#", b)
				}
				return c
			})
		})
	}
}
