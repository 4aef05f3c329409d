package handlebars_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
)

// views makes a directory of views: name, source, name, source, …
func views(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]+".handlebars"] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

func renderView(e *handlebars.Engine, fsys fs.FS, name string, data app.Map, options ...any) (string, error) {
	var out bytes.Buffer
	err := e.Render(&out, app.View{FS: fsys, Name: name + ".handlebars", Data: data, Options: options})
	return out.String(), err
}

func TestRender(t *testing.T) {
	fsys := views(
		"index", "<p>{{title}}</p>{{> nav/item label=\"x\"}}",
		"plain", "{{#each list}}{{upper this}}{{/each}}",
		"users/show", "user {{id}}",
		"layouts/main", "<main>{{{body}}}</main>{{title}}",
		"layouts/other", "<other>{{{body}}}</other>",
		"layouts/deep/one", "<deep>{{{body}}}</deep>",
		"partials/nav/item", "<li>{{label}}</li>",
	)
	e := handlebars.New(handlebars.Config{Helpers: handlebars.Helpers{"upper": strings.ToUpper}})
	type with = handlebars.RenderOptions
	for _, c := range []struct {
		name    string
		options with
		data    app.Map
		want    string
	}{
		{"index", with{}, app.Map{"title": "<Zócalo>"}, "<main><p>&lt;Zócalo&gt;</p><li>x</li></main>&lt;Zócalo&gt;"},
		{"index", with{Layout: handlebars.NoLayout}, nil, "<p></p><li>x</li>"},
		{"index", with{Layout: "other"}, nil, "<other><p></p><li>x</li></other>"},
		{"index", with{Layout: "deep/one"}, nil, "<deep><p></p><li>x</li></deep>"},
		{"index", with{Layout: "other.handlebars"}, nil, "<other><p></p><li>x</li></other>"},
		{"index", with{}, app.Map{"layout": "other", "helpers": 1}, "<main><p></p><li>x</li></main>"},
		{"index", with{Layout: "other"}, app.Map{"handlebars": with{Layout: "deep/one"}}, "<other><p></p><li>x</li></other>"},
		{"index", with{}, app.Map{"handlebars": with{Layout: "deep/one"}}, "<deep><p></p><li>x</li></deep>"},
		{"index", with{}, app.Map{"handlebars": map[string]any{"layout": "deep/one"}}, "<main><p></p><li>x</li></main>"},
		{"users/show", with{}, app.Map{"id": 7}, "<main>user 7</main>"},
		{"plain", with{}, app.Map{"list": []string{"a", "b"}}, "<main>AB</main>"},
		{"plain", with{Layout: "-", Helpers: handlebars.Helpers{"upper": func(s string) string { return s + s }}}, app.Map{"list": []string{"a"}}, "aa"},
		{"plain", with{Layout: "-"}, app.Map{"list": []string{"a"}, "handlebars": with{Helpers: handlebars.Helpers{"upper": func(s string) string { return s + s }}}}, "aa"},
		{"index", with{Layout: "-", Partials: map[string]string{"nav/item": "mine {{@user}}"}, Data: app.Map{"user": "Ana"}}, nil, "<p></p>mine Ana"},
	} {
		for _, cache := range []bool{false, true, true} {
			var out bytes.Buffer
			err := e.Render(&out, app.View{FS: fsys, Name: c.name + ".handlebars", Data: c.data, Options: []any{c.options}, Cache: cache})
			if err != nil || out.String() != c.want {
				t.Errorf("%s %v, cache %v: got %q, %v; want %q", c.name, c.data, cache, out.String(), err, c.want)
			}
		}
	}
}

