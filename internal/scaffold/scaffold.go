// Package scaffold writes a new app, from the very files that this module
// itself runs as its demo: one source, no drift.
//
// Start with [Find], which says where the framework is, and [App.Write], which
// writes everything or nothing.
//
// The app gets the files of templates/common and of its template at its root,
// and chat also the directories views and public as they are, which its main.go
// embeds instead of importing the framework's packages of these names. In files
// at the root that are not Go {{name}}, {{module}}, {{port}} and {{go}} are replaced. A template called
// "gitignore", "dockerignore" or "env.example" gets the dot that go:embed would
// not have seen. go.mod and go.sum are derived from the framework's own (see
// modules.go), so nothing is resolved, downloaded or asked for.
package scaffold

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/zocalo-go/zocalo/public"
	"github.com/zocalo-go/zocalo/templates"
	"github.com/zocalo-go/zocalo/views"
)

// An App is what is to be written.
type App struct {
	Name      string // of the app; see CheckName
	Module    string // the module path; default Name
	Dir       string // where; must not exist or be empty; default Name
	Template  string // one of Templates; default the first
	Adapter   string // one of Adapters; default the first
	Port      int    // where it listens; 0 is 8080, and anything else is written into .env
	Force     bool   // write into a directory with files in it, over those of the same name
	Git       bool   // make it a repository, unless it lies in one or there is no git
	Framework Framework
}

// Templates are the names of what an app can start from.
func Templates() []string { return []string{"chat", "minimal", "api"} }

// Adapters are what can join several processes of an app into one.
func Adapters() []string { return []string{"none", "nats", "postgres", "redis"} }

// An ExistsError is the refusal to write into a directory with files in it.
type ExistsError struct {
	Dir     string
	Entries []string // what is in it, sorted; directories end in a slash
}

// Error lists what is in the way.
func (e *ExistsError) Error() string {
	const most = 10
	shown := e.Entries
	if len(shown) > most {
		shown = append(slices.Clone(shown[:most]), fmt.Sprintf("and %d more", len(shown)-most))
	}
	return fmt.Sprintf("%s is not empty, nothing was written; in the way:\n\t%s", e.Dir, strings.Join(shown, "\n\t"))
}

// CheckTemplate refuses what is none of Templates.
func CheckTemplate(name string) error {
	if !slices.Contains(Templates(), name) {
		return fmt.Errorf("there is no template %q; there are %s", name, strings.Join(Templates(), ", "))
	}
	return nil
}

// CheckAdapter refuses what is none of Adapters.
func CheckAdapter(name string) error {
	if !slices.Contains(Adapters(), name) {
		return fmt.Errorf("there is no adapter %q; there are %s", name, strings.Join(Adapters(), ", "))
	}
	return nil
}

// Write writes the app and returns the names of its files, sorted. It builds
// the app beside its place and moves it there in one step, so when it fails, or
// ctx ends, nothing is left. With Force and files in the directory it moves
// them one by one, after the last thing that can be wrong with them.
func (a App) Write(ctx context.Context) ([]string, error) {
	a = a.withDefaults()
	files, err := a.contents()
	if err != nil {
		return nil, err
	}
	place := a.place
	if a.vacant() != nil {
		place = a.overwrite
	}
	if err := place(ctx, files); err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	return slices.Sorted(maps.Keys(files)), nil
}

// Plan returns what Write would return, and writes nothing.
func (a App) Plan() ([]string, error) {
	files, err := a.withDefaults().contents()
	return slices.Sorted(maps.Keys(files)), err
}

func (a App) withDefaults() App {
	a.Module = cmp.Or(a.Module, a.Name)
	a.Dir = cmp.Or(a.Dir, a.Name)
	a.Template = cmp.Or(a.Template, Templates()[0])
	a.Adapter = cmp.Or(a.Adapter, Adapters()[0])
	return a
}

