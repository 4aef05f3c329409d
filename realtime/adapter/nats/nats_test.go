//go:build unix

package nats_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
)

// connect returns a connection to a NATS server, which ends with the test.
func connect(t testing.TB, s *services.Service, more ...nats.Option) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect("nats://"+s.Addr, append(more, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func TestAdapter(t *testing.T) {
	s := services.NATS(t)
	adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
		o := natsadapter.Options{Options: adaptertest.Options(), Prefix: rand.Text()}
		outside := connect(t, s)
		var lines adaptertest.Lines
		return adaptertest.Cluster{
			Adapter: func() adapter.Provider {
				return lines.Provider(func(l *adaptertest.Line) adapter.Provider {
					return natsadapter.New(connect(t, s, nats.SetCustomDialer(l)), o)
				})
			},
			Cut: lines.Cut, Heal: lines.Heal,
			Inject: func(b []byte) {
				for _, subject := range []string{o.Prefix + ".nodes", o.Prefix + ".all.nLw"} {
					outside.Publish(subject, b)
				}
				outside.Flush()
			},
		}
	})
}

func TestJetStream(t *testing.T) {
	s := services.NATS(t)
	adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
		o := natsadapter.Options{Options: adaptertest.Options(), Prefix: "a." + rand.Text()}
		outside := connect(t, s)
		var lines adaptertest.Lines
		return adaptertest.Cluster{
			Adapter: func() adapter.Provider {
				return lines.Provider(func(l *adaptertest.Line) adapter.Provider {
					return natsadapter.JetStream(connect(t, s, nats.SetCustomDialer(l)), o)
				})
			},
			Cut: lines.Cut, Heal: lines.Heal,
			Recovers: true,
			Inject: func(b []byte) {
				for _, subject := range []string{o.Prefix + ".nodes", o.Prefix + ".all.nLw", o.Prefix + ".log.nLw", o.Prefix + ".session.nLw"} {
					outside.Publish(subject, b)
				}
				outside.Flush()
			},
		}
	})
}
