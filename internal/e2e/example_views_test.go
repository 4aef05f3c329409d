package e2e

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
)

func Example_views() {
	server := app.New()

	server.Engine("handlebars", handlebars.New(handlebars.Config{
		Helpers: handlebars.Helpers{"upper": strings.ToUpper},
	}))
	server.Set("view engine", "handlebars")

	server.Get("/", func(req *app.Request, res *app.Response) error {
		return res.Render("index", app.Map{"title": "Zócalo"})
	})

	helpers := handlebars.Helpers{"lower": strings.ToLower}
	server.Get("/users/:id", func(req *app.Request, res *app.Response) error {
		user := req.Param("id")
		return res.Render("users/show", app.Map{"user": user}, handlebars.RenderOptions{Layout: "admin"})
	})

	server.Locals["handlebars"] = handlebars.RenderOptions{Helpers: helpers}
	server.Use(func(req *app.Request, res *app.Response) error {
		res.Locals["handlebars"] = handlebars.RenderOptions{Layout: "admin"}
		return req.Next()
	})
}

func Example_partials() {
	var shop struct{ Views fs.FS }
	handlebars.New(handlebars.Config{
		PartialsDirs: []handlebars.PartialsDir{
			{Dir: "partials"},
			{FS: shop.Views, Namespace: "shop"}, // {{> shop/cart}}
			{Dir: "icons", Rename: func(file, _ string) string { return "icon-" + strings.TrimSuffix(file, ".handlebars") }},
			{Templates: map[string]string{"note.handlebars": "<p>{{text}}</p>"}},
		},
	})
}

type Item struct{ Name string }

func Example_helpers() {
	var avatarOf func(context.Context, int) (handlebars.SafeString, error)
	handlebars.New(handlebars.Config{Helpers: handlebars.Helpers{
		"price":  func(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) },
		"avatar": func(ctx context.Context, id int) (handlebars.SafeString, error) { return avatarOf(ctx, id) }, // slow work just blocks
		"list": func(items []Item, o *handlebars.Options) string {
			if len(items) == 0 {
				return o.Inverse()
			}
			var b strings.Builder
			for i, item := range items {
				b.WriteString(o.FnData(item, map[string]any{"number": i}, item)) // @number, and as |item|
			}
			return b.String()
		},
	}})
}

func newServer() *app.App { return app.New() }

var _ = func(t *testing.T) {
	if err := newServer().CheckViews(); err != nil {
		t.Error(err)
	}
}

type standard struct{}

func (standard) Render(w io.Writer, view app.View) error {
	t, err := template.ParseFS(view.FS, view.Name)
	if err != nil {
		return err
	}
	return t.Execute(w, view.Data)
}

func Example_standard() {
	server := app.New()
	server.Engine("html", standard{}).Set("view engine", "html")
}
