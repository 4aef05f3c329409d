package app

import (
	"bytes"
	"fmt"
	"maps"
	"path"
)

// Render answers with a view: the file name in the directory of the setting "views", with the extension of the
// setting "view engine" when it has none. The view sees App.Locals (of the applications around this one first),
// Response.Locals and data, the later over the earlier.
//
// The page is made whole before anything is sent: a view that fails leaves the answer to the error handlers.
func (s *Response) Render(name string, data ...Map) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer freeBuffer(buf)
	if err := s.x.app.render(buf, name, append([]Map{s.Locals}, data...)); err != nil {
		return err
	}
	if s.Header().Get("Content-Type") == "" {
		s.Header()["Content-Type"] = htmlType
	}
	return s.sendBuffer(buf)
}

// Render renders a view outside of a request, an e-mail for one: as [Response.Render] does, without a Response.
func (a *App) Render(name string, data ...Map) (string, error) {
	var buf bytes.Buffer
	err := a.render(&buf, name, data)
	return buf.String(), err
}

func (a *App) render(buf *bytes.Buffer, name string, data []Map) error {
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
	merged := Map{}
	a.mergeLocals(merged)
	for _, m := range data {
		maps.Copy(merged, m)
	}
	view := View{FS: a.options.views, Name: path.Clean(name), Data: merged, Cache: a.options.viewCache}
	if err := engine.Render(buf, view); err != nil {
		return fmt.Errorf("render %s: %w", path.Join(a.options.viewsName, name), err)
	}
	return nil
}

func (a *App) mergeLocals(into Map) {
	if a.parent != nil {
		a.parent.mergeLocals(into)
	}
	maps.Copy(into, a.Locals)
}
