//go:build unix

package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
)

// Everything that was said comes again, there and on channels of strangers, and so does
// another release: nodes go on, and take nothing twice.
func TestPostgresHostile(t *testing.T) {
	s := services.Postgres(t)
	pool := connect(t, s)
	for name, recovery := range map[string]bool{"Notify": false, "Recovery": true} {
		t.Run(name, func(t *testing.T) {
			prefix := rand.Text()
			channels := []string{prefix + "#/", prefix + "-nodes"}
			pooled, err := pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conn := pooled.Hijack()
			defer conn.Close(context.WithoutCancel(t.Context()))
			for _, channel := range channels {
				if _, err := conn.Exec(t.Context(), "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
					t.Fatal(err)
				}
			}
			p := postgres.New(pool, postgres.Options{Options: adaptertest.Options(), ChannelPrefix: prefix, Recovery: recovery})
			adaptertest.RunFault(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: recovery}, adaptertest.Fault{
				Keeps: true,
				Break: func() {
					batch := &pgx.Batch{}
					notify := func(channel, payload string) { batch.Queue(`SELECT pg_notify($1, $2)`, channel, payload) }
					all := heard(t, conn)
					if len(all) < 200 {
						t.Fatalf("%d notifications were heard", len(all))
					}
					for _, n := range all {
						notify(n.Channel, n.Payload)
						notify("other"+n.Channel, n.Payload)
					}
					for _, channel := range channels {
						for _, b := range [][]byte{{'Z', 0, 3, 0}, {'Z', 99, 3, 0}} {
							notify(channel, base64.RawStdEncoding.EncodeToString(b))
						}
						notify(channel, "garbage")
					}
					if err := pool.SendBatch(t.Context(), batch).Close(); err != nil {
						t.Fatal(err)
					}
				},
				Heal: func() {},
			})
		})
	}
}

// heard returns the notifications that a connection has got: one more is known to
// stand behind them.
func heard(t *testing.T, conn *pgx.Conn) (all []*pgconn.Notification) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), `LISTEN "the end"; NOTIFY "the end"`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n.Channel == "the end" {
			return all
		}
		all = append(all, n)
	}
}
