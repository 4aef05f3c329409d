package app_test

import (
	"net/http/httptest"
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
