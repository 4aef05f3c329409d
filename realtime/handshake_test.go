package realtime_test

import (
	"net/http"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

// A session does not keep the request: what the engine's middleware knows of it
// reaches the socket as a header.
func TestMiddlewareHandsOnAHeader(t *testing.T) {
	identify := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.Header.Set("X-User", "frida")
			next.ServeHTTP(w, r)
		})
	}
	for _, dial := range dialers {
		t.Run(dial.name, func(t *testing.T) {
			inWorld(t, realtime.Config{Middleware: []func(http.Handler) http.Handler{identify}}, func(w *world) {
				w.server.On("connection", func(s *realtime.Socket) { s.Emit("you", s.Handshake().Headers.Get("X-User")) })
				c := dial.dial(w)
				c.expect(`42["you","frida"]`)
				c.close()
			})
		})
	}
}
