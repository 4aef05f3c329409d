package doctor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// states are the findings in short.
func states(findings []Finding) (short string) {
	for _, f := range findings {
		short += fmt.Sprintf("%s:%s ", f.Check, f.State)
	}
	return short
}

func TestSite(t *testing.T) {
	handshake := func(w http.ResponseWriter) {
		fmt.Fprint(w, `0{"sid":"a","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`)
	}
	upgrade := func(w http.ResponseWriter) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(101)
	}
	for name, test := range map[string]struct {
		origin string
		serve  func(w http.ResponseWriter, polling bool)
		want   string
	}{
		"well": {"", func(w http.ResponseWriter, polling bool) {
			if polling {
				handshake(w)
			} else {
				upgrade(w)
			}
		}, "reachable:ok long-polling:ok WebSocket:ok sessions:ok heartbeat:ok payload:ok clock:ok client:ok "},
		"a proxy drops the upgrade": {"", func(w http.ResponseWriter, polling bool) {
			if polling {
				handshake(w)
			} else {
				w.WriteHeader(400)
			}
		}, "reachable:ok long-polling:ok WebSocket:warning sessions:ok heartbeat:ok payload:ok clock:ok client:ok "},
		"another origin": {"https://shop.example", func(w http.ResponseWriter, polling bool) {
			if polling {
				w.Header().Set("Access-Control-Allow-Origin", "https://shop.example/")
				handshake(w)
			} else {
				w.WriteHeader(403)
			}
		}, "reachable:ok long-polling:ok WebSocket:warning sessions:ok heartbeat:ok payload:ok clock:ok client:ok CORS:error "},
		"an allowed origin": {"https://shop.example", func(w http.ResponseWriter, polling bool) {
			w.Header().Set("Access-Control-Allow-Origin", "https://shop.example")
			if polling {
				handshake(w)
			} else {
				upgrade(w)
			}
		}, "reachable:ok long-polling:ok WebSocket:ok sessions:ok heartbeat:ok payload:ok clock:ok client:ok CORS:ok "},
		"nobody there": {"", func(w http.ResponseWriter, polling bool) { w.WriteHeader(404) }, "reachable:ok long-polling:error clock:ok "},
		"a page":       {"", func(w http.ResponseWriter, polling bool) { fmt.Fprint(w, "<!doctype html>") }, "reachable:ok long-polling:error clock:ok "},
		"old server":   {"", func(w http.ResponseWriter, polling bool) { w.WriteHeader(400); fmt.Fprint(w, `{"code":5}`) }, "reachable:ok long-polling:error clock:ok "},
		"wrong clock": {"", func(w http.ResponseWriter, polling bool) {
			w.Header().Set("Date", time.Unix(0, 0).UTC().Format(http.TimeFormat))
			w.WriteHeader(404)
		}, "reachable:ok long-polling:error clock:warning "},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" { // of the session
					fmt.Fprint(w, "ok")
					return
				}
				if r.URL.Path != "/socket.io/" || !r.URL.Query().Has("EIO") { // looked for elsewhere, the client, or a plain upgrade
					w.WriteHeader(404)
					return
				}
				if r.URL.Query().Get("EIO") != "4" || r.Header.Get("Origin") != test.origin {
					t.Errorf("asked for %s from %q", r.URL, r.Header.Get("Origin"))
				}
				test.serve(w, r.URL.Query().Get("transport") == "polling")
			}))
			defer server.Close()
			findings, err := Site(t.Context(), server.URL, test.origin)
			if got := states(findings); err != nil || got != test.want {
				t.Errorf("%s, %v; want %s\n%+v", got, err, test.want, findings)
			}
			for _, f := range findings {
				if (f.State == Good) != (f.Cure == "") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
	if findings, err := Site(t.Context(), "http://127.0.0.1:1", ""); err != nil || states(findings) != "reachable:error " {
		t.Errorf("%v, %v", findings, err)
	}
	for _, bad := range []string{"", "example.com", "ftp://example.com", "http://"} {
		if _, err := Site(t.Context(), bad, ""); err == nil {
			t.Errorf("%q is a site", bad)
		}
	}
}

func TestMachine(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n\ngo 1.26\n\nreplace example.com/y => ../y\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	findings := Machine(t.Context(), App{Dir: dir, Port: "0", Services: []string{"redis://127.0.0.1:1", "redis://"}})
	got := map[string]State{}
	for _, f := range findings {
		got[f.Check] = f.State
		if (f.State == Good) != (f.Cure == "") {
			t.Errorf("%+v", f)
		}
	}
	for check, state := range map[string]State{"go": Good, "go.mod": Poor, "port": Good, "client": Good, "handlers": Good, "platform": Good, "Redis": Bad, "engine": Bad} {
		if got[check] != state {
			t.Errorf("%s is %q, want %q", check, got[check], state)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "limit"), []byte("12\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if f := atLeast("x", filepath.Join(dir, "limit"), 13, "more"); f.State != Poor || f.Cure != "more" {
		t.Errorf("%+v", f)
	}
	if f := atLeast("x", filepath.Join(dir, "limit"), 12, "more"); f.State != Good {
		t.Errorf("%+v", f)
	}
	if files(1024).State != Poor || files(65536).State != Good {
		t.Error("open files are misjudged")
	}
}
