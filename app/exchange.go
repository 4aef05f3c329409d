package app

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"
)

// An exchange is one request and its answer. Request, Response and everything the dispatch needs are parts of it, so
// that a request costs no allocation here; it is used again when the request is over.
type exchange struct {
	req  Request
	res  Response
	wire wire // what res writes to, unless net/http middleware has wrapped it

	root   *App
	served bool        // to the end: not when http.ErrAbortHandler has cut it short
	lookup chi.Context // for the index of the routes; used again and again

	place          // where the request is now
	frames []place // the places to return to, outermost first

	lastRoute *route // the route that was entered last
	urlPath   string // the path of the URL that the places go by

	failed    place // where the error came up that is on its way, with failedIn
	failedIn  []place
	hasFailed bool
	failing   Handler // whose error it is; nil for the router's own
	concluded bool    // an error was answered inside net/http middleware; it still travels, for information

	crossings int         // how many crossings into net/http middleware the request has behind it
	matched   string      // with crossings: the path of the last route that was entered
	record    *devRequest // what the page of the development server shows of it, or nil

	params0 []param // storage for the parameters of all places
	checked []checkedParam
	allow   []string // methods of the routes that match the path of an OPTIONS request, of the current router

	frameBuf [4]place
	paramBuf [8]param
	allowBuf [8]string
}

// A place is a point in the tree of routers: what runs there sees this path and these parameters, and what
// Next runs comes after it.
type place struct {
	app       *App
	router    *Router
	via       *pattern // the prefix by which router was entered, nil for every path
	layer     int      // the next layer of router
	routes    []*route // the routes of the layer before it that are still to be tried
	route     *route   // the route that runs
	steps     []step   // its handlers still to be run
	method    string   // the method that they are run for: GET for a HEAD request to a GET route
	full      string   // the whole path, as the client wrote it
	base      int      // how much of full the prefixes of mounted routers have taken
	path      string   // the rest of it
	params    []param  // visible now
	inherited []param  // visible through MergeParams
	allowFrom int      // where in allow the methods of this router start
}

var exchanges = sync.Pool{New: func() any {
	x := &exchange{}
	x.req.x, x.res.x = x, x
	return x
}}

// ServeHTTP makes an App an http.Handler.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.start()
	if a.dev != nil && a.dev.serve(w, r) {
		return
	}
	x := exchanges.Get().(*exchange)
	if a.dev != nil && a.dev.watch != nil {
		var done func()
		w, x.record, done = a.dev.watch.watch(w, r)
		defer done()
	}
	x.begin(a, w, r)
	defer x.end()
	x.serve()
	x.served = true
}

func (x *exchange) begin(a *App, w http.ResponseWriter, r *http.Request) {
	x.root = a
	x.req.Request, x.wire.body = timeBody(w, r, a.options.bodyTimeout)
	x.wire.ResponseWriter = w
	x.res.begin(&x.wire)
	full := escapedPath(r.URL)
	x.urlPath = r.URL.Path
	x.place = place{app: a, router: &a.Router, full: full, path: full}
	x.frames = x.frameBuf[:0]
	x.params0 = x.paramBuf[:0]
	x.allow = x.allowBuf[:0]
	x.hasFailed, x.concluded, x.failing, x.lastRoute = false, false, nil, nil
}

func (x *exchange) serve() {
	if x.root.options.poweredBy {
		x.wire.Header()["X-Powered-By"] = poweredBy
	}
	err := x.next()
	if err == nil && x.root.options.development && !x.res.HeadersSent() && x.req.Context().Err() == nil {
		slog.Warn("no handler answered: return req.Next() or an answer", "method", x.req.Method, "path", x.req.URL.Path)
	}
	x.conclude(err)
	x.endUnanswered()
}

// endUnanswered answers with a status that a handler has set and nothing else.
func (x *exchange) endUnanswered() {
	if !x.res.HeadersSent() && x.res.status != http.StatusOK {
		_ = x.res.End()
	}
}

var poweredBy = []string{"Zocalo"}

