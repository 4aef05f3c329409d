package handlebars

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A library is the templates in one directory of views. With cached, files are read and compiled once; without, they
// are read for every page, and compiled when they have changed.
type library struct {
	libraryKey
	engine *Engine
	fsys   fs.FS
	dir    string // for messages
	main   string // the file of the default layout

	templates sync.Map // file to *Template
	partials  sync.Map // name to *Template, of Config.Partials
	noMain    atomic.Bool
}

func newLibrary(e *Engine, key libraryKey, fsys fs.FS) *library {
	return &library{
		libraryKey: key, engine: e, fsys: fsys, dir: dirName(fsys), main: path.Join(e.config.LayoutsDir, "main"+key.ext),
	}
}

// path is what messages call a file.
func (l *library) path(file string) string { return path.Join(l.dir, file) }

// load reads and compiles a file. An error that is an fs.ErrNotExist means that there is none.
func (l *library) load(file string) (*Template, error) {
	kept, ok := l.templates.Load(file)
	if ok && l.cached {
		return kept.(*Template), nil
	}
	if l.fsys == nil {
		return nil, fs.ErrNotExist
	}
	source, err := fs.ReadFile(l.fsys, file)
	if err != nil {
		if errors.Is(err, fs.ErrInvalid) {
			err = fs.ErrNotExist // a name that leaves the directory
		}
		return nil, err
	}
	if ok && kept.(*Template).source == string(source) {
		return kept.(*Template), nil
	}
	t, err := l.compile(l.path(file), string(source))
	if err != nil {
		return nil, err
	}
	l.templates.Store(file, t)
	return t, nil
}

// load is library.load. A page sees one version of a file, however often it includes it.
func (r *renderer) load(file string) (*Template, error) {
	if r.library.cached {
		return r.library.load(file)
	}
	if t := r.seen[file]; t != nil {
		return t, nil
	}
	t, err := r.library.load(file)
	if err == nil {
		if r.seen == nil {
			r.seen = map[string]*Template{}
		}
		r.seen[file] = t
	}
	return t, err
}

// partialTemplate finds the partial with a name: one from memory, or a file.
func (r *renderer) partialTemplate(name string) (*Template, error) {
	l := r.library
	if source, ok := l.engine.config.Partials[name]; ok {
		if t, ok := l.partials.Load(name); ok {
			return t.(*Template), nil
		}
		t, err := l.compile(name, source)
		if err == nil {
			l.partials.Store(name, t)
		}
		return t, err
	}
	file, ok := within(l.engine.config.PartialsDir, name+l.ext)
	if !ok {
		return nil, fs.ErrNotExist
	}
	t, err := r.load(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	return t, l.wrap(file, err)
}

// mainLayout loads layouts/main, if there is one. With cached it looks once.
func (r *renderer) mainLayout() (*Template, error) {
	l := r.library
	if l.cached && l.noMain.Load() {
		return nil, nil
	}
	t, err := r.load(l.main)
	if errors.Is(err, fs.ErrNotExist) {
		l.noMain.Store(true)
		return nil, nil
	}
	return t, l.wrap(l.main, err)
}

// namedLayout loads a layout by its name.
func (r *renderer) namedLayout(name string) (*Template, error) {
	l := r.library
	file, ok := within(l.engine.config.LayoutsDir, name+l.ext)
	if !ok {
		return nil, l.missing("layout", name, l.engine.config.LayoutsDir, fs.ErrNotExist)
	}
	t, err := r.load(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, l.missing("layout", name, l.engine.config.LayoutsDir, err)
	}
	return t, l.wrap(file, err)
}

// within joins a directory and a name that must not leave it.
func within(dir, name string) (string, bool) {
	file := path.Join(dir, name)
	return file, fs.ValidPath(name) && fs.ValidPath(file)
}

// wrap gives the error of reading a file the name of the file.
func (l *library) wrap(file string, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return fileError(l.path(file), err)
}

// viewError is the error of loading a page.
func (l *library) viewError(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return l.missing("view", strings.TrimSuffix(file, path.Ext(file)), ".", err)
	}
	return l.wrap(file, err)
}

// missing is the error about a file that is not there: where it was looked for, and what is there with a like name.
func (l *library) missing(what, name, dir string, err error) error {
	message := fmt.Sprintf("%s %q not found in %s%s", what, name, l.path(dir), l.didYouMean(name, dir))
	return &Error{File: l.path(path.Join(dir, name+l.ext)), Message: message, err: err}
}

// missingPartial is the end of the message about a partial that is not there.
func (l *library) missingPartial(name string) string {
	dir := l.engine.config.PartialsDir
	if l.fsys == nil {
		return l.didYouMean(name, dir)
	}
	return fmt.Sprintf(" in %s%s", l.path(dir), l.didYouMean(name, dir))
}

func (l *library) didYouMean(name, dir string) string {
	names := l.names(dir)
	if dir == l.engine.config.PartialsDir {
		for n := range l.engine.config.Partials {
			names = append(names, n)
		}
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// names are the templates in a directory and below it, without their extension. Those of the views leave layouts and
// partials out.
func (l *library) names(dir string) []string {
	if l.fsys == nil {
		return nil
	}
	var names []string
	_ = fs.WalkDir(l.fsys, dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if entry.IsDir() {
			if file != dir && (file == l.engine.config.LayoutsDir || file == l.engine.config.PartialsDir) {
				return fs.SkipDir
			}
			return nil
		}
		if name, ok := strings.CutSuffix(file, l.ext); ok {
			names = append(names, strings.TrimPrefix(name, dir+"/"))
		}
		return nil
	})
	return names
}

// check compiles every file.
func (l *library) check() error {
	var errs []error
	err := fs.WalkDir(l.fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, l.ext) {
			return err
		}
		_, err = l.load(file)
		errs = append(errs, l.wrap(file, err))
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// nearest is the candidate that is most like name, "" if none is.
func nearest(name string, candidates []string) string {
	slices.Sort(candidates)
	best, distance := "", max(len(name)/3, 2)+1
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < distance && d < len(name) {
			best, distance = c, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of neighbours between two strings.
func editDistance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range len(a) {
		before, above, row := rows[0], rows[1], rows[2]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		rows = [3][]int{above, row, before}
	}
	return rows[1][len(b)]
}
