package app

import (
	"fmt"
	"net/http"
	"slices"
)

// A Router is an ordered list of middleware, routes, error handlers and other routers. An [App] is one; others are
// made with [NewRouter] and mounted with [Router.Use], or with [Router.Group].
//
// Its methods panic on what cannot work, with the cure. Register everything before the first request.
type Router struct {
	config RouterConfig
	layers []*layer
	params map[string]ParamHandler
}

// RouterConfig are the options of express.Router. The zero value is Express's default.
type RouterConfig struct {
	MergeParams   bool // the parameters of the prefix are visible in the router
	Strict        bool // "/a" and "/a/" are different paths
	CaseSensitive bool // "/a" and "/A" are different paths
}

// NewRouter makes a router to mount with [Router.Use]. It takes one RouterConfig at most.
func NewRouter(config ...RouterConfig) *Router {
	if len(config) > 1 {
		panic("app: NewRouter takes one RouterConfig at most")
	}
	r := &Router{}
	if len(config) == 1 {
		r.config = config[0]
	}
	return r
}

// A layer is one entry of a router's list. Exactly one of the fields in the second group is set.
type layer struct {
	prefixes []*pattern // nil: every path

	routes     *routes
	middleware Handler
	onError    ErrorHandler
	router     *Router

	app     *App         // with router: the application whose router it is
	handler http.Handler // with middleware: the http.Handler it was made of
	chained *link        // with middleware: the end of a chain of net/http middleware
	path    string       // the prefix as it was written, of several the last
	paths   []string     // all of them, for lists
	origins []origin     // of what is not a router: one, or those of a chain
}

// A route is a path with its handlers, in order. A handler with the method "" takes all methods.
type route struct {
	paths    []string
	patterns []*pattern
	steps    []step
	origins  []origin // of steps
	methods  []string
}

type step struct {
	method  string
	handler Handler
}

func (rt *route) handles(method string) bool {
	for _, m := range rt.methods {
		if m == method || m == "" || m == http.MethodGet && method == http.MethodHead {
			return true
		}
	}
	return false
}

// Route starts a route for one path or several, to which handlers are added: app.route() of Express.
//
//	server.Route("/book").Get(show).Post(create)
func (r *Router) Route(path string, more ...string) *Route {
	return &Route{r.route(append([]string{path}, more...))}
}

// A Route is a path with handlers for several methods. The handlers of all methods (All) and those of one run in
// the order in which they were added.
type Route struct{ route *route }

// Get adds handlers for GET, and for HEAD unless the route has its own.
func (rt *Route) Get(handlers ...Handler) *Route { return rt.add(http.MethodGet, handlers) }

// Post adds handlers for POST.
func (rt *Route) Post(handlers ...Handler) *Route { return rt.add(http.MethodPost, handlers) }

// Put adds handlers for PUT.
func (rt *Route) Put(handlers ...Handler) *Route { return rt.add(http.MethodPut, handlers) }

// Patch adds handlers for PATCH.
func (rt *Route) Patch(handlers ...Handler) *Route { return rt.add(http.MethodPatch, handlers) }

// Delete adds handlers for DELETE.
func (rt *Route) Delete(handlers ...Handler) *Route { return rt.add(http.MethodDelete, handlers) }

// Head adds handlers for HEAD.
func (rt *Route) Head(handlers ...Handler) *Route { return rt.add(http.MethodHead, handlers) }

// Options adds handlers for OPTIONS, which are otherwise answered with the methods of the path.
func (rt *Route) Options(handlers ...Handler) *Route { return rt.add(http.MethodOptions, handlers) }

// All adds handlers for every method.
func (rt *Route) All(handlers ...Handler) *Route { return rt.add("", handlers) }

// Handle adds handlers for a method of any name, in upper case.
func (rt *Route) Handle(method string, handlers ...Handler) *Route { return rt.add(method, handlers) }

func (rt *Route) add(method string, handlers []Handler) *Route {
	if len(handlers) == 0 {
		panic(fmt.Sprintf("app: route %q has no handler for %s: pass one", rt.route.paths[0], methodName(method)))
	}
	for i, h := range handlers {
		if h == nil {
			panic(fmt.Sprintf("app: handler %d of %s %q is nil: pass a func(*app.Request, *app.Response) error", i+1, methodName(method), rt.route.paths[0]))
		}
		rt.route.steps = append(rt.route.steps, step{method, h})
		rt.route.origins = append(rt.route.origins, originOf(h))
	}
	if !slices.Contains(rt.route.methods, method) {
		rt.route.methods = append(rt.route.methods, method)
	}
	return rt
}

