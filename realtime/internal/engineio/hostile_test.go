package engineio

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a client may send to end its session, or to end nothing at all. Whatever
// it is, another session does not notice.
func TestHostileRequests(t *testing.T) {
	octets := []string{"Content-Type", "application/octet-stream"}
	for _, test := range []struct {
		name    string
		query   string // in place of the session's, if any
		method  string
		body    string
		headers []string
		status  int
		reason  string // of the session's end, if it ends
	}{
		{"sid __proto__", base + Polling + "&sid=__proto__", "GET", "", nil, 400, ""}, // CVE-2026-59724
		{"sid constructor", base + Polling + "&sid=constructor", "POST", "4a", nil, 400, ""},
		{"sid of 100 KB", base + Polling + "&sid=" + strings.Repeat("x", 100_000), "GET", "", nil, 400, ""},
		{"transport __proto__", base + "__proto__", "GET", "", nil, 400, ""},
		{"octet-stream", "", "POST", "\x00\x01\xff4", octets, 400, ReasonTransportError}, // CVE-2026-59725
		{"1 MB of separators", "", "POST", strings.Repeat("\x1e", 1_000_000), nil, 200, ReasonParseError},
		{"as many packets as allowed", "", "POST", "6" + strings.Repeat("\x1e6", 99), nil, 200, ""},
		{"one packet more", "", "POST", "6" + strings.Repeat("\x1e6", 100), nil, 200, ReasonParseError},
		{"nothing", "", "POST", "", nil, 200, ReasonParseError},
		{"a ping", "", "POST", "2", nil, 200, ReasonTransportError},
		{"base64 that is none", "", "POST", "b!", nil, 200, ReasonParseError},
		{"another method", "", "PUT", "", nil, 500, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorlds(t, Config{MaxPayloadPackets: 100}, func(w *world) {
				other, _ := w.open()
				url, p := w.open()
				if test.query != "" {
					url = test.query
				}
				if got := w.do(test.method, url, test.body, test.headers...); got.StatusCode != test.status {
					t.Errorf("status %d, want %d", got.StatusCode, test.status)
				}
				if test.reason == "" {
					p.expect(t)
				} else {
					p.expect(t, "closed: "+test.reason)
				}
				w.post(other, "4alive")
				w.poll(other, "4alive")
			})
		})
	}
}

// The URL of a handshake never panics, is never answered with a status of 500,
// and opens a session only if it is valid.
func FuzzHandshake(f *testing.F) {
	for _, query := range []string{
		"EIO=4&transport=polling", "EIO=3&transport=polling&b64=1", "EIO=4&transport=polling&t=abc", "EIO=4&transport=websocket",
		"EIO=4&transport=webtransport", "EIO=4&transport=polling&sid=x", "EIO=4&transport=polling&sid=", "transport=polling", "EIO=4",
		"EIO=5&transport=polling", "EIO=5&EIO=4&transport=polling", "EIO=4&transport=abc&transport=polling", "EIO=4;transport=polling",
		"EIO=4&transport=%70olling", "EIO=4&transport=polling&sid=%zz", "__proto__=1&EIO=4&transport=polling", "", "%", "&&&",
	} {
		f.Add(query, "GET", "")
		f.Add(query, "POST", "http://example.com")
	}
	f.Fuzz(func(t *testing.T, query, method, origin string) {
		w := &world{t: t, peers: make(chan *peer, 1), tally: tally{totals: make(map[string]int64)}}
		config := w.config(Config{PingInterval: time.Hour, AllowEIO3: true, CORS: CORS{Origins: []string{"http://example.com"}}})
		w.server = NewServer(config, w.connect)
		r := &http.Request{Method: method, URL: &url.URL{Path: "/socket.io/", RawQuery: query}, Header: http.Header{"Origin": {origin}},
			Host: "test", Body: http.NoBody}
		res := httptest.NewRecorder()
		w.server.ServeHTTP(res, r)

		q := r.URL.Query()
		valid := method == "GET" && last(q["transport"]) == Polling && slices.Contains([]string{"3", "4"}, last(q["EIO"])) && last(q["sid"]) == ""
		if opened := len(w.peers) == 1; opened != valid || opened != (res.Code == 200) {
			t.Errorf("opened %v, status %d", opened, res.Code)
		}
		if res.Code >= 500 {
			t.Errorf("status %d", res.Code)
		}
		if allowed := res.Header().Get("Access-Control-Allow-Origin"); allowed != "" && allowed != origin {
			t.Errorf("origin %q may read the answer", allowed)
		}
		if valid {
			p := <-w.peers
			p.end(ReasonTransportClose, false)
		}
		if n := len(w.server.sessions); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// A body that is too large is refused, and costs its session nothing. (net/http
// cuts off who sends much more than it was ready to read.)
func TestTooLarge(t *testing.T) {
	inWorlds(t, Config{MaxPayload: 1000}, func(w *world) {
		url, p := w.open()
		if got := w.do("POST", url, strings.Repeat("4", 1001)); got.StatusCode != 413 {
			t.Errorf("status %d", got.StatusCode)
		}
		p.expect(t)
		w.post(url, "4alive")
		w.poll(url, "4alive")
	})
}
