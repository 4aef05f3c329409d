//go:build unix

package redis_test

import (
	"crypto/rand"
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
	client := redis.NewClient(&redis.Options{Addr: s.Addr})
	t.Cleanup(func() { client.Close() })
	return client
}

func TestAdapter(t *testing.T) {
	s := services.Redis(t)
	adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
		o := redisadapter.Options{Options: adaptertest.Options(), Prefix: rand.Text()}
		client := connect(t, s)
		return adaptertest.Cluster{
			Adapter: func() adapter.Provider { return redisadapter.New(client, o) },
			Inject: func(b []byte) {
				for _, channel := range []string{"-nodes#", "#/#", "-request#/#", "-response#/#"} {
					client.Publish(t.Context(), o.Prefix+channel, b)
				}
			},
		}
	})
}

func TestStreams(t *testing.T) {
	s := services.Redis(t)
	for name, count := range map[string]int{"one stream": 1, "three streams": 3} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
				name := rand.Text()
				o := redisadapter.StreamsOptions{Options: adaptertest.Options(), Stream: name, Count: count, Prefix: name, SessionPrefix: name + ":"}
				client := connect(t, s)
				return adaptertest.Cluster{
					Adapter:  func() adapter.Provider { return redisadapter.Streams(client, o) },
					Recovers: true,
					Inject: func(b []byte) {
						client.Publish(t.Context(), name+"-nodes#", b)
						client.Publish(t.Context(), name+"#/#", b)
						for _, stream := range []string{name, name + "-0", name + "-1", name + "-2"} {
							client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []any{"native", b}})
							client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []any{"nsp", "/", "type", "3", "uid", "x", "data", b}})
						}
					},
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
				client := connect(t, s)
				return adaptertest.Cluster{
					Adapter: func() adapter.Provider { return redisadapter.Sharded(client, o) },
					Inject: func(b []byte) {
						client.SPublish(t.Context(), o.Prefix+"-nodes#", b)
						client.SPublish(t.Context(), o.Prefix+"#/#", b)
					},
				}
			})
		})
	}
}
