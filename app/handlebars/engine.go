package handlebars

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/zocalo-go/zocalo/app"
)

// An Engine renders templates. It is safe for concurrent use.
type Engine struct {
	config     Config
	helpers    map[string]*helper
	fields     fieldCache
	signatures signatureCache
	renderers  *sync.Pool
	libraries  sync.Map // libraryKey to *library
	last       atomic.Pointer[library]
}

var _ app.Engine = (*Engine)(nil)

// New makes an engine. It panics if a helper has a type that cannot be called.
func New(config Config) *Engine {
	e := &Engine{config: config.withDefaults(), helpers: map[string]*helper{}, renderers: newRenderers()}
	for name, d := range config.Decorators {
		if d == nil {
			panic(fmt.Sprintf("handlebars: decorator %q is nil", name))
		}
	}
	for name, fn := range config.Helpers {
		h, err := e.signatures.helper(name, fn)
		if err != nil {
			panic("handlebars: " + err.Error())
		}
		e.helpers[name] = h
	}
	return e
}

// adapt makes a helper of one given with the data of a page.
func (e *Engine) adapt(name string, fn any) *helper {
	h, err := e.signatures.helper(name, fn)
	if err != nil {
		panic(err) // renderer.view has checked them
	}
	return h
}

// Render renders a page in its layout: it makes *Engine an app.Engine. The options of the view are [RenderOptions]. In
// the layout, body is the page. When the context of the view is over, rendering ends with an error.
//
// Nothing is written to w unless the whole page could be rendered. The error is an *[Error], or that of w.
func (e *Engine) Render(w io.Writer, view app.View) error {
	ctx := view.Context
	if ctx == nil {
		ctx = context.Background()
	}
	ext := e.config.Extname
	if ext == "" {
		ext = path.Ext(view.Name)
	}
	r := e.renderer(ctx, e.library(view.FS, ext, view.Cache))
	defer e.free(r)
	page, err := r.view(view)
	if err != nil {
		return err
	}
	_, err = w.Write(page)
	return err
}

// Compile compiles a source that is no file; name is what errors call it. It finds the partials of Config.Partials.
func (e *Engine) Compile(name, source string) (*Template, error) {
	return newLibrary(e, libraryKey{cached: true}, nil).compile(name, source)
}

// Render renders the template alone, without a layout. The data is any value.
func (t *Template) Render(w io.Writer, data any) error {
	return t.RenderContext(context.Background(), w, data, nil)
}

// RenderContext is Render with the context that helpers get, and with variables: {"user": u} is @user.
func (t *Template) RenderContext(ctx context.Context, w io.Writer, data any, variables map[string]any) error {
	e := t.library.engine
	r := e.renderer(ctx, t.library)
	defer e.free(r)
	if err := r.page(t, value{any: data}, variables); err != nil {
		return err
	}
	_, err := w.Write(r.out)
	return err
}

// Check compiles every template in a directory of views, and every partial. It returns what is wrong with them, joined,
// or nil. Ext is the extension of the views, ".handlebars"; Config.Extname wins over it.
func (e *Engine) Check(fsys fs.FS, ext string) error {
	return e.library(fsys, e.extension(ext), false).check()
}

// Reset drops everything that was read and compiled: the next page reads its files again, also with the setting
// "view cache". Pages that are being rendered end with what they started with.
func (e *Engine) Reset() {
	e.libraries.Clear()
	e.last.Store(nil)
}

// library is the templates of a directory of views.
func (e *Engine) library(fsys fs.FS, ext string, cached bool) *library {
	key := libraryKey{fsys: fsys, ext: ext, cached: cached}
	if rv := reflect.ValueOf(fsys); rv.IsValid() && !rv.Comparable() {
		if rv.Kind() != reflect.Map {
			return newLibrary(e, key, fsys)
		}
		key.fsys, key.table = nil, rv.Pointer()
	}
	if l := e.last.Load(); l != nil && l.libraryKey == key {
		return l
	}
	l, ok := e.libraries.Load(key)
	if !ok {
		l, _ = e.libraries.LoadOrStore(key, newLibrary(e, key, fsys))
	}
	e.last.Store(l.(*library))
	return l.(*library)
}
