package dev

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page, the log and the editor are for this machine's pages only.
func TestToolsAreGuarded(t *testing.T) {
	h := newHub()
	h.dir, h.name = t.TempDir(), `</title><script>alert(1)</script>`
	handler := sameHost("", devHandler(h, "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // streams end at once
	for _, test := range []struct {
		method, path, host, origin, kind string
		want                             int
	}{
		{"GET", "/_dev/", "localhost:8080", "", "", 200},
		{"GET", "/_dev/tools.js", "127.0.0.1:8080", "http://127.0.0.1:8080", "", 200},
		{"GET", "/_dev/", "evil.example", "", "", 403},
		{"GET", "/_dev/logs", "localhost", "", "", 200},
		{"GET", "/_dev/logs", "rebound.example:8080", "", "", 403},
		{"GET", "/_dev/logs", "localhost", "https://evil.example", "", 403},
		{"GET", "/_dev/allowed", "localhost", "", "", 204},
		{"GET", "/_dev/allowed", "localhost", "null", "", 403},
		{"POST", "/_dev/allowed", "localhost", "http://localhost", "application/json; charset=utf-8", 204},
		{"POST", "/_dev/allowed", "localhost", "https://evil.example", "application/json", 403},
		{"POST", "/_dev/allowed", "localhost", "http://localhost", "text/plain", 415},
		{"OPTIONS", "/_dev/allowed", "localhost", "http://localhost:3000", "", 405},
		{"POST", "/_dev/open", "localhost", "http://localhost", "text/plain", 415},
		{"POST", "/_dev/open", "localhost", "https://evil.example", "application/json", 403},
		{"POST", "/_dev/open", "evil.example", "", "application/json", 403},
		{"GET", "/_dev/open", "localhost", "", "", 405},
	} {
		r := httptest.NewRequestWithContext(ctx, test.method, test.path, strings.NewReader("{}"))
		r.Host = test.host
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		r.Header.Set("Content-Type", test.kind)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%+v: %d %s", test, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "<script>alert") || test.want == 200 && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%+v: %v", test, w.Header())
		}
	}
}

// Other machines get fresh pages and no tools, whatever their headers say.
func TestToolsAreNear(t *testing.T) {
	h := newHub()
	h.dir, h.guarded = t.TempDir(), true
	own := "192.0.2.1" // without a network there is none but loopback
	if addrs, err := net.InterfaceAddrs(); err == nil && len(addrs) > 0 {
		own, _, _ = strings.Cut(addrs[len(addrs)-1].String(), "/")
	}
	for _, test := range []struct {
		name, path, remote, client string
		want                       int
	}{
		{"1", "/_dev/", "127.0.0.1:1", "127.0.0.1", 200},
		{"1", "/_dev/", "127.0.0.1:1", "::1", 200},
		{"1", "/_dev/", "127.0.0.1:1", own, 200},
		{"1", "/_dev/", "127.0.0.1:1", "198.51.100.7", 403},
		{"1", "/_dev/", "127.0.0.1:1", "127.0.0.1, 198.51.100.7", 403},
		{"1", "/_dev/", "127.0.0.1:1", "", 403}, // an app that does not tell
		{"1", "/_dev/allowed", "127.0.0.1:1", "198.51.100.7", 403},
		{"1", "/_dev/logs", "127.0.0.1:1", "198.51.100.7", 403},
		{"1", "/_dev/reload.js", "127.0.0.1:1", "198.51.100.7", 200},
		{"", "/_dev/", "198.51.100.7:1", "127.0.0.1", 403},
		{"", "/_dev/", "[::1]:1", "", 200},
	} {
		r := httptest.NewRequest("GET", test.path, nil)
		r.RemoteAddr = test.remote
		r.Header.Set("X-Forwarded-For", test.client)
		w := httptest.NewRecorder()
		devHandler(h, test.name).ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%+v: %d %s", test, w.Code, w.Body)
		}
	}
}

// The editor is started with files of the app, wherever links lead, and with
// nothing else.
func TestOpen(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "secret.go")
	for _, file := range []string{filepath.Join(dir, "main.go"), outside} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.go")); err != nil {
		t.Log("without a symbolic link:", err)
	}
	t.Setenv("ZOCALO_EDITOR", "vim")
	post := func(file string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		openPlace(dir)(w, httptest.NewRequest("POST", "/_dev/open", strings.NewReader(`{"file":"`+file+`","line":3}`)))
		return w
	}
	for _, file := range []string{"", ".", "../secret.go", "none.go", filepath.ToSlash(outside), "link.go", "/etc/passwd"} {
		if w := post(file); w.Code != http.StatusForbidden {
			t.Errorf("%q: %d %s", file, w.Code, w.Body)
		}
	}
	for _, file := range []string{"main.go", "./main.go", filepath.ToSlash(filepath.Join(dir, "main.go"))} {
		if w := post(file); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "ZOCALO_EDITOR") && !strings.Contains(w.Body.String(), "is not there") {
			t.Errorf("%q: %d %s", file, w.Code, w.Body)
		}
	}
}

