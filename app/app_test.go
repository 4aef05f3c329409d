package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/zocalo-go/zocalo/app"
)

func TestMain(m *testing.M) {
	os.Unsetenv("ZOCALO_ENV")
	slog.SetDefault(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

// do sends a request to the front door and returns the answer.
func do(h http.Handler, method, url string, headers ...string) *httptest.ResponseRecorder {
	return send(h, method, url, "", headers...)
}

func send(h http.Handler, method, url, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func expect(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Errorf("got %d %q, want %d %q", w.Code, w.Body, status, body)
	}
}

// text answers with a fixed text.
func text(s string) app.Handler {
	return func(_ *app.Request, res *app.Response) error { return res.Send(s) }
}

// panics returns what f panics with.
func panics(t *testing.T, f func()) (message string) {
	t.Helper()
	defer func() {
		v := recover()
		if v == nil {
			t.Error("it did not panic")
			return
		}
		message, _ = v.(string)
	}()
	f()
	return ""
}

func TestPathsInBothSpellings(t *testing.T) {
	tests := []struct {
		path, url, want string // want: the parameters, or "" for no match
	}{
		{"/users/:id", "/users/7", "id=7"},
		{"/users/{id}", "/USERS/7/", "id=7"},
		{"/users/{id:[0-9]+}", "/users/7", "id=7"},
		{"/users/{id:[0-9]+}", "/users/x7", ""},
		{"/users/{id:[A-Z]{2}}", "/users/AB", "id=AB"},
		{"/users/{id:[A-Z]{2}}", "/users/ab", ""},
		{"/files/*path", "/files/a%2Fb/c", "path=a/b/c"},
		{"/a/*middle/z", "/a/b/c/z", "middle=b/c"},
		{"/a/*middle/z", "/a/b/c/y", ""},
		{"/*a/*b", "/x/y/z/", "a=x/y b=z"},
		{"/*a/:b/*c", "/x/x/b/c/", "a=x/x b=b c=c"},
		{"/:a-:b", "/x--", "a=x b=-"},
		{"/posts{/:page}", "/posts", "page="},
		{"/posts{/:page}", "/posts/3", "page=3"},
		{"/:from-:to", "/lima-oslo", "from=lima to=oslo"},
		{"/:name.:ext", "/a.tar.gz", "name=a.tar ext=gz"},
		{"/v{version}/x", "/v2/x", "version=2"},
		{`/a\{b`, "/a%7Bb", "-"},
		{"/café", "/caf%C3%A9", "-"},
		{"/mañana/:q", "/ma%C3%B1ana/%C3%BC", "q=ü"},
		{"/user/:id", "/user/%ff", "400"},
		{"/a", "/a//", ""},
		{"/:id", "//", ""},
	}
	for _, test := range tests {
		server := app.New()
		server.Get(test.path, func(req *app.Request, res *app.Response) error {
			var parts []string
			for _, f := range strings.Fields(test.want) {
				if name, _, ok := strings.Cut(f, "="); ok {
					parts = append(parts, name+"="+req.Param(name))
				}
			}
			return res.Send(strings.Join(parts, " "))
		})
		w := do(server, "GET", test.url)
		got := w.Body.String()
		switch {
		case w.Code == 404:
			got = ""
		case w.Code == 400:
			got = "400"
		case got == "":
			got = "-"
		}
		if got != test.want {
			t.Errorf("%s for %s: got %q, want %q", test.url, test.path, got, test.want)
		}
	}
}

func TestBadPathsPanicWithTheCure(t *testing.T) {
	for path, want := range map[string]string{
		"users":         `write "/users"`,
		"/users/:":      `"/users/:id"`,
		"/*":            `"/files/*path"`,
		"/a?":           "{…}",
		"/a{b":          "close the optional part with }",
		"/:a:b":         "/:from-:to",
		"/{id:[}":       "package regexp",
		"/x}":           `\}`,
		`/:"unfinished`: "unterminated quote",
	} {
		message := panics(t, func() { app.New().Get(path, text("")) })
		if !strings.HasPrefix(message, "app: ") || !strings.Contains(message, want) {
			t.Errorf("%q: %q does not have the cure %q", path, message, want)
		}
	}
}

// A route is found among many whatever stands before it, and the first registered of those that match runs first.
func TestRoutesOfOneRunKeepTheirOrder(t *testing.T) {
	server := app.New()
	mark := func(s string) app.Handler {
		return func(req *app.Request, res *app.Response) error {
			res.Append("X-Trace", s)
			return req.Next()
		}
	}
	server.Get("/books/new", mark("new")).
		Get("/books/:id", mark("id")).
		Get("/:kind/new", mark("kind")).
		All("/*rest", mark("rest")).
		Get("/books/new", text("end"))
	if got := strings.Join(do(server, "GET", "/books/new").Header()["X-Trace"], " "); got != "new id kind rest" {
		t.Errorf("got %q", got)
	}
	if got := strings.Join(do(server, "GET", "/films/new").Header()["X-Trace"], " "); got != "kind rest" {
		t.Errorf("got %q", got)
	}
}

func TestNextReturnsTheErrorOfWhatFollows(t *testing.T) {
	failure := errors.New("no paper")
	var seen error
	server := app.New()
	server.Use(func(req *app.Request, res *app.Response) error {
		seen = req.Next()
		return seen
	})
	server.Get("/fail", func(*app.Request, *app.Response) error { return failure })
	server.Get("/recover", func(req *app.Request, res *app.Response) error {
		if err := req.Next(); err != nil {
			return res.Send("recovered from " + err.Error())
		}
		return nil
	}, func(*app.Request, *app.Response) error { panic("the panic") })
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		return res.Status(500).Send("handled " + err.Error())
	})
	expect(t, do(server, "GET", "/fail"), 500, "handled no paper")
	if !errors.Is(seen, failure) {
		t.Errorf("Next returned %v", seen)
	}
	expect(t, do(server, "GET", "/recover"), 200, "recovered from the panic")
	if seen != nil {
		t.Errorf("Next returned %v", seen)
	}
}

