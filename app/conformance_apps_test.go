package app

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
)

// buildCase makes the application, or says why it could not.
func buildCase(c conformanceCase, fixtures string) (server *App, failure string) {
	defer func() {
		if v := recover(); v != nil {
			failure = fmt.Sprint(v)
		}
	}()
	b := builder{fixtures}
	return b.app(c.App, c.Settings), ""
}

type builder struct{ fixtures string }

func (b builder) app(entries []entry, settings map[string]any) *App {
	a := New()
	a.Engine("tpl", dollarEngine{}).Engine("oth", dollarEngine{})
	for _, e := range entries {
		maps.Copy(a.Locals, e.Locals)
	}
	for name, value := range settings {
		switch v := value.(type) {
		case float64:
			value = int(v)
		case []any:
			list := make([]string, len(v))
			for i := range v {
				list[i] = v[i].(string)
			}
			value = list
		}
		if name == "views" {
			value = b.viewDirs(value)
		}
		a.Set(name, value)
	}
	b.fill(&a.Router, entries)
	return a
}

func (b builder) viewDirs(value any) any {
	switch v := value.(type) {
	case string:
		return filepath.Join(b.fixtures, v)
	case []string:
		for i := range v {
			v[i] = filepath.Join(b.fixtures, v[i])
		}
	}
	return value
}

// dollarEngine puts data in the place of $name.
type dollarEngine struct{}

func (dollarEngine) Render(w io.Writer, v View) error {
	text, err := fs.ReadFile(v.FS, v.Name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, dollarName.ReplaceAllStringFunc(string(text), func(name string) string {
		if value := v.Data[name[1:]]; value != nil {
			return fmt.Sprint(value)
		}
		return "-"
	}))
	return err
}

var dollarName = regexp.MustCompile(`\$\w+`)

func (b builder) fill(r *Router, entries []entry) {
	for _, e := range entries {
		switch {
		case e.Locals != nil: // they are the application's
		case e.Route != "":
			route := r.Route(paths(e.Path)[0], paths(e.Path)[1:]...)
			b.addMethod(route, e.Route, e.chains())
		case e.Chain != nil:
			route := r.Route(*e.Chain)
			for _, m := range e.Methods {
				pair := decode[[2]json.RawMessage](m)
				b.addMethod(route, decode[string](pair[0]), decode[[][]operation](pair[1]))
			}
		case e.Param != "":
			ops := e.chains()[0]
			r.Param(e.Param, func(req *Request, res *Response, _ string) error {
				for _, op := range ops {
					if op.name == "next" && string(op.value) == "null" {
						return nil
					}
					if done, err := b.run(op, req, res); done || err != nil {
						return err
					}
				}
				return nil
			})
		case e.Static != nil:
			r.Use(use(e.Use, Static(filepath.Join(b.fixtures, *e.Static), fileOptionsOf(e.Opts)))...)
		case e.MW != "":
			parser := map[string]func(...BodyOptions) Handler{"json": JSON, "urlencoded": URLEncoded, "text": Text, "raw": Raw}[e.MW]
			r.Use(use(e.Use, parser(bodyOptionsOf(e.Opts)))...)
		case e.Error != nil:
			h := b.handler(e.Error)
			r.Use(use(e.Use, ErrorHandler(func(err error, req *Request, res *Response) error {
				req.x.res.Locals["the error"] = err
				return h(req, res)
			}))...)
		case e.Mount != nil:
			config := RouterConfig{}
			if len(e.Opts) > 0 {
				config = decode[RouterConfig](e.Opts)
				config.Strict = strings.Contains(string(e.Opts), `"strict":true`) || config.Strict
			}
			sub := NewRouter(config)
			b.fill(sub, e.Router)
			r.Use(paths(e.Mount), sub)
		case e.MountApp != nil:
			r.Use(paths(e.MountApp), b.app(e.App, e.Settings))
		default:
			for _, ops := range e.chains() {
				r.Use(use(e.Use, b.handler(ops))...)
			}
		}
	}
}

func paths(raw json.RawMessage) []string {
	if raw[0] == '[' {
		return decode[[]string](raw)
	}
	return []string{decode[string](raw)}
}

func use(path json.RawMessage, h any) []any {
	if len(path) == 0 {
		return []any{h}
	}
	return []any{paths(path), h}
}

func (b builder) addMethod(r *Route, method string, chains [][]operation) {
	var handlers []Handler
	for _, ops := range chains {
		handlers = append(handlers, b.handler(ops))
	}
	method = strings.ToUpper(method)
	if method == "ALL" {
		method = ""
	}
	r.Handle(method, handlers...)
}

func (b builder) handler(ops []operation) Handler {
	return func(req *Request, res *Response) error {
		for _, op := range ops {
			done, err := b.run(op, req, res)
			if done || err != nil {
				return err
			}
		}
		return nil
	}
}