func TestEditor(t *testing.T) {
	at := place{"/app/a b.go", 7, 3}
	look := func(name string) (string, error) { return name, nil }
	for _, test := range []struct{ zocalo, visual, editor, want string }{
		{"code", "vim", "vim", "code --goto /app/a b.go:7:3"},
		{"cursor --wait", "", "", "cursor --wait --goto /app/a b.go:7:3"},
		{"", "zed", "vim", "zed /app/a b.go:7:3"},
		{"", "", "subl", "subl /app/a b.go:7:3"},
		{"/opt/GoLand/bin/goland", "", "", "/opt/GoLand/bin/goland --line 7 --column 3 /app/a b.go"},
		{"idea", "", "", "idea --line 7 --column 3 /app/a b.go"},
		{"emacsclient -n", "", "", "emacsclient -n +7:3 /app/a b.go"},
		{"gvim", "", "", "gvim +7 /app/a b.go"},
		{"Code.exe", "", "", "Code.exe --goto /app/a b.go:7:3"},
		{"unheard-of", "", "", "unheard-of /app/a b.go"},
		{"", "", "", "code --goto /app/a b.go:7:3"},
		{"", "", "nvim", "error: nvim runs in a terminal"},
		{"emacs -nw", "", "", "error: emacs runs in a terminal"},
	} {
		env := map[string]string{"ZOCALO_EDITOR": test.zocalo, "VISUAL": test.visual, "EDITOR": test.editor}
		command, err := editor(func(name string) string { return env[name] }, look, at)
		got := strings.Join(command, " ")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != test.want && !(err != nil && strings.HasPrefix(got, test.want)) {
			t.Errorf("%+v: %s", test, got)
		}
	}
	none := func(string) (string, error) { return "", errors.New("not found") }
	if _, err := editor(func(string) string { return "" }, none, at); err == nil || !strings.Contains(err.Error(), "ZOCALO_EDITOR") {
		t.Errorf("without an editor: %v", err)
	}
}

// What the app prints arrives at once and whole, with its levels coloured, and
// the last lines of it are kept.
func TestLogs(t *testing.T) {
	l, out := newLogs(), &bytes.Buffer{}
	w := &logWriter{out: out, paint: true, logs: l}
	for _, text := range []string{
		"2026/11/23 17:00:00 INFO hello <b>\n", "time=1 level=WARN msg=x\n", `{"time":"1","level":"ERROR","msg":"y"}` + "\n",
		"the word ERROR alone\n\x1b[31mred\x1b[0m\nhal", "f a line\n", "open",
	} {
		if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	want := "2026/11/23 17:00:00 \x1b[32mINFO\x1b[0m hello <b>\ntime=1 level=\x1b[1;33mWARN\x1b[0m msg=x\n" + `{"time":"1","level":"` + "\x1b[1;31mERROR\x1b[0m" + `","msg":"y"}` +
		"\nthe word ERROR alone\n\x1b[31mred\x1b[0m\nhalf a line\nopen"
	if out.String() != want {
		t.Errorf("got\n%q, want\n%q", out, want)
	}
	lines, grown := l.since(0)
	var got []string
	for _, line := range lines {
		got = append(got, line.Level+"|"+line.Text)
	}
	if strings.Join(got, "\n") != "INFO|2026/11/23 17:00:00 INFO hello <b>\nWARN|time=1 level=WARN msg=x\n"+`ERROR|{"time":"1","level":"ERROR","msg":"y"}`+"\n|the word ERROR alone\n|red\n|half a line" {
		t.Errorf("%q", got)
	}
	w.Write([]byte(strings.Repeat("z", 100_000) + "\n"))
	<-grown
	for range 5000 {
		l.add("again", true, 0)
	}
	lines, _ = l.since(0)
	if len(lines) != logLines || cap(l.ring) > 4*logLines || lines[len(lines)-1].Seq != 5007 || lines[0].Seq != 5007-logLines+1 {
		t.Errorf("%d lines, of %d", len(lines), cap(l.ring))
	}
	if lines, _ = l.since(5007); len(lines) != 0 {
		t.Errorf("%d lines after the last", len(lines))
	}
}
