package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/app"
)

func header(name, value string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add(name, value)
			next.ServeHTTP(w, r)
		})
	}
}

func TestUseTakesEveryShape(t *testing.T) {
	router := app.NewRouter()
	router.Get("/r", text("router"))
	sub := app.New()
	sub.Get("/s", text("app"))
	server := app.New()
	server.Use(
		func(req *app.Request, res *app.Response) error { res.Append("X", "1"); return req.Next() },
		app.Handler(func(req *app.Request, res *app.Response) error { res.Append("X", "2"); return req.Next() }),
		header("X", "3"), header("X", "4"),
	)
	server.Use("/a", []string{"/b", "/c"}, router, sub)
	server.Use("/h", http.NotFoundHandler())
	server.Get("/fail", func(*app.Request, *app.Response) error { return errors.New("no") })
	server.Use(func(err error, req *app.Request, res *app.Response) error { return res.Send("error") })
	for url, want := range map[string]string{"/a/r": "router", "/b/s": "app", "/c/r": "router", "/h/x": "404 page not found\n", "/fail": "error"} {
		w := do(server, "GET", url)
		if w.Body.String() != want || strings.Join(w.Header()["X"], "") != "1234" {
			t.Errorf("%s: %q %v", url, w.Body, w.Header()["X"])
		}
	}
}

func TestUsePanicsWithArgumentAndPlace(t *testing.T) {
	for want, args := range map[string][]any{
		"argument 2 is a int":              {"/a", 42},
		"http.HandlerFunc":                 {func(http.ResponseWriter, *http.Request) {}},
		"paths come before":                {text(""), "/late"},
		"needs something":                  {"/only"},
		"handler is nil":                   {app.Handler(nil)},
		"mounted at \"/\" is nil":          {(*app.Router)(nil)},
		"path \"x\": it must start with a": {"x", text("")},
	} {
		message := panics(t, func() { app.New().Use(args...) })
		if !strings.HasPrefix(message, "app: ") || !strings.Contains(message, want) {
			t.Errorf("%q does not say %q", message, want)
		}
	}
	if message := panics(t, func() { app.New().Use(42) }); !strings.Contains(message, "use_test.go:") {
		t.Errorf("%q does not say where", message)
	}
	r := app.NewRouter()
	panics(t, func() { r.Use("/loop", r) })
}

type ctxKey struct{}

// What net/http middleware puts into the context or around the writer is what handlers see, and errors are answered
// inside of it.
func TestNetHTTPMiddlewareWrapsEverythingBehindIt(t *testing.T) {
	var status int
	var outer error
	server := app.New()
	server.UseHandler(func(req *app.Request, res *app.Response) error {
		outer = req.Next()
		return outer
	})
	server.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := &statusWriter{ResponseWriter: w}
			next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), ctxKey{}, "user")))
			status = rec.status
		})
	})
	server.Get("/ok/:id", func(req *app.Request, res *app.Response) error {
		return res.Status(202).Send(fmt.Sprint(req.Context().Value(ctxKey{}), req.Param("id")))
	})
	server.Get("/fail", func(*app.Request, *app.Response) error { return app.Errorf(418, "no") })
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		if req.Query("answer") != "" {
			return res.Status(419).Send("answered")
		}
		return err
	})
	expect(t, do(server, "GET", "/ok/7"), 202, "user7")
	if status != 202 {
		t.Errorf("the middleware saw %d", status)
	}
	for url, want := range map[string]int{"/fail": 418, "/fail?answer=1": 419, "/none": 404} {
		w := do(server, "GET", url)
		if w.Code != want || status != want {
			t.Errorf("%s: got %d, the middleware saw %d", url, w.Code, status)
		}
		if (outer != nil) != strings.HasPrefix(url, "/fail") {
			t.Errorf("%s: the handler around it saw %v", url, outer)
		}
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
func (w *statusWriter) Unwrap() http.ResponseWriter {
	return w.ResponseWriter
}

func TestMiddlewareMayAnswerOrRewrite(t *testing.T) {
	server := app.New()
	server.UseHTTP(func(next http.Handler) http.Handler { return http.StripPrefix("/proxy", next) })
	server.Get("/x", text("x"))
	expect(t, do(server, "GET", "/proxy/x"), 200, "x")
	expect(t, do(server, "GET", "/x"), 404, "404 page not found\n")
}

func TestMiddlewareThatLosesTheContextIs500(t *testing.T) {
	server := app.New()
	server.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.Background()))
		})
	})
	server.Get("/", text("x"))
	if w := do(server, "GET", "/"); w.Code != 500 {
		t.Errorf("got %d", w.Code)
	}
}

