package app_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

func TestEnd(t *testing.T) {
	server := app.New()
	server.Get("/status", func(req *app.Request, res *app.Response) error { return res.Status(402).Set("X-Due", "today").End() })
	server.Get("/written", func(req *app.Request, res *app.Response) error {
		if _, err := res.Write([]byte("half, whole")); err != nil {
			return err
		}
		return res.End()
	})
	server.Get("/twice", func(req *app.Request, res *app.Response) error {
		if err := res.Send("once"); err != nil {
			return err
		}
		return res.End()
	})
	server.Get("/text", func(req *app.Request, res *app.Response) error { return res.End("how", " long") })
	server.Get("/last", func(req *app.Request, res *app.Response) error {
		if _, err := res.Write([]byte("half, ")); err != nil {
			return err
		}
		return res.End("whole")
	})
	server.Get("/none", func(req *app.Request, res *app.Response) error { return res.Status(204).End("text") })
	var late error
	server.Get("/late", func(req *app.Request, res *app.Response) error {
		if err := res.End(); err != nil {
			return err
		}
		late = res.End("text")
		return nil
	})
	server.Get("/typed", func(req *app.Request, res *app.Response) error { return res.Status(204).Type("text").End() })
	server.Get("/forgotten", func(req *app.Request, res *app.Response) error { res.Status(404); return nil })
	server.Get("/invalid", func(req *app.Request, res *app.Response) error { res.Set("X", "a\nb"); return nil })
	server.Get("/handled", func(req *app.Request, res *app.Response) error { return app.Errorf(400, "no") })
	server.OnError(func(err error, req *app.Request, res *app.Response) error { res.Status(app.StatusOf(err)); return nil })

	expect(t, do(server, "GET", "/written"), 200, "half, whole")
	expect(t, do(server, "GET", "/twice"), 200, "once")
	expect(t, do(server, "GET", "/last"), 200, "half, whole")
	expect(t, do(server, "GET", "/none"), 204, "")
	if expect(t, do(server, "GET", "/late"), 200, ""); !errors.Is(late, app.ErrHeadersSent) {
		t.Error("text after the end:", late)
	}
	text := do(server, "GET", "/text")
	expect(t, text, 200, "how long")
	if h := text.Header(); h.Get("Content-Length") != "8" || h.Get("Content-Type") != "" || h.Get("ETag") != "" {
		t.Error(h)
	}
	if h := do(server, "HEAD", "/text").Header(); h.Get("Content-Length") != "" {
		t.Error(h)
	}
	expect(t, do(server, "GET", "/forgotten"), 404, "")
	expect(t, do(server, "GET", "/handled"), 400, "")
	if w := do(server, "GET", "/invalid"); w.Code != http.StatusInternalServerError {
		t.Errorf("a header that cannot be sent: %d", w.Code)
	}
	if h := do(server, "HEAD", "/status").Header(); h.Get("X-Due") != "today" || h.Get("Content-Length") != "" {
		t.Error(h)
	}
	if h := do(server, "GET", "/typed").Header(); h.Get("Content-Type") == "" || h.Get("Content-Length") != "" {
		t.Error("204:", h) // Send leaves the type out, End does not
	}
	w := do(server, "GET", "/status")
	expect(t, w, 402, "")
	if h := w.Header(); h.Get("X-Due") != "today" || h.Get("Content-Length") != "0" || h.Get("Content-Type") != "" || h.Get("ETag") != "" {
		t.Error(h)
	}
}

// What net/http middleware sees is what the client gets.
func TestStatusWithoutAnswerBehindMiddleware(t *testing.T) {
	var seen int
	server := app.New()
	server.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner := httptest.NewRecorder()
			next.ServeHTTP(inner, r)
			seen = inner.Code
			w.WriteHeader(inner.Code)
		})
	})
	server.Get("/", func(req *app.Request, res *app.Response) error { res.Status(404); return nil })
	if w := do(server, "GET", "/"); w.Code != 404 || seen != 404 {
		t.Errorf("the client got %d, the middleware saw %d", w.Code, seen)
	}
}

func TestCookieEncode(t *testing.T) {
	server := app.New()
	server.Get("/:value", func(req *app.Request, res *app.Response) error {
		plain := func(value string) string { return value }
		return res.Cookie("a", req.Param("value"), app.CookieOptions{Encode: plain}).SendStatus(204)
	})
	if w := do(server, "GET", "/a=b%2Fc"); w.Header().Get("Set-Cookie") != "a=a=b/c; Path=/" {
		t.Error(w.Header())
	}
	if w := do(server, "GET", "/a;b"); w.Code != 500 || w.Header().Get("Set-Cookie") != "" {
		t.Error(w.Code, w.Header())
	}
}

// A call that answers behind one that could not do its work leaves nothing of itself to the error handlers.
func TestRejectedChains(t *testing.T) {
	server := app.New()
	server.Get("/send", func(req *app.Request, res *app.Response) error { return res.Vary("").Send("x") })
	server.Get("/json", func(req *app.Request, res *app.Response) error { return res.Vary("").JSON("x") })
	server.Get("/jsonp", func(req *app.Request, res *app.Response) error { return res.Vary("").JSONP("x") })
	server.Get("/redirect", func(req *app.Request, res *app.Response) error { return res.Vary("").Redirect("/x") })
	server.Get("/format", func(req *app.Request, res *app.Response) error { return res.Vary("").Format() })
	server.Get("/nothing", func(req *app.Request, res *app.Response) error { res.Vary(""); return nil })
	server.Get("/other", func(req *app.Request, res *app.Response) error { res.Vary(""); return app.Errorf(400, "later") })
	server.Get("/:id", func(req *app.Request, res *app.Response) error { return res.Send("not reached") })
	server.Param("id", func(req *app.Request, res *app.Response, id string) error { res.Vary(""); return nil })
	server.OnError(func(err error, req *app.Request, res *app.Response) error { res.Vary(""); return err })
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		return res.Send(fmt.Sprint(res.StatusCode(), len(res.Header()), err))
	})
	for _, url := range []string{"/send", "/json", "/jsonp", "/redirect", "/format", "/nothing", "/other", "/id"} {
		expect(t, do(server, "GET", url), 200, `200 0 app: Vary(""): it is no name of a header`)
	}
}
