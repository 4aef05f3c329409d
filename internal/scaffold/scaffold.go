// Package scaffold writes a new app, from the very files that this module
// itself runs as its demo: one source, no drift.
//
// Start with [Find], which says where the framework is, and [App.Write], which
// writes everything or nothing.
//
// The app gets the files of templates/chat at its root and the directories
// views and public as they are. In Go files the import paths of views and
// public become the app's; in the other files of templates/chat {{name}} and
// {{module}} are replaced. A template called "gitignore" or "env.example" gets
// the dot that go:embed would not have seen. go.mod and go.sum are derived
// from the framework's own (see modules.go), so nothing is resolved, downloaded
// or asked for.
package scaffold

import (
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
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
	Framework Framework
}

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

// CheckName refuses names that are not a letter followed by letters, digits,
// '-', '_' and '.', and names that the go command keeps for itself.
func CheckName(name string) error {
	if !namePattern.MatchString(name) || strings.HasSuffix(name, ".") {
		return fmt.Errorf("%q cannot be the name of an app: a name is a letter, then letters, digits, '-', '_' or '.'", name)
	}
	if slices.Contains([]string{"all", "cmd", "std", "main", "internal", "vendor", "testdata"}, name) {
		return fmt.Errorf("%q cannot be the name of an app: it means something else to the go command", name)
	}
	return nil
}

// CheckModule refuses what cannot be a module path.
func CheckModule(module string) error {
	for element := range strings.SplitSeq(module, "/") {
		if !elementPattern.MatchString(element) || strings.HasSuffix(element, ".") {
			return fmt.Errorf("%q cannot be a module path: it is names of letters, digits and -._~, joined by slashes, like example.com/plaza", module)
		}
	}
	if first, _, _ := strings.Cut(module, "/"); CheckName(first) != nil {
		return fmt.Errorf("%q cannot be a module path: %w", module, CheckName(first))
	}
	return nil
}

var (
	namePattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)
	elementPattern = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`)
)

// Write writes the app and returns the names of its files, sorted. It builds
// the app beside its place and moves it there in one step, so when it fails, or
// ctx ends, nothing is left.
func (a App) Write(ctx context.Context) ([]string, error) {
	if a.Module == "" {
		a.Module = a.Name
	}
	if a.Dir == "" {
		a.Dir = a.Name
	}
	if err := errors.Join(CheckName(a.Name), CheckModule(a.Module), a.vacant()); err != nil {
		return nil, err
	}
	chat, err := fs.Sub(templates.FS, "chat")
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	files, err := a.files(chat, map[string]fs.FS{"views": views.FS, "public": public.FS})
	if err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	if err := a.place(ctx, files); err != nil {
		return nil, fmt.Errorf("scaffold: %w", err)
	}
	return slices.Sorted(maps.Keys(files)), nil
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
func (a App) files(chat fs.FS, dirs map[string]fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := walk(chat, func(name string, text []byte) error {
		if path.Ext(name) != ".go" {
			name = dotted(name)
			text = []byte(strings.NewReplacer("{{name}}", a.Name, "{{module}}", a.Module).Replace(string(text)))
		}
		return a.add(files, name, text)
	})
	if err != nil {
		return nil, err
	}
	for dir, embedded := range dirs {
		err := walk(embedded, func(name string, text []byte) error {
			return a.add(files, path.Join(dir, name), text)
		})
		if err != nil {
			return nil, err
		}
		// The Go file that embeds a directory is not embedded in it: public
		// would offer it for download. The framework's directory has it.
		name := path.Join(dir, dir+".go")
		text, err := os.ReadFile(filepath.Join(a.Framework.Dir, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		if err := a.add(files, name, text); err != nil {
			return nil, err
		}
	}
	files["go.mod"], files["go.sum"], err = a.modules()
	return files, err
}

// add files a text under name; Go gets the app's import paths and is formatted
// again, because they sort differently.
func (a App) add(files map[string][]byte, name string, text []byte) error {
	if path.Ext(name) == ".go" {
		source := string(text)
		for _, dir := range []string{"views", "public"} {
			source = strings.ReplaceAll(source, `"`+framework+"/"+dir+`"`, `"`+a.Module+"/"+dir+`"`)
		}
		var err error
		if text, err = format.Source([]byte(source)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	files[name] = text
	return nil
}

// place writes the files beside the app's directory and moves them there.
func (a App) place(ctx context.Context, files map[string][]byte) error {
	dir, err := filepath.Abs(a.Dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := filepath.Join(temp, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(temp, dir)
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