// http.TimeoutHandler answers while the handler still runs; the request is not over before the handler is.
func TestTimeoutHandler(t *testing.T) {
	server := app.New()
	server.UseHTTP(func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Millisecond, "too slow") })
	server.Get("/", func(req *app.Request, res *app.Response) error {
		<-req.Context().Done()
		return res.Send("late")
	})
	expect(t, do(server, "GET", "/"), 503, "too slow")
}

func TestPathValueInHandlersOfNetHTTP(t *testing.T) {
	server := app.New()
	server.Get("/users/:id", app.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.PathValue("id"))
	})))
	expect(t, do(server, "GET", "/users/a%20b"), 200, "a b")
}

// A connection can be taken over behind any middleware, by type assertion and by http.ResponseController.
func TestHijackBehindMiddleware(t *testing.T) {
	echo := func(hijack func(http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, rw, err := hijack(w)
			if err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			defer conn.Close()
			rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			rw.Flush()
			line, _ := rw.ReadString('\n')
			rw.WriteString("echo " + line)
			rw.Flush()
		})
	}
	server := app.New()
	server.UseHTTP(header("X", "1"), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&statusWriter{ResponseWriter: w}, r) })
	})
	server.Use(func(req *app.Request, res *app.Response) error { return req.Next() })
	server.Mount("/assert", echo(func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) { return w.(http.Hijacker).Hijack() }))
	server.Mount("/control", echo(func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
		return http.NewResponseController(w).Hijack()
	}))
	l := httptest.NewServer(server)
	defer l.Close()
	for _, path := range []string{"/assert", "/control"} {
		conn, err := net.Dial("tcp", l.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello\n", path)
		answer, _ := io.ReadAll(conn)
		conn.Close()
		if !strings.HasPrefix(string(answer), "HTTP/1.1 101") || !strings.HasSuffix(string(answer), "echo hello\n") {
			t.Errorf("%s: %q", path, answer)
		}
	}
}

// A router at several paths is one entry of the list: the first path that fits takes its part, and the router runs once.
func TestRouterAtSeveralPaths(t *testing.T) {
	runs := 0
	sub := app.NewRouter()
	sub.Use(func(req *app.Request, res *app.Response) error { runs++; return req.Next() })
	sub.Get("/page", func(req *app.Request, res *app.Response) error { return res.Send(req.BaseURL() + " " + req.Path()) })
	server := app.New()
	server.Use([]string{"/a", "/:any", "/"}, sub)
	expect(t, do(server, "GET", "/a/page"), 200, "/a /page")
	expect(t, do(server, "GET", "/b/page"), 200, "/b /page")
	runs = 0
	if w := do(server, "GET", "/a/nothing"); w.Code != 404 || runs != 1 {
		t.Errorf("%d, and the router ran %d times", w.Code, runs)
	}
	var patterns []string
	for _, rt := range server.Routes() {
		patterns = append(patterns, rt.Pattern)
	}
	if got := fmt.Sprint(patterns); got != "[/a/page /:any/page /page]" {
		t.Error(got)
	}
}

// A slash that a prefix ends with is not doubled by the one that the next prefix starts with.
func TestBaseURLOfDoubledSlashes(t *testing.T) {
	show := func(req *app.Request, res *app.Response) error { return res.Send(req.BaseURL() + " " + req.Path()) }
	inner := app.NewRouter()
	inner.Use([]string{"/a", "/c"}, show)
	outer := app.NewRouter()
	outer.Use("/{:x}", inner)
	server := app.New()
	server.Use("/{:x}", outer)
	expect(t, do(server, "GET", "/x/y/a/b"), 200, "/x/y/a /b")
	expect(t, do(server, "GET", "//y/a/b"), 200, "/y/a /b")
	expect(t, do(server, "GET", "///a/b/"), 200, "/a /b/")
	expect(t, do(server, "GET", "//y/a/"), 200, "/y/a /")
}

// A handler may hand a context of its own to those behind it.
func TestContextForTheHandlersBehind(t *testing.T) {
	type user struct{}
	server := app.New()
	server.Use(func(req *app.Request, res *app.Response) error {
		req.Request = req.WithContext(context.WithValue(req.Context(), user{}, "ana"))
		return req.Next()
	})
	server.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-User", r.Context().Value(user{}).(string))
			next.ServeHTTP(w, r)
		})
	})
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.Send(req.Context().Value(user{}).(string)) })
	w := do(server, "GET", "/")
	expect(t, w, 200, "ana")
	if w.Header().Get("X-User") != "ana" {
		t.Error(w.Header())
	}
}
