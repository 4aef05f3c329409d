//go:build unix

package redis_test

import (
	"context"
	"crypto/rand"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

// engines are the adapters of this package. Streams keep what goes through them.
var engines = []struct {
	name  string
	keeps bool
	open  func(redis.UniversalClient) adapter.Provider
}{
	{"pubsub", false, func(c redis.UniversalClient) adapter.Provider {
		return redisadapter.New(c, redisadapter.Options{Options: adaptertest.Options(), Prefix: rand.Text()})
	}},
	{"sharded", false, func(c redis.UniversalClient) adapter.Provider {
		return redisadapter.Sharded(c, redisadapter.ShardedOptions{Options: adaptertest.Options(), Prefix: rand.Text()})
	}},
	{"streams", true, func(c redis.UniversalClient) adapter.Provider {
		name := rand.Text()
		return redisadapter.Streams(c, redisadapter.StreamsOptions{Options: adaptertest.Options(), Stream: name, Prefix: name})
	}},
}

// fault runs a fault on each engine. It calls begin for each, which starts Redis.
func fault(t *testing.T, begin func(t *testing.T) (*redis.Client, adaptertest.Fault)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			client, f := begin(t)
			p := e.open(client)
			f.Keeps = f.Keeps || e.keeps
			adaptertest.RunFault(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: e.keeps}, f)
		})
	}
}

// Redis is not there yet when nodes start: they find each other when it is.
func TestRedisLate(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			s := services.Redis(t)
			p := e.open(connect(t, s))
			s.Kill()
			first, second := p.Open(adapter.Server{}), p.Open(adapter.Server{})
			met := make(chan bool, 2)
			for _, n := range []adapter.Node{first, second} {
				n.Watch(func(string, bool) { met <- true })
			}
			s.Start()
			<-met
			<-met
			for _, n := range []adapter.Node{first, second} {
				if err := n.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Redis is killed, and started again with the data that it had.
func TestRedisRestart(t *testing.T) {
	fault(t, func(t *testing.T) (*redis.Client, adaptertest.Fault) {
		s := services.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
		return connect(t, s), adaptertest.Fault{Break: s.Kill, Heal: s.Start}
	})
}

// Redis is silent for 10 s: connections stay, and nobody answers.
func TestRedisPause(t *testing.T) {
	fault(t, func(t *testing.T) (*redis.Client, adaptertest.Fault) {
		s := services.Redis(t)
		return connect(t, s), adaptertest.Fault{Break: s.Pause, Heal: func() { <-time.After(10 * time.Second); s.Resume() }}
	})
}

// Redis dies, and its replica takes over.
func TestRedisFailover(t *testing.T) {
	fault(t, func(t *testing.T) (*redis.Client, adaptertest.Fault) {
		first := services.Redis(t)
		second := services.Redis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(first.Port()), "--repl-diskless-sync-delay", "0")
		var addr atomic.Value // of who leads, as Sentinels would know
		addr.Store(first.Addr)
		client := redis.NewClient(&redis.Options{Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr.Load().(string))
		}})
		t.Cleanup(func() { client.Close() })
		direct := connect(t, second)
		replicated := func() {
			if err := client.Do(t.Context(), "WAIT", 1, 20_000).Err(); err != nil {
				t.Fatal(err)
			}
		}
		replicated()
		return client, adaptertest.Fault{
			Break: func() { replicated(); first.Kill() },
			Heal: func() {
				if err := direct.Do(t.Context(), "REPLICAOF", "NO", "ONE").Err(); err != nil {
					t.Fatal(err)
				}
				addr.Store(second.Addr)
			},
		}
	})
}
