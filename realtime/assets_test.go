package realtime_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

func TestServesClient(t *testing.T) {
	server := realtime.NewServer(realtime.Config{CORS: realtime.CORS{Origins: []string{"*"}}})
	get := func(path string, headers ...string) *http.Response {
		r := httptest.NewRequest("GET", path, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		return w.Result()
	}
	for _, name := range []string{
		"socket.io.js", "socket.io.min.js", "socket.io.esm.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js",
		"socket.io.js.map", "socket.io.min.js.map", "socket.io.esm.js.map", "socket.io.esm.min.js.map", "socket.io.msgpack.min.js.map",
	} {
		res := get("/socket.io/" + name + "?v=1")
		kind := "text/javascript; charset=utf-8"
		if strings.HasSuffix(name, ".map") {
			kind = "application/json"
		}
		if got := res.Header.Get("Content-Type"); got != kind {
			t.Errorf("%s: Content-Type %q, want %q", name, got, kind)
		}
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 200 || len(body) < 1000 || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: status %d, %d bytes, %v", name, res.StatusCode, len(body), res.Header)
		}
		if res := get("/socket.io/"+name, "If-None-Match", "W/"+res.Header.Get("ETag")); res.StatusCode != 304 {
			t.Errorf("%s with its ETag: status %d", name, res.StatusCode)
		}
		res = get("/socket.io/"+name, "Accept-Encoding", "br, gzip;q=0.5")
		unzipped, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatalf("%s compressed: %v", name, err)
		}
		if again, _ := io.ReadAll(unzipped); string(again) != string(body) {
			t.Errorf("%s compressed is another file", name)
		}
		if res := get("/socket.io/"+name, "Accept-Encoding", "gzip;q=0"); res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: compressed for a client that refuses it", name)
		}
	}
	for _, name := range []string{"socket.io.css", "SHA256SUMS", "../socket.io.js", "dist/socket.io.js", ""} {
		if res := get("/socket.io/" + name); res.StatusCode != 400 {
			t.Errorf("%q, which is no file of the client: status %d", name, res.StatusCode)
		}
	}
	if res := get("/elsewhere/socket.io.js"); res.StatusCode != 404 {
		t.Errorf("outside the path: status %d", res.StatusCode)
	} else if body, _ := io.ReadAll(res.Body); !strings.Contains(string(body), "Config.Path") {
		t.Errorf("outside the path: %s", body)
	}
	closed := realtime.NewServer(realtime.Config{DisableClient: true})
	w := httptest.NewRecorder()
	closed.ServeHTTP(w, httptest.NewRequest("GET", "/socket.io/socket.io.js", nil))
	if w.Code != 400 {
		t.Errorf("DisableClient: status %d", w.Code)
	}
}
