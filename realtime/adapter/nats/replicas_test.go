//go:build unix

package nats_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
)

// JetStream keeps everything on three servers. One of them, to which nodes are
// connected, dies, comes back, and is followed by the next: nothing is missing.
func TestNATSReplicas(t *testing.T) {
	servers := services.NATSCluster(t, 3)
	var urls []string
	for _, s := range servers {
		urls = append(urls, "nats://"+s.Addr)
	}
	o := natsadapter.Options{Options: adaptertest.Options(), Replicas: 3}
	next := 0
	adaptertest.RunFault(t, adaptertest.Cluster{
		Adapter: func() adapter.Provider {
			order := append(urls[next:len(urls):len(urls)], urls[:next]...)
			next = (next + 1) % len(urls)
			conn, err := nats.Connect(strings.Join(order, ","), nats.DontRandomize(), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(conn.Close)
			return natsadapter.JetStream(conn, o)
		},
		Recovers: true,
	}, adaptertest.Fault{Keeps: true, Break: servers[0].Kill, Heal: servers[0].Start})
}
