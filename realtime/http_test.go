package realtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"github.com/zocalo-go/zocalo/realtime"
)

// respond has a server of its own answer one request. header holds names and values in turn.
func respond(t *testing.T, config realtime.Config, method, query string, header ...string) *http.Response {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	server := realtime.NewServer(config)
	t.Cleanup(func() { server.Close() })
	r := httptest.NewRequest(method, "http://here.example/socket.io/"+query, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w.Result()
}

// TestCORS is the table of the headers that let a page of another origin in, or do not. A header that is not there is "".
func TestCORS(t *testing.T) {
	const origin, methods, headers, credentials, exposed, age = "Access-Control-Allow-Origin", "Access-Control-Allow-Methods",
		"Access-Control-Allow-Headers", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Access-Control-Max-Age"
	const page, polling = "http://there.example", "?EIO=4&transport=polling"
	one := realtime.CORS{Origins: []string{page}, Methods: []string{"GET", "POST"}, Headers: []string{"my-header"},
		ExposedHeaders: []string{"my-exposed-header"}, Credentials: true, MaxAge: 123e9}
	for _, test := range []struct {
		name          string
		cors          realtime.CORS
		method, query string
		page          string
		status        int
		want          map[string]string
	}{
		{"none", realtime.CORS{}, "GET", polling, page, 200, map[string]string{origin: "", credentials: ""}},
		{"preflight, none", realtime.CORS{}, "OPTIONS", polling, page, 400, map[string]string{origin: ""}},
		{"all", realtime.CORS{Origins: []string{"*"}}, "GET", polling, page, 200, map[string]string{origin: "*", "Vary": ""}},
		{"all, with credentials", realtime.CORS{Origins: []string{"*"}, Credentials: true}, "GET", polling, page, 200,
			map[string]string{origin: page, credentials: "true", "Vary": "Origin"}},
		{"one", one, "GET", polling, page, 200,
			map[string]string{origin: page, credentials: "true", exposed: "my-exposed-header", "Vary": "Origin", methods: "", headers: "", age: ""}},
		{"preflight", one, "OPTIONS", polling, page, 204,
			map[string]string{origin: page, credentials: "true", methods: "GET,POST", headers: "my-header", age: "123", "Content-Length": "0"}},
		{"another page", one, "GET", polling, "http://bad.example", 200, map[string]string{origin: "", "Vary": "Origin"}},
		{"another page's preflight", one, "OPTIONS", polling, "http://bad.example", 204, map[string]string{origin: ""}},
		{"no page", one, "GET", polling, "", 200, map[string]string{origin: ""}},
		{"a refusal", one, "GET", "?transport=polling", page, 400, map[string]string{origin: page, credentials: "true"}},
		{"an unknown session", one, "POST", polling + "&sid=x", page, 400, map[string]string{origin: page}},
		{"the client", one, "GET", "socket.io.js", page, 200, map[string]string{origin: page}},
		{"by a function", realtime.CORS{Allow: func(o string) bool { return strings.HasPrefix(o, "http://t") }}, "GET", polling, page, 200,
			map[string]string{origin: page}},
		{"not by a function", realtime.CORS{Allow: func(o string) bool { return false }}, "GET", polling, page, 200, map[string]string{origin: ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			res := respond(t, realtime.Config{CORS: test.cors}, test.method, test.query, "Origin", test.page)
			if res.StatusCode != test.status {
				t.Errorf("status %d, want %d", res.StatusCode, test.status)
			}
			for name, want := range test.want {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestWebSocketOrigin is the table of the pages that may open a WebSocket, which browsers leave to the server.
func TestWebSocketOrigin(t *testing.T) {
	for _, test := range []struct {
		name   string
		cors   realtime.CORS
		origin string
		status int
	}{
		{"no page", realtime.CORS{}, "", 101},
		{"the same host", realtime.CORS{}, "http://test", 101},
		{"another host", realtime.CORS{}, "http://there.example", 403},
		{"an allowed one", realtime.CORS{Origins: []string{"http://there.example"}}, "http://there.example", 101},
		{"every one", realtime.CORS{Origins: []string{"*"}}, "http://there.example", 101},
		{"a sandbox", realtime.CORS{}, "null", 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, realtime.Config{CORS: test.cors}, func(w *world) {
				header := http.Header{}
				if test.origin != "" {
					header.Set("Origin", test.origin)
				}
				ws, res, err := websocket.Dial(context.Background(), base+"websocket", &websocket.DialOptions{HTTPClient: w.transport(), HTTPHeader: header})
				if err == nil {
					ws.CloseNow()
				}
				if res.StatusCode != test.status {
					t.Errorf("status %d, want %d", res.StatusCode, test.status)
				}
			})
		})
	}
}

// TestUpgradesOffered is the table of what a handshake offers.
func TestUpgradesOffered(t *testing.T) {
	for _, test := range []struct {
		name   string
		config realtime.Config
		want   []string
	}{
		{"by default", realtime.Config{}, []string{"websocket"}},
		{"every transport", realtime.Config{Transports: []string{"polling", "websocket", "webtransport"}}, []string{"websocket", "webtransport"}},
		{"polling alone", realtime.Config{Transports: []string{"polling"}}, []string{}},
		{"no upgrades", realtime.Config{DisableUpgrades: true}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			res := respond(t, test.config, "GET", "?EIO=4&transport=polling")
			body, _ := io.ReadAll(res.Body)
			var open struct{ Upgrades []string }
			if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("0")), &open); err != nil || !reflect.DeepEqual(open.Upgrades, test.want) {
				t.Errorf("got %s, %v, want %q", body, err, test.want)
			}
		})
	}
	res := respond(t, realtime.Config{Transports: []string{"websocket"}}, "GET", "?EIO=4&transport=polling")
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 400 || string(body) != `{"code":0,"message":"Transport unknown"}` {
		t.Errorf("a transport that is not allowed: %d %s", res.StatusCode, body)
	}
}

// Middleware of the engine may answer in the server's place, over any transport.
func TestMiddlewareThatAnswers(t *testing.T) {
	closed := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
	}
	inWorld(t, realtime.Config{Middleware: []func(http.Handler) http.Handler{closed}}, func(w *world) {
		hc := w.transport()
		res, err := hc.Get(base + "polling")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		hc.CloseIdleConnections()
		_, upgrade, err := websocket.Dial(context.Background(), base+"websocket", &websocket.DialOptions{HTTPClient: w.transport()})
		if err == nil {
			t.Error("a WebSocket was opened")
		}
		for _, got := range []*http.Response{res, upgrade} {
			if got.StatusCode != 503 || got.Header.Get("Retry-After") != "7" {
				t.Errorf("%d %v", got.StatusCode, got.Header)
			}
		}
		if n := w.server.ClientsCount(); n != 0 {
			t.Errorf("%d clients", n)
		}
	})
}

