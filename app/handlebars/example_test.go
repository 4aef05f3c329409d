package handlebars_test

import (
	"fmt"
	"os"
	"strings"
	"testing/fstest"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
)

func Example() {
	views := fstest.MapFS{
		"index.handlebars":           {Data: []byte("{{#each people}}{{> person}}\n{{/each}}")},
		"layouts/main.handlebars":    {Data: []byte("<h1>{{title}}</h1>\n{{{body}}}")},
		"partials/person.handlebars": {Data: []byte("<p>{{shout name}}</p>")},
	}
	server := app.New()
	server.Engine("handlebars", handlebars.New(handlebars.Config{
		Helpers: handlebars.Helpers{"shout": strings.ToUpper},
	}))
	server.Set("view engine", "handlebars").Set("views", views)

	page, err := server.Render("index", app.Map{
		"title":  "Who is here",
		"people": []struct{ Name string }{{"Ana"}, {"<Eva>"}},
	})
	fmt.Println(page, err)
	// Output:
	// <h1>Who is here</h1>
	// <p>ANA</p>
	// <p>&lt;EVA&gt;</p> <nil>
}

func ExampleEngine_Compile() {
	e := handlebars.New(handlebars.Config{})
	t, err := e.Compile("greeting", "Hello {{name}}!\n")
	if err != nil {
		panic(err)
	}
	_ = t.Render(os.Stdout, map[string]string{"name": "plaza"})
	// Output: Hello plaza!
}

func ExampleOptions() {
	e := handlebars.New(handlebars.Config{Helpers: handlebars.Helpers{
		"list": func(items []string, o *handlebars.Options) string {
			if len(items) == 0 {
				return o.Inverse()
			}
			out := ""
			for i, item := range items {
				out += o.FnData(item, map[string]any{"number": i + 1})
			}
			return "<" + o.HashStr("tag") + ">" + out + "</" + o.HashStr("tag") + ">"
		},
	}})
	t, _ := e.Compile("list", `{{#list names tag="ol"}}<li>{{@number}} {{this}}</li>{{else}}nobody{{/list}}`)
	_ = t.Render(os.Stdout, map[string]any{"names": []string{"Ana", "Eva"}})
	// Output: <ol><li>1 Ana</li><li>2 Eva</li></ol>
}

func ExampleError() {
	e := handlebars.New(handlebars.Config{})
	_, err := e.Compile("page.handlebars", "<ul>\n{{#each people}}\n</ul>{{/if}}")
	fmt.Println(err)
	fmt.Println(err.(*handlebars.Error).Excerpt())
	// Output:
	// page.handlebars:2:4: each doesn't match if
	// 1 | <ul>
	// 2 | {{#each people}}
	//   |    ^
	// 3 | </ul>{{/if}}
}