func TestRenderInApp(t *testing.T) {
	server := app.New()
	server.Engine("handlebars", handlebars.New(handlebars.Config{}))
	server.Set("view engine", "handlebars").Set("views", views("index", "hello {{name}}"))
	got, err := server.Render("index", app.Map{"name": "plaza"})
	if err != nil || got != "hello plaza" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNoDefaultLayout(t *testing.T) {
	for _, cache := range []bool{false, true} {
		var out bytes.Buffer
		err := handlebars.New(handlebars.Config{}).Render(&out, app.View{FS: views("index", "x"), Name: "index.handlebars", Cache: cache})
		if err != nil || out.String() != "x" {
			t.Errorf("without layouts/main: got %q, %v", out.String(), err)
		}
	}
	_, err := renderView(handlebars.New(handlebars.Config{DefaultLayout: "mian"}), views("index", "x", "layouts/main", ""), "index", nil)
	wantError(t, err, `views/layouts/mian.handlebars: layout "mian" not found in views/layouts; did you mean "main"?`)
}

func TestExtension(t *testing.T) {
	fsys := fstest.MapFS{
		"index.hbs":        {Data: []byte("{{> p}}")},
		"partials/p.hbs":   {Data: []byte("partial")},
		"layouts/main.hbs": {Data: []byte("[{{{body}}}]")},
	}
	var out bytes.Buffer
	err := handlebars.New(handlebars.Config{}).Render(&out, app.View{FS: fsys, Name: "index.hbs"})
	if err != nil || out.String() != "[partial]" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func wantError(t *testing.T, err error, want string) *handlebars.Error {
	t.Helper()
	var e *handlebars.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error %q", err, want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got error\n%s\nwant\n%s", err, want)
	}
	return e
}

func TestErrors(t *testing.T) {
	boom := errors.New("boom")
	config := handlebars.Config{Helpers: handlebars.Helpers{
		"fails":  func() (string, error) { return "", boom },
		"panics": func() string { panic("ouch") },
		"nils":   func(m map[string]int) string { m["a"] = 1; return "" },
		"number": func(n int) int { return n },
		"block":  func(o *handlebars.Options) string { return o.Fn() },
	}}
	for name, c := range map[string]struct {
		files []string
		want  string
		is    error
	}{
		"syntax":          {[]string{"index", "a\n  {{#if a}}\n{{/each}}"}, "views/index.handlebars:2:6: if doesn't match each", nil},
		"missing view":    {[]string{"indexes", ""}, `views/index.handlebars: view "index" not found in views; did you mean "indexes"?`, fs.ErrNotExist},
		"missing partial": {[]string{"index", "\n{{> nav/itme}}", "partials/nav/item", ""}, `views/index.handlebars:2:1: The partial nav/itme could not be found in views/partials; did you mean "nav/item"?`, fs.ErrNotExist},
		"partial syntax":  {[]string{"index", "\n{{> p}}", "partials/p", "é {{a"}, "views/partials/p.handlebars:1:5: Expecting 'ID', 'STRING', 'NUMBER', 'BOOLEAN', 'UNDEFINED', 'NULL', 'DATA', got 'INVALID' (included from views/index.handlebars:2:1)", nil},
		"helper error":    {[]string{"index", "{{> p}}", "partials/p", "\n {{fails}}"}, `views/partials/p.handlebars:2:2: helper "fails": boom (included from views/index.handlebars:1:1)`, boom},
		"helper panic":    {[]string{"index", "\n{{panics}}"}, "views/index.handlebars:2:1: panic: ouch", nil},
		"runtime panic":   {[]string{"index", "{{nils null}}"}, "views/index.handlebars:1:1: panic: assignment to entry in nil map", nil},
		"panic in block":  {[]string{"index", "{{#block}}\n{{panics}}{{/block}}"}, "views/index.handlebars:2:1: panic: ouch", nil},
		"argument":        {[]string{"index", "{{number list}}"}, `helper "number": argument 1: it is a []string, not a int`, nil},
		"not a number":    {[]string{"index", `{{number "x"}}`}, `helper "number": argument 1: "x" is not a number`, nil},
		"missing helper":  {[]string{"index", "{{numbre 1}}"}, `Missing helper: "numbre"; did you mean number?`, nil},
		"not callable":    {[]string{"index", "{{list 1}}"}, `"list" is not a helper or a function`, nil},
		"itself":          {[]string{"index", "{{> p}}", "partials/p", "x{{> p}}"}, "the partial p is included more than 1000 levels deep: views/partials/p.handlebars > views/partials/p.handlebars", nil},
		"each other":      {[]string{"index", "{{> p}}", "partials/p", "{{> q}}{{> q}}", "partials/q", "{{> p}}{{> p}}"}, "views/partials/p.handlebars > views/partials/q.handlebars > views/partials/p.handlebars", nil},
		"inline itself":   {[]string{"index", `{{#*inline "p"}}{{> p}}{{/inline}}{{> p}}`}, "the partial p is included more than 1000", nil},
		"layout":          {[]string{"index", "x", "layouts/main", "\n{{{body}}"}, "views/layouts/main.handlebars:2:8: Expecting", nil},
		"leaves the root": {[]string{"index", "{{> ../secret}}", "secret", ""}, "The partial ../secret could not be found", fs.ErrNotExist},
		"decorator":       {[]string{"index", "{{* foo}}"}, `Missing decorator: "foo"`, nil},
		"if as a value":   {[]string{"index", "{{if a}}"}, "views/index.handlebars:1:1: #if is a block: {{#if …}}…{{/if}}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, cache := range []bool{false, true} {
				var out bytes.Buffer
				err := handlebars.New(config).Render(&out, app.View{
					FS: views(c.files...), Name: "index.handlebars", Data: app.Map{"list": []string{"a"}}, Cache: cache,
				})
				e := wantError(t, err, c.want)
				if c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("%v is no %v", err, c.is)
				}
				if out.Len() > 0 {
					t.Errorf("%q was sent", out.String())
				}
				file, line, column := e.Position()
				if file != e.File || line != e.Line || column != e.Column || (e.Excerpt() == "") != (line == 0) {
					t.Errorf("Position is %s:%d:%d, Excerpt %q", file, line, column, e.Excerpt())
				}
			}
		})
	}
}