// end makes the exchange ready for another request. A connection that was taken over may be read and written by
// others for a long time yet: nothing of it stays here. One that was cut short may still be in use, by the handlers behind
// http.TimeoutHandler for one, and is left to them.
func (x *exchange) end() {
	x.wire.body.leave()
	if form := x.req.body.upload; form != nil {
		_ = form.RemoveAll()
	}
	x.removeForm(x.req.Request)
	if !x.served {
		return
	}
	x.served = false
	x.req.Request = nil
	x.req.body, x.req.query, x.req.queryOf = requestBody{}, nil, ""
	x.res.end()
	hijacked := x.wire.hijacked
	x.wire.ResponseWriter, x.wire.body = nil, nil
	x.wire.wrote.Store(false)
	x.frames, x.params0, x.allow = nil, nil, nil
	x.checked, x.matched, x.record = nil, "", nil
	// What was not used is not cleared: it is most of an exchange.
	if x.failed.app != nil {
		x.failed, x.failedIn, x.failing = place{}, nil, nil
	}
	if x.frameBuf[0].app != nil {
		clear(x.frameBuf[:])
	}
	if x.paramBuf[0].name != "" {
		clear(x.paramBuf[:])
	}
	if hijacked {
		x.place = place{}
		return
	}
	exchanges.Put(x)
}

// escapedPath is the path as the client wrote it, but for what no URL has as it is, which is escaped; at least a slash.
func escapedPath(u *url.URL) string {
	if u.RawPath == "" && isPlainPath(u.Path) {
		return u.Path // as almost always, and faster than to ask for it
	}
	p := u.EscapedPath()
	if u.RawPath != "" && p != u.RawPath {
		// net/url escapes a path anew that has a brace or the like as it is: an escaped slash would become one.
		if decoded, err := url.PathUnescape(u.RawPath); err == nil && decoded == u.Path {
			raw, _, _ := strings.Cut(u.RawPath, "#") // a fragment, which clients do not send
			p = escapeInvalid(raw)
		}
	}
	if p == "" {
		return "/"
	}
	return p
}

// escapeInvalid escapes what a path of a URL cannot have (RFC 3986, section 3.3; brackets it may), and leaves escapes.
func escapeInvalid(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; isPlainPath(path[i:i+1]) || strings.IndexByte("!$&'()*+,;=:@[]%~", c) >= 0 {
			b.WriteByte(c)
		} else {
			const digits = "0123456789ABCDEF"
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// isPlainPath reports whether a path is nothing but what no URL escapes.
func isPlainPath(path string) bool {
	for i := range len(path) {
		if c := path[i]; !('a' <= c && c <= 'z' || '/' <= c && c <= '9' || 'A' <= c && c <= 'Z' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return path != ""
}

// rawPath is the path for a message: as Express's encodeurl writes it, which leaves more as it came.
func (x *exchange) rawPath() string {
	if raw := x.req.URL.RawPath; raw != "" && escapedPath(x.req.URL) == x.full {
		raw, _, _ = strings.Cut(raw, "#")
		return encodeURL(raw)
	}
	return x.full
}

// pathChanged follows net/http middleware that has rewritten the URL: http.StripPrefix, a clean-up of slashes.
func (x *exchange) pathChanged(u *url.URL) {
	x.urlPath = u.Path
	if full := escapedPath(u); full != x.full {
		x.move(full)
	}
}

// follow looks whether a handler has rewritten the URL before it passes the request on. What comes next goes by the new
// path: the routes behind the running one, and the routers around it.
func (x *exchange) follow() {
	if x.req.URL.Path == x.urlPath {
		return
	}
	x.pathChanged(x.req.URL)
	for i := range x.frames {
		x.frames[i].move(x.full)
	}
	if x.layer == 0 {
		return
	}
	if rs := x.router.layers[x.layer-1].routes; rs != nil {
		x.routes = rs.findBehind(x.route, &x.lookup, x.path)
	}
}

// move gives a place another path. Prefixes that it does not start with are gone.
func (p *place) move(full string) {
	rest, below := strings.CutPrefix(full, p.full[:p.base])
	if !below || rest != "" && rest[0] != '/' {
		p.base, rest = 0, full
	}
	p.full, p.path = full, rest
	if rest == "" {
		p.path = "/"
	}
}
