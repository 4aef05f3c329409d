//go:build unix

package postgres_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/internal/services"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
)

// What is larger than a notification may be, 8,000 bytes, arrives in order with what is
// not: each side of every limit, and a megabyte.
func TestNotifyLarge(t *testing.T) {
	s := services.Postgres(t)
	pool := connect(t, s)
	for name, recovery := range map[string]bool{"Notify": false, "Recovery": true} {
		t.Run(name, func(t *testing.T) {
			p := postgres.New(pool, postgres.Options{Options: adaptertest.Options(), ChannelPrefix: rand.Text(), Recovery: recovery})
			var sizes []int
			for size := 7300; size <= 8100; size += 20 {
				sizes = append(sizes, size)
			}
			texts := []string{strings.Repeat("x", 1<<20)}
			for _, size := range sizes {
				texts = append(texts, strings.Repeat("é", size/2), fmt.Sprint(size))
			}
			adaptertest.RunTexts(t, adaptertest.Cluster{Adapter: func() adapter.Provider { return p }, Recovers: recovery}, texts)
		})
	}
}