func TestLayoutErrors(t *testing.T) {
	e := handlebars.New(handlebars.Config{})
	fsys := views("index", "x", "layouts/main", "{{{body}}}", "secret", "s")
	_, err := renderView(e, fsys, "index", nil, handlebars.RenderOptions{Layout: "../secret"})
	wantError(t, err, `layout "../secret" not found in views/layouts`)
	_, err = renderView(e, fsys, "index", nil, 3)
	wantError(t, err, "Render takes data, an app.Map, and handlebars.RenderOptions; not a int")
	_, err = renderView(e, fsys, "index", nil, handlebars.RenderOptions{Helpers: handlebars.Helpers{"x": 1}})
	wantError(t, err, `helper "x" is not a function but a int`)
	_, err = renderView(e, fsys, "../index", nil)
	wantError(t, err, "not found")
}

func TestExcerpt(t *testing.T) {
	_, err := renderView(handlebars.New(handlebars.Config{}), views("index", "<ul>\n\t<li>\n\té {{#if}}x{{/if}}\n</ul>\n1\n2"), "index", nil)
	e := wantError(t, err, "views/index.handlebars:3:4: #if requires exactly one argument")
	want := "1 | <ul>\n2 | \t<li>\n3 | \té {{#if}}x{{/if}}\n  | \t  ^\n4 | </ul>\n5 | 1"
	if e.Excerpt() != want {
		t.Errorf("got\n%s\nwant\n%s", e.Excerpt(), want)
	}
}

func TestRegistrationPanics(t *testing.T) {
	for name, fn := range map[string]any{
		"no function": "x",
		"nil":         nil,
		"results":     func() (int, int) { return 0, 0 },
		"options":     func(*handlebars.Options, int) int { return 0 },
		"context":     func(int, context.Context) int { return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p, _ := recover().(string); !strings.HasPrefix(p, `handlebars: helper "h"`) {
					t.Errorf("got %q", p)
				}
			}()
			handlebars.New(handlebars.Config{Helpers: handlebars.Helpers{"h": fn}})
		})
	}
}

