package handlebars

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// A library is the templates of a directory of views. With cached, files are read and compiled once; without, they
// are read for every page, and compiled when they have changed.
type library struct {
	libraryKey
	engine  *Engine
	views   *root
	folders []*folder // of partials, those that win last
	main    string    // the file of the default layout

	memory shelf // the partials of Config.Partials, by name
	given  shelf // those of RenderOptions
	named  shelf // with cached: partials from files by name
	noMain atomic.Bool
}

// A libraryKey tells directories of views apart.
type libraryKey struct {
	fsys   fs.FS   // if it is comparable
	table  uintptr // of a file system that is a map
	ext    string
	cached bool
}

func newLibrary(e *Engine, key libraryKey, fsys fs.FS) *library {
	l := &library{
		libraryKey: key, engine: e, views: &root{fsys: fsys, dir: dirName(fsys)},
		main: path.Join(e.config.LayoutsDir, "main"+key.ext),
	}
	for _, dir := range e.config.PartialsDirs {
		l.folders = append(l.folders, newFolder(l, dir))
	}
	return l
}

// A root is a tree of files. Its fsys is nil for templates that are in memory.
type root struct {
	fsys      fs.FS
	dir       string // for messages
	templates shelf  // by file
}

// path is what messages call a file.
func (d *root) path(file string) string { return path.Join(d.dir, file) }

// dirName is what messages call a directory of views: the name of one on disk, "views" for others.
func dirName(fsys fs.FS) string {
	if rv := reflect.ValueOf(fsys); rv.Kind() == reflect.String {
		return path.Clean(rv.String())
	}
	return "views"
}

// A shelf is a map of templates that is read without a lock, and copied when one is added.
type shelf struct {
	mu        sync.Mutex
	templates atomic.Pointer[map[string]*Template]
}

func (s *shelf) load(name string) *Template {
	if m := s.templates.Load(); m != nil {
		return (*m)[name]
	}
	return nil
}

func (s *shelf) store(name string, t *Template) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := map[string]*Template{}
	if old := s.templates.Load(); old != nil {
		m = maps.Clone(*old)
	}
	m[name] = t
	s.templates.Store(&m)
}

// compile returns the template of a source, which is the one on the shelf if the source is that one's.
func (s *shelf) compile(l *library, name, file, source string) (*Template, error) {
	if t := s.load(name); t != nil && t.source == source {
		return t, nil
	}
	t, err := l.compile(file, source)
	if err == nil {
		s.store(name, t)
	}
	return t, err
}

// load reads and compiles a file. As express-handlebars does, it takes the white space around it off. An error that is
// an fs.ErrNotExist means that there is none.
func (l *library) load(d *root, file string) (*Template, error) {
	kept := d.templates.load(file)
	if kept != nil && l.cached {
		return kept, nil
	}
	if d.fsys == nil {
		return nil, fs.ErrNotExist
	}
	source, err := fs.ReadFile(d.fsys, file)
	if err != nil {
		if errors.Is(err, fs.ErrInvalid) {
			err = fs.ErrNotExist // a name that leaves the directory
		}
		return nil, err
	}
	if kept != nil && kept.source == string(source) {
		return kept, nil
	}
	t, err := l.compileFile(d.path(file), string(source))
	if err != nil {
		return nil, err
	}
	d.templates.store(file, t)
	return t, nil
}

func (l *library) compileFile(file, source string) (*Template, error) {
	left := syntax.TrimLeft(source)
	return l.compileAt(file, source, len(source)-len(left), syntax.TrimRight(left))
}

// A place is a file of a root.
type place struct {
	root *root
	file string
}

// load is library.load. A page sees one version of a file, however often it includes it.
func (r *renderer) load(d *root, file string) (*Template, error) {
	if r.library.cached {
		return r.library.load(d, file)
	}
	if t := r.seen[place{d, file}]; t != nil {
		return t, nil
	}
	t, err := r.library.load(d, file)
	if err == nil {
		if r.seen == nil {
			r.seen = map[place]*Template{}
		}
		r.seen[place{d, file}] = t
	}
	return t, err
}

