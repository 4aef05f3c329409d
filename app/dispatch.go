package app

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
)

// Next runs what was registered after the running handler, as next() does in Express, and returns the error that
// came of it. Return it; a handler that returns nil instead has dealt with it.
func (r *Request) Next() error {
	x := r.x
	here, depth := x.place, len(x.frames)
	err := x.next()
	x.place, x.frames = here, x.frames[:depth]
	return err
}

// next runs everything from the current place on: the rest of the route, the other routes of the layer, the other
// layers of the router, and what follows the router in those around it. If nothing answers, it answers 404.
func (x *exchange) next() error {
	for {
		switch {
		case len(x.steps) > 0:
			s := x.steps[0]
			x.steps = x.steps[1:]
			if s.method != "" && s.method != x.method {
				continue
			}
			if err, done := x.run(s.handler); done {
				return err
			}
		case len(x.routes) > 0:
			rt := x.routes[0]
			x.routes = x.routes[1:]
			if err := x.enterRoute(rt); err == errAnswered {
				return nil
			} else if err != nil {
				return x.fail(err)
			}
		case x.layer < len(x.router.layers):
			l := x.router.layers[x.layer]
			x.layer++
			if l.onError != nil {
				if err := x.passLayer(l); err == errAnswered {
					return nil
				} else if err != nil {
					return x.fail(err)
				}
				continue
			}
			if l.routes != nil {
				x.routes = x.lookup.find(l.routes, x.path)
				continue
			}
			entered, err := x.enterLayer(l)
			if err == errAnswered {
				return nil
			}
			if err != nil {
				return x.fail(err)
			}
			if entered && l.middleware != nil {
				if err, done := x.run(l.middleware); done {
					return err
				}
			}
		case x.answerOptions():
			return nil
		case !x.leave():
			return x.notFound()
		}
	}
}

// run calls a handler. It is not done when the handler wants the next route or router.
func (x *exchange) run(h Handler) (err error, done bool) {
	err = x.call(h)
	switch err {
	case NextRoute:
		x.steps = nil
		return nil, false
	case NextRouter:
		for x.router == noRouter {
			x.leave()
		}
		x.steps, x.routes, x.layer = nil, nil, len(x.router.layers)
		return nil, false
	}
	return err, true
}

// call calls a handler, turns a panic into an error, and notes where an error came up first: what it passes through
// on its way out does not change its place.
func (x *exchange) call(h Handler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
		x.passing(err, h)
	}()
	return h(&x.req, &x.res)
}

func (x *exchange) passing(err error, h Handler) {
	switch {
	case err == nil || err == NextRoute || err == NextRouter:
		x.hasFailed = false
	case !x.hasFailed:
		x.fail(err)
		x.failing = h
	}
}

// fail notes the current place as the place of err.
func (x *exchange) fail(err error) error {
	x.hasFailed, x.failed, x.failedIn, x.failing = true, x.place, x.frames, nil
	return err
}

// enterRoute prepares the handlers of rt if it matches.
func (x *exchange) enterRoute(rt *route) error {
	start := len(x.params0)
	params := append(x.params0, x.inherited...)
	for _, p := range rt.patterns {
		params, ok, err := p.match(x.path, params)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if !rt.handles(x.req.Method) {
			if x.req.Method == http.MethodOptions {
				x.allow = append(x.allow, rt.methods...)
			}
			if x.req.Method != http.MethodHead || len(x.router.params) == 0 {
				return nil
			}
			// As in Express, a HEAD request calls the param handlers of routes of all methods.
		}
		x.params0, x.params = params, params[start:]
		if err := x.checkParams(); err != nil {
			if err == NextRoute {
				return nil
			}
			return err
		}
		if !rt.handles(x.req.Method) {
			return nil
		}
		if x.crossings > 0 {
			x.matched = x.pattern(rt)
		}
		x.route, x.steps, x.method = rt, rt.steps, x.req.Method
		if x.method == http.MethodHead && !rt.has(http.MethodHead) {
			x.method = http.MethodGet
		}
		return nil
	}
	return nil
}

func (rt *route) has(method string) bool {
	for _, m := range rt.methods {
		if m == method {
			return true
		}
	}
	return false
}

// noRouter stands in a place below the prefix of a middleware: there is nothing else to run there.
var noRouter = &Router{}

