package realtime_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

// A stream goes through the engine's middleware, as every request of a client.
func TestMiddlewareOfAStream(t *testing.T) {
	guard := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			w.Header().Set("X-Guarded", "yes")
			next.ServeHTTP(w, r)
		})
	}
	config := realtime.Config{Transports: []string{"polling", "webtransport"}, Middleware: []func(http.Handler) http.Handler{guard}}
	inWorld(t, config, func(w *world) {
		for authorization, want := range map[string]string{"": "", "token": `0{"sid":"`} {
			here, there := net.Pipe()
			r := httptest.NewRequest("CONNECT", "http://test/socket.io/?EIO=4", nil)
			r.URL.Path = "/socket.io/"
			r.Header.Set("Authorization", authorization)
			done := make(chan struct{})
			go func() {
				w.server.ServeStream(there, r)
				close(done)
			}()
			go here.Write([]byte{1, '0'})
			head := make([]byte, 20) // of the frame, and of what is in it
			n, _ := io.ReadFull(here, head)
			if got := string(head[:n]); !strings.Contains(got, want) || (n > 0) != (want != "") {
				t.Errorf("authorized by %q: got %q, want %q", authorization, got, want)
			}
			here.Close()
			<-done
		}
	})
}
