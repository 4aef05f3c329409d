package app

import (
	"log/slog"
	"net/http"
	"sync"
)

// A crossing is the way from a Handler into net/http middleware and back into the handlers behind it. It is a part of
// the request's context there, by which the handlers behind are found again.
type crossing struct {
	routeNode
	x *exchange

	// mu is held while the handlers behind run. Middleware that gives up on them (http.TimeoutHandler) returns
	// before they do; the exchange waits for them, because they use it.
	mu     sync.Mutex
	closed bool
	err    error
}

type crossingKey struct{}

func (c *crossing) Value(key any) any {
	if key == (crossingKey{}) {
		return c
	}
	return c.routeNode.Value(key)
}

// A link is an http.Handler whose place can be taken later.
type link struct{ next http.Handler }

func (l *link) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.next.ServeHTTP(w, r) }

// crossInto makes a Handler out of net/http middleware around resume.
func crossInto(h http.Handler) Handler {
	return func(req *Request, res *Response) error {
		c := &crossing{x: req.x}
		c.enter(req.Context(), req.x)
		r := req.Request.WithContext(c)
		h.ServeHTTP(res.ResponseWriter, r)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closed = true
		if r.MultipartForm != req.MultipartForm {
			c.x.removeForm(r)
		}
		return c.err
	}
}

// resume is the http.Handler at the end of the middleware: it runs the handlers behind it.
func resume(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(crossingKey{}).(*crossing)
	if c == nil {
		slog.Error("app: net/http middleware has replaced the request's context; derive the new one from r.Context()", "path", r.URL.Path)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	x := c.x
	writer, request, form := x.res.ResponseWriter, x.req.Request, r.MultipartForm
	here, frames, urlPath := x.place, x.frames, x.urlPath
	x.res.ResponseWriter, x.req.Request = w, r
	x.crossings++
	defer func() {
		if r.MultipartForm != form {
			x.removeForm(r)
		}
		x.crossings--
		x.res.ResponseWriter, x.req.Request = writer, request
		x.place, x.frames, x.urlPath = here, frames, urlPath
	}()
	x.pathChanged(r.URL)
	c.pathChanged(x)
	defer func() { c.chi.RoutePatterns = append(c.patterns[:0], x.matched) }()
	if c.err = x.next(); c.err != nil {
		x.conclude(c.err)
		x.concluded = true
	}
	x.endUnanswered()
}
