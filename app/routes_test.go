package app_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/zocalo-go/zocalo/app"
)

func showBook(*app.Request, *app.Response) error { return nil }

type shelf struct{}

func (*shelf) list(*app.Request, *app.Response) error { return nil }

func TestRoutesNameHandlersAndPlaces(t *testing.T) {
	books := app.NewRouter()
	books.Use(func(req *app.Request, res *app.Response) error { return req.Next() })
	books.Get("/", (&shelf{}).list)
	books.Route("/:id").Get(showBook).Delete(showBook, func(req *app.Request, res *app.Response) error { return nil })
	inner := app.New()
	inner.All("/stats", showBook)
	server := app.New()
	server.UseHTTP(middleware.Logger, middleware.StripSlashes)
	server.Use(app.Static("public"))
	server.Use([]string{"/a", "/b"}, showBook)
	server.Use("/books", books)
	server.Use("/admin", inner)
	server.Mount("/old", http.NewServeMux())
	server.Mount("/older", http.HandlerFunc(http.NotFound))
	server.OnError(func(err error, req *app.Request, res *app.Response) error { return errors.Join(err) })

	var got []string
	for _, r := range server.Stack() {
		if r.Line == 0 || r.File == "" {
			t.Errorf("no place: %+v", r)
		}
		got = append(got, strings.Join([]string{r.Kind, r.Method, r.Pattern, r.Handler, filepath.Base(r.File)}, " "))
	}
	want := []string{
		"middleware  / middleware.Logger logger.go",
		"middleware  / middleware.StripSlashes strip.go",
		"middleware  / app.StaticFS routes_test.go",
		"middleware  /a app_test.showBook routes_test.go",
		"middleware  /b app_test.showBook routes_test.go",
		"middleware  /books app_test.TestRoutesNameHandlersAndPlaces.func1 routes_test.go",
		"route GET /books app_test.(*shelf).list routes_test.go",
		"route GET /books/:id app_test.showBook routes_test.go",
		"route DELETE /books/:id app_test.TestRoutesNameHandlersAndPlaces.func2 routes_test.go",
		"route  /admin/stats app_test.showBook routes_test.go",
		"mount  /old/* *http.ServeMux routes_test.go",
		"mount  /older/* http.NotFound server.go",
		"error handler  / app_test.TestRoutesNameHandlersAndPlaces.func3 routes_test.go",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(server.Routes()); n != 6 {
		t.Errorf("%d routes, want 6: %+v", n, server.Routes())
	}
}
