package twins

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/internal/need"
)

// A question is one request.
type question struct {
	method, path string
	body         string
	headers      []string // name, value, …
}

func get(path string, headers ...string) question { return question{"GET", path, "", headers} }

func post(path, contentType, body string, headers ...string) question {
	return question{"POST", path, body, append([]string{"Content-Type", contentType}, headers...)}
}

// signed is the signature of a webhook.
func signed(body string) string {
	mac := hmac.New(sha256.New, []byte("hook"))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

// part writes a file of a form with the boundary "town".
func part(name, file, text string) string {
	return "--town\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + file + "\"\r\nContent-Type: text/plain\r\n\r\n" + text + "\r\n"
}

// questions are what each application is asked, in this order, with one cookie jar.
func questions() map[string][]question {
	const js, form, multi = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=town"
	return map[string][]question{
		"hello":  {get("/"), get("/hello/Ana"), get("/HELLO/%C3%B1/"), get("/flights/lima-oslo"), get("/files/a/b%2Fc"), get("/posts"), get("/posts/3"), get("/none"), {"HEAD", "/", "", nil}, {"OPTIONS", "/", "", nil}},
		"crud":   {get("/books"), post("/books", js, `{"title":"Rayuela"}`), post("/books", js, `{"title":"Pedro Páramo"}`), post("/books", js, `{}`), post("/books", js, `{"title":`), get("/books"), {"PUT", "/books/1", `{"title":"62"}`, []string{"Content-Type", js}}, get("/books/1"), {"DELETE", "/books/1", "", nil}, get("/books/1"), get("/books"), {"OPTIONS", "/books/2", "", nil}},
		"nested": {get("/teams"), get("/teams/reds/players"), get("/teams/reds/players/9?x=1"), get("/teams/a%20b/players/c%2Fd"), get("/teams/reds")},
		"errors": {get("/throws"), get("/rejects"), get("/next"), get("/page"), get("/skips"), get("/none", "Accept", js)},
		"forms":  {get("/"), post("/", form, "note[text]=buy+ma%C3%ADz"), get("/"), post("/echo", form, "a[]=1&a[]=2&b[c]=d&e"), post("/echo", form, "a=%zz&a=2")},
		"sessions": {get("/me"), post("/login", js, `{"user":"ana"}`), get("/me"), get("/count"), get("/count"), post("/logout", js, ""), get("/me"),
			post("/login", js, `{"user":"eva"}`), get("/count")},
		"uploads": {post("/one", multi, part("photo", "a.txt", "pixels")+"--town\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nhi\r\n--town--\r\n"),
			post("/many", multi, part("photos", "a.txt", "one")+part("photos", "b.txt", "second file of some length")+"--town--\r\n"),
			post("/one", multi, part("photo", "a.txt", strings.Repeat("x", 1001))+"--town--\r\n")},
		"cookies":     {get("/get"), get("/set"), get("/get"), get("/get", "Cookie", "signed=s%3Atobi.forged"), get("/clear"), get("/get")},
		"negotiation": {get("/book"), get("/book", "Accept", "text/plain"), get("/book", "Accept", "application/json, text/html;q=.1"), get("/book", "Accept", "image/png"), get("/language", "Accept-Language", "en-GB, es;q=.5"), get("/language", "Accept-Language", "de"), get("/encoding", "Accept-Encoding", "gzip, br;q=.5"), post("/is", "text/html; charset=utf-8", "x"), post("/is", js, "{}"), post("/is", "image/png", "x")},
		"site": {get("/"), get("/hello.txt"), get("/assets/hello"), get("/assets/"), get("/sub"), get("/sub/"), get("/.env"), get("/none"), get("/hello.txt", "Range", "bytes=0-4"), get("/hello.txt", "Range", "bytes=99-"), get("/hello.txt", "If-Modified-Since", "Wed, 03 Jan 2024 00:00:00 GMT"),
			post("/hello.txt", form, "a=1"), {"HEAD", "/hello.txt", "", nil}, get("/%2e%2e/x"), get("/sub?a=1")},
		"downloads":   {get("/download"), get("/file/hello.txt"), get("/file/none.txt"), get("/file/..%2Fx"), get("/file/.env"), get("/attachment"), get("/missing"), get("/download", "Range", "bytes=-3")},
		"search":      {get("/?a[b]=1&a[c][]=2&q=x&q=y"), get("/?7=a&b=1&1=c"), get("/jsonp?callback=go&q=1"), get("/jsonp?q[x]=%E2%80%A8"), get("/")},
		"loader":      {get("/users/1"), get("/users/2/posts/9"), get("/users/me"), get("/users/3")},
		"order":       {get("/admin/stats"), get("/late"), get("/other"), get("/admin")},
		"views":       {get("/"), get("/?user=Ana"), get("/own"), {"HEAD", "/", "", nil}},
		"conditional": {get("/tagged"), get("/tagged", "If-None-Match", `W/"13-TJ3VF6hMHTO5rsbt+eF4DYvEdCI"`), get("/own", "If-None-Match", `"v0", W/"v1"`), get("/own", "If-None-Match", `"v1"`, "Cache-Control", "no-cache"), get("/dated", "If-Modified-Since", "Tue, 02 Jan 2024 03:04:05 GMT"), get("/dated", "If-Modified-Since", "Mon, 01 Jan 2024 00:00:00 GMT"), get("/fresh", "If-None-Match", "*")},
		"proxied":     {get("/"), get("/", "X-Forwarded-For", "1.2.3.4, 10.1.1.1", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "a.b.town.example:8443"), get("/", "X-Forwarded-For", "10.0.0.1, 1.2.3.4, 5.6.7.8", "X-Requested-With", "XMLHttpRequest")},
		"webhook": {post("/json", js, `{"event":"paid"}`, "X-Signature", "65bc"), post("/json", js, `{"event":"paid"}`, "X-Signature", signed(`{"event":"paid"}`)),
			post("/json", js, `{"event":`, "X-Signature", signed(`{"event":`)), post("/text", "x/y", "hello"), post("/text", "x/y", strings.Repeat("x", 21)), post("/raw", "application/x", "\x00\x01")},
		"guarded":   {get("/"), get("/admin"), get("/admin", "Authorization", "Basic YW5hOnNlY3JldA=="), get("/admin/", "Authorization", "Basic bm9ib2R5Og==")},
		"shortener": {get("/town"), get("/town", "Accept", "text/html"), get("/none"), post("/", js, `{"key":"x","url":"/\"<>"}`), get("/x"), get("/stream/out")},
	}
}

func TestTwins(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Setenv("ZOCALO_ENV", "production")
	dir := serveFiles(t)
	ports := startExpress(t, dir)
	asked := 0
	for name, build := range apps() {
		t.Run(name, func(t *testing.T) {
			server := app.New()
			build(server, dir)
			l := httptest.NewServer(server)
			defer l.Close()
			express := visitor(t, fmt.Sprintf("http://127.0.0.1:%d", ports[name]))
			zocalo := visitor(t, l.URL)
			for _, q := range questions()[name] {
				asked++
				want, got := express(q), zocalo(q)
				if got != want {
					t.Errorf("%s %s %v %s\n--- Express\n%s\n--- Zócalo\n%s", q.method, q.path, q.headers, q.body, want, got)
				}
			}
		})
	}
	t.Logf("%d questions to %d applications", asked, len(apps()))
}

// visitor returns a function that asks a server and writes its answer down. It keeps cookies.
func visitor(t *testing.T, base string) func(question) string {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(q question) string {
		var body io.Reader
		if q.body != "" {
			body = strings.NewReader(q.body)
		}
		r, err := http.NewRequest(q.method, base+q.path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "town.example"
		for i := 0; i < len(q.headers); i += 2 {
			r.Header.Set(q.headers[i], q.headers[i+1])
		}
		res, err := client.Do(r)
		if err != nil {
			return "no answer: " + err.Error()
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil {
			return "half an answer: " + err.Error()
		}
		return writeDown(res, answer)
	}
}

// writeDown is a status, the headers but for those that the two servers cannot have alike, and the body.
func writeDown(res *http.Response, body []byte) string {
	var lines []string
	for name, values := range res.Header {
		for _, v := range values {
			switch {
			case name == "Date" || name == "Connection" || name == "Keep-Alive":
				continue
			case name == "Set-Cookie" && (strings.HasPrefix(v, "connect.sid=") || strings.HasPrefix(v, "session=")):
				continue // the two session libraries have cookies of their own
			case strings.HasPrefix(name, "Cache-Control") && v == `no-cache="Set-Cookie"`:
				continue // scs guards its cookie
			case name == "Vary" && v == "Cookie":
				continue // and says what it depends on
			}
			lines = append(lines, name+": "+v)
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d\n%s\n\n%s", res.StatusCode, strings.Join(lines, "\n"), body)
}

// serveFiles writes the files that both serve.
func serveFiles(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range map[string]string{"hello.txt": "hello town\n", "index.html": "<h1>town</h1>\n", "sub/index.html": "<h1>sub</h1>\n", ".env": "secret", "page.tpl": "<h1>{title}</h1> {site} {user}{none}\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		when := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// startExpress starts the applications on Express and returns their ports.
func startExpress(t *testing.T, dir string) map[string]int {
	t.Helper()
	need.Modules(t, "node")
	cmd := exec.Command("node", filepath.Join("node", "apps.mjs"))
	cmd.Env = append(os.Environ(), "TWINS_FILES="+dir, "NODE_ENV=production")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe() // it ends when this is closed
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Logf("node: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	ports := map[string]int{}
	if err == nil {
		err = json.Unmarshal(line, &ports)
	}
	if err != nil {
		t.Fatalf("node says no ports: %v\n%s", err, stderr.String())
	}
	return ports
}