func methodName(method string) string {
	if method == "" {
		return "all methods"
	}
	return method
}

// Get adds a route for GET, and for HEAD unless an earlier route has it.
func (r *Router) Get(path string, handlers ...Handler) *Router {
	return r.Handle(http.MethodGet, path, handlers...)
}

// Post adds a route for POST.
func (r *Router) Post(path string, handlers ...Handler) *Router {
	return r.Handle(http.MethodPost, path, handlers...)
}

// Put adds a route for PUT.
func (r *Router) Put(path string, handlers ...Handler) *Router {
	return r.Handle(http.MethodPut, path, handlers...)
}

// Patch adds a route for PATCH.
func (r *Router) Patch(path string, handlers ...Handler) *Router {
	return r.Handle(http.MethodPatch, path, handlers...)
}

// Delete adds a route for DELETE.
func (r *Router) Delete(path string, handlers ...Handler) *Router {
	return r.Handle(http.MethodDelete, path, handlers...)
}

// Head adds a route for HEAD.
func (r *Router) Head(path string, handlers ...Handler) *Router {
	return r.Handle(http.MethodHead, path, handlers...)
}

// Options adds a route for OPTIONS, which is otherwise answered with the methods of the path.
func (r *Router) Options(path string, handlers ...Handler) *Router {
	return r.Handle(http.MethodOptions, path, handlers...)
}

// All adds a route for every method.
func (r *Router) All(path string, handlers ...Handler) *Router {
	return r.Handle("", path, handlers...)
}

// Handle adds a route for a method of any name, in upper case; "" is every method.
func (r *Router) Handle(method, path string, handlers ...Handler) *Router {
	rt := Route{r.route([]string{path})}
	rt.add(method, handlers)
	return r
}

// Group makes a router, lets build fill it, and mounts it at prefix. The parameters of the prefix are visible in it,
// and it is strict and case sensitive as r is.
func (r *Router) Group(prefix string, build func(*Router)) *Router {
	if build == nil {
		panic(fmt.Sprintf("app: Group(%q, nil): pass the function that adds the routes", prefix))
	}
	config := r.config
	config.MergeParams = true
	group := NewRouter(config)
	build(group)
	return r.mountRouter([]string{prefix}, group, nil)
}

// Param registers a handler for the parameter name. It is called once for each value in a request, when a route or a
// prefix of this router with the parameter matches. [NextRoute] from it skips that route, [NextRouter] leaves the router;
// once it has answered, nothing else runs. Several handlers of one name run in the order of registration.
func (r *Router) Param(name string, handler ParamHandler) *Router {
	if name == "" || handler == nil {
		panic("app: Param takes the name of a parameter and a handler: Param(\"id\", load)")
	}
	if r.params == nil {
		r.params = map[string]ParamHandler{}
	}
	if first := r.params[name]; first != nil {
		second := handler
		handler = func(req *Request, res *Response, value string) error {
			if err := first(req, res, value); err != nil || res.HeadersSent() {
				return err
			}
			return second(req, res, value)
		}
	}
	r.params[name] = handler
	return r
}

// route appends a route to the list: to the routes that end it, or to new ones.
func (r *Router) route(paths []string) *route {
	rt := &route{paths: paths}
	for _, path := range paths {
		patterns, err := compilePath(path, patternOptions{fold: !r.config.CaseSensitive, strict: r.config.Strict})
		if err != nil {
			panic("app: " + err.Error())
		}
		rt.patterns = append(rt.patterns, patterns...)
	}
	if n := len(r.layers); n == 0 || r.layers[n-1].routes == nil {
		r.layers = append(r.layers, &layer{routes: newRoutes(r.config)})
	}
	r.layers[len(r.layers)-1].routes.add(rt)
	return rt
}

// push appends a layer that runs below a prefix; "" and "/" are every path, but as one of several, as in Express, only
// the path / itself.
func (r *Router) push(paths []string, l *layer) {
	l.paths = slices.Clone(paths)
	for i, path := range l.paths {
		if path == "" {
			l.paths[i] = "/"
		}
	}
	l.path = l.paths[len(l.paths)-1]
	for _, path := range l.paths {
		if path == "/" && len(paths) == 1 {
			break
		}
		patterns, err := compilePath(path, patternOptions{fold: !r.config.CaseSensitive, strict: r.config.Strict, prefix: true})
		if err != nil {
			panic("app: " + err.Error())
		}
		l.prefixes = append(l.prefixes, patterns...)
	}
	r.layers = append(r.layers, l)
}
