//go:build unix

package services_test

import (
	"net"
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
