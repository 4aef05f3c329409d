package app

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
)

// Render answers with a view: the file name in the directory of the setting "views", with the extension of the
// setting "view engine" when it has none. The view sees App.Locals (of the applications around this one first),
// Response.Locals and the Maps given here, the later over the earlier. What is given besides Maps are options of the
// view engine; they are apart from the data, so that nothing in a request can pass for one.
//
// The page is made whole before anything is sent: a view that fails leaves the answer to the error handlers.
func (s *Response) Render(name string, with ...any) error {
	if s.invalid != nil {
		return s.rejected()
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer freeBuffer(buf)
	if err := s.x.app.render(s.x.req.Context(), buf, name, s.Locals, with); err != nil {
		return err
	}
	if err := s.textType(htmlType); err != nil {
		return err
	}
	return s.sendBuffer(buf)
}

// Render renders a view outside of a request, an e-mail for one: as [Response.Render] does, without a Response.
func (a *App) Render(name string, with ...any) (string, error) {
	var buf bytes.Buffer
	err := a.render(context.Background(), &buf, name, nil, with)
	return buf.String(), err
}

func (a *App) render(ctx context.Context, buf *bytes.Buffer, name string, locals Map, with []any) error {
	extension := path.Ext(name)
	if extension == "" {
		if a.options.viewEngine == "" {
			return fmt.Errorf(`app: render %q: no extension and no setting "view engine"; Set("view engine", "handlebars") or name the file`, name)
		}
		extension = "." + a.options.viewEngine
		name += extension
	}
	engine := a.engine(extension[1:])
	if engine == nil {
		return fmt.Errorf("app: render %q: no engine for %s; register one with Engine(%q, …)", name, extension, extension[1:])
	}
	view := View{Context: ctx, Data: Map{}, Cache: a.options.viewCache}
	if view.FS, view.Name = a.findView(name, extension); view.FS == nil {
		return fmt.Errorf("app: render %q: it is in none of %s: %w", name, a.options.viewsName, fs.ErrNotExist)
	}
	a.mergeLocals(view.Data)
	maps.Copy(view.Data, locals)
	for _, w := range with {
		if data, ok := w.(Map); ok {
			maps.Copy(view.Data, data)
		} else if w != nil {
			view.Options = append(view.Options, w)
		}
	}
	if err := engine.Render(buf, view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return nil
}

// findView finds the file of a view: in the first directory of views that has it, or that has a directory of this name
// with an index, as in Express: "users" is users.handlebars or users/index.handlebars. Nil if none has.
func (a *App) findView(name, extension string) (fs.FS, string) {
	names := [2]string{path.Clean(name), path.Clean(strings.TrimSuffix(name, extension) + "/index" + extension)}
	for _, fsys := range a.options.views {
		for _, name := range names {
			if info, err := fs.Stat(fsys, name); err == nil && !info.IsDir() {
				return fsys, name
			}
		}
	}
	if len(a.options.views) == 1 {
		return a.options.views[0], names[0] // the engine says what is wrong
	}
	return nil, ""
}

func (a *App) mergeLocals(into Map) {
	if a.parent != nil {
		a.parent.mergeLocals(into)
	}
	maps.Copy(into, a.Locals)
}
