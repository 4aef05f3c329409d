package app

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// Use registers middleware, error handlers and routers. It takes, in any number and in this order, paths and what
// runs below them; without a path, or below "/", it runs for every request. As one of several paths "/" is that path
// alone, as in Express. The shapes are
//
//	string, []string                    a path, or paths
//	Handler                             middleware
//	ErrorHandler                        an error handler
//	func(http.Handler) http.Handler     net/http middleware
//	http.Handler                        answers everything below the path
//	*Router, *App                       runs below the path, which [Request.Path] leaves out
//
// and anything else panics, naming the argument and the call. The twins with a type are [Router.UseHandler],
// [Router.UseHTTP], [Router.OnError] and [Router.Mount].
func (r *Router) Use(args ...any) *Router {
	paths, handlers := usePaths(args)
	if len(handlers) == 0 {
		panic("app: Use needs something to use" + callSite())
	}
	for i, arg := range handlers {
		switch h := arg.(type) {
		case Handler:
			r.use(paths, h)
		case func(*Request, *Response) error:
			r.use(paths, h)
		case ErrorHandler:
			r.onError(paths, h)
		case func(error, *Request, *Response) error:
			r.onError(paths, h)
		case func(http.Handler) http.Handler:
			r.useHTTP(paths, h)
		case *Router:
			r.mountRouter(paths, h, nil)
		case *App:
			r.mountApp(paths, h)
		case http.Handler:
			for _, path := range paths {
				r.Mount(path, h)
			}
		default:
			cure := "pass an app.Handler, an app.ErrorHandler, a func(http.Handler) http.Handler, an http.Handler, a *Router or an *App, after the paths"
			switch arg.(type) {
			case func(http.ResponseWriter, *http.Request):
				cure = "wrap it in http.HandlerFunc(…)"
			case string, []string:
				cure = "paths come before the handlers"
			}
			panic(fmt.Sprintf("app: Use: argument %d is a %T: %s%s", len(args)-len(handlers)+i+1, arg, cure, callSite()))
		}
	}
	return r
}

func usePaths(args []any) (paths []string, rest []any) {
	for i, arg := range args {
		switch p := arg.(type) {
		case string:
			paths = append(paths, p)
		case []string:
			paths = append(paths, p...)
		default:
			rest = args[i:]
		}
		if rest != nil {
			break
		}
	}
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	return paths, rest
}

// callSite is the place in the user's code that called the exported function two frames up.
func callSite() string {
	if _, file, line, ok := runtime.Caller(2); ok {
		return fmt.Sprintf(" (at %s:%d)", file, line)
	}
	return ""
}

// UseHandler registers middleware for every path.
func (r *Router) UseHandler(handlers ...Handler) *Router {
	for _, h := range handlers {
		r.use([]string{"/"}, h)
	}
	return r
}

// UseHTTP registers net/http middleware for every path. It sees the URL as the client sent it, and what it puts in
// the request's context or around the ResponseWriter is what later handlers find. Errors from later handlers are
// answered inside it, so that a logger sees the status and a compressor the page.
func (r *Router) UseHTTP(middleware ...func(http.Handler) http.Handler) *Router {
	for _, m := range middleware {
		r.useHTTP([]string{"/"}, m)
	}
	return r
}

// OnError registers error handlers for what goes wrong in the handlers registered before them.
func (r *Router) OnError(handlers ...ErrorHandler) *Router {
	for _, h := range handlers {
		r.onError([]string{"/"}, h)
	}
	return r
}

// Mount lets h answer every request, of any method, for prefix and below. As with chi and http.ServeMux, h sees
// the URL as the client sent it, with the prefix; http.StripPrefix takes it off. An *App is mounted as
// [Router.Use] mounts it.
//
// If h has a method Shutdown(context.Context) error, the application calls it when it stops, and before that, while it
// still serves, a method Drain(context.Context): see [App.Serve]. If it has
// a method DevTools() http.Handler, the development server's page shows what that of realtime.Server tells. If it has
// a method Describe() any, devserver routes shows what that returns, when it knows its form: that of realtime.Server.
func (r *Router) Mount(prefix string, h http.Handler) *Router {
	if h == nil {
		panic(fmt.Sprintf("app: Mount(%q, nil): pass the http.Handler that answers there", prefix))
	}
	if a, ok := h.(*App); ok {
		return r.mountApp([]string{prefix}, a)
	}
	r.push([]string{prefix}, &layer{middleware: HTTP(h), handler: h, origins: []origin{originOf(h)}})
	return r
}

func (r *Router) use(paths []string, h Handler) {
	if h == nil {
		panic("app: Use: the handler is nil: pass a func(*app.Request, *app.Response) error" + callSite())
	}
	r.push(paths, &layer{middleware: h, origins: []origin{originOf(h)}})
}

func (r *Router) onError(paths []string, h ErrorHandler) {
	if h == nil {
		panic("app: OnError: the handler is nil: pass a func(error, *app.Request, *app.Response) error" + callSite())
	}
	r.push(paths, &layer{onError: h, origins: []origin{originOf(h)}})
}

// useHTTP appends to the chain of the layer before it when both run for the same requests: one crossing into
// net/http is enough for both.
func (r *Router) useHTTP(paths []string, m func(http.Handler) http.Handler) {
	if m == nil {
		panic("app: UseHTTP: the middleware is nil: pass a func(http.Handler) http.Handler" + callSite())
	}
	everywhere := len(paths) == 1 && (paths[0] == "/" || paths[0] == "")
	if n := len(r.layers); n > 0 && everywhere && r.layers[n-1].chained != nil && r.layers[n-1].prefixes == nil {
		end := &link{next: http.HandlerFunc(resume)}
		r.layers[n-1].chained.next = m(end)
		r.layers[n-1].chained = end
		r.layers[n-1].origins = append(r.layers[n-1].origins, originOf(m))
		return
	}
	end := &link{next: http.HandlerFunc(resume)}
	r.push(paths, &layer{middleware: crossInto(m(end)), chained: end, origins: []origin{originOf(m)}})
}

func (r *Router) mountRouter(paths []string, sub *Router, a *App) *Router {
	if sub == nil {
		panic(fmt.Sprintf("app: the router mounted at %q is nil: make one with app.NewRouter()", strings.Join(paths, ", ")))
	}
	if sub == r || sub.contains(r) {
		panic(fmt.Sprintf("app: the router mounted at %q is mounted inside itself: mount another", strings.Join(paths, ", ")))
	}
	r.push(paths, &layer{router: sub, app: a})
	return r
}

func (r *Router) contains(other *Router) bool {
	for _, l := range r.layers {
		if l.router != nil && (l.router == other || l.router.contains(other)) {
			return true
		}
	}
	return false
}

// A shutdowner is a mounted handler that has something to end before the process does.
type shutdowner interface {
	Shutdown(context.Context) error
}

// A drainer is a mounted handler that has to be served for a while after it is known that the process stops.
type drainer interface {
	Drain(context.Context)
}

// mounted adds the mounted handlers that are a T to the list, once each.
func mounted[T any](r *Router, list []T) []T {
	for _, l := range r.layers {
		if l.router != nil {
			list = mounted(l.router, list)
		}
		h, ok := l.handler.(T)
		if ok && !slices.ContainsFunc(list, func(other T) bool { return sameHandler(other, h) }) {
			list = append(list, h)
		}
	}
	return list
}

// sameHandler reports whether two mounted handlers are one that is mounted twice.
func sameHandler(a, b any) bool { return reflect.TypeOf(a).Comparable() && a == b }