// enterLayer enters a layer of middleware or a mounted router, if the path is below its prefix. Middleware without a
// prefix runs at the current place.
func (x *exchange) enterLayer(l *layer) (bool, error) {
	n, start := 0, len(x.params0)
	params := append(x.params0, x.inherited...)
	if l.prefixes != nil {
		matched := false
		for _, p := range l.prefixes {
			var err error
			if n, params, matched, err = p.matchPrefix(x.path, params[:start+len(x.inherited)]); err != nil {
				return false, err
			}
			if matched {
				break
			}
		}
		if !matched {
			return false, nil
		}
	}
	x.params0, x.params = params, params[start:]
	if len(x.router.params) > 0 {
		if err := x.checkParams(); err != nil {
			if err == NextRoute {
				return false, nil
			}
			return false, err
		}
	}
	if l.router == nil && l.prefixes == nil {
		return true, nil
	}
	x.frames = append(x.frames, x.place)
	x.layer, x.routes, x.steps, x.route = 0, nil, nil, nil
	x.router, x.inherited = noRouter, nil
	x.allowFrom = len(x.allow)
	if l.router != nil {
		x.router = l.router
		if l.app != nil {
			x.app = l.app
		}
		if x.router.config.MergeParams {
			x.inherited = x.params
		}
	}
	x.base += n
	if x.path = x.path[n:]; x.path == "" || x.path == "/" {
		x.base, x.path = len(x.full), "/" // a slash at the end belongs to the prefix
	}
	return true, nil
}

// passLayer calls the param handlers of a layer that is not entered: an error handler while there is no error, something
// else while there is one. Express does so.
func (x *exchange) passLayer(l *layer) error {
	if len(x.router.params) == 0 || l.prefixes == nil {
		return nil
	}
	params := x.params
	entered, err := x.enterLayer(l)
	if entered {
		x.leave()
	}
	x.params = params
	return err
}

// leave returns to the router around the current one; false if there is none.
func (x *exchange) leave() bool {
	n := len(x.frames)
	if n == 0 {
		return false
	}
	x.allow = x.allow[:x.allowFrom]
	x.place, x.frames = x.frames[n-1], x.frames[:n-1]
	return true
}

// errAnswered is what checkParams returns when a param handler has answered: nothing else is to run.
var errAnswered = errors.New("app: a param handler has answered")

// checkParams calls the router's param handlers, once for each value in a request.
func (x *exchange) checkParams() error {
	own := x.params[len(x.inherited):]
next:
	for i, p := range own {
		h := x.router.params[p.name]
		if h == nil {
			continue
		}
		for _, earlier := range own[:i] {
			if earlier.name == p.name {
				continue next
			}
		}
		for _, later := range own[i+1:] {
			if later.name == p.name {
				p = later // the last value of a name counts
			}
		}
		for _, c := range x.checked {
			if !p.wildcard && c.router == x.router && c.depth == len(x.frames) && c.name == p.name && c.value == p.value {
				if c.err != nil {
					return c.err
				}
				continue next
			}
		}
		before := x.res.HeadersSent()
		err := x.call(func(req *Request, res *Response) error { return h(req, res, p.text()) })
		if err == nil && !before && x.res.HeadersSent() {
			return errAnswered
		}
		x.checked = append(x.checked, checkedParam{x.router, len(x.frames), p.name, p.value, err})
		if err != nil {
			return err
		}
	}
	return nil
}

// conclude hands an error, if there is one, to the error handlers registered after its place, inner router first, and answers for what
// they leave.
func (x *exchange) conclude(err error) {
	if x.concluded {
		return
	}
	for err != nil && x.hasFailed && !x.concluded {
		x.place, x.frames = x.failed, x.failedIn
		x.hasFailed = false
		err = x.handleError(err)
	}
	if err != nil && !x.concluded {
		x.answerError(err)
	}
}

// handleError walks the error handlers from the current place on. It returns early when the error came up again,
// behind a Next of an error handler: that one has a place of its own.
func (x *exchange) handleError(err error) error {
	x.steps, x.routes = nil, nil
	for {
		for x.layer >= len(x.router.layers) {
			if !x.leave() {
				return err
			}
			x.steps, x.routes = nil, nil
		}
		l := x.router.layers[x.layer]
		x.layer++
		if l.onError == nil {
			if l.routes == nil && x.passLayer(l) == errAnswered {
				return nil
			}
			continue
		}
		entered, failure := x.enterLayer(l)
		if failure == errAnswered {
			return nil
		}
		if failure != nil {
			err = failure
			continue
		}
		if !entered {
			continue
		}
		if err = x.callError(l.onError, err); err == nil || x.hasFailed {
			return err
		}
	}
}

func (x *exchange) callError(h ErrorHandler, cause error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	err = h(cause, &x.req, &x.res)
	if err == NextRoute || err == NextRouter {
		err = x.req.Next()
	}
	if err == nil {
		x.hasFailed = false
	}
	return err
}

// A PanicError is a panic of a handler on its way to the error handlers.
type PanicError struct {
	Value any             // what was given to panic
	Stack []runtime.Frame // innermost first, from the call of panic on
}

// Error is the text of the value.
func (e *PanicError) Error() string { return fmt.Sprint(e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// panicked makes an error of a recovered panic. http.ErrAbortHandler is net/http's own and goes on.
func panicked(v any) error {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	e := &PanicError{Value: v}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		e.Stack = append(e.Stack, f)
		if !more {
			return e
		}
	}
}

// stackOf is where the panic that caused err came up; nil if none did.
func stackOf(err error) []runtime.Frame {
	var p *PanicError
	if errors.As(err, &p) {
		return p.Stack
	}
	return nil
}
