//go:build unix

package postgres_test

import (
	"crypto/rand"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
)

// connect returns a pool of connections to a server, which ends with the test.
func connect(t testing.TB, s *services.Service) *pgxpool.Pool {
	t.Helper()
	return connectBy(t, s, nil)
}

// connectBy is connect by a function that connects.
func connectBy(t testing.TB, s *services.Service, dial pgconn.DialFunc) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig("postgres://postgres@" + s.Addr + "/postgres?pool_max_conns=8")
	if err != nil {
		t.Fatal(err)
	}
	if dial != nil {
		config.ConnConfig.DialFunc = dial
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func TestAdapter(t *testing.T) {
	s := services.Postgres(t)
	pool := connect(t, s)
	for name, recovery := range map[string]bool{"Notify": false, "Recovery": true} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
				o := postgres.Options{Options: adaptertest.Options(), ChannelPrefix: rand.Text(), Recovery: recovery}
				var lines adaptertest.Lines
				return adaptertest.Cluster{
					Adapter: func() adapter.Provider {
						return lines.Provider(func(l *adaptertest.Line) adapter.Provider { return postgres.New(connectBy(t, s, l.DialContext), o) })
					},
					Cut: lines.Cut, Heal: lines.Heal,
					Inject: func(b []byte) {
						for _, channel := range []string{"-nodes", "#/"} {
							pool.Exec(t.Context(), "SELECT pg_notify($1, $2)", o.ChannelPrefix+channel, string(b))
						}
					},
					Recovers: recovery,
				}
			})
		})
	}
}
