package app

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// An App is an application: a [Router] with settings, view engines and locals. Make it with [New]; serve it with
// [App.Listen] or [App.Serve], or give it to anything that takes an http.Handler.
type App struct {
	Router

	// Locals are the data of every page that [Response.Render] renders. Fill it before the first request.
	Locals Map

	parent   *App   // the application it is mounted in
	mounted  string // where
	settings map[string]any
	engines  map[string]Engine
	options  options // the settings, its own and inherited, as they are used

	starting sync.Once
	dev      *devTools // nil in production
}

// New makes an application. Without settings it is in production unless the environment variable ZOCALO_ENV is
// "development", looks for views in the directory "views", trusts no proxy and names neither itself nor its errors.
func New() *App {
	a := &App{Locals: Map{}, settings: map[string]any{}, engines: map[string]Engine{}}
	a.resolve()
	return a
}

// Engine registers the engine for views with an extension: "handlebars" or ".handlebars".
func (a *App) Engine(extension string, engine Engine) *App {
	extension = strings.TrimPrefix(extension, ".")
	if extension == "" || engine == nil {
		panic(`app: Engine takes an extension and an engine: Engine("handlebars", handlebars.New(handlebars.Config{}))`)
	}
	a.engines[extension] = engine
	return a
}

// Path is where the application is mounted, with the prefixes of those around it; "" at the top.
func (a *App) Path() string {
	if a.parent == nil {
		return ""
	}
	return a.parent.Path() + a.mounted
}

// engine finds the engine for an extension, here or in the application around this one.
func (a *App) engine(extension string) Engine {
	for ; a != nil; a = a.parent {
		if e := a.engines[extension]; e != nil {
			return e
		}
	}
	return nil
}

func (r *Router) mountApp(paths []string, sub *App) *Router {
	if sub == nil {
		panic(fmt.Sprintf("app: the application mounted at %q is nil: make one with app.New()", strings.Join(paths, ", ")))
	}
	return r.mountRouter(paths, &sub.Router, sub)
}

// start does what has to wait until everything is registered: mounted applications inherit settings.
func (a *App) start() {
	a.starting.Do(func() {
		a.adopt(&a.Router, "")
		if a.options.development {
			a.dev = newDevTools(a)
		}
	})
}

func (a *App) adopt(r *Router, prefix string) {
	for _, l := range r.layers {
		switch {
		case l.app != nil:
			l.app.parent, l.app.mounted = a, prefix+strings.TrimSuffix(l.path, "/")
			l.app.resolve()
			l.app.adopt(&l.app.Router, "")
		case l.router != nil:
			a.adopt(l.router, prefix+strings.TrimSuffix(l.path, "/"))
		}
	}
}

var _ http.Handler = (*App)(nil)
