package handlebars

import (
	"io/fs"
	"log/slog"
	"strings"
)

// NoLayout is the name of no layout, wherever one can be named.
const NoLayout = "-"

// A Config is how an engine works. The zero value is express-handlebars' defaults: a page index.handlebars is rendered
// in layouts/main.handlebars, and finds its partials in partials.
type Config struct {
	Extname       string // of layouts and partials: ".handlebars"; empty is that of the page
	LayoutsDir    string // in the directory of the views; "layouts"
	DefaultLayout string // "main", if there is such a file; [NoLayout] for none

	PartialsDir  string            // in the directory of the views; "partials"
	PartialsDirs []PartialsDir     // several instead of one; of two partials with one name the later counts
	Partials     map[string]string // sources of partials by name, which win over files

	Helpers    Helpers              // what templates can call
	Decorators map[string]Decorator // what {{* name}} and {{#* name}} call, besides inline
	Logger     *slog.Logger         // of {{log}}; slog.Default()

	// The options of handlebars.js (https://handlebarsjs.com/api-reference/compilation.html).

	NoEscape               bool     // {{name}} writes HTML as it is
	Strict                 bool     // a name that is not there is an error
	AssumeObjects          bool     // so is a property of something that is not there
	Compat                 bool     // names are looked up in the contexts around, as in Mustache
	NoData                 bool     // no @index, @key, @root and so on: option data: false
	KnownHelpers           []string // helpers that will be given by RenderOptions
	KnownHelpersOnly       bool     // a call of any other is an error
	PreventIndent          bool     // a partial's lines are not indented as its tag is
	IgnoreStandalone       bool     // a tag alone on a line leaves the line
	ExplicitPartialContext bool     // a partial without a context gets none

	AllowCallsToHelperMissing bool // templates may call helperMissing and blockHelperMissing by name
}

// A PartialsDir is one of several directories of partials.
type PartialsDir struct {
	Dir       string // its path in FS; empty is FS itself, or "partials" without one
	FS        fs.FS  // nil is the directory of the views
	Namespace string // goes before the names: "shop" makes {{> shop/cart}} of cart.handlebars

	// Rename makes the name of a partial of its file, "nav/item.handlebars", and of Namespace. Nil takes the extension
	// off and puts the namespace in front.
	Rename func(file, namespace string) string

	Templates map[string]string // sources by file name, instead of a directory
}

// RenderOptions are how one page is rendered. They are given to Render beside the data,
//
//	res.Render("index", app.Map{"title": "Zócalo"}, handlebars.RenderOptions{Layout: "admin"})
//
// or, for many pages, are the value of "handlebars" in App.Locals or Response.Locals. They are no part of the data, so
// that what comes from a request never chooses a layout or a file.
type RenderOptions struct {
	Layout   string            // instead of the default and of what the page declares; [NoLayout] is none
	Helpers  Helpers           // before those of the engine
	Partials map[string]string // sources by name, before those of the engine
	Data     map[string]any    // variables: {"user": u} is @user
}

// withDefaults fills in what is left empty.
func (c Config) withDefaults() Config {
	if c.LayoutsDir == "" {
		c.LayoutsDir = "layouts"
	}
	if c.PartialsDir == "" {
		c.PartialsDir = "partials"
	}
	if len(c.PartialsDirs) == 0 {
		c.PartialsDirs = []PartialsDir{{Dir: c.PartialsDir}}
	}
	if c.Extname != "" && !strings.HasPrefix(c.Extname, ".") {
		c.Extname = "." + c.Extname
	}
	return c
}

// over returns the options with those of o that are set instead.
func (p RenderOptions) over(o RenderOptions) RenderOptions {
	if o.Layout != "" {
		p.Layout = o.Layout
	}
	p.Helpers = mergeMaps(p.Helpers, o.Helpers)
	p.Partials = mergeMaps(p.Partials, o.Partials)
	p.Data = mergeMaps(p.Data, o.Data)
	return p
}

// mergeMaps returns what is in a and b, the latter first, and does not touch either.
func mergeMaps[M ~map[string]V, V any](a, b M) M {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	merged := make(M, len(a)+len(b))
	for name, v := range a {
		merged[name] = v
	}
	for name, v := range b {
		merged[name] = v
	}
	return merged
}