// Over TLS, by each version of HTTP, and with what is known of the client's address.
func TestTLS(t *testing.T) {
	const want = `42["handshake",true,true]`
	gone := make(chan string, 3)
	site := func(t *testing.T, http2 bool) *httptest.Server {
		server := realtime.NewServer(realtime.Config{Logger: slog.New(slog.DiscardHandler)})
		server.On("connection", func(s *realtime.Socket) {
			h := s.Handshake()
			s.On("disconnect", func(reason string) { gone <- reason })
			s.Emit("handshake", h.Secure, net.ParseIP(h.Address).IsLoopback())
		})
		site := httptest.NewUnstartedServer(server)
		site.EnableHTTP2 = http2
		site.StartTLS()
		t.Cleanup(func() {
			server.Close()
			site.Close()
		})
		return site
	}
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprint("polling by HTTP/", version), func(t *testing.T) {
			site := site(t, version == 2)
			url := site.URL + "/socket.io/?EIO=4&transport=polling"
			get := func(ctx context.Context) (string, error) {
				req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
				res, err := site.Client().Do(req)
				if err != nil {
					return "", err
				}
				defer res.Body.Close()
				if res.ProtoMajor != version {
					t.Errorf("answered by %s", res.Proto)
				}
				body, err := io.ReadAll(res.Body)
				return string(body), err
			}
			handshake, _ := get(t.Context())
			_, rest, _ := strings.Cut(handshake, `"sid":"`)
			sid, _, _ := strings.Cut(rest, `"`)
			url += "&sid=" + sid
			res, err := site.Client().Post(url, "text/plain", strings.NewReader("40"))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			got := ""
			for !strings.Contains(got, "42") {
				more, err := get(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got += more
			}
			if !strings.HasSuffix(got, want) {
				t.Errorf("got %q", got)
			}
			ctx, abort := context.WithCancel(t.Context())
			trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { abort() }}
			if body, err := get(httptrace.WithClientTrace(ctx, trace)); err == nil {
				t.Errorf("a poll that was given up: %q", body)
			}
			if reason := <-gone; reason != realtime.ReasonTransportClose {
				t.Errorf("after a poll that was given up: %s", reason)
			}
		})
	}
	t.Run("websocket", func(t *testing.T) {
		site := site(t, false)
		ws, _, err := websocket.Dial(t.Context(), site.URL+"/socket.io/?EIO=4&transport=websocket", &websocket.DialOptions{HTTPClient: site.Client()})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		ws.Write(t.Context(), websocket.MessageText, []byte("40"))
		for range 2 { // the handshake and the answer to CONNECT
			ws.Read(t.Context())
		}
		if _, data, err := ws.Read(t.Context()); err != nil || string(data) != want {
			t.Errorf("got %q, %v", data, err)
		}
	})
}

