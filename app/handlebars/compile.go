package handlebars

import (
	"slices"
	"strconv"
	"strings"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// A Template is a compiled template. It belongs to the engine that compiled it, and is safe for concurrent use.
type Template struct {
	file    string
	source  string
	main    *program
	part    string // of the source, what was compiled
	base    int    // where in the source that starts
	layout  string // what it declares
	start   site
	library *library
	noData  bool     // option NoData, and it has no @name: its partials see no data
	broken  []*Error // calls that fail if they are run
	climbs  bool     // has a path with ../, so that it matters which contexts are the same
}

// An op writes one statement.
type op func(r *renderer)

// A piece of a program is text and the statement behind it, which may be nil.
type piece struct {
	text string
	op   op
}

// A program is a list of statements, compiled.
type program struct {
	template    *Template
	pieces      []piece
	params      int // how many block parameters it declares
	inlines     []inline
	decorations []decoration
}

// A compiler turns the tree of one template into closures.
type compiler struct {
	*Engine
	template *Template
	params   [][]string // the block parameters of the programs around, innermost first
}

// compile parses and compiles a source. The file is for messages.
func (l *library) compile(file, source string) (*Template, error) {
	return l.compileAt(file, source, 0, source)
}

// compileAt compiles a part of a source, which starts at base.
func (l *library) compileAt(file, source string, base int, part string) (t *Template, err error) {
	t = &Template{file: file, source: source, part: part, base: base, layout: declaredLayout(part), library: l}
	t.start.template = t
	tree, err := syntax.Parse(part, l.engine.config.IgnoreStandalone)
	if err != nil {
		return nil, syntaxError(t, err)
	}
	defer func() {
		if f, ok := recover().(failure); ok {
			t, err = nil, f.Error
		}
	}()
	c := &compiler{Engine: l.engine, template: t}
	t.climbs = c.config.Compat || hasPath(tree, func(p *syntax.Path) bool { return p.Depth > 0 && !p.Data })
	t.noData = c.config.NoData && !hasPath(tree, func(p *syntax.Path) bool { return p.Data })
	t.main = c.program(tree)
	return t, nil
}

// fail breaks the compilation off.
func (c *compiler) fail(offset int, message string) {
	panic(failure{errorAt(c.at(offset), message, nil)})
}

func (c *compiler) at(offset int) *site { return &site{c.template, offset} }

func (c *compiler) program(p *syntax.Program) *program {
	if p == nil {
		return nil
	}
	out := &program{template: c.template, params: len(p.Params)}
	if len(p.Params) > 0 {
		outer := c.params
		c.params = append([][]string{p.Params}, outer...)
		defer func() { c.params = outer }()
	}
	var text strings.Builder
	add := func(op op) {
		if text.Len() > 0 || op != nil {
			out.pieces = append(out.pieces, piece{text.String(), op})
		}
		text.Reset()
	}
	for _, s := range p.Body {
		switch s.Kind {
		case syntax.Comment:
			continue
		case syntax.Content:
			text.WriteString(s.Text)
			continue
		case syntax.Decorator, syntax.DecoratorBlock:
			c.decorator(s, out)
			continue
		}
		switch s.Kind {
		case syntax.Mustache:
			add(c.mustache(s))
		case syntax.Block:
			add(c.block(s))
		case syntax.Partial, syntax.PartialBlock:
			add(c.partial(s))
		}
	}
	add(nil)
	return out
}

// mustache compiles {{name …}}.
func (c *compiler) mustache(s *syntax.Statement) op {
	escape := s.Escaped && !c.config.NoEscape
	at := c.at(s.Pos)
	find := c.call(s.Call, at)
	general := func(r *renderer) {
		r.site = at
		r.write(find(r), escape)
	}
	f := c.callee(s.Call, !isPlain(s.Call))
	if f.helper || c.helpers["helperMissing"] != nil || c.config.Strict || c.config.AssumeObjects || c.config.Compat {
		return general
	}
	if !f.simple {
		return c.pathMustache(f.path, escape, general)
	}
	if c.helpers[f.name] != nil {
		return general
	}
	if f.path.Data {
		return dataMustache(f.name, general)
	}
	property := &step{name: f.name} // the usual case, without a detour
	return func(r *renderer) {
		if r.helpers != nil || !property.write(r, &r.scope.this, escape) {
			general(r)
		}
	}
}

// pathMustache compiles {{a.b}}: what most paths lead to is written without a detour.
func (c *compiler) pathMustache(p *syntax.Path, escape bool, general op) op {
	start, names := c.start(p, false)
	if start == nil || len(names) == 0 {
		return general
	}
	last := &step{name: names[len(names)-1]}
	steps := make([]step, len(names)-1)
	for i := range steps {
		steps[i].name = names[i]
	}
	return func(r *renderer) {
		v := start(r)
		for i := range steps {
			v, _ = steps[i].find(r, v)
		}
		if !last.write(r, &v, escape) {
			general(r)
		}
	}
}

// dataMustache compiles {{@name}}: an index is written without making an any of it.
func dataMustache(name string, general op) op {
	if name != "index" {
		return general
	}
	return func(r *renderer) {
		if r.helpers != nil || !r.frame.loop {
			general(r)
			return
		}
		r.out = strconv.AppendInt(r.out, int64(r.frame.index), 10)
	}
}

func isPlain(call syntax.Call) bool { return len(call.Params) == 0 && len(call.Hash) == 0 }

// hasPath reports whether a tree has a path that is like that.
func hasPath(p *syntax.Program, like func(*syntax.Path) bool) bool {
	var inExpr func(e syntax.Expr) bool
	inCall := func(call syntax.Call) bool {
		return inExpr(call.Name) || slices.ContainsFunc(call.Params, inExpr) ||
			slices.ContainsFunc(call.Hash, func(p syntax.Pair) bool { return inExpr(p.Value) })
	}
	inExpr = func(e syntax.Expr) bool {
		switch e := e.(type) {
		case *syntax.Path:
			return like(e)
		case *syntax.Sub:
			return inCall(e.Call)
		}
		return false
	}
	return p != nil && slices.ContainsFunc(p.Body, func(s *syntax.Statement) bool {
		partial := s.Kind == syntax.Partial || s.Kind == syntax.PartialBlock
		name := s.Name
		if _, path := name.(*syntax.Path); path && partial {
			s = &syntax.Statement{Call: syntax.Call{Name: &syntax.Literal{}, Params: s.Params, Hash: s.Hash}, Program: s.Program}
		}
		return name != nil && inCall(s.Call) || hasPath(s.Program, like) || hasPath(s.Inverse, like)
	})
}