func TestErrorsGoToHandlersRegisteredLaterInnerFirst(t *testing.T) {
	server := app.New()
	trace := func(name string) app.ErrorHandler {
		return func(err error, req *app.Request, res *app.Response) error {
			res.Append("X-Trace", name)
			return err
		}
	}
	inner := app.NewRouter()
	inner.OnError(trace("too early"))
	inner.Get("/x", func(*app.Request, *app.Response) error { return app.Errorf(418, "short and stout") })
	inner.OnError(trace("inner"))
	server.OnError(trace("too early"))
	server.Use("/in", inner)
	server.Use("/elsewhere", trace("elsewhere"))
	server.Use("/in", trace("below /in"))
	server.OnError(trace("outer"))
	w := do(server, "GET", "/in/x")
	if got := strings.Join(w.Header()["X-Trace"], ", "); w.Code != 418 || got != "inner, below /in, outer" {
		t.Errorf("got %d %q", w.Code, got)
	}
	if strings.Contains(w.Body.String(), "stout") {
		t.Error("production shows the message of an error")
	}
}

func TestAfterAnErrorHandlersNextAnotherErrorHasItsOwnPlace(t *testing.T) {
	server := app.New()
	server.Get("/", func(*app.Request, *app.Response) error { return errors.New("first") })
	server.OnError(func(_ error, req *app.Request, _ *app.Response) error { return req.Next() })
	server.OnError(func(err error, _ *app.Request, res *app.Response) error {
		return res.Send("skipped over: " + err.Error())
	})
	server.Use(func(*app.Request, *app.Response) error { return errors.New("second") })
	server.OnError(func(err error, _ *app.Request, res *app.Response) error { return res.Send("last: " + err.Error()) })
	expect(t, do(server, "GET", "/"), 200, "last: second")
}

