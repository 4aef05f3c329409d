package views

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
	"github.com/zocalo-go/zocalo/internal/need"
)

// A site is a directory of views and what is rendered of it.
type site struct {
	Name   string `json:"-"`
	Dir    string `json:"dir"`
	Config struct {
		Views           []string       `json:"views,omitempty"`
		Extname         string         `json:"extname,omitempty"`
		LayoutsDir      string         `json:"layoutsDir,omitempty"`
		DefaultLayout   *string        `json:"defaultLayout,omitempty"` // empty: none
		PartialsDirs    []partialsDir  `json:"partialsDirs,omitempty"`
		CompilerOptions map[string]any `json:"compilerOptions,omitempty"`
		Locals          app.Map        `json:"locals,omitempty"`
		AppHelpers      bool           `json:"appHelpers,omitempty"`
		Cache           bool           `json:"cache,omitempty"`
		CRLF            bool           `json:"crlf,omitempty"` // of the files
		BOM             bool           `json:"bom,omitempty"`
	} `json:"config"`
	Pages []struct {
		View      string            `json:"view"`
		Data      app.Map           `json:"data,omitempty"`
		Layout    *string           `json:"layout,omitempty"` // empty: none
		Helpers   string            `json:"helpers,omitempty"`
		Partials  map[string]string `json:"partials,omitempty"`
		Variables app.Map           `json:"variables,omitempty"`
	} `json:"pages"`
}

