package app_test

import (
	"fmt"
	"html/template"
	"io"
	"testing/fstest"

	"github.com/zocalo-go/zocalo/app"
)

// A standardEngine renders views with html/template.
type standardEngine struct{}

func (standardEngine) Render(w io.Writer, view app.View) error {
	t, err := template.ParseFS(view.FS, view.Name)
	if err != nil {
		return err
	}
	return t.Execute(w, view.Data)
}

// Any template language is an engine of one method.
func ExampleEngine() {
	server := app.New()
	server.Engine("html", standardEngine{}).Set("view engine", "html")
	server.Set("views", fstest.MapFS{"index.html": {Data: []byte("<h1>{{.title}}</h1>")}})
	page, err := server.Render("index", app.Map{"title": "The <square>"})
	fmt.Println(page, err)
	// Output: <h1>The &lt;square&gt;</h1> <nil>
}