func TestMiddlewareSeesItsOwnPlaceAfterNext(t *testing.T) {
	server := app.New()
	var before, after string
	server.Use("/u/:id", func(req *app.Request, res *app.Response) error {
		before = req.BaseURL() + " " + req.Path() + " " + req.Param("id")
		err := req.Next()
		after = req.BaseURL() + " " + req.Path() + " " + req.Param("id")
		return err
	})
	server.Get("/u/:name/x", text("x"))
	do(server, "GET", "/u/7/x")
	if before != "/u/7 /x 7" || after != before {
		t.Errorf("before %q, after %q", before, after)
	}
}

// What a handler makes of the URL and the method is what the handlers behind it get, as in Express.
func TestRewriting(t *testing.T) {
	show := func(req *app.Request, res *app.Response) error {
		return res.Send(req.Method + " " + req.Route() + " " + req.BaseURL() + " " + req.Path() + " " + req.OriginalURL())
	}
	rewrite := func(from, to string) app.Handler {
		return func(req *app.Request, res *app.Response) error {
			if req.URL.Path == from {
				req.URL.Path = to
			}
			return req.Next()
		}
	}
	server := app.New()
	server.Use(rewrite("/old/7", "/new/7"), func(req *app.Request, res *app.Response) error {
		if method := req.Get("X-HTTP-Method-Override"); method != "" {
			req.Method = method
		}
		return req.Next()
	})
	server.Get("/new/:id", show)
	server.Get("/account/edit", rewrite("/account/edit", "/user/12/edit"))
	server.Get("/skip", func(req *app.Request, res *app.Response) error {
		req.URL.Path = "/user/13/edit"
		return app.NextRoute
	})
	server.Get("/new/:id", text("too late"))
	server.Get("/user/:id/edit", show)
	server.Delete("/user/:id/edit", show)
	sub := app.NewRouter()
	sub.Get("/a", rewrite("/sub/a", "/sub/b"))
	sub.Get("/b", show)
	sub.Get("/c", rewrite("/sub/c", "/sub/none"))
	sub.Get("/d", rewrite("/sub/d", "/outside"))
	server.Use("/sub", sub)
	server.Get("/sub/none", show)
	server.Get("/outside", show)
	server.UseHTTP(func(next http.Handler) http.Handler { return http.StripPrefix("/strip", next) })
	server.Use(rewrite("/x", "/y z"))
	server.Get("/y z", show)

	expect(t, do(server, "GET", "/old/7"), 200, "GET /new/:id  /new/7 /old/7")
	expect(t, do(server, "GET", "/account/edit?a=1"), 200, "GET /user/:id/edit  /user/12/edit /account/edit?a=1")
	expect(t, do(server, "GET", "/skip"), 200, "GET /user/:id/edit  /user/13/edit /skip")
	expect(t, do(server, "POST", "/user/1/edit", "X-HTTP-Method-Override", "DELETE"), 200, "DELETE /user/:id/edit  /user/1/edit /user/1/edit")
	expect(t, do(server, "GET", "/sub/a"), 200, "GET /b /sub /b /sub/a")
	expect(t, do(server, "GET", "/sub/c"), 200, "GET /sub/none  /sub/none /sub/c")
	expect(t, do(server, "GET", "/sub/d"), 200, "GET /outside  /outside /sub/d")
	expect(t, do(server, "GET", "/strip/x"), 200, "GET /y z  /y%20z /strip/x")
}

func TestGroupSeesTheParametersOfItsPrefix(t *testing.T) {
	server := app.New()
	server.Group("/teams/:team", func(r *app.Router) {
		r.Get("/players/:player", func(req *app.Request, res *app.Response) error {
			return res.Send(req.Param("team") + " " + req.Param("player") + " " + req.Route())
		})
	})
	expect(t, do(server, "GET", "/teams/reds/players/9"), 200, "reds 9 /players/:player")
	if got := server.Routes(); len(got) != 1 || got[0].Pattern != "/teams/:team/players/:player" {
		t.Errorf("routes: %v", got)
	}
}

