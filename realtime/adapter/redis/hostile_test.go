//go:build unix

package redis_test

import (
	"crypto/rand"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
)

// Everything that was said comes again, another release and strangers speak, and
// somebody sends 100 MB: nodes go on, and take nothing twice. Of publish and subscribe
// Redis ends a connection that has so much to read.
func TestRedisHostile(t *testing.T) {
	s := services.Redis(t)
	for _, e := range clustered {
		t.Run(e.name, func(t *testing.T) {
			client, name := connect(t, s), rand.Text()
			said := listenAll(t, client, name)
			p := e.open(client, name)
			adaptertest.RunFault(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: e.keeps}, adaptertest.Fault{
				Break: func() {
					again(t, client, name, said())
					again(t, client, "other"+name, said())
					for _, b := range [][]byte{{}, []byte("garbage"), []byte(`{"type":3,"uid":"x","nsp":"/"}`), {'Z', 0, 3, 0}, {'Z', 99, 3, 0}, make([]byte, 100<<20)} {
						e.inject(t.Context(), client, name, b)
					}
				},
				Heal: func() {},
			})
		})
	}
}

// said is what was published, or stands in a stream.
type said struct {
	channel, payload string
	shard            bool
	entry            map[string]any
}

// listenAll hears everything that is said under a name. What it returns tells what that
// was so far.
func listenAll(t *testing.T, client *redis.Client, name string) func() []said {
	t.Helper()
	p := client.PSubscribe(t.Context(), name+"*")
	t.Cleanup(func() { p.Close() })
	names := []string{name + "-nodes#", name + "#/#", name + "#/#room#"}
	if err := p.SSubscribe(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
	for range 1 + len(names) {
		if _, err := p.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	messages := p.Channel(redis.WithChannelSize(1 << 16))
	var all []said
	return func() []said {
		for {
			select {
			case m := <-messages:
				all = append(all, said{channel: m.Channel[len(name):], payload: m.Payload, shard: m.Pattern == ""})
				continue
			default:
			}
			break
		}
		list := all
		for _, stream := range []string{"-0", "-1"} {
			entries, err := client.XRange(t.Context(), name+stream, "-", "+").Result()
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				list = append(list, said{channel: stream, entry: entry.Values})
			}
		}
		return list
	}
}

// again says all that once more, under a name.
func again(t *testing.T, client *redis.Client, name string, all []said) {
	t.Helper()
	if len(all) < 200 {
		t.Fatalf("%d messages were heard", len(all))
	}
	p := client.Pipeline()
	for _, s := range all {
		switch {
		case s.entry != nil:
			p.XAdd(t.Context(), &redis.XAddArgs{Stream: name + s.channel, Values: s.entry})
		case s.shard:
			p.SPublish(t.Context(), name+s.channel, s.payload)
		default:
			p.Publish(t.Context(), name+s.channel, s.payload)
		}
	}
	if _, err := p.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}
