package app

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// A routeNode is the part of a request's context by which net/http handlers and middleware written for chi find what
// they look for: chi.URLParam, chi.RouteContext. It is a copy of what is known when the request leaves for net/http.
type routeNode struct {
	context.Context
	chi   chi.Context
	began string // RoutePath at first: middleware may change it

	patterns [1]string // storage
}

func (n *routeNode) Value(key any) any {
	if key == chi.RouteCtxKey {
		return &n.chi
	}
	return n.Context.Value(key)
}

// enter fills the node for the current place of x. What an outer chi has found stays visible.
func (n *routeNode) enter(ctx context.Context, x *exchange) {
	n.Context = ctx
	if outer, ok := ctx.Value(chi.RouteCtxKey).(*chi.Context); ok && outer != nil {
		n.chi.URLParams.Keys = append(n.chi.URLParams.Keys, outer.URLParams.Keys...)
		n.chi.URLParams.Values = append(n.chi.URLParams.Values, outer.URLParams.Values...)
	}
	for _, p := range x.params {
		n.chi.URLParams.Add(p.name, p.text())
	}
	n.chi.Routes = (*chiRoutes)(x.router)
	if n.chi.Routes == (*chiRoutes)(noRouter) && len(x.frames) > 0 {
		n.chi.Routes = (*chiRoutes)(x.frames[len(x.frames)-1].router)
	}
	n.chi.RouteMethod = x.req.Method
	switch {
	case x.route == nil && x.base > 0:
		n.chi.RoutePath, n.began = x.path, x.path // as in a router that is mounted in one of chi
	case x.route != nil:
		n.chi.RoutePatterns = append(n.patterns[:0], x.pattern(x.route))
	}
}

// pathChanged follows middleware that has changed the path for the routes behind it (middleware.StripSlashes).
func (n *routeNode) pathChanged(x *exchange) {
	if path := n.chi.RoutePath; path != n.began && path != "" && path[0] == '/' {
		x.path, x.full = path, x.full[:min(x.base, len(x.full))]+path
	}
}

// HTTP makes a Handler out of an http.Handler, which answers every request that reaches it. It sees the URL as the
// client sent it; the parameters of the path are its r.PathValue, and chi.URLParam. A chi.Mux that is mounted routes
// what is below the prefix, as with chi's own Mount.
func HTTP(h http.Handler) Handler {
	if h == nil {
		panic("app: HTTP(nil): pass the http.Handler that answers")
	}
	return func(req *Request, res *Response) error {
		n := &routeNode{}
		n.enter(req.Context(), req.x)
		r := req.WithContext(n)
		for _, p := range req.x.params {
			r.SetPathValue(p.name, p.text())
		}
		if r.ProtoMajor > 1 {
			req.x.wire.body.leave() // a stream of HTTP/2 that goes both ways may last, as in gRPC
		}
		h.ServeHTTP(res, r)
		if r.MultipartForm != req.MultipartForm {
			req.x.removeForm(r)
		}
		return nil
	}
}

// pattern is the whole path of a route as it was registered, with the prefixes of the routers around it.
func (x *exchange) pattern(rt *route) string {
	pattern := ""
	for _, f := range x.frames {
		pattern += f.prefix()
	}
	return pattern + x.prefix() + rt.paths[0]
}

// prefix is the prefix by which the router of a place was entered, as it was registered.
func (p *place) prefix() string {
	if p.via == nil || p.via.source == "/" || p.router == noRouter {
		return ""
	}
	return p.via.source
}

// chiRoutes is a Router as middleware for chi sees it.
type chiRoutes Router

// Routes lists the routes as they were registered; they have no http.Handler of their own.
func (r *chiRoutes) Routes() []chi.Route {
	var list []chi.Route
	for _, info := range (*Router)(r).Routes() {
		method := info.Method
		if method == "" {
			method = "*"
		}
		list = append(list, chi.Route{Pattern: info.Pattern, Handlers: map[string]http.Handler{method: http.NotFoundHandler()}})
	}
	return list
}

// Middlewares is empty: middleware stands between the routes.
func (r *chiRoutes) Middlewares() chi.Middlewares { return nil }

// Match reports whether a route of the router, or of one mounted in it, takes the method and the path.
func (r *chiRoutes) Match(rctx *chi.Context, method, path string) bool {
	return r.Find(rctx, method, path) != ""
}

// Find is the path of the first route that takes the method and the path, "" if none does.
func (r *chiRoutes) Find(_ *chi.Context, method, path string) string {
	for _, l := range r.layers {
		switch {
		case l.routes != nil:
			for _, rt := range l.routes.all {
				if !rt.handles(method) {
					continue
				}
				for _, p := range rt.patterns {
					if _, ok, _ := p.match(path, nil); ok {
						return rt.paths[0]
					}
				}
			}
		case l.router != nil:
			rest, prefix, ok := path, "", l.prefixes == nil
			for _, p := range l.prefixes {
				var n int
				if n, _, ok, _ = p.matchPrefix(path, nil); ok {
					rest, prefix = path[n:], strings.TrimRight(p.source, "/")
					break
				}
			}
			if !ok {
				continue
			}
			if rest == "" {
				rest = "/"
			}
			if found := (*chiRoutes)(l.router).Find(nil, method, rest); found != "" {
				return prefix + found
			}
		}
	}
	return ""
}