func TestMountedHandlerSeesTheWholeURL(t *testing.T) {
	server := app.New()
	server.Mount("/legacy", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Method+" "+r.URL.Path)
	}))
	for _, test := range []struct{ method, url, want string }{
		{"GET", "/legacy", "GET /legacy"},
		{"PURGE", "/legacy/a/b", "PURGE /legacy/a/b"},
		{"POST", "/legacy/", "POST /legacy/"},
	} {
		expect(t, do(server, test.method, test.url), 200, test.want)
	}
	if w := do(server, "GET", "/legacyx"); w.Code != 404 {
		t.Errorf("got %d", w.Code)
	}
}

func TestMountedApplicationInheritsSettings(t *testing.T) {
	server, admin := app.New(), app.New()
	server.Set("json spaces", 1).Disable("etag")
	server.Locals["site"] = "plaza"
	admin.Locals["page"] = "admin"
	admin.Engine("txt", engineFunc(func(w io.Writer, v app.View) error { return json.NewEncoder(w).Encode(v.Data) }))
	admin.Get("/json", func(req *app.Request, res *app.Response) error { return res.JSON([]int{1}) })
	admin.Get("/page", func(req *app.Request, res *app.Response) error { return res.Render("page.txt") })
	server.Use("/admin", admin)
	w := do(server, "GET", "/admin/json")
	expect(t, w, 200, "[\n 1\n]")
	if w.Header().Get("ETag") == "" {
		t.Error("the setting etag has a default: it is not inherited")
	}
	expect(t, do(server, "GET", "/admin/page"), 200, `{"page":"admin","site":"plaza"}`+"\n")
}

type engineFunc func(w io.Writer, v app.View) error

func (f engineFunc) Render(w io.Writer, v app.View) error { return f(w, v) }

func TestRender(t *testing.T) {
	server := app.New()
	server.Engine(".txt", engineFunc(func(w io.Writer, v app.View) error {
		io.WriteString(w, "half a page")
		if v.Data["fail"] != nil {
			return errors.New("broken")
		}
		return json.NewEncoder(w).Encode([]any{v.Name, v.Cache, v.Data})
	}))
	server.Set("view engine", "txt")
	server.Locals["a"], server.Locals["b"], server.Locals["c"] = 1, 1, 1
	server.Get("/", func(req *app.Request, res *app.Response) error {
		res.Locals["b"], res.Locals["c"] = 2, 2
		return res.Render("users/show", app.Map{"c": 3})
	})
	server.Get("/fail", func(req *app.Request, res *app.Response) error {
		return res.Set("X-Kept", "yes").Render("broken", app.Map{"fail": true})
	})
	server.Get("/none", func(req *app.Request, res *app.Response) error { return res.Render("a.pug") })
	w := do(server, "GET", "/")
	expect(t, w, 200, `half a page["users/show.txt",true,{"a":1,"b":2,"c":3}]`+"\n")
	if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Error(got)
	}
	for _, path := range []string{"/fail", "/none"} {
		if w := do(server, "GET", path); w.Code != 500 || strings.Contains(w.Body.String(), "half") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if page, err := server.Render("mail"); err != nil || !strings.HasPrefix(page, "half a page") {
		t.Errorf("%q, %v", page, err)
	}
}

