//go:build unix

package redis_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

// connectAll returns a client of a Redis Cluster, which ends with the test.
func connectAll(t testing.TB, servers []*services.Service, line *adaptertest.Line) *redis.ClusterClient {
	t.Helper()
	o := &redis.ClusterOptions{}
	for _, s := range servers {
		o.Addrs = append(o.Addrs, s.Addr)
	}
	if line != nil {
		o.Dialer = line.DialContext
	}
	client := redis.NewClusterClient(o)
	t.Cleanup(func() { client.Close() })
	return client
}

// clustered are the adapters of this package, all of whose keys and channels begin
// with a name.
var clustered = []struct {
	name   string
	keeps  bool
	open   func(c redis.UniversalClient, name string) adapter.Provider
	inject func(ctx context.Context, c redis.UniversalClient, name string, b []byte)
}{
	{
		name: "pubsub",
		open: func(c redis.UniversalClient, name string) adapter.Provider {
			return redisadapter.New(c, redisadapter.Options{Options: adaptertest.Options(), Prefix: name})
		},
		inject: func(ctx context.Context, c redis.UniversalClient, name string, b []byte) {
			for _, channel := range []string{"-nodes#", "#/#", "-request#/#", "-response#/#"} {
				c.Publish(ctx, name+channel, b)
			}
		},
	},
	{
		name: "sharded",
		open: func(c redis.UniversalClient, name string) adapter.Provider {
			return redisadapter.Sharded(c, redisadapter.ShardedOptions{Options: adaptertest.Options(), Prefix: name})
		},
		inject: func(ctx context.Context, c redis.UniversalClient, name string, b []byte) {
			c.SPublish(ctx, name+"-nodes#", b)
			c.SPublish(ctx, name+"#/#", b)
		},
	},
	{
		name:  "streams",
		keeps: true,
		open: func(c redis.UniversalClient, name string) adapter.Provider {
			return redisadapter.Streams(c, redisadapter.StreamsOptions{
				Options: adaptertest.Options(), Stream: name, Count: 2, Prefix: name, SessionPrefix: name + ":",
			})
		},
		inject: func(ctx context.Context, c redis.UniversalClient, name string, b []byte) {
			c.Publish(ctx, name+"-nodes#", b)
			c.Publish(ctx, name+"#/#", b)
			for _, stream := range []string{name + "-0", name + "-1"} {
				c.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"native", b}})
				c.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"nsp", "/", "type", "8", "uid", "x", "data", b}})
			}
		},
	},
}

// The whole suite on a Redis Cluster of three masters. In a name the part between
// braces chooses the master: with it all channels of Sharded keep one order.
func TestRedisCluster(t *testing.T) {
	servers := services.RedisCluster(t, 3, 0)
	for _, e := range clustered {
		names := map[string]string{e.name: "%s"}
		if e.name == "sharded" {
			names["sharded in one place"] = "{%s}"
		}
		for test, form := range names {
			t.Run(test, func(t *testing.T) {
				adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
					name, outside := fmt.Sprintf(form, rand.Text()), connectAll(t, servers, nil)
					var lines adaptertest.Lines
					return adaptertest.Cluster{
						Adapter: func() adapter.Provider {
							return lines.Provider(func(l *adaptertest.Line) adapter.Provider { return e.open(connectAll(t, servers, l), name) })
						},
						Cut: lines.Cut, Heal: lines.Heal,
						Recovers:  e.keeps,
						Inject:    func(b []byte) { e.inject(t.Context(), outside, name, b) },
						Overtakes: test == "sharded",
					}
				})
			})
		}
	}
}

// replicated waits until a server's replica has what it has.
func replicated(t *testing.T, s *services.Service) {
	t.Helper()
	if n, err := connect(t, s).Do(t.Context(), "WAIT", 1, 20_000).Int(); err != nil || n == 0 {
		t.Fatalf("%d replicas have everything, error %v", n, err)
	}
}

// The master of a Redis Cluster through which everything goes dies, and its replica
// takes over.
func TestRedisClusterFailover(t *testing.T) {
	for _, e := range clustered {
		t.Run(e.name, func(t *testing.T) {
			servers := services.RedisCluster(t, 3, 1)
			client, name := connectAll(t, servers, nil), "{"+rand.Text()+"}"
			p := e.open(client, name)
			adaptertest.RunFault(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: e.keeps}, adaptertest.Fault{
				Keeps: e.keeps,
				Break: func() {
					master, err := client.MasterForKey(t.Context(), name)
					if err != nil {
						t.Fatal(err)
					}
					s := servers[slices.IndexFunc(servers, func(s *services.Service) bool { return s.Addr == master.Options().Addr })]
					replicated(t, s)
					s.Kill()
				},
				Heal: func() {},
			})
		})
	}
}

// A server that Sentinels watch dies, or is silent, and a replica takes over.
func TestRedisSentinel(t *testing.T) {
	for name, end := range map[string]func(*services.Service){"killed": (*services.Service).Kill, "silent": (*services.Service).Pause} {
		for _, e := range clustered {
			t.Run(name+"/"+e.name, func(t *testing.T) {
				t.Parallel()
				first := services.Redis(t)
				services.Redis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(first.Port()), "--repl-diskless-sync-delay", "0")
				sentinel := services.Sentinel(t, first)
				client := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: services.SentinelName, SentinelAddrs: []string{sentinel.Addr}})
				t.Cleanup(func() { client.Close() })
				p := e.open(client, rand.Text())
				adaptertest.RunFault(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: e.keeps}, adaptertest.Fault{
					Keeps: e.keeps,
					Break: func() { replicated(t, first); end(first) },
					Heal:  func() {},
				})
			})
		}
	}
}
