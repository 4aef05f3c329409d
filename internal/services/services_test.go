//go:build unix

package services_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/zocalo-go/zocalo/internal/services"
)

// Each engine starts, survives a crash, and listens where it did.
func TestServices(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *services.Service{
		"Redis":    func(t testing.TB) *services.Service { return services.Redis(t) },
		"NATS":     func(t testing.TB) *services.Service { return services.NATS(t) },
		"Postgres": services.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			addr := s.Addr
			s.Kill()
			if conn, err := net.Dial("tcp", addr); err == nil {
				conn.Close()
				t.Fatal("it listens after Kill")
			}
			s.Start()
			s.Pause()
			s.Resume()
			s.Stop()
			s.Start()
			if s.Addr != addr {
				t.Errorf("it listens on %s, before on %s", s.Addr, addr)
			}
		})
	}
}

// What is several servers starts, and goes on when one of them ends.
func TestClusters(t *testing.T) {
	t.Run("RedisCluster", func(t *testing.T) {
		servers := services.RedisCluster(t, 3, 1)
		if len(servers) != 6 {
			t.Fatalf("%d servers", len(servers))
		}
		servers[5].Kill()
		servers[5].Start()
	})
	t.Run("Sentinel", func(t *testing.T) {
		first := services.Redis(t)
		services.Redis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(first.Port()))
		services.Sentinel(t, first)
	})
	t.Run("NATSCluster", func(t *testing.T) {
		servers := services.NATSCluster(t, 3)
		servers[0].Kill()
		servers[0].Start()
	})
}
