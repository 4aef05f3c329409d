package realtime_test

import (
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

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

// A handshake has all that the request had, for the connection and each of its
// sockets, whenever it is asked for.
func TestHandshakeTellsTheRequest(t *testing.T) {
	var request *http.Request
	odd := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.Header["X-Many"] = []string{"a", "", "c\r\n\x00d", strings.Repeat("é", 300)}
			r.Header["x-raw"] = []string{"name as it is"}
			r.Header["X-None"] = nil
			r.Header["Host"] = []string{"not from the client"}
			r.URL.RawQuery += "&a=1&a=2&%zz"
			r.RemoteAddr = "[fe80::1%eth0]:4711"
			if request == nil {
				request = r
			}
			next.ServeHTTP(w, r)
		})
	}
	attach := func(*http.Request) any { return "attached" }
	inWorld(t, realtime.Config{Middleware: []func(http.Handler) http.Handler{odd}, Attach: attach}, func(w *world) {
		begun := time.Now()
		w.server.On("connection", func(s *realtime.Socket) {
			check := func(who string, h *realtime.Handshake, auth string) {
				headers := request.Header.Clone()
				headers["Host"], headers["X-None"] = []string{request.Host}, []string{}
				if !reflect.DeepEqual(h.Headers, headers) {
					t.Errorf("%s: headers %q, want %q", who, h.Headers, headers)
				}
				if h.Address != "fe80::1%eth0" || h.URL != request.URL.RequestURI() || h.Secure || h.Attached != "attached" ||
					string(h.Auth) != auth || h.Query["EIO"] != "4" || h.Query["a"] != "2" || h.Time.Before(begun) || h.Time.After(time.Now()) {
					t.Errorf("%s: %+v", who, h)
				}
			}
			first := s.Handshake()
			if first != s.Handshake() {
				t.Error("while somebody has it, the handshake is made again")
			}
			check("socket", first, `{"a":1}`)
			runtime.GC()
			check("socket, later", s.Handshake(), `{"a":1}`)
			check("connection", s.Conn().Handshake(), `{}`)
			fetched, err := w.server.FetchSockets(t.Context())
			if err != nil || len(fetched) != 1 {
				t.Fatal(len(fetched), err)
			}
			check("fetched", fetched[0].Handshake(), `{"a":1}`)
			s.Emit("done")
			runtime.KeepAlive(first)
		})
		c := openWebSocket(w)
		c.send(`40{"a":1}`)
		c.expectPrefix("40{")
		c.expect(`42["done"]`)
		c.close()
	})
}
