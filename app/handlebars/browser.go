package handlebars

import (
	"io/fs"
	"maps"
	"path"
	"strings"
)

// Templates are the sources of the templates in a directory of the views and below it, by their names from there, for a
// page to compile with handlebars.js in the browser. The directory is "." for all; ext is that of the views,
// ".handlebars", and Config.Extname wins over it. A template that does not compile is an error, an *[Error].
func (e *Engine) Templates(views fs.FS, dir, ext string) (map[string]string, error) {
	l := e.library(views, e.extension(ext), false)
	sources := map[string]string{}
	for _, file := range l.views.files(dir, l.ext) {
		full := path.Join(dir, file)
		t, err := l.load(l.views, full)
		if err != nil {
			return nil, l.views.wrap(full, err)
		}
		sources[strings.TrimSuffix(file, l.ext)] = t.part
	}
	return sources, nil
}

// Partials are the sources of all partials that the views of a directory have, by the names that {{> name}} calls them,
// for the browser as [Engine.Templates] are.
func (e *Engine) Partials(views fs.FS, ext string) (map[string]string, error) {
	l := e.library(views, e.extension(ext), false)
	sources := map[string]string{}
	for _, f := range l.folders {
		for _, file := range f.files(l.ext) {
			t, err := f.template(l, file)
			if err != nil {
				return nil, err
			}
			sources[f.name(file, l.ext)] = t.part
		}
	}
	maps.Copy(sources, e.config.Partials)
	return sources, nil
}

// extension is that of the templates.
func (e *Engine) extension(ext string) string {
	if e.config.Extname != "" {
		return e.config.Extname
	}
	if !strings.HasPrefix(ext, ".") {
		ext = "." + ext
	}
	return ext
}