func TestErrorsAsJSONInDevelopment(t *testing.T) {
	server := app.New().Set("env", "development")
	server.Get("/fail", func(*app.Request, *app.Response) error { return app.Errorf(409, "taken") })
	expect(t, do(server, "GET", "/fail", "Accept", "application/json"), 409, `{"error":{"message":"taken","status":409}}`)
	expect(t, do(server, "GET", "/no", "Accept", "application/json"), 404, `{"error":{"message":"Cannot GET /no","status":404}}`)
	if w := do(server, "GET", "/no", "Accept", "text/html,application/json;q=0.9,*/*;q=0.8"); !strings.HasPrefix(w.Body.String(), "<!DOCTYPE") {
		t.Error("a browser got JSON")
	}
}

func TestAnsweringTwiceIsAnError(t *testing.T) {
	var second error
	server := app.New()
	server.Get("/", func(req *app.Request, res *app.Response) error {
		if err := res.Send("once"); err != nil {
			return err
		}
		second = res.JSON("twice")
		return second
	})
	w := do(server, "GET", "/")
	expect(t, w, 200, "once")
	if !errors.Is(second, app.ErrHeadersSent) {
		t.Errorf("got %v", second)
	}
}

func TestHalfAnAnswerCutsTheConnection(t *testing.T) {
	server := app.New()
	server.Get("/", func(req *app.Request, res *app.Response) error {
		res.Set("Content-Length", "100")
		io.WriteString(res, "half")
		res.Flush()
		return errors.New("no more")
	})
	l := httptest.NewServer(server)
	defer l.Close()
	r, err := l.Client().Get(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if _, err := io.ReadAll(r.Body); err == nil {
		t.Error("the client got a whole answer")
	}
}

func TestParamHandlerRunsOncePerValue(t *testing.T) {
	var calls atomic.Int32
	server := app.New()
	server.Param("id", func(req *app.Request, res *app.Response, id string) error {
		calls.Add(1)
		if id == "0" {
			return app.Errorf(404, "no user 0")
		}
		res.Locals["user"] = "user " + id
		return nil
	})
	server.Get("/u/:id", func(req *app.Request, res *app.Response) error { return req.Next() })
	server.Get("/u/:id", func(req *app.Request, res *app.Response) error { return res.Send(res.Locals["user"]) })
	expect(t, do(server, "GET", "/u/7"), 200, "user 7")
	if calls.Load() != 1 {
		t.Errorf("called %d times", calls.Load())
	}
	if w := do(server, "GET", "/u/0"); w.Code != 404 {
		t.Errorf("got %d", w.Code)
	}
}

func TestNoLocalsOfOneRequestInAnother(t *testing.T) {
	server := app.New()
	server.Get("/set", func(req *app.Request, res *app.Response) error {
		res.Locals["secret"] = "x"
		return res.Status(201).Send("")
	})
	server.Get("/get", func(req *app.Request, res *app.Response) error {
		if len(res.Locals) > 0 || res.StatusCode() != 200 || req.Param("id") != "" || res.HeadersSent() {
			return errors.New("something is left of another request")
		}
		return res.Send("clean")
	})
	for range 100 {
		do(server, "GET", "/set")
		expect(t, do(server, "GET", "/get"), 200, "clean")
	}
}

func TestJSONIsWrittenAsItIs(t *testing.T) {
	server := app.New()
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.JSON(app.Map{"html": "<b>&</b>"}) })
	w := do(server, "GET", "/")
	expect(t, w, 200, `{"html":"<b>&</b>"}`)
	if w := do(server, "GET", "/", "If-None-Match", w.Header().Get("ETag")); w.Code != 304 || w.Body.Len() > 0 {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestANilPointerInThePlaceOfAnErrorIsAnError(t *testing.T) {
	server := app.New()
	server.Param("id", func(*app.Request, *app.Response, string) error { var none *app.HTTPError; return none })
	server.Get("/", func(*app.Request, *app.Response) error { var none *app.HTTPError; return none })
	server.Get("/:id", text("x"))
	server.OnError(func(err error, _ *app.Request, res *app.Response) error { return res.Status(500).Send(err.Error()) })
	for _, path := range []string{"/", "/7"} {
		expect(t, do(server, "GET", path), 500,
			"app: a handler returned a nil *app.HTTPError, which is not a nil error: return nil where there is none")
	}
	wrong := app.New()
	wrong.Get("/", func(*app.Request, *app.Response) error { return errors.New("x") })
	wrong.OnError(func(error, *app.Request, *app.Response) error { var none *app.HTTPError; return none })
	if w := do(wrong, "GET", "/"); w.Code != 500 {
		t.Errorf("got %d", w.Code)
	}
}

func TestAnErrorOfAChainedCallIsToldWhenNothingAnswers(t *testing.T) {
	server := app.New()
	server.Use(func(req *app.Request, res *app.Response) error {
		res.Cookie("a b", "x")
		return req.Next()
	})
	server.Get("/", text("hello"))
	for _, r := range [][2]string{{"GET", "/"}, {"GET", "/none"}, {"OPTIONS", "/"}} {
		if w := do(server, r[0], r[1]); w.Code != 500 {
			t.Errorf("%s %s: got %d %q", r[0], r[1], w.Code, w.Body)
		}
	}
}

func TestHeaderInjection(t *testing.T) {
	server := app.New()
	server.Get("/", func(req *app.Request, res *app.Response) error {
		return res.Cookie("a", "x\r\nSet-Cookie: b=1; Path=/evil").Redirect("/\r\nX-Evil: 1")
	})
	l := httptest.NewServer(server)
	defer l.Close()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.Get(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	client.CloseIdleConnections()
	if len(r.Header["Set-Cookie"]) != 1 || r.Header.Get("X-Evil") != "" || strings.ContainsAny(r.Header.Get("Location"), "\r\n") {
		t.Errorf("injected: %v", r.Header)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	server := app.New()
	for range 10 {
		server.Use(func(req *app.Request, res *app.Response) error { return req.Next() })
	}
	server.Get("/users/:id", func(req *app.Request, res *app.Response) error {
		res.WriteHeader(204)
		return nil
	})
	r := httptest.NewRequest("GET", "/users/7", nil)
	w := &discard{header: http.Header{}}
	least := 100.0
	for range 50 { // the race detector makes the pool forget now and then
		least = min(least, testing.AllocsPerRun(1, func() { server.ServeHTTP(w, r) }))
	}
	if least > 0 {
		t.Errorf("%v allocations a request", least)
	}
}

type discard struct {
	header http.Header
	bytes.Buffer
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}

func TestSecurityHeadersAreHelmets(t *testing.T) {
	server := app.New()
	server.Use(app.SecurityHeaders())
	server.Use("/own", app.SecurityHeaders(map[string]string{"content-security-policy": "default-src 'none'", "X-Frame-Options": "", "X-Town": "plaza"}))
	server.Use(text("hello"))
	want := map[string]string{ // helmet 8
		"Content-Security-Policy":           "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
		"Cross-Origin-Opener-Policy":        "same-origin",
		"Cross-Origin-Resource-Policy":      "same-origin",
		"Origin-Agent-Cluster":              "?1",
		"Referrer-Policy":                   "no-referrer",
		"Strict-Transport-Security":         "max-age=31536000; includeSubDomains",
		"X-Content-Type-Options":            "nosniff",
		"X-Dns-Prefetch-Control":            "off",
		"X-Download-Options":                "noopen",
		"X-Frame-Options":                   "SAMEORIGIN",
		"X-Permitted-Cross-Domain-Policies": "none",
		"X-Xss-Protection":                  "0",
	}
	h := do(server, "GET", "/").Header()
	for name, value := range want {
		if h.Get(name) != value {
			t.Errorf("%s is %q", name, h.Get(name))
		}
	}
	if h = do(server, "GET", "/own").Header(); h.Get("Content-Security-Policy") != "default-src 'none'" || h.Get("X-Town") != "plaza" {
		t.Error(h)
	}
}
