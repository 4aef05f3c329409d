package handlebars_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
)

type row struct {
	ID    int
	Name  string
	Mail  string
	Admin bool
}

func rows(n int) []row {
	list := make([]row, n)
	for i := range list {
		list[i] = row{i, fmt.Sprintf("name <%d>", i), fmt.Sprintf("user%d@example.com", i), i%7 == 0}
	}
	return list
}

const listSource = `<ul>
{{#each rows}}
  <li id="row-{{id}}"{{#if admin}} class="admin"{{/if}}>{{@index}}. {{name}} &lt;{{mail}}&gt;</li>
{{/each}}
</ul>
`

func BenchmarkList(b *testing.B) {
	e := handlebars.New(handlebars.Config{})
	t, err := e.Compile("list", listSource)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{10, 1000, 100_000} {
		maps := make([]map[string]any, n)
		for i, r := range rows(n) {
			maps[i] = map[string]any{"id": r.ID, "name": r.Name, "mail": r.Mail, "admin": r.Admin}
		}
		for kind, data := range map[string]any{"structs": rows(n), "maps": maps} {
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := t.Render(io.Discard, map[string]any{"rows": data}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

var pageViews = views(
	"index", "<h1>{{title}}</h1>\n{{#if user}}<p>Hello {{user.name}}</p>{{/if}}\n<ul>{{#each links}}\n  {{> link}}\n{{/each}}</ul>",
	"layouts/main", "<!doctype html><title>{{title}}</title>{{> head}}<main>{{{body}}}</main>{{> foot}}",
	"partials/link", "<li><a href=\"{{url}}\">{{text}}</a></li>\n", "partials/head", "<header>{{title}}</header>", "partials/foot", "<footer>z</footer>",
)

var pageData = app.Map{
	"title": "Zócalo", "user": map[string]any{"name": "Ana"},
	"links": []map[string]any{{"url": "/a", "text": "A"}, {"url": "/b", "text": "B"}, {"url": "/c", "text": "C"}},
}

func BenchmarkPage(b *testing.B) {
	e := handlebars.New(handlebars.Config{})
	for name, cache := range map[string]bool{"production": true, "development": false} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := e.Render(io.Discard, app.View{FS: pageViews, Name: "index.handlebars", Data: pageData, Cache: cache}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	e := handlebars.New(handlebars.Config{})
	for b.Loop() {
		if _, err := e.Compile("list", listSource); err != nil {
			b.Fatal(err)
		}
	}
}