// contents are the files of the app, once everything about it is well.
func (a App) contents() (map[string][]byte, error) {
	if err := errors.Join(CheckName(a.Name), CheckModule(a.Module), CheckTemplate(a.Template), CheckAdapter(a.Adapter)); err != nil {
		return nil, err
	}
	if err := a.vacant(); err != nil && !(a.Force && errors.As(err, new(*ExistsError))) {
		return nil, err
	}
	var sources []fs.FS
	for _, dir := range []string{"common", a.Template} {
		source, err := fs.Sub(templates.FS, dir)
		if err != nil {
			return nil, fmt.Errorf("scaffold: %w", err)
		}
		sources = append(sources, source)
	}
	var dirs map[string]fs.FS
	if a.Template == "chat" {
		dirs = map[string]fs.FS{"views": views.FS, "public": public.FS}
	}
	files, err := a.files(sources, dirs)
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	return files, nil
}

// vacant returns an ExistsError unless the directory is free.
func (a App) vacant() error {
	entries, err := os.ReadDir(a.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("scaffold: %w", err)
	case len(entries) == 0:
		return nil
	}
	exists := &ExistsError{Dir: a.Dir}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		exists.Entries = append(exists.Entries, name)
	}
	return exists
}

// files are the contents of the app by slash-separated name.
func (a App) files(sources []fs.FS, dirs map[string]fs.FS) (map[string][]byte, error) {
	ours, err := a.Framework.mod()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	fill := strings.NewReplacer("{{name}}", a.Name, "{{module}}", a.Module,
		"{{port}}", strconv.Itoa(cmp.Or(a.Port, 8080)), "{{go}}", ours.language())
	for _, source := range sources {
		err := walk(source, func(name string, text []byte) error {
			if path.Ext(name) != ".go" && path.Dir(name) == "." {
				name = dotted(name)
				text = []byte(fill.Replace(string(text)))
			}
			return a.add(files, name, text)
		})
		if err != nil {
			return nil, err
		}
	}
	if err := a.join(files, fill); err != nil {
		return nil, err
	}
	if a.Port != 0 {
		files[".env"] = fmt.Appendf(nil, "PORT=%d\n", a.Port)
	}
	for dir, embedded := range dirs {
		err := walk(embedded, func(name string, text []byte) error {
			return a.add(files, path.Join(dir, name), text)
		})
		if err != nil {
			return nil, err
		}
	}
	if len(dirs) > 0 {
		if err := embedHere(files, slices.Sorted(maps.Keys(dirs))); err != nil {
			return nil, err
		}
	}
	files["go.mod"], files["go.sum"], err = a.modules(ours)
	return files, err
}

// join adds what the adapter needs: cluster.go, a compose file, variables in
// .env.example, and the option where the server of sockets is made.
func (a App) join(files map[string][]byte, fill *strings.Replacer) error {
	if a.Adapter == "" || a.Adapter == Adapters()[0] {
		return nil
	}
	source, err := fs.Sub(templates.FS, "adapters/"+a.Adapter)
	if err != nil {
		return err
	}
	const server = "realtime.NewServer(realtime.Config{"
	before, options, found := strings.Cut(string(files["main.go"]), server)
	if !found || strings.Contains(options, server) {
		return fmt.Errorf("the template %s should have %q once in main.go", a.Template, server)
	}
	if !strings.HasPrefix(options, "}") {
		options = ", " + options
	}
	files["main.go"] = []byte(before + server + "Adapter: cluster()" + options)
	return walk(source, func(name string, text []byte) error {
		switch name {
		case "cluster.go.txt":
			return a.add(files, "cluster.go", text)
		case "env.example":
			files[".env.example"] = append(slices.Clone(files[".env.example"]), text...)
			return nil
		}
		return a.add(files, name, []byte(fill.Replace(string(text))))
	})
}

// add files a text under name; Go is formatted.
func (a App) add(files map[string][]byte, name string, text []byte) error {
	if path.Ext(name) == ".go" {
		var err error
		if text, err = format.Source(text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	files[name] = text
	return nil
}

// walk calls do with every file of fsys.
func walk(fsys fs.FS, do func(name string, text []byte) error) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		return do(name, text)
	})
}

// dotted restores the names that begin with a dot.
func dotted(name string) string {
	dir, base := path.Split(name)
	if slices.Contains([]string{"gitignore", "dockerignore", "env", "env.example"}, base) {
		base = "." + base
	}
	return dir + base
}
