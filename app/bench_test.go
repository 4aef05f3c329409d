package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/zocalo-go/zocalo/app"
)

// One of fifty routes with a parameter, in this package and in bare chi.
func BenchmarkFiftyRoutes(b *testing.B) {
	server, mux := app.New(), chi.NewRouter()
	for i := range 25 {
		server.Get(fmt.Sprintf("/things%d", i), text("list"))
		server.Get(fmt.Sprintf("/things%d/:id", i), func(req *app.Request, res *app.Response) error {
			_, err := res.Write([]byte(req.Param("id")))
			return err
		})
		mux.Get(fmt.Sprintf("/things%d", i), func(w http.ResponseWriter, r *http.Request) {})
		mux.Get(fmt.Sprintf("/things%d/{id}", i), func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(chi.URLParam(r, "id"))) })
	}
	for name, h := range map[string]http.Handler{"app": server, "chi": mux} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/things20/42", nil)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				w.Reset()
				h.ServeHTTP(w, r)
			}
		})
	}
}

func BenchmarkFiveMiddlewares(b *testing.B) {
	pass := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
	}
	handlers, crossing, mux := app.New(), app.New(), chi.NewRouter()
	for range 5 {
		handlers.Use(func(req *app.Request, res *app.Response) error { return req.Next() })
		crossing.UseHTTP(pass)
		mux.Use(pass)
	}
	handlers.Get("/", func(req *app.Request, res *app.Response) error { return nil })
	crossing.Get("/", func(req *app.Request, res *app.Response) error { return nil })
	mux.Get("/", func(w http.ResponseWriter, r *http.Request) {})
	for name, h := range map[string]http.Handler{"app": handlers, "app with net/http middleware": crossing, "chi": mux} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/", nil)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