// Compress(false) leaves an event as it is, alone or in a broadcast.
func TestCompress(t *testing.T) {
	text := strings.Repeat("zócalo ", 1000)
	for _, test := range []struct {
		name   string
		emit   func(w *world, s *realtime.Socket) error
		coding string
	}{
		{"by default", func(w *world, s *realtime.Socket) error { return s.Emit("e", text) }, "gzip"},
		{"to all", func(w *world, s *realtime.Socket) error { return w.server.Emit("e", text) }, "gzip"},
		{"not", func(w *world, s *realtime.Socket) error { return s.Compress(false).Emit("e", text) }, ""},
		{"not to all", func(w *world, s *realtime.Socket) error { return w.server.Compress(false).Emit("e", text) }, ""},
		{"not, and then", func(w *world, s *realtime.Socket) error { return s.Compress(false).Compress(true).Emit("e", text) }, "gzip"},
		{"short", func(w *world, s *realtime.Socket) error { return s.Emit("e", text[:800]) }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, realtime.Config{}, func(w *world) {
				sockets := make(chan *realtime.Socket, 1)
				w.server.On("connection", func(s *realtime.Socket) { sockets <- s })
				hc := &http.Client{Transport: &http.Transport{DialContext: w.listen.dial, DisableCompression: true}}
				defer hc.CloseIdleConnections()
				url := openPolling(w, hc)
				post := func(packet string) {
					res, err := hc.Post(url, "text/plain", strings.NewReader(packet))
					if err != nil {
						t.Fatal(err)
					}
					res.Body.Close()
				}
				poll := func() *http.Response {
					r, _ := http.NewRequest("GET", url, nil)
					r.Header.Set("Accept-Encoding", "gzip")
					res, err := hc.Do(r)
					if err != nil {
						t.Fatal(err)
					}
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
					return res
				}
				post("40")
				poll()
				s := <-sockets
				synctest.Wait()
				if err := test.emit(w, s); err != nil {
					t.Error(err)
				}
				if got := poll().Header.Get("Content-Encoding"); got != test.coding {
					t.Errorf("Content-Encoding %q, want %q", got, test.coding)
				}
				post("1")
			})
		})
	}
}
