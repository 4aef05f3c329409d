//go:build unix

package postgres_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
)

// fault runs a fault with and without recovery, with which nothing may be missing.
func fault(t *testing.T, of func(*services.Service) adaptertest.Fault) {
	for name, recovery := range map[string]bool{"Notify": false, "Recovery": true} {
		t.Run(name, func(t *testing.T) {
			s := services.Postgres(t)
			pool := connect(t, s)
			p := postgres.New(pool, postgres.Options{Options: adaptertest.Options(), ChannelPrefix: rand.Text(), Recovery: recovery})
			f := of(s)
			f.Keeps = f.Keeps || recovery
			adaptertest.RunFault(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: recovery}, f)
		})
	}
}

// PostgreSQL is killed, and started again with the data that it had.
func TestPostgresRestart(t *testing.T) {
	fault(t, func(s *services.Service) adaptertest.Fault { return adaptertest.Fault{Break: s.Kill, Heal: s.Start} })
}

// PostgreSQL is silent for 10 s: connections stay, and nobody answers.
func TestPostgresPause(t *testing.T) {
	fault(t, func(s *services.Service) adaptertest.Fault {
		return adaptertest.Fault{Break: s.Pause, Heal: func() { <-time.After(10 * time.Second); s.Resume() }}
	})
}

// The table of attachments is locked, as it may be by a migration, and what somebody has
// said stands there: what is said behind it is not lost.
func TestLockedAttachments(t *testing.T) {
	pool := connect(t, services.Postgres(t))
	prefix := rand.Text()
	p := postgres.New(pool, postgres.Options{Options: adaptertest.Options(), ChannelPrefix: prefix})
	adaptertest.RunFault(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }}, adaptertest.Fault{
		Keeps: true,
		Break: func() {
			tx, err := pool.Begin(t.Context())
			if err == nil {
				t.Cleanup(func() { tx.Rollback(context.Background()) })
				_, err = tx.Exec(t.Context(), `LOCK TABLE socket_io_attachments`)
			}
			if err == nil {
				_, err = pool.Exec(t.Context(), `SELECT pg_notify($1, '{"uid":"x","type":3,"attachmentId":1}')`, prefix+"#/")
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		Heal: func() {},
	})
}

// What names attachments that are not there, are no messages, or belong to another
// cluster, does nothing.
func TestHostileAttachments(t *testing.T) {
	s := services.Postgres(t)
	pool := connect(t, s)
	for name, recovery := range map[string]bool{"Notify": false, "Recovery": true} {
		t.Run(name, func(t *testing.T) {
			prefix := rand.Text()
			p := postgres.New(pool, postgres.Options{Options: adaptertest.Options(), ChannelPrefix: prefix, Recovery: recovery})
			adaptertest.RunFault(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: recovery}, adaptertest.Fault{
				Keeps: true,
				Break: func() {
					var garbage int64
					insert := `INSERT INTO socket_io_attachments (payload) VALUES ($1) RETURNING id`
					if err := pool.QueryRow(t.Context(), insert, make([]byte, 8<<20)).Scan(&garbage); err != nil {
						t.Fatal(err)
					}
					for _, payload := range []string{
						`{"uid":"x","type":3,"attachmentId":"1e99"}`, `{"uid":"x","type":3,"attachmentId":"999999999"}`, `{"uid":"x","type":3,"attachmentId":{}}`,
						fmt.Sprintf(`{"uid":"x","type":3,"attachmentId":%d}`, garbage), fmt.Sprintf(`{"uid":"x","type":3,"attachmentId":"%d"}`, garbage),
						fmt.Sprint(":", garbage), ":", ":x", `{"offset":"","x":1}`, `{"offset":"x","type":3}`, `{"offset":"0","type":3}`,
						`{"uid":"x","type":3,"nsp":"/other","data":{"opts":{"rooms":[],"except":[],"flags":{}},"packet":{"type":2,"data":["count",7]}}}`,
					} {
						for _, channel := range []string{prefix + "#/", prefix + "-nodes", "other" + prefix + "#/"} {
							if _, err := pool.Exec(t.Context(), `SELECT pg_notify($1, $2)`, channel, payload); err != nil {
								t.Fatal(err)
							}
						}
					}
				},
				Heal: func() {},
			})
		})
	}
}
