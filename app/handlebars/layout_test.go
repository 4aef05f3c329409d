package handlebars_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
)

func TestLayouts(t *testing.T) {
	fsys := views(
		"plain", "p",
		"declares", "{{!< admin}}\np{{#section \"head\"}}<s>{{title}}{{/section}}",
		"none", "  {{!< - }}\nnone",
		"sections", "{{#section 'head'}}1{{/section}}x{{> adds}}{{#section 'foot'}}f{{/section}}",
		"loop", "{{!< loop}}x",
		"data", "{{!<-}}{{section}}{{#section}}[{{this}}]{{/section}}",
		"layouts/main", "<main>{{{section 'head'}}}|{{{body}}}|{{{section 'foot'}}}{{#if (section 'none')}}!{{/if}}</main>",
		"layouts/admin", "{{!< base}}\n{{#section 'head'}}2{{/section}}<admin>{{{body}}}</admin>",
		"layouts/base", "<base {{title}}>{{section 'head'}} {{{body}}}</base>",
		"layouts/loop", "{{!< loop}}{{{body}}}",
		"layouts/escaped", "{{body}}",
		"partials/adds", "{{#section 'head'}}2{{/section}}",
	)
	e := handlebars.New(handlebars.Config{})
	for name, want := range map[string]string{
		"plain":    "<main>|p|</main>",
		"declares": "<base T><s>T2 <admin>p</admin></base>",
		"none":     "none",
		"sections": "<main>12|x|f</main>",
		"data":     "a,b[a][b]",
	} {
		got, err := renderView(e, fsys, name, app.Map{"title": "T", "section": []string{"a", "b"}})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, want)
		}
	}
	_, err := renderView(e, fsys, "loop", nil)
	wantError(t, err, "views/layouts/loop.handlebars: more than 20 layouts around a page")
	got, err := renderView(e, fsys, "declares", nil, handlebars.RenderOptions{Layout: "escaped"})
	if got != "p" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	got, err = renderView(e, views("i", "<i>", "layouts/main", "{{body}}"), "i", nil)
	if got != "&lt;i&gt;" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	mine := handlebars.New(handlebars.Config{Helpers: handlebars.Helpers{"section": func(s string) string { return "mine " + s }}})
	got, err = renderView(mine, views("i", "{{section 'a'}}"), "i", nil)
	if got != "mine a" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestTrim: express-handlebars trims files and what they make; places still count from the start of the file.
func TestTrim(t *testing.T) {
	fsys := views(
		"index", "\ufeff\r\n  <p>{{> p}}</p>{{x}}\n\u00a0", "layouts/main", "\n[{{{body}}}]\n", "partials/p", "\n\n a \n",
		"broken", "\n\n  {{#if}}", "helper", "\n é{{nope 1}}",
	)
	e := handlebars.New(handlebars.Config{})
	got, err := renderView(e, fsys, "index", app.Map{"x": " x "})
	if want := "[<p>a</p> x]"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	_, err = renderView(e, fsys, "broken", nil)
	wantError(t, err, "views/broken.handlebars:3:10: Expecting")
	_, err = renderView(e, fsys, "helper", nil)
	wantError(t, err, `views/helper.handlebars:2:3: Missing helper: "nope"`)
}

