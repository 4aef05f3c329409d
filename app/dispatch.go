package app

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
)

// Next runs what was registered after the running handler, as next() does in Express, and returns the error that
// came of it. Return it; a handler that returns nil instead has dealt with it.
func (r *Request) Next() error {
	x := r.x
	x.follow()
	// The next handler of the route and middleware without a prefix run at the same place: there is little to remember.
	steps, layer, params := x.steps, x.layer, x.params
	var h Handler
	switch {
	case len(steps) > 0:
		if s := &steps[0]; s.method == "" || s.method == x.method {
			h, x.steps = s.handler, steps[1:]
		}
	case len(x.routes) == 0 && layer < len(x.router.layers) && len(x.router.params) == 0:
		if l := x.router.layers[layer]; l.middleware != nil && l.prefixes == nil {
			h, x.layer, x.params = l.middleware, layer+1, x.inherited
		}
	}
	if h == nil {
		return x.elsewhere(nil)
	}
	err := x.call(h)
	if err == NextRoute || err == NextRouter {
		err = x.elsewhere(err)
	}
	x.steps, x.layer, x.params = steps, layer, params
	return err
}

// elsewhere runs what follows, after a jump to the next route or router if one is given, and comes back.
func (x *exchange) elsewhere(jump error) error {
	here, depth := x.place, len(x.frames)
	if jump != nil {
		x.jump(jump)
	}
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
			if err, done := x.stopped(x.enterRoute(rt)); done {
				return err
			}
		case x.layer < len(x.router.layers):
			l := x.router.layers[x.layer]
			x.layer++
			if l.onError != nil {
				if err, done := x.stopped(x.passLayer(l)); done {
					return err
				}
				continue
			}
			if l.routes != nil {
				x.routes = l.routes.find(&x.lookup, x.path)
				continue
			}
			entered, err := x.enterLayer(l)
			if err, done := x.stopped(err); done {
				return err
			}
			if entered && l.middleware != nil {
				if err, done := x.run(l.middleware); done {
					return err
				}
			}
		case x.answersOptions():
			return x.answerOptions()
		case !x.leave():
			return x.notFound()
		}
	}
}

// stopped is what becomes of a request that a param handler, or a parameter that cannot be decoded, has kept from
// entering a route or a layer. It is not done when it goes on behind the router.
func (x *exchange) stopped(err error) (error, bool) {
	switch err {
	case nil:
		return nil, false
	case errAnswered:
		return nil, true
	case NextRouter:
		x.jump(err)
		return nil, false
	}
	return x.fail(err), true
}

// run calls a handler. It is not done when the handler wants the next route or router.
func (x *exchange) run(h Handler) (err error, done bool) {
	err = x.call(h)
	if err == NextRoute || err == NextRouter {
		x.jump(err)
		return nil, false
	}
	return err, true
}

// jump goes to the next route, or behind the router.
func (x *exchange) jump(to error) {
	x.follow()
	x.steps = nil
	if to != NextRouter {
		return
	}
	for x.router == noRouter {
		x.leave()
	}
	x.steps, x.routes, x.layer = nil, nil, len(x.router.layers)
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
	return x.thrown(h(&x.req, &x.res))
}

// thrown is the error of a handler, or before it that of a chained call that could not do its work, as if it had thrown:
// no call that answers has told it.
//
// A nil pointer in the place of an error, as a function with a result of a type of its own gives it, is one, and has no
// words: some are put in its place.
func (x *exchange) thrown(err error) error {
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
		err = fmt.Errorf("app: a handler returned a nil %T, which is not a nil error: return nil where there is none", err)
	}
	if x.res.invalid != nil && !x.res.HeadersSent() {
		return x.res.rejected()
	}
	return err
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
			if x.req.Method != http.MethodHead {
				return nil
			}
			// As in Express, a HEAD request enters the routes of all methods, and calls their param handlers.
			if len(x.router.params) == 0 {
				x.lastRoute = rt
				return nil
			}
		}
		x.params0, x.params, x.lastRoute = params, params[start:], rt
		if len(x.router.params) > 0 {
			if err := x.checkParams(); err != nil {
				if err == NextRoute {
					return nil
				}
				return err
			}
			if !rt.handles(x.req.Method) {
				return nil
			}
		}
		if x.crossings > 0 {
			x.matched = x.pattern(rt)
		}
		if x.record != nil {
			x.record.Route = x.pattern(rt)
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
	var via *pattern
	for _, p := range l.prefixes {
		var matched bool
		var err error
		if n, params, matched, err = p.matchPrefix(x.path, params[:start+len(x.inherited)]); err != nil {
			return false, err
		}
		if matched {
			via = p
			break
		}
	}
	if l.prefixes != nil && via == nil {
		return false, nil
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
	x.router, x.via, x.inherited = noRouter, via, nil
	x.allowFrom = len(x.allow)
	if l.router != nil {
		// A router that was passed through before, at the same depth, starts afresh.
		x.checked = slices.DeleteFunc(x.checked, func(c checkedParam) bool { return c.depth >= len(x.frames) })
		x.router = l.router
		if l.app != nil {
			x.app = l.app
			x.wire.body.within(l.app.options.bodyTimeout)
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

// passLayer decodes the parameters and calls the param handlers of a layer that is not entered: an error handler while
// there is no error, something else while there is one. Express does so.
func (x *exchange) passLayer(l *layer) error {
	if l.prefixes == nil {
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

// conclude hands an error, if there is one, to the error handlers registered after its place, inner router first, and answers for what
// they leave.
func (x *exchange) conclude(err error) {
	if x.concluded {
		return
	}
	if err != nil && x.record != nil {
		x.record.Error = inWords(err) // only development has records
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
		if l.routes != nil {
			continue
		}
		entered, failure := false, error(nil)
		if l.onError != nil {
			entered, failure = x.enterLayer(l)
		} else {
			failure = x.passLayer(l)
		}
		if failure == errAnswered {
			return nil
		}
		x.hasFailed = false // a param handler's failure does not take the place of the error that is on its way
		if failure != nil || !entered {
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
	err = x.thrown(h(cause, &x.req, &x.res))
	if err == NextRoute || err == NextRouter {
		err = x.elsewhere(err)
	}
	if err == nil {
		x.hasFailed = false
	}
	return err
}