func write(t *testing.T, dir, name, source string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name)+".handlebars")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	// Replaced as editors replace files, so that no reader sees half of one.
	if err := os.WriteFile(file+"~", []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+"~", file); err != nil {
		t.Fatal(err)
	}
}

func TestEditsShow(t *testing.T) {
	dir := t.TempDir()
	e := handlebars.New(handlebars.Config{})
	write(t, dir, "index", "1{{> p}}")
	write(t, dir, "partials/p", "a")
	write(t, dir, "layouts/main", "<{{{body}}}>")
	expect := func(cache bool, want string) {
		t.Helper()
		var out bytes.Buffer
		err := e.Render(&out, app.View{FS: os.DirFS(dir), Name: "index.handlebars", Cache: cache})
		if err != nil || out.String() != want {
			t.Errorf("got %q, %v; want %q", out.String(), err, want)
		}
	}
	expect(false, "<1a>")
	expect(true, "<1a>")
	write(t, dir, "partials/p", "b")
	write(t, dir, "layouts/main", "[{{{body}}}]")
	expect(false, "[1b]")
	expect(true, "<1a>")

	write(t, dir, "index", "{{#if}}")
	_, err := renderView(e, os.DirFS(dir), "index", nil)
	wantError(t, err, filepath.ToSlash(dir)+"/index.handlebars:1:8: Expecting")
	write(t, dir, "index", "2{{> p}}")
	expect(false, "[2b]")
}

func TestConcurrentEdits(t *testing.T) {
	dir := t.TempDir()
	e := handlebars.New(handlebars.Config{})
	write(t, dir, "index", "{{#each rows}}{{> row}}{{/each}}")
	write(t, dir, "partials/row", "<{{this}}>")
	data := app.Map{"rows": []int{1, 2, 3}}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				got, err := renderView(e, os.DirFS(dir), "index", data)
				if err != nil || got != "<1><2><3>" && got != "[1][2][3]" {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	for i := range 40 {
		write(t, dir, "partials/row", []string{"<{{this}}>", "[{{this}}]"}[i%2])
	}
	group.Wait()
}

func TestNoGoroutineIsLeft(t *testing.T) {
	e := handlebars.New(handlebars.Config{})
	before := runtime.NumGoroutine()
	for i := range 200 {
		for _, source := range []string{"{{#a}} x {{/b}} y", "{{a", "{{#if a}}{{if a}}{{/if}}", "{{{{r}}}}", "{{!--", "ok {{a}}"} {
			_, _ = e.Compile("t", fmt.Sprint(source, i))
		}
	}
	// raymond's lexer ends right after the parser, whenever it gets to run.
	for patience := time.Now().Add(10 * time.Second); time.Now().Before(patience); runtime.Gosched() {
		if runtime.NumGoroutine() <= before {
			return
		}
	}
	t.Errorf("%d goroutines, there were %d", runtime.NumGoroutine(), before)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	gone := errors.New("gone")
	e := handlebars.New(handlebars.Config{Helpers: handlebars.Helpers{
		"stop": func(ctx context.Context) string { cancel(gone); <-ctx.Done(); return "" },
	}})
	var out bytes.Buffer
	err := e.Render(&out, app.View{Context: ctx, FS: views("index", "{{#each list}}{{stop}}{{/each}}"), Name: "index.handlebars", Data: app.Map{"list": []int{1, 2}}})
	if wantError(t, err, "gone"); !errors.Is(err, gone) {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	fsys := views("a", "{{#if}}{{/if}}", "b", "fine", "partials/c", "{{/x}}", "layouts/main", "{{{body}}}")
	err := handlebars.New(handlebars.Config{}).Check(fsys, ".handlebars")
	for _, want := range []string{"views/a.handlebars:1:1: #if requires", "views/partials/c.handlebars:1:1: Expecting"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := handlebars.New(handlebars.Config{}).Check(views("b", "fine"), ".handlebars"); err != nil {
		t.Error(err)
	}
}
