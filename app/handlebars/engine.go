package handlebars

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/zocalo-go/zocalo/app"
)

// NoLayout, as the layout of an engine or in the data of a page, is no layout.
const NoLayout = "-"

// A Config is how an engine works. The zero value is express-handlebars' defaults: a page index.handlebars is rendered
// in layouts/main.handlebars, and finds its partials in partials.
type Config struct {
	Ext           string // of layouts and partials: ".handlebars"; empty is that of the page
	LayoutsDir    string // in the directory of the views; "layouts"
	PartialsDir   string // in the directory of the views; "partials"
	DefaultLayout string // "main", if there is such a file; [NoLayout] for none

	Helpers  Helpers           // what templates can call
	Partials map[string]string // sources of partials by name, which win over files
	Logger   *slog.Logger      // of {{log}}; slog.Default()

	// The options of handlebars.js (https://handlebarsjs.com/api-reference/compilation.html).

	NoEscape               bool     // {{name}} writes HTML as it is
	Strict                 bool     // a name that is not there is an error
	AssumeObjects          bool     // so is a property of something that is not there
	Compat                 bool     // names are looked up in the contexts around, as in Mustache
	KnownHelpers           []string // helpers that will be given by Helpers in the data
	KnownHelpersOnly       bool     // a call of any other is an error
	PreventIndent          bool     // a partial's lines are not indented as its tag is
	IgnoreStandalone       bool     // a tag alone on a line leaves the line
	ExplicitPartialContext bool     // a partial without a context gets none

	AllowCallsToHelperMissing bool // templates may call helperMissing and blockHelperMissing by name
}

// withDefaults fills in what is left empty.
func (c Config) withDefaults() Config {
	if c.LayoutsDir == "" {
		c.LayoutsDir = "layouts"
	}
	if c.PartialsDir == "" {
		c.PartialsDir = "partials"
	}
	if c.Ext != "" && !strings.HasPrefix(c.Ext, ".") {
		c.Ext = "." + c.Ext
	}
	return c
}

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
		panic(err) // layered has checked them
	}
	return h
}

// Render renders a page in its layout: it makes *Engine an app.Engine. These names in the data are taken:
//
//	layout    the name of the layout; false or NoLayout is none
//	helpers   Helpers for this page, before those of the engine
//	body      in the layout: the page
//
// A layout is a file in Config.LayoutsDir, whatever its name says. Still, what comes from a request belongs below a name
// of its own in the data, and is not the data itself.
//
// Nothing is written to w unless the whole page could be rendered. The error is an *[Error], or that of w.
func (e *Engine) Render(w io.Writer, view app.View) error {
	return e.RenderContext(context.Background(), w, view)
}

// RenderContext is Render with the context that helpers get. When it is over, rendering ends with an error.
func (e *Engine) RenderContext(ctx context.Context, w io.Writer, view app.View) error {
	ext := e.config.Ext
	if ext == "" {
		ext = path.Ext(view.Name)
	}
	l := e.library(view.FS, ext, view.Cache)
	r := e.renderer(ctx, l)
	defer e.free(r)
	page, err := r.layered(view)
	if err != nil {
		return err
	}
	_, err = w.Write(page)
	return err
}

var bodyName = []string{"body"}

// layered renders a page and the layout around it, and returns what is to be sent.
func (r *renderer) layered(view app.View) ([]byte, error) {
	t, err := r.load(view.Name)
	if err != nil {
		return nil, r.library.viewError(view.Name, err)
	}
	if given, ok := view.Data["helpers"].(Helpers); ok {
		r.helpers = given
		for name, fn := range given {
			if _, err := r.engine.signatures.helper(name, fn); err != nil {
				return nil, &Error{File: t.file, Message: err.Error()}
			}
		}
	}
	data := value{any: view.Data}
	if err := r.page(t, data, nil); err != nil {
		return nil, err
	}
	layout, err := r.layout(view)
	if layout == nil || err != nil {
		return r.out, err
	}
	body := len(r.out)
	r.leave()
	r.body = html{r.out[:body]}
	r.around = overlay{base: data, names: bodyName, vals: append(r.around.vals[:0], value{any: &r.body})}
	if err := r.page(layout, value{any: &r.around}, nil); err != nil {
		return nil, err
	}
	return r.out[body:], nil
}

// layout loads the layout that a page wants, nil if it wants none.
func (r *renderer) layout(view app.View) (*Template, error) {
	name := r.engine.config.DefaultLayout
	switch v := view.Data["layout"].(type) {
	case string:
		if v == "" {
			v = NoLayout
		}
		name = v
	case nil:
		if _, given := view.Data["layout"]; given {
			return nil, nil
		}
	case bool:
		if !v {
			return nil, nil
		}
	default:
		return nil, &Error{File: r.library.path(view.Name), Message: fmt.Sprintf("layout is the name of a layout or false, not a %T", v)}
	}
	switch name {
	case NoLayout:
		return nil, nil
	case "":
		return r.mainLayout()
	}
	return r.namedLayout(name)
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

// Check compiles every template in a directory of views and returns what is wrong with them, joined, or nil.
func (e *Engine) Check(fsys fs.FS, ext string) error {
	return e.library(fsys, ext, false).check()
}

// A libraryKey tells directories of views apart.
type libraryKey struct {
	fsys   fs.FS   // if it is comparable
	table  uintptr // of a file system that is a map
	ext    string
	cached bool
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

// dirName is what messages call a directory of views: the name of one on disk, "views" for others.
func dirName(fsys fs.FS) string {
	if rv := reflect.ValueOf(fsys); rv.Kind() == reflect.String {
		return path.Clean(rv.String())
	}
	return "views"
}
