//go:build unix

package mixed

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zocalo-go/zocalo/internal/need"
	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
)

// TestPostgres forms clusters with npm's @socket.io/postgres-adapter, which
// recovers nothing, and hears npm's @socket.io/postgres-emitter.
func TestPostgres(t *testing.T) {
	need.Modules(t, "node")
	for name, recovery := range map[string]*realtime.Recovery{"Notify": nil, "Recovery": {}} {
		t.Run(name, func(t *testing.T) {
			s := services.Postgres(t)
			url := "postgres://postgres@" + s.Addr + "/postgres"
			pool, err := pgxpool.New(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			provider := postgres.New(pool, postgres.Options{Recovery: recovery != nil})
			runNode(t, place{Kind: "postgres", Engine: url, Go: listen(t, provider, recovery)})
		})
	}
}
