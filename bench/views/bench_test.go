package main

import (
	"io"
	"os"
	"testing"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
)

func BenchmarkViews(b *testing.B) {
	engine := handlebars.New(handlebars.Config{})
	for _, p := range []page{{Data: indexData(), Layout: true, name: "index"}, {Data: tableData(100), name: "table"}, {Data: listData(1000), name: "list"}} {
		for kind, data := range map[string]app.Map{"structs": fields(p.Data), "maps": decoded(p.Data)} {
			view := app.View{FS: os.DirFS("views"), Name: p.name + ".handlebars", Cache: true, Data: data}
			if !p.Layout {
				view.Options = []any{handlebars.RenderOptions{Layout: handlebars.NoLayout}}
			}
			b.Run(p.name+"/"+kind, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := engine.Render(io.Discard, view); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
