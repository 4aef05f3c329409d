//go:build !race

package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/zocalo-go/zocalo/app"
)

// What a request may allocate, without net/http around it. Chi's own router takes three for a route with a parameter.
func TestAllocations(t *testing.T) {
	next := func(req *app.Request, res *app.Response) error { return req.Next() }
	pass := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
	}
	answer := func(req *app.Request, res *app.Response) error { return nil }
	server := app.New().Disable("etag")
	server.Get("/nothing", answer)
	server.Get("/user/:id", func(req *app.Request, res *app.Response) error {
		_, err := res.Write([]byte{req.Param("id")[0]})
		return err
	})
	server.Get("/send", func(req *app.Request, res *app.Response) error { return res.Send("Hello, World!") })
	server.Get("/json/:id", func(req *app.Request, res *app.Response) error { return res.JSON(person{req.Param("id"), "Ana"}) })
	server.Get("/five", next, next, next, next, next, answer)
	middleware := app.New()
	middleware.Use(next, next, next, next, next)
	middleware.Get("/", answer)
	crossing := app.New()
	crossing.UseHTTP(pass, pass, pass)
	crossing.Get("/", answer)
	mux := chi.NewRouter()
	mux.Get("/user/{id}", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, chi.URLParam(r, "id")) })
	chiTakes := allocations(mux, "/user/7")

	for _, test := range []struct {
		name    string
		handler http.Handler
		url     string
		most    float64
	}{
		{"a route", server, "/nothing", 0},
		{"a parameter", server, "/user/7", chiTakes + 2},
		{"Send", server, "/send", 0},
		{"JSON", server, "/json/7", 1}, // the value in an interface
		{"five times Next", server, "/five", 0},
		{"middleware for every path", middleware, "/", 0},
		{"a chain of net/http middleware", crossing, "/", 3},
	} {
		if got := allocations(test.handler, test.url); got > test.most {
			t.Errorf("%s allocates %v times, at most %v", test.name, got, test.most)
		}
	}
}

type person struct{ ID, Name string }

func allocations(h http.Handler, url string) float64 {
	r := httptest.NewRequest("GET", url, nil)
	w := &discard{header: http.Header{}}
	return testing.AllocsPerRun(200, func() {
		clear(w.header)
		h.ServeHTTP(w, r)
	})
}
