package app_test

import (
	"embed"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/internal/need"
)

//go:embed doc.go
var embedded embed.FS

func siteDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"public/index.html": "<h1>home</h1>", "public/app.js": "let a = 1", "public/sub/index.html": "sub", "public/.env": "SECRET",
		"public/.git/config": "SECRET", "secret.txt": "SECRET", "public/a b.txt": "space", "public/bare/x.txt": "x",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"out.txt": "../secret.txt", "abs.txt": filepath.Join(dir, "secret.txt"), "up": "..", "in.js": "app.js"} {
		if err := os.Symlink(target, filepath.Join(dir, "public", link)); err != nil {
			need.Missing(t, "no symbolic links here: %v", err)
		}
	}
	return filepath.Join(dir, "public")
}

func TestStaticServesFilesAndNothingElse(t *testing.T) {
	server := app.New()
	server.Use(app.Static(siteDir(t)))
	server.Use(func(req *app.Request, res *app.Response) error { return res.Status(404).Send("fell through") })
	for url, want := range map[string]string{
		"/": "<h1>home</h1>", "/app.js": "let a = 1", "/a%20b.txt": "space", "/sub/": "sub", "/in.js": "let a = 1",
		"//app.js": "let a = 1", "/./app.js": "let a = 1",
	} {
		expect(t, do(server, "GET", url), 200, want)
	}
	for _, url := range []string{
		"/.env", "/.git/config", "/%2eenv", "/sub/../.env", "/bare/", "/none", "/app.js/", "/app.js/x",
		"/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/sub/%2e%2e/%2e%2e/secret.txt", "/..%5csecret.txt",
		"/....//secret.txt", "/%252e%252e/secret.txt", "/out.txt", "/abs.txt", "/up/secret.txt", "/up/public/app.js",
		"/app.js%00", "/" + strings.Repeat("a", 3000), "/" + strings.Repeat("a/", 2000),
	} {
		expect(t, do(server, "GET", url), 404, "fell through")
	}
	expect(t, do(server, "POST", "/app.js"), 404, "fell through")
	w := do(server, "GET", "/sub?x=1")
	if w.Code != 301 || w.Header().Get("Location") != "/sub/?x=1" {
		t.Errorf("got %d %q", w.Code, w.Header().Get("Location"))
	}
	for url, want := range map[string]string{"/%2F": "/%2F/", "/sub%2F": "/sub%2F/"} { // an escaped slash asks for no directory
		if w := do(server, "GET", url); w.Code != 301 || w.Header().Get("Location") != want {
			t.Errorf("%s: got %d %q", url, w.Code, w.Header().Get("Location"))
		}
	}
	expect(t, do(server, "GET", "/app.js%2F"), 404, "fell through")
	if w := do(server, "GET", "//sub"); w.Header().Get("Location") != "/sub/" {
		t.Errorf("the redirect leads to %q", w.Header().Get("Location"))
	}
}

func TestStaticBelowAPrefix(t *testing.T) {
	server := app.New()
	server.Use("/assets", app.Static(siteDir(t)))
	expect(t, do(server, "GET", "/assets/app.js"), 200, "let a = 1")
	if w := do(server, "GET", "/assets"); w.Code != 301 || w.Header().Get("Location") != "/assets/" {
		t.Errorf("got %d %q", w.Code, w.Header().Get("Location"))
	}
}

