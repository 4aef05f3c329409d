//go:build unix

package postgres_test

import (
	"crypto/rand"
	"testing"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
)

// A row of the log that cannot be read costs those who may have been to have it the way
// back, and nobody else anything.
func TestHostileRows(t *testing.T) {
	s := services.Postgres(t)
	pool := connect(t, s)
	elsewhere, err := (&cluster.Message{Type: cluster.Broadcast, Keep: true, Namespace: "/elsewhere"}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	const (
		notified = `SELECT pg_notify($1, '{"offset":"' || max(id) || '","type":3,"newer":true}') FROM l`
		attached = `SELECT pg_notify($1, '{"offset":"' || max(id) || '","attachmentId":"999999999","uid":"x","type":3}') FROM l`
		silent   = `SELECT 1 FROM l`
	)
	for _, test := range []struct {
		name   string
		row    []byte
		notify string
	}{
		{"Garbage", []byte("garbage"), notified},
		{"Empty", []byte{}, silent},
		{"Newer", []byte{'Z', 99, 3, 0}, attached},
		{"Cut", elsewhere[:len(elsewhere)-1], silent},
		{"Elsewhere", elsewhere, notified},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := postgres.Options{Options: adaptertest.Options(), ChannelPrefix: rand.Text(), Recovery: true}
			p := postgres.New(pool, o)
			adaptertest.RunGap(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: true}, func() {
				const insert = `WITH l AS (INSERT INTO socket_io_log (space, message) SELECT $1, $2 FROM generate_series(1, 3) RETURNING id) `
				if _, err := pool.Exec(t.Context(), insert+test.notify, o.ChannelPrefix+"#/", test.row); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
