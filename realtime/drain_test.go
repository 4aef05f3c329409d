package realtime_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// A server that stops tells load balancers first, and serves for as long as they take to notice.
func TestReadiness(t *testing.T) {
	for _, c := range []struct{ deadline, want time.Duration }{{time.Minute, 5 * time.Second}, {6 * time.Second, 2 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			server := realtime.NewServer(realtime.Config{Drain: realtime.Drain{Delay: 5 * time.Second}})
			ask := func(h http.Handler, url string) int {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
				return w.Code
			}
			const handshake = "/socket.io/?EIO=4&transport=polling"
			if code := ask(server.Readiness(), "/ready"); code != 200 {
				t.Errorf("a server that serves: %d", code)
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
			defer cancel()
			start := time.Now()
			done := make(chan error)
			go func() {
				server.Drain(ctx)
				if ready, served := ask(server.Readiness(), "/ready"), ask(server, handshake); ready != 503 || served != 200 {
					t.Errorf("a server that has drained: ready %d, serves %d", ready, served)
				}
				done <- server.Shutdown(ctx) // which does not wait again
			}()
			synctest.Wait()
			if ready, served := ask(server.Readiness(), "/ready"), ask(server, handshake); ready != 503 || served != 200 {
				t.Errorf("a server about to stop: ready %d, serves %d", ready, served)
			}
			time.Sleep(c.want)
			synctest.Wait()
			if code := ask(server, handshake); code != 503 {
				t.Errorf("a server that stops: %d", code)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took < c.want || took > c.want+2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