func TestAbout(t *testing.T) {
	fsys := views(
		"users/show", "{{@exphbs.view}} {{@exphbs.layout}} {{@exphbs.filePath}} {{@exphbs.cache}}{{#each list}} {{@exphbs.view}}{{/each}} {{> p}}",
		"layouts/deep/one", "{{{body}}} - {{@exphbs.view}} {{@exphbs.layout}} {{@exphbs.encoding}} {{@user}}",
		"partials/p", "{{@exphbs.view}}",
	)
	got, err := renderView(handlebars.New(handlebars.Config{}), fsys, "users/show", app.Map{"list": []int{1}},
		handlebars.RenderOptions{Layout: "deep/one", Data: map[string]any{"user": "Ana"}})
	want := "users/show deep/one views/users/show.handlebars false users/show users/show - users/show  utf8 Ana"
	if err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestPartialsDirs(t *testing.T) {
	shared := fstest.MapFS{"cart.handlebars": {Data: []byte("cart")}, "deep/item.handlebars": {Data: []byte("item")}, "both.handlebars": {Data: []byte("shared")}}
	config := handlebars.Config{
		PartialsDirs: []handlebars.PartialsDir{
			{Dir: "partials"},
			{FS: shared},
			{FS: shared, Namespace: "shop"},
			{Dir: "widgets", Rename: func(file, namespace string) string {
				return namespace + ":" + strings.ToUpper(strings.TrimSuffix(path.Base(file), ".handlebars"))
			}, Namespace: "w"},
			{Templates: map[string]string{"mem.handlebars": " mem ", "x/y.handlebars": "xy"}, Namespace: "m"},
		},
		Partials: map[string]string{"memory": "{{> m/mem}}"},
	}
	fsys := views("partials/own", "own", "partials/both", "views", "widgets/a/clock", "clock",
		"index", "{{> own}} {{> cart}} {{> deep/item}} {{> both}} {{> shop/cart}} {{> w:CLOCK}} {{> m/mem}}{{> (lookup names 0)}} {{> memory}}",
		"missing", "{{> shop/crat}}")
	for _, cache := range []bool{false, true} {
		e := handlebars.New(config)
		for range 2 {
			var out bytes.Buffer
			err := e.Render(&out, app.View{FS: fsys, Name: "index.handlebars", Data: app.Map{"names": []string{"m/x/y"}}, Cache: cache})
			if want := "own cart item shared cart clock  mem xy  mem"; err != nil || out.String() != want {
				t.Errorf("cache %v: got %q, %v; want %q", cache, out.String(), err, want)
			}
		}
		err := e.Render(new(bytes.Buffer), app.View{FS: fsys, Name: "missing.handlebars", Cache: cache})
		wantError(t, err, `views/missing.handlebars:1:1: The partial shop/crat could not be found in views/partials, partials, partials, views/widgets, memory; did you mean "shop/cart"?`)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	if err := handlebars.New(config).Check(fsys, "handlebars"); err != nil {
		t.Error(err)
	}
	config.PartialsDirs[4].Templates = map[string]string{"b.handlebars": "\n{{#if}}"}
	shared["deep/item.handlebars"].Data = []byte("{{/x}}")
	err := handlebars.New(config).Check(fsys, "handlebars")
	for _, want := range []string{"partials/b.handlebars:2:", "partials/deep/item.handlebars:1:1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestReset(t *testing.T) {
	fsys := views("index", "1{{> p}}", "partials/p", "a")
	e := handlebars.New(handlebars.Config{})
	render := func() string {
		var out bytes.Buffer
		if err := e.Render(&out, app.View{FS: fsys, Name: "index.handlebars", Cache: true}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	render()
	fsys["partials/p.handlebars"].Data = []byte("b")
	fsys["layouts/main.handlebars"] = &fstest.MapFile{Data: []byte("<{{{body}}}>")}
	if got := render(); got != "1a" {
		t.Errorf("got %q", got)
	}
	if e.Reset(); render() != "<1b>" {
		t.Error("Reset has left something")
	}
}

// TestRequestContext: what a helper gets is the context of the request.
func TestRequestContext(t *testing.T) {
	type key struct{}
	e := handlebars.New(handlebars.Config{Helpers: handlebars.Helpers{
		"who": func(ctx context.Context) any { return ctx.Value(key{}) },
	}})
	var out bytes.Buffer
	err := e.Render(&out, app.View{Context: context.WithValue(t.Context(), key{}, "Ana"), FS: views("index", "{{who}}"), Name: "index.handlebars"})
	if err != nil || out.String() != "Ana" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestDecorators(t *testing.T) {
	config := handlebars.Config{
		Helpers: handlebars.Helpers{
			"run": func(o *handlebars.Options) any { return o.Property("run") },
			"fn":  func(o *handlebars.Options) string { return o.Fn() + o.Fn() },
		},
		Decorators: map[string]handlebars.Decorator{
			"set":  func(d *handlebars.Decoration) { d.Set("run", d.Params()[0]) },
			"body": func(d *handlebars.Decoration) { d.Set("run", d.Fn()+d.HashStr("k")) },
			"wrap": func(d *handlebars.Decoration) {
				with := d.Params()[0]
				d.Wrap(func(s string) string { return with.(string) + s + with.(string) })
			},
			"root": func(d *handlebars.Decoration) {
				d.Wrap(func(s string) string { return s + handlebars.Escape(d.Name()) })
			},
		},
	}
	for source, want := range map[string]string{
		`{{#run}}{{*set "a"}}{{/run}}`:                                        "a",
		`{{#run}}{{*set foo}}{{/run}}`:                                        "bar",
		`{{#with o}}{{#run}}{{*set x}}{{/run}}{{/with}}`:                      "1",
		`{{#run}}{{#*body k=1}}{{foo}}!{{/body}}{{/run}}`:                     "bar!1",
		`{{#fn}}{{*wrap "-"}}{{*wrap "+"}}{{foo}}{{/fn}}`:                     "+-bar-++-bar-+",
		`{{#each list}}{{*wrap "|"}}{{this}}{{/each}}`:                        "|a||b|",
		`{{*root}}{{#if foo}}{{*wrap foo}}x{{/if}}`:                           "barxbarroot",
		`{{#with o}}{{#*inline ../foo}}1{{/inline}}{{/with}}{{#run}}{{/run}}`: "",
		`{{#with o}}{{#*inline foo}}in{{x}}{{/inline}}{{> bar}}{{/with}}`:     "in1",
	} {
		got, err := renderString(config, source, map[string]any{"foo": "bar", "o": map[string]any{"x": 1}, "list": []string{"a", "b"}})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
}

func TestForTheBrowser(t *testing.T) {
	fsys := views("chat/line", "\n<li>{{text}}</li>\n", "chat/deep/note", "note", "index", "", "partials/nav/item", " item ")
	e := handlebars.New(handlebars.Config{
		Partials:     map[string]string{"memory": " m "},
		PartialsDirs: []handlebars.PartialsDir{{Dir: "partials"}, {Templates: map[string]string{"x.handlebars": " x "}, Namespace: "n"}},
	})
	got, err := e.Templates(fsys, "chat", "handlebars")
	if want := (map[string]string{"line": "<li>{{text}}</li>", "deep/note": "note"}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	got, err = e.Partials(fsys, ".handlebars")
	if want := (map[string]string{"nav/item": "item", "memory": " m ", "n/x": " x "}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	_, err = e.Templates(views("a", "{{"), ".", "handlebars")
	wantError(t, err, "views/a.handlebars:1:3: Expecting")
}
