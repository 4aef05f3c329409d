package app_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

// Express calls a param handler again for another value, and once it has failed not any more.
func TestParamHandlersAreCalledAsInExpress(t *testing.T) {
	server := app.New()
	var calls []string
	server.Param("id", func(req *app.Request, res *app.Response, value string) error {
		calls = append(calls, value)
		if value == "bad" {
			return app.Errorf(400, "no such thing")
		}
		return nil
	})
	pass := func(req *app.Request, res *app.Response) error { return req.Next() }
	server.Get("/:id/:other", pass)
	server.Get("/:other/:id", pass)
	server.Get("/:id/*rest", func(req *app.Request, res *app.Response) error { return res.Send(req.Param("id")) })
	server.Use("/:other/:id", func(err error, req *app.Request, res *app.Response) error {
		return res.Status(app.StatusOf(err)).Send("handled")
	})
	for _, test := range []struct {
		url, calls, body string
		status           int
	}{
		{"/1/2", "1 2 1 ", "1", 200}, // only the last value is remembered
		{"/1/1", "1 ", "1", 200},
		{"/bad/2", "bad ", "", 400}, // the value 2 of the error handler's prefix is not asked about
	} {
		calls = nil
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest("GET", test.url, nil))
		got := ""
		for _, c := range calls {
			got += c + " "
		}
		if got != test.calls || w.Code != test.status {
			t.Errorf("%s called for %q and answered %d; want %q and %d: %s", test.url, got, w.Code, test.calls, test.status, w.Body)
		}
	}
}

// A router that a request passes through twice begins anew, its param handlers too.
func TestParamHandlersOfARouterMountedTwice(t *testing.T) {
	router := app.NewRouter()
	calls := 0
	router.Param("id", func(*app.Request, *app.Response, string) error { calls++; return nil })
	router.Get("/:id", func(req *app.Request, res *app.Response) error { return req.Next() })
	server := app.New()
	server.Use("/a", router)
	server.Use("/a", router)
	server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/a/7", nil))
	if calls != 2 {
		t.Errorf("the handler was called %d times, in Express twice", calls)
	}
}

// What stands between two wildcards is in neither, in whatever case.
func TestTextBetweenWildcards(t *testing.T) {
	server := app.New()
	server.Get("{/*r}/a*r", func(req *app.Request, res *app.Response) error {
		return res.Send(strings.Join(req.Segments("r"), " "))
	})
	for url, want := range map[string]string{"/a-b/A/A": "-b A A", "/x/a/b": " b", "/x/abc": "bc"} {
		expect(t, do(server, "GET", url), 200, want)
	}
}

// What cannot be decoded is a 400 for the prefix of an error handler, too, and of a wildcard its segment is named.
func TestUndecodableParameters(t *testing.T) {
	server := app.New()
	server.Get("/files/*path", func(req *app.Request, res *app.Response) error { return res.Send("file") })
	server.Use("/:name", app.ErrorHandler(func(err error, req *app.Request, res *app.Response) error { return err }))
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		return res.Status(app.StatusOf(err)).Send(err.Error())
	})
	for url, want := range map[string]string{
		"/%E9":              "Failed to decode param '%E9'",
		"/files/a%20b/%E9/": "Failed to decode param '%E9'",
	} {
		if w := do(server, "GET", url); w.Code != 400 || w.Body.String() != want {
			t.Errorf("%s: %d %s", url, w.Code, w.Body)
		}
	}
}

// A param handler may leave the router, and does not replace an error that is on its way.
// An escaped slash stays one, whatever else the client has not escaped.
func TestEscapesBesideWhatShouldBeOne(t *testing.T) {
	server := app.New()
	server.Get("/:p/:q", func(req *app.Request, res *app.Response) error {
		return res.Send(req.Param("p") + " " + req.Param("q") + " " + req.Path())
	})
	for path, want := range map[string]string{
		"/{x/a%2Fb": "{x a/b /%7Bx/a%2Fb", "/%2e!|/%7Ba%2fb}": ".!| {a/b} /%2e!%7C/%7Ba%2fb%7D", "/é/a%2Fb": "é a/b /%C3%A9/a%2Fb",
		"/a%23b/%2F#/c": "a#b / /a%23b/%2F", "/a/b%2F": "a b/ /a/b%2F",
	} {
		expect(t, do(server, "GET", path), 200, want)
	}
}

func TestParamHandlersAndErrors(t *testing.T) {
	inner := app.NewRouter()
	inner.Param("id", func(req *app.Request, res *app.Response, value string) error {
		switch value {
		case "leave":
			return app.NextRouter
		case "bad":
			return app.Errorf(400, "no such thing")
		}
		return nil
	})
	inner.Get("/:id", func(req *app.Request, res *app.Response) error { return res.Send("inner") })
	server := app.New()
	server.Use("/things", inner)
	server.Get("/things/*rest", func(req *app.Request, res *app.Response) error { return res.Send("outer") })

	failing := app.NewRouter()
	failing.Param("id", func(req *app.Request, res *app.Response, value string) error { return app.Errorf(400, "no such thing") })
	failing.Use(func(req *app.Request, res *app.Response) error { return app.Errorf(503, "closed") })
	failing.Use("/:id", app.ErrorHandler(func(err error, req *app.Request, res *app.Response) error { return res.Send("entered") }))
	failing.Use("/:id", func(req *app.Request, res *app.Response) error { return nil })
	handled := 0
	failing.OnError(func(err error, req *app.Request, res *app.Response) error { handled++; return err })
	server.Use("/failing", failing)

	leaving := app.NewRouter()
	leaving.Use(func(req *app.Request, res *app.Response) error { return app.Errorf(503, "closed") })
	leaving.OnError(func(err error, req *app.Request, res *app.Response) error { return app.NextRouter })
	leaving.Use(func(req *app.Request, res *app.Response) error { return res.Send("still inside") })
	server.Use("/leaving", leaving)
	server.Get("/leaving", func(req *app.Request, res *app.Response) error { return res.Send("left") })

	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		return res.Status(app.StatusOf(err)).Send(err.Error())
	})
	for url, want := range map[string]string{
		"/things/7": "200 inner", "/things/leave": "200 outer", "/things/bad": "400 no such thing",
		"/failing/7": "503 closed", "/failing/%E9": "503 closed", "/leaving": "200 left",
	} {
		w := do(server, "GET", url)
		if got := fmt.Sprint(w.Code, " ", w.Body); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
	if handled != 2 {
		t.Errorf("the error of two requests was handled %d times", handled)
	}
}

// What labels measurements with the route asks for it when the handlers are through.
func TestRouteIsKnownBehindNext(t *testing.T) {
	server := app.New()
	var routes []string
	server.Use(func(req *app.Request, res *app.Response) error {
		before := req.Route()
		err := req.Next()
		routes = append(routes, before+" "+req.Route())
		return err
	})
	server.Group("/users", func(r *app.Router) {
		r.Get("/:id", func(req *app.Request, res *app.Response) error { return res.Send(req.Route()) })
	})
	do(server, "GET", "/users/7")
	do(server, "GET", "/nothing")
	if got := fmt.Sprintf("%q", routes); got != `[" /:id" " "]` {
		t.Error(got)
	}
}
