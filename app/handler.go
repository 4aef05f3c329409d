package app

import "errors"

// A Handler answers a request, or passes it on: see [Request.Next]. One that returns nil without having answered
// or passed the request on ends it with an empty response, of the status that was set.
type Handler func(req *Request, res *Response) error

// An ErrorHandler is Express's handler with four arguments. It answers for err and returns nil, or returns an
// error (err itself, to pass it on) for the next error handler. [Request.Next] in it carries on with the
// handlers registered after it, as if nothing had happened.
type ErrorHandler func(err error, req *Request, res *Response) error

// A ParamHandler is called when a route or a prefix with its parameter matches, before the handlers: see
// [Router.Param]. Nil lets the request through.
type ParamHandler func(req *Request, res *Response, value string) error

// Map is the data of a page, and of a JSON object.
type Map = map[string]any

// NextRoute and NextRouter, returned by a handler, are Express's next('route') and next('router').
var (
	//lint:ignore ST1012 it is no failure
	NextRoute = errors.New("app: continue with the next route")
	//lint:ignore ST1012 it is no failure
	NextRouter = errors.New("app: continue after this router")
)
