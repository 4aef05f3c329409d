//go:build unix

package mixed

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/internal/need"
	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

// TestRedis forms clusters with npm's @socket.io/redis-adapter and
// @socket.io/redis-streams-adapter.
func TestRedis(t *testing.T) {
	need.Modules(t, "node")
	for _, test := range []struct {
		kind     string // of Node's adapter: peer.mjs
		adapter  func(redis.UniversalClient) adapter.Provider
		recovers bool
	}{
		{"pubsub", func(c redis.UniversalClient) adapter.Provider { return redisadapter.New(c, redisadapter.Options{}) }, false},
		{"streams", func(c redis.UniversalClient) adapter.Provider {
			return redisadapter.Streams(c, redisadapter.StreamsOptions{})
		}, true},
		{"manyStreams", func(c redis.UniversalClient) adapter.Provider {
			return redisadapter.Streams(c, redisadapter.StreamsOptions{Count: 3})
		}, true},
		{"sharded", func(c redis.UniversalClient) adapter.Provider {
			return redisadapter.Sharded(c, redisadapter.ShardedOptions{})
		}, false},
		{"private", func(c redis.UniversalClient) adapter.Provider {
			return redisadapter.Sharded(c, redisadapter.ShardedOptions{Mode: redisadapter.DynamicPrivate})
		}, false},
		{"static", func(c redis.UniversalClient) adapter.Provider {
			return redisadapter.Sharded(c, redisadapter.ShardedOptions{Mode: redisadapter.Static})
		}, false},
		{"specific", func(c redis.UniversalClient) adapter.Provider { return redisadapter.New(c, redisadapter.Options{}) }, false},
	} {
		t.Run(test.kind, func(t *testing.T) {
			s := services.Redis(t)
			client := redis.NewClient(&redis.Options{Addr: s.Addr})
			t.Cleanup(func() { client.Close() })
			var recovery *realtime.Recovery
			if test.recovers {
				recovery = &realtime.Recovery{}
			}
			runNode(t, place{Kind: test.kind, Engine: "redis://" + s.Addr, Go: listen(t, test.adapter(client), recovery)})
		})
	}
}