func TestStaticConditionsAndRanges(t *testing.T) {
	server := app.New()
	server.Use(app.Static(siteDir(t)))
	first := do(server, "GET", "/app.js")
	tag, modified := first.Header().Get("ETag"), first.Header().Get("Last-Modified")
	when, err := http.ParseTime(modified)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		header, value string
		status        int
		body          string
	}{
		{"If-Modified-Since", when.Local().Format("Mon, 2 Jan 2006 15:04:05"), 304, ""},
		{"If-Modified-Since", when.Add(-time.Minute).Format(time.RFC3339), 200, "let a = 1"},
		{"If-Modified-Since", "yesterday", 200, "let a = 1"},
		{"If-Modified-Since", "Tue, 2 Jan 2035 03:04:05 GMT", 304, ""},
		{"If-Modified-Since", when.Local().Format("2006-01-02T15:04:05"), 304, ""},
		{"If-Modified-Since", when.Local().Add(time.Hour).Format("2006-01-02T15:04"), 304, ""},
		{"If-Modified-Since", when.Add(time.Hour).Format("2006-01-02T15:04Z"), 304, ""},
		{"If-Modified-Since", when.AddDate(1, 0, 0).Format("2006"), 304, ""},
		{"If-Modified-Since", when.Format("2006"), 200, "let a = 1"},
		{"If-None-Match", tag, 304, ""},
		{"If-None-Match", `"other"`, 200, "let a = 1"},
		{"If-Modified-Since", modified, 304, ""},
		{"If-Match", `"other"`, 412, ""},
		{"Range", "bytes=0-2", 206, "let"},
		{"Range", "bytes=-1", 206, "1"},
		{"Range", "bytes=4-", 206, "a = 1"},
		{"Range", "bytes=0-1,4-5", 200, "let a = 1"},
		{"Range", "bytes=99-", 416, ""},
		{"Range", "bytes=x", 200, "let a = 1"},
		{"Range", "lines=1-2", 200, "let a = 1"},
	} {
		w := do(server, "GET", "/app.js", test.header, test.value)
		if w.Code != test.status || test.status < 400 && w.Body.String() != test.body {
			t.Errorf("%s: %s: got %d %q", test.header, test.value, w.Code, w.Body)
		}
	}
}

func TestStaticEmbeddedFilesHaveAnETag(t *testing.T) {
	server := app.New()
	server.Use(app.StaticFS(embedded))
	w := do(server, "GET", "/doc.go")
	tag := w.Header().Get("ETag")
	if w.Code != 200 || !strings.HasPrefix(tag, `"`) || w.Header().Get("Last-Modified") != "" {
		t.Errorf("got %d, ETag %q", w.Code, tag)
	}
	if w := do(server, "GET", "/doc.go", "If-None-Match", tag); w.Code != 304 {
		t.Errorf("got %d", w.Code)
	}
	if w := do(server, "GET", "/doc.go", "Range", "bytes=0-9"); w.Code != 206 || w.Body.String() != "// Package" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestFilesAreFromDiskInDevelopmentOnly(t *testing.T) {
	dir := siteDir(t)
	if fsys := app.Files(dir, embedded); fsys != any(embedded) {
		t.Errorf("production: got %T", fsys)
	}
	t.Setenv("ZOCALO_ENV", "development")
	server := app.New()
	server.Use(app.StaticFS(app.Files(dir, embedded)))
	expect(t, do(server, "GET", "/app.js"), 200, "let a = 1")
	if err := os.WriteFile(filepath.Join(dir, "app.js"), []byte("let b"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, do(server, "GET", "/app.js"), 200, "let b")
	if fsys := app.Files(filepath.Join(dir, "gone"), embedded); fsys != any(embedded) {
		t.Errorf("without the directory: got %T", fsys)
	}
}

func TestSendFile(t *testing.T) {
	dir := siteDir(t)
	server := app.New()
	server.Get("/own", func(req *app.Request, res *app.Response) error { return res.SendFile(filepath.Join(dir, "app.js")) })
	server.Get("/dir", func(req *app.Request, res *app.Response) error { return res.SendFile(dir) }, text("of the same route"))
	server.Get("/any/*name", func(req *app.Request, res *app.Response) error {
		return res.SendFileFS(os.DirFS(dir), req.Param("name"))
	})
	expect(t, do(server, "GET", "/own"), 200, "let a = 1")
	expect(t, do(server, "GET", "/any/sub/index.html"), 200, "sub")
	for url, want := range map[string]int{"/dir": 404, "/any/none": 404, "/any/.env": 404, "/any/..%2fsecret.txt": 403, "/any/sub": 404} {
		if w := do(server, "GET", url); w.Code != want {
			t.Errorf("%s: got %d, want %d", url, w.Code, want)
		}
	}
}

func TestStaticOverTheWire(t *testing.T) {
	server := app.New()
	server.Use(app.Static(siteDir(t)))
	l := httptest.NewServer(server)
	defer l.Close()
	r, err := http.Get(l.URL + "/app.js")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer r.Body.Close()
	if b, _ := io.ReadAll(r.Body); string(b) != "let a = 1" || r.ContentLength != 9 {
		t.Errorf("got %q, %d", b, r.ContentLength)
	}
}
