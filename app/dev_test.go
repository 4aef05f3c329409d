package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

type positioned struct{}

func (positioned) Error() string                { return `views/a.handlebars:2:4: no partial "<script>"` }
func (positioned) Position() (string, int, int) { return "views/a.handlebars", 2, 4 }
func (positioned) Excerpt() string              { return "1 | <p>\n2 |    {{> x}}\n  |    ^\n3 | </p>" }

func fails(*app.Request, *app.Response) error {
	return fmt.Errorf("save: %w", fmt.Errorf("open <db>: %w", errors.New("refused")))
}

func explodes(*app.Request, *app.Response) error {
	var m map[string]int
	//lint:ignore SA5000 the panic is what is tested
	m["<boom>"]++
	return nil
}

func TestDevelopmentPages(t *testing.T) {
	t.Setenv("ZOCALO_ENV", "development")
	server := app.New()
	server.Get("/fails/:id", fails)
	server.Get("/explodes", explodes)
	server.Get("/view", func(*app.Request, *app.Response) error { return positioned{} })
	server.Post("/users", fails)
	server.Get("/users/list", fails)
	server.Get("/about", fails).Get("/contact", fails)
	secret := strings.Repeat("xyz", 3)
	for _, test := range []struct {
		url    string
		status int
		want   []string
	}{
		{"/fails/7?q=%3Cscript%3E", 500, []string{"save: open &lt;db&gt;: refused", "Caused by", "app_test.fails", "dev_test.go:", "func fails(", "Parameter id", "/fails/:id"}},
		{"/explodes", 500, []string{"assignment to entry in nil map", "app_test.explodes", "m[&#34;&lt;boom&gt;&#34;]", "Go and libraries", "Your code"}},
		{"/view", 500, []string{"no partial &#34;&lt;script&gt;&#34;", "views/a.handlebars:2:4", `<span class="here">2 |    {{&gt; x}}`, `<span class="caret">`}},
		{"/user/lists", 404, []string{"Cannot GET /user/lists", "Did you mean", `href="/users/list"`}},
		{"/%3Cscript%3E", 404, []string{"Cannot GET /%3Cscript%3E"}},
	} {
		w := do(server, "GET", test.url, "Cookie", "session="+secret, "X-Evil", "<script>alert(1)</script>")
		page := w.Body.String()
		if w.Code != test.status {
			t.Errorf("%s: got %d", test.url, w.Code)
		}
		for _, want := range test.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not have %q\n%s", test.url, want, page[strings.Index(page, "<main>"):])
			}
		}
		for _, bad := range []string{"<script", secret, "http://", "https://", "<db>"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %q", test.url, bad)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%s: %q", test.url, csp)
		}
	}
	expect(t, do(server, "GET", "/fails/7", "Accept", "application/json"), 500, `{"error":{"message":"save: open \u003cdb\u003e: refused","status":500}}`)
}

func TestProductionShowsNothing(t *testing.T) {
	server := app.New()
	server.Get("/fails", fails)
	w := do(server, "GET", "/fails")
	if strings.Contains(w.Body.String(), "save") || !strings.Contains(w.Body.String(), "Internal Server Error") {
		t.Error(w.Body)
	}
	t.Setenv("ZOCALO_DEV", "127.0.0.1:1")
	server = app.New()
	server.Get("/", text("<body></body>"))
	expect(t, do(server, "GET", "/"), 200, "<body></body>")
	if w := do(server, "GET", "/_dev/reload.js"); w.Code != 404 {
		t.Errorf("got %d", w.Code)
	}
}

// Whom the development server refuses learns of no error, no source and no routes, but why.
func TestErrorsAreNotForOthers(t *testing.T) {
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/_dev/alive":
			http.NotFound(w, r)
		case r.Host == "evil.test" || r.Header.Get("Origin") == "http://evil.test":
			http.Error(w, "<not for you>", http.StatusForbidden)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer control.Close()
	t.Setenv("ZOCALO_ENV", "development")
	t.Setenv("ZOCALO_DEV", control.Listener.Addr().String())
	server := app.New()
	server.Get("/fails/:id", fails)
	for _, foreign := range []bool{false, true} {
		for _, header := range [][]string{{"Host", "evil.test"}, {"Origin", "http://evil.test"}} {
			if !foreign {
				header[1] = strings.Replace(header[1], "evil.test", "localhost", 1)
			}
			for _, accept := range []string{"text/html", "application/json"} {
				for path, secrets := range map[string][]string{"/fails/1": {"refused"}, "/fail/1": {"/fails/:id"}} {
					r := httptest.NewRequest("GET", path, nil)
					r.Header.Set(header[0], header[1])
					r.Header.Set("Accept", accept)
					if header[0] == "Host" {
						r.Host = header[1]
					}
					w := httptest.NewRecorder()
					server.ServeHTTP(w, r)
					for _, secret := range secrets {
						if told := strings.Contains(w.Body.String(), secret); told == foreign && (accept == "text/html" || path == "/fails/1") {
							t.Errorf("%v, %s for %s: %t\n%s", header, path, accept, told, w.Body)
						}
					}
					if foreign && path == "/fails/1" && !strings.Contains(w.Body.String(), "not for you") || strings.Contains(w.Body.String(), "<not") {
						t.Errorf("%v, %s for %s: it does not say why\n%s", header, path, accept, w.Body)
					}
				}
			}
		}
	}
}

// The development server's paths reach it, its stream is not held back and does not hold the application up, and pages
// get its script.
func TestDevelopmentServer(t *testing.T) {
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_dev/events" {
			io.WriteString(w, "reload "+r.URL.Path)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: hello\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer control.Close()
	t.Setenv("ZOCALO_ENV", "development")
	t.Setenv("ZOCALO_DEV", control.Listener.Addr().String())
	server := app.New()
	server.Use(func(*app.Request, *app.Response) error { return errors.New("user middleware ran") })

	l := httptest.NewUnstartedServer(nil).Listener
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) *http.Response {
		r, err := client.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := get("/_dev/reload.js")
	if b, _ := io.ReadAll(r.Body); string(b) != "reload /_dev/reload.js" {
		t.Errorf("got %q", b)
	}
	r.Body.Close()
	r = get("/")
	if b, _ := io.ReadAll(r.Body); !strings.Contains(string(b), `<script src="/_dev/reload.js" defer></script></body>`) {
		t.Error("the error page has no script")
	}
	r.Body.Close()
	events := get("/_dev/events")
	defer events.Body.Close()
	if line, _ := bufio.NewReader(events.Body).ReadString('\n'); line != "data: hello\n" {
		t.Errorf("got %q", line)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}

	pages := app.New()
	pages.Get("/page", text("<html><body>hi</body></html>"))
	pages.Get("/text", func(req *app.Request, res *app.Response) error { return res.Type("txt").Send("</body>") })
	expect(t, do(pages, "GET", "/page"), 200, `<html><body>hi<script src="/_dev/reload.js" defer></script></body></html>`)
	expect(t, do(pages, "GET", "/text"), 200, "</body>")
}