// mainLayout loads layouts/main, if there is one. With cached it looks once.
func (r *renderer) mainLayout() (*Template, error) {
	l := r.library
	if l.cached && l.noMain.Load() {
		return nil, nil
	}
	t, err := r.load(l.views, l.main)
	if errors.Is(err, fs.ErrNotExist) {
		l.noMain.Store(true)
		return nil, nil
	}
	return t, l.views.wrap(l.main, err)
}

// namedLayout loads a layout by its name, which may have an extension.
func (r *renderer) namedLayout(name string) (*Template, error) {
	l := r.library
	full := name
	if path.Ext(name) == "" {
		full += l.ext
	}
	file, ok := within(l.engine.config.LayoutsDir, full)
	if !ok {
		return nil, l.missing("layout", name, l.engine.config.LayoutsDir, fs.ErrNotExist)
	}
	t, err := r.load(l.views, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, l.missing("layout", name, l.engine.config.LayoutsDir, err)
	}
	return t, l.views.wrap(file, err)
}

// within joins a directory and a name that must not leave it.
func within(dir, name string) (string, bool) {
	file := path.Join(dir, name)
	return file, fs.ValidPath(name) && fs.ValidPath(file)
}

// wrap gives the error of reading a file the name of the file.
func (d *root) wrap(file string, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return fileError(d.path(file), err)
}

// viewError is the error of loading a page.
func (l *library) viewError(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return l.missing("view", strings.TrimSuffix(file, path.Ext(file)), ".", err)
	}
	return l.views.wrap(file, err)
}

// missing is the error about a file that is not there: where it was looked for, and what is there with a like name.
func (l *library) missing(what, name, dir string, err error) error {
	message := fmt.Sprintf("%s %q not found in %s%s", what, name, l.views.path(dir), didYouMean(name, l.names(dir)))
	return &Error{File: l.views.path(path.Join(dir, name+l.ext)), Message: message, err: err}
}

// names are the templates in a directory of the views and below it, without their extension. Those of the views leave
// layouts and partials out.
func (l *library) names(dir string) []string {
	var names []string
	for _, file := range l.views.files(dir, l.ext) {
		full := path.Join(dir, file)
		if dir == "." && (strings.HasPrefix(full, l.engine.config.LayoutsDir+"/") || strings.HasPrefix(full, l.engine.config.PartialsDir+"/")) {
			continue
		}
		names = append(names, strings.TrimSuffix(file, l.ext))
	}
	return names
}

// files are those with an extension in a directory and below it, named from there. What cannot be read is left out.
func (d *root) files(dir, ext string) []string {
	if d.fsys == nil {
		return nil
	}
	var files []string
	_ = fs.WalkDir(d.fsys, dir, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(file, ext) {
			if dir != "." {
				file = strings.TrimPrefix(file, dir+"/")
			}
			files = append(files, file)
		}
		return nil
	})
	return files
}

// check compiles every file of the views and every partial.
func (l *library) check() error {
	var errs []error
	err := fs.WalkDir(l.views.fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, l.ext) {
			return err
		}
		t, err := l.load(l.views, file)
		errs = append(errs, l.views.wrap(file, err), t.mistakes())
		return nil
	})
	errs = append(errs, err)
	for _, f := range l.folders {
		errs = append(errs, f.check(l))
	}
	for name, source := range l.engine.config.Partials {
		t, err := l.memory.compile(l, name, name, source)
		errs = append(errs, err, t.mistakes())
	}
	return errors.Join(errs...)
}

// mistakes are the calls in a template that can only fail, joined, or nil.
func (t *Template) mistakes() error {
	if t == nil {
		return nil
	}
	errs := make([]error, len(t.broken))
	for i, e := range t.broken {
		errs[i] = e
	}
	return errors.Join(errs...)
}