type partialsDir struct {
	Dir       string            `json:"dir,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	Rename    bool              `json:"rename,omitempty"`
	Templates map[string]string `json:"templates,omitempty"`
}

// A page is what one of the two made of a view.
type page struct{ Text, Error string }

func TestSameAsExpressHandlebars(t *testing.T) {
	sites := sites(t)
	if len(sites) < 20 {
		t.Fatalf("%d directories of views", len(sites))
	}
	want := theirs(t, sites)
	count := 0
	for i, s := range sites {
		t.Run(s.Name, func(t *testing.T) {
			server := s.server(t)
			for n, p := range s.Pages {
				got := s.render(server, n)
				theirs := want[i][n]
				count++
				if (got.Error == "") != (theirs.Error == "") || got.Text != theirs.Text {
					t.Errorf("%s\n got %q %s\nwant %q %s", p.View, got.Text, got.Error, theirs.Text, theirs.Error)
				}
			}
		})
	}
	t.Logf("%d pages of %d directories", count, len(sites))
}

// sites writes every directory of views to disk.
func sites(t *testing.T) []*site {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*site
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := &site{Name: strings.TrimSuffix(filepath.Base(file), ".txtar"), Dir: t.TempDir()}
		i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "site.json" })
		if i < 0 {
			t.Fatalf("%s: no site.json", file)
		}
		if err := json.Unmarshal(archive.Files[i].Data, s); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, f := range slices.Delete(archive.Files, i, i+1) {
			if s.Config.CRLF {
				f.Data = bytes.ReplaceAll(f.Data, []byte("\n"), []byte("\r\n"))
			}
			if s.Config.BOM {
				f.Data = append([]byte("\ufeff"), f.Data...)
			}
			name := filepath.Join(s.Dir, filepath.FromSlash(f.Name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, f.Data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, s)
	}
	return all
}

// theirs is what express-handlebars makes of the pages of the sites.
func theirs(t *testing.T, sites []*site) (pages [][]page) {
	need.Modules(t, "node")
	in, err := json.Marshal(sites)
	if err != nil {
		t.Fatal(err)
	}
	// An empty layout is none: in JavaScript that is false.
	in = bytes.ReplaceAll(in, []byte(`ayout":""`), []byte(`ayout":false`))
	node := exec.CommandContext(t.Context(), "node", "render.mjs")
	node.Dir = "node"
	node.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	node.Stderr = &stderr
	out, err := node.Output()
	if err == nil {
		err = json.Unmarshal(out, &pages)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	return pages
}

// server is the application that has the site's views.
func (s *site) server(t *testing.T) *app.App {
	c := s.Config
	config := handlebars.Config{Extname: c.Extname, LayoutsDir: c.LayoutsDir, Helpers: helpers()}
	if c.DefaultLayout != nil {
		config.DefaultLayout = orNone(*c.DefaultLayout)
	}
	for _, d := range c.PartialsDirs {
		from := handlebars.PartialsDir{Dir: d.Dir, Namespace: d.Namespace, Templates: d.Templates}
		if d.Rename {
			from.Rename = rename
		}
		config.PartialsDirs = append(config.PartialsDirs, from)
	}
	for name, value := range c.CompilerOptions {
		switch name {
		case "noEscape":
			config.NoEscape = value.(bool)
		case "preventIndent":
			config.PreventIndent = value.(bool)
		case "explicitPartialContext":
			config.ExplicitPartialContext = value.(bool)
		case "strict":
			config.Strict = value.(bool)
		case "compat":
			config.Compat = value.(bool)
		default:
			t.Fatalf("option %s", name)
		}
	}
	extension := "handlebars"
	if c.Extname != "" {
		extension = strings.TrimPrefix(c.Extname, ".")
	}
	views := []string{s.Dir}
	if c.Views != nil {
		views = nil
		for _, dir := range c.Views {
			views = append(views, filepath.Join(s.Dir, dir))
		}
	}
	server := app.New().Engine(extension, handlebars.New(config)).Set("view engine", extension)
	server.Set("views", views).Set("view cache", c.Cache)
	for name, v := range c.Locals {
		server.Locals[name] = v
	}
	if c.AppHelpers {
		server.Locals["handlebars"] = handlebars.RenderOptions{Helpers: helpersOf("app")}
	}
	return server
}

func orNone(layout string) string {
	if layout == "" {
		return handlebars.NoLayout
	}
	return layout
}

func (s *site) render(server *app.App, n int) page {
	p := s.Pages[n]
	options := handlebars.RenderOptions{Helpers: helpersOf(p.Helpers), Partials: p.Partials, Data: p.Variables}
	if p.Layout != nil {
		options.Layout = orNone(*p.Layout)
	}
	text, err := server.Render(p.View, p.Data, options)
	if err != nil {
		return page{Error: err.Error()}
	}
	return page{Text: text}
}

func rename(file, namespace string) string {
	name := strings.TrimSuffix(path.Base(file), path.Ext(file))
	if namespace != "" {
		name = namespace + ":" + name
	}
	return name
}

// helpers are those of the engine in node/render.mjs.
func helpers() handlebars.Helpers {
	return handlebars.Helpers{
		"upper": strings.ToUpper,
		"wrap": func(tag string, o *handlebars.Options) handlebars.SafeString {
			return handlebars.SafeString("<" + tag + ">" + o.FnWith(o.Data("root")) + "</" + tag + ">")
		},
		"eq": func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) },
		"joined": func(items []any, o *handlebars.Options) string {
			if len(items) == 0 {
				return o.Inverse()
			}
			var parts []string
			for i, item := range items {
				parts = append(parts, o.FnData(item, app.Map{"number": i + 1}, item, i))
			}
			return strings.Join(parts, o.HashStr("separator"))
		},
		"level": func() string { return "engine" },
		"attributes": func(o *handlebars.Options) string {
			var parts []string
			for name := range o.Hash() {
				parts = append(parts, name+":"+o.HashStr(name))
			}
			slices.Sort(parts)
			return strings.Join(parts, " ")
		},
	}
}

// helpersOf are those of an application and of a page.
func helpersOf(level string) handlebars.Helpers {
	switch level {
	case "app":
		return handlebars.Helpers{"level": func() string { return "app" }}
	case "page":
		return handlebars.Helpers{
			"level": func() string { return "page" },
			"upper": func(text string) string { return "(" + text + ")" },
		}
	}
	return nil
}
