package handlebars

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// A folder is where partials are looked for: a directory, or sources in memory.
type folder struct {
	PartialsDir
	root  *root
	index func() map[string]string // with Rename or Templates: the files by the names of the partials
}

// newFolder makes the folder of a PartialsDir for a directory of views.
func newFolder(l *library, dir PartialsDir) *folder {
	f := &folder{PartialsDir: dir, root: l.views}
	switch {
	case dir.Templates != nil:
		f.root = &root{dir: firstOf(dir.Dir, "partials")}
	case dir.FS != nil:
		f.root = &root{fsys: dir.FS, dir: dirName(dir.FS)}
		if f.root.dir == "views" {
			f.root.dir = "partials"
		}
		f.Dir = firstOf(dir.Dir, ".")
	default:
		f.Dir = firstOf(dir.Dir, "partials")
	}
	if dir.Templates == nil && dir.Rename == nil {
		return f
	}
	f.index = func() map[string]string {
		index := map[string]string{}
		for _, file := range f.files(l.ext) {
			index[f.name(file, l.ext)] = file
		}
		return index
	}
	if l.cached || dir.Templates != nil {
		f.index = sync.OnceValue(f.index)
	}
	return f
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// files are the names of its files, in an order that is always the same.
func (f *folder) files(ext string) []string {
	if f.Templates != nil {
		return slices.Sorted(maps.Keys(f.Templates))
	}
	return f.root.files(f.Dir, ext)
}

// name is what a file is called as a partial.
func (f *folder) name(file, ext string) string {
	if f.Rename != nil {
		return f.Rename(file, f.Namespace)
	}
	name := strings.TrimSuffix(file, ext)
	if f.Namespace != "" {
		name = f.Namespace + "/" + name
	}
	return name
}

// label is what messages call the folder.
func (f *folder) label() string {
	if f.Templates != nil {
		return "memory"
	}
	return f.root.path(f.Dir)
}

// load finds the partial with a name, or fails with fs.ErrNotExist.
func (f *folder) load(r *renderer, name string) (*Template, error) {
	var file string
	if f.index != nil {
		var ok bool
		if file, ok = r.index(f)[name]; !ok {
			return nil, fs.ErrNotExist
		}
	} else {
		if f.Namespace != "" {
			rest, ok := strings.CutPrefix(name, f.Namespace+"/")
			if !ok {
				return nil, fs.ErrNotExist
			}
			name = rest
		}
		file = name + r.library.ext
	}
	if f.Templates != nil {
		return f.root.templates.compile(r.library, file, f.root.path(file), f.Templates[file])
	}
	full, ok := within(f.Dir, file)
	if !ok {
		return nil, fs.ErrNotExist
	}
	t, err := r.load(f.root, full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	return t, f.root.wrap(full, err)
}

// template compiles one of its files.
func (f *folder) template(l *library, file string) (*Template, error) {
	if f.Templates != nil {
		return f.root.templates.compile(l, file, f.root.path(file), f.Templates[file])
	}
	full := path.Join(f.Dir, file)
	t, err := l.load(f.root, full)
	return t, f.root.wrap(full, err)
}

// check compiles every partial in it, but for those of the views, which are checked with them.
func (f *folder) check(l *library) error {
	if f.root == l.views {
		return nil
	}
	var errs []error
	for _, file := range f.files(l.ext) {
		t, err := f.template(l, file)
		errs = append(errs, err, t.mistakes())
	}
	return errors.Join(errs...)
}

// index is folder.index; a page sees one state of a directory.
func (r *renderer) index(f *folder) map[string]string {
	if r.library.cached {
		return f.index()
	}
	index, ok := r.indexes[f]
	if !ok {
		if r.indexes == nil {
			r.indexes = map[*folder]map[string]string{}
		}
		index = f.index()
		r.indexes[f] = index
	}
	return index
}

// partialTemplate finds the partial with a name: one from memory, or a file.
func (r *renderer) partialTemplate(name string) (*Template, error) {
	l := r.library
	if source, ok := l.engine.config.Partials[name]; ok {
		return l.memory.compile(l, name, name, source)
	}
	if t := l.named.load(name); t != nil {
		return t, nil
	}
	for _, f := range slices.Backward(l.folders) {
		t, err := f.load(r, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && l.cached {
			l.named.store(name, t)
		}
		return t, err
	}
	return nil, fs.ErrNotExist
}

// missingPartial is the end of the message about a partial that is not there: where it was looked for, and the name
// most like it.
func (r *renderer) missingPartial(name string) string {
	l := r.library
	names := slices.Collect(maps.Keys(l.engine.config.Partials))
	names = slices.AppendSeq(names, maps.Keys(r.options.Partials))
	for def := r.home.inlines; def != nil; def = def.parent {
		names = append(names, def.names...)
	}
	var places []string
	for _, f := range l.folders {
		if f.root.fsys == nil && f.Templates == nil {
			continue
		}
		places = append(places, f.label())
		for _, file := range f.files(l.ext) {
			names = append(names, f.name(file, l.ext))
		}
	}
	where := ""
	if len(places) > 0 {
		where = " in " + strings.Join(places, ", ")
	}
	return where + didYouMean(name, names)
}

func didYouMean(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
