// Package generate adds a page, an event or a resource to an app: the files,
// their tests, and the line that makes them known.
//
// Start with [Request.Plan], which reads the app and writes nothing, and
// [Plan.Apply]. The line goes into the function that makes the app, the one that
// calls app.New and returns it. That file is read with go/parser, the line is
// put between two statements, and the result has to parse again; everything else
// in it stays as it is. Where there is no such place, Plan.Add has the line for
// the user.
package generate

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

const framework = "github.com/zocalo-go/zocalo"

//go:embed files
var sources embed.FS

// Kinds are what can be generated.
func Kinds() []string { return []string{"page", "event", "resource"} }

// A Request says what to add.
type Request struct {
	Dir   string // of the package that makes the app
	Kind  string // one of Kinds
	Name  string // see CheckName
	Force bool   // over files of the same name
}

// A Plan is what will be written.
type Plan struct {
	Files  []string // new ones, in Dir, slash-separated and sorted
	Edited string   // the file that gets the line, or empty
	Line   string   // the line
	Add    string   // why the line is for the user to add, or empty

	dir   string
	force bool
	texts map[string][]byte // of Files and Edited
}

// An ExistsError is the refusal to write over files.
type ExistsError struct{ Files []string }

func (e *ExistsError) Error() string {
	return "nothing was written; there is already:\n\t" + strings.Join(e.Files, "\n\t") + "\nwith --force they are written over"
}

// Plan reads the app and works out what to write.
func (r Request) Plan() (*Plan, error) {
	n, err := naming(r.Kind, r.Name)
	if err != nil {
		return nil, err
	}
	a, err := read(r.Dir)
	if err != nil {
		return nil, err
	}
	n.Package, n.Framework, n.Constructor, n.Mount = a.name, framework, a.constructor.Name.Name, a.mount
	plan := &Plan{dir: r.Dir, force: r.Force, texts: map[string][]byte{}}
	if err := plan.render(r.Kind, n, a.engine); err != nil {
		return nil, err
	}
	if !r.Force {
		if err := plan.vacant(); err != nil {
			return nil, err
		}
	}
	if err := plan.distinct(a); err != nil {
		return nil, err
	}
	at := a.routes
	switch r.Kind {
	case "page":
		plan.Line = fmt.Sprintf("%s.Get(%q, %s)", a.variable, n.Path, n.Func)
	case "resource":
		plan.Line = fmt.Sprintf("%s.Group(%q, new(%s).routes)", a.variable, n.Path, n.Store)
	case "event":
		at = a.connection
		plan.Line = fmt.Sprintf("%s.On(\"connection\", %s)", at.variable("sockets"), n.Func)
	}
	plan.edit(a, at)
	return plan, nil
}

// render makes the files.
func (p *Plan) render(kind string, n names, engine bool) error {
	files := map[string]string{}
	stem := n.File + "_" + kind
	switch {
	case kind == "page" && engine:
		files["page.go"] = stem + ".go"
		files["page.handlebars"] = "views/" + n.View + ".handlebars"
	case kind == "page":
		files["plainpage.go"] = stem + ".go"
		files["plainpage.html"] = stem + ".html"
	default:
		files[kind+".go"] = stem + ".go"
	}
	files[kind+"_test.go"] = stem + "_test.go"
	for source, name := range files {
		t, err := template.ParseFS(sources, "files/"+source+".tmpl")
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := t.Execute(&text, n); err != nil {
			return err
		}
		p.texts[name] = text.Bytes()
		if strings.HasSuffix(name, ".go") {
			if p.texts[name], err = format.Source(text.Bytes()); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		p.Files = append(p.Files, name)
	}
	slices.Sort(p.Files)
	return nil
}

// vacant refuses to write over what is there.
func (p *Plan) vacant() error {
	var exists ExistsError
	for _, name := range p.Files {
		switch _, err := os.Lstat(filepath.Join(p.dir, filepath.FromSlash(name))); {
		case err == nil:
			exists.Files = append(exists.Files, name)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if len(exists.Files) > 0 {
		return &exists
	}
	return nil
}

// distinct refuses what the package declares elsewhere.
func (p *Plan) distinct(a *source) error {
	for _, name := range p.Files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, p.texts[name], parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declared := range declarations(f) {
			for file, other := range a.declared {
				if slices.Contains(other, declared) && !slices.Contains(p.Files, file) {
					return fmt.Errorf("%s would declare %s, which %s does already: choose another name", name, declared, file)
				}
			}
		}
	}
	return nil
}

// edit puts the line where it belongs, or says why not.
func (p *Plan) edit(a *source, at *place) {
	if at == nil {
		p.Add = "no place for it was found"
		return
	}
	if slices.ContainsFunc(slices.Collect(bytes.Lines(a.texts[at.file])), func(line []byte) bool {
		return string(bytes.TrimSpace(line)) == p.Line
	}) {
		return // written before, and now the files are written again
	}
	text, err := insert(a.texts[at.file], at.offset, p.Line)
	if err != nil {
		p.Add = fmt.Sprintf("%s could not be edited: %v", at.file, err)
		return
	}
	p.Edited = at.file
	p.texts[at.file] = text
}

// Apply writes the files and then the line. When that fails, the new files are
// removed again, and no file is half written.
func (p *Plan) Apply() (err error) {
	var made []string
	defer func() {
		if err != nil {
			for _, file := range made {
				os.Remove(file)
			}
		}
	}()
	names := slices.Clone(p.Files)
	if p.Edited != "" {
		names = append(names, p.Edited)
	}
	for _, name := range names {
		file := filepath.Join(p.dir, filepath.FromSlash(name))
		_, statErr := os.Lstat(file)
		fresh := errors.Is(statErr, fs.ErrNotExist)
		if !fresh && !p.force && name != p.Edited {
			return &ExistsError{Files: []string{name}} // since Plan
		}
		if err := replace(file, p.texts[name]); err != nil {
			return err
		}
		if fresh {
			made = append(made, file)
		}
	}
	return nil
}

// replace writes a file beside its place and moves it there. What a symbolic
// link names is written where it is, and a file keeps its mode.
func replace(file string, text []byte) error {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Chmod(mode), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}
