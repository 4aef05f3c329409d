//go:build unix

package nats_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
)

// fault runs a fault with and without JetStream, with which nothing may be missing.
func fault(t *testing.T, of func(*services.Service) adaptertest.Fault) {
	for name, keeps := range map[string]bool{"Core": false, "JetStream": true} {
		t.Run(name, func(t *testing.T) {
			s := services.NATS(t)
			open := natsadapter.New
			if keeps {
				open = natsadapter.JetStream
			}
			f := of(s)
			f.Keeps = f.Keeps || keeps
			adaptertest.RunFault(t, adaptertest.Cluster{
				Adapter: func() adapter.Provider {
					conn, err := nats.Connect("nats://"+s.Addr, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(conn.Close)
					return open(conn, natsadapter.Options{Options: adaptertest.Options()})
				},
				Recovers: keeps,
			}, f)
		})
	}
}

// NATS is killed, and started again with the data that it had.
func TestNATSRestart(t *testing.T) {
	fault(t, func(s *services.Service) adaptertest.Fault { return adaptertest.Fault{Break: s.Kill, Heal: s.Start} })
}

// NATS is silent for 10 s: connections stay, and nobody answers.
func TestNATSPause(t *testing.T) {
	fault(t, func(s *services.Service) adaptertest.Fault {
		return adaptertest.Fault{Break: s.Pause, Heal: func() { <-time.After(10 * time.Second); s.Resume() }}
	})
}
