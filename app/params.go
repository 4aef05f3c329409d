package app

import "errors"

// A checkedParam is what a param handler was called with, and what it returned.
type checkedParam struct {
	router      *Router
	depth       int
	name, value string
	err         error
}

// errAnswered is what checkParams returns when a param handler has answered: nothing else is to run.
var errAnswered = errors.New("app: a param handler has answered")

// checkParams calls the router's param handlers: again when the value is another one, and not again for a parameter
// whose handler has failed.
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
		if c := x.checkedParam(p.name); c != nil && (!p.wildcard && c.value == p.value || c.err != nil && c.err != NextRoute) {
			if c.err != nil {
				return c.err
			}
			continue next
		}
		before := x.res.HeadersSent()
		err := x.call(func(req *Request, res *Response) error { return h(req, res, p.text()) })
		if err == nil && !before && x.res.HeadersSent() {
			return errAnswered
		}
		c := x.checkedParam(p.name)
		if c == nil {
			x.checked = append(x.checked, checkedParam{})
			c = &x.checked[len(x.checked)-1]
		}
		*c = checkedParam{x.router, len(x.frames), p.name, p.value, err}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkedParam is what the running router's handler for a parameter was called with last, nil if it was not called.
func (x *exchange) checkedParam(name string) *checkedParam {
	for i := range x.checked {
		if c := &x.checked[i]; c.router == x.router && c.depth == len(x.frames) && c.name == name {
			return c
		}
	}
	return nil
}
