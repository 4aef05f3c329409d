package handlebars

import (
	"fmt"
	"iter"
	"strings"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// maxLayouts bounds how many layouts stand around each other.
const maxLayouts = 20

// optionsName is the name of [RenderOptions] in App.Locals and Response.Locals.
const optionsName = "handlebars"

var bodyName = []string{"body"}

// view renders a page and the layouts around it, and returns what is to be sent. As express-handlebars does, it takes
// the white space around each off.
func (r *renderer) view(view app.View) ([]byte, error) {
	t, err := r.load(r.library.views, view.Name)
	if err != nil {
		return nil, r.library.viewError(view.Name, err)
	}
	if err := r.setOptions(t, view); err != nil {
		return nil, err
	}
	name := r.layoutName(t)
	layout, err := r.layout(name)
	if err != nil {
		return nil, err
	}
	if layout != nil && name == "" {
		name = "main"
	}
	data := value{any: view.Data}
	r.about = about{view: strings.TrimSuffix(view.Name, r.library.ext), file: t.file, cache: view.Cache, layout: name}
	if err := r.page(t, data, r.options.Data); err != nil {
		return nil, err
	}
	page := syntax.TrimBytes(r.out)
	for n := 0; layout != nil; n++ {
		if n == maxLayouts {
			return nil, &Error{File: layout.file, Message: fmt.Sprintf("more than %d layouts around a page: does one name itself?", maxLayouts)}
		}
		start := len(r.out)
		r.leave()
		r.body = html{page}
		r.around = overlay{base: data, names: bodyName, vals: append(r.around.vals[:0], value{any: &r.body})}
		r.about.file, r.about.layout = layout.file, ""
		if err := r.page(layout, value{any: &r.around}, r.options.Data); err != nil {
			return nil, err
		}
		page = syntax.TrimBytes(r.out[start:])
		if layout.layout == "" {
			break
		}
		if layout, err = r.layout(layout.layout); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// setOptions gathers the options of the page t from the locals and from the call.
func (r *renderer) setOptions(t *Template, view app.View) error {
	if o, ok := view.Data[optionsName].(RenderOptions); ok {
		r.options = o
	}
	for _, given := range view.Options {
		o, ok := given.(RenderOptions)
		if !ok {
			return &Error{File: t.file, Message: fmt.Sprintf("Render takes data, an app.Map, and handlebars.RenderOptions; not a %T", given)}
		}
		r.options = r.options.over(o)
	}
	if r.helpers = r.options.Helpers; len(r.helpers) == 0 {
		r.helpers = nil
	}
	for name, fn := range r.helpers {
		if _, err := r.engine.signatures.helper(name, fn); err != nil {
			return &Error{File: t.file, Message: err.Error()}
		}
	}
	return nil
}

// layoutName is the layout of a page: the one of its options, or what it declares, or the default.
func (r *renderer) layoutName(page *Template) string {
	return firstOf(r.options.Layout, firstOf(page.layout, r.engine.config.DefaultLayout))
}

// layout loads a layout, nil if there is to be none. Without a name it is main, if there is such a file.
func (r *renderer) layout(name string) (*Template, error) {
	switch name {
	case NoLayout:
		return nil, nil
	case "":
		return r.mainLayout()
	}
	return r.namedLayout(name)
}

// declaredLayout is the layout that a template names in a comment at its start: {{!< admin}}.
func declaredLayout(source string) string {
	rest, ok := strings.CutPrefix(syntax.TrimLeft(source), "{{!<")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "}}")
	return strings.TrimSpace(name)
}

// about is @exphbs: what express-handlebars tells a page of itself.
type about struct {
	view   string // the name of the page, also in its layout
	file   string // of the template: that of the layout in the layout
	cache  bool
	layout string // empty in a layout
}

// Property implements Object.
func (a *about) Property(name string) (any, bool) {
	switch name {
	case "view":
		return a.view, true
	case "filePath":
		return a.file, true
	case "cache":
		return a.cache, true
	case "encoding":
		return "utf8", true
	case "layout":
		switch a.layout {
		case "":
			return nil, true
		case NoLayout:
			return false, true
		}
		return a.layout, true
	}
	return nil, false
}

// Properties implements Object.
func (a *about) Properties() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, name := range [...]string{"cache", "encoding", "view", "layout", "filePath"} {
			v, _ := a.Property(name)
			if !yield(name, v) {
				return
			}
		}
	}
}
