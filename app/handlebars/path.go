package handlebars

import (
	"slices"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// An expr finds a value.
type expr func(r *renderer) value

func (c *compiler) exprs(list []syntax.Expr) []expr {
	out := make([]expr, len(list))
	for i, e := range list {
		out[i] = c.expr(e)
	}
	return out
}

// expr compiles an argument.
func (c *compiler) expr(e syntax.Expr) expr {
	switch e := e.(type) {
	case *syntax.Sub:
		return c.subexpression(e)
	case *syntax.Path:
		return c.path(e, false)
	}
	v := value{any: e.(*syntax.Literal).Value}
	if f, ok := v.any.(float64); ok && f == float64(int(f)) {
		v.any = int(f) // what a helper in Go expects of {{page 2}}
	}
	return func(*renderer) value { return v }
}

// path compiles a path. With final, option Strict wants its last name to be defined.
func (c *compiler) path(p *syntax.Path, final bool) expr {
	start, parts := c.start(p, final)
	depth, _ := c.blockParam(p)
	if start == nil {
		return c.firstName(p, final)
	}
	if len(parts) == 0 {
		return start
	}
	steps := make([]step, len(parts))
	for i, name := range parts {
		steps[i].name = name
	}
	if c.config.Strict || c.config.AssumeObjects {
		return c.strictPath(p, start, steps, final && c.config.Strict)
	}
	if p.Data && depth < 0 { // unlike elsewhere, what JavaScript takes for false is where a path of data ends
		return func(r *renderer) value {
			v := start(r)
			for i := 0; i < len(steps) && !v.isFalsy(); i++ {
				v, _ = steps[i].find(r, v)
			}
			return v
		}
	}
	if len(steps) == 1 {
		only := &steps[0]
		if p.Depth == 0 && len(parts) == len(p.Parts) { // from the context itself
			return func(r *renderer) value {
				v, _ := only.find(r, r.scope.this)
				return v
			}
		}
		return func(r *renderer) value {
			v, _ := only.find(r, start(r))
			return v
		}
	}
	return func(r *renderer) value {
		v := start(r)
		for i := range steps {
			v, _ = steps[i].find(r, v)
		}
		return v
	}
}

// start compiles where a path starts, and returns the names to follow from there. It is nil for a path that is one
// name of @data: that has no value to start from.
func (c *compiler) start(p *syntax.Path, final bool) (expr, []string) {
	if depth, index := c.blockParam(p); depth >= 0 {
		return func(r *renderer) value {
			b := r.params
			for range depth {
				b = b.parent
			}
			if index >= len(b.values) {
				return value{}
			}
			return b.values[index]
		}, p.Parts[1:]
	}
	parts := p.Parts
	if len(parts) > 0 && parts[0] == "" {
		parts = nil // a path that starts with [] is this, whatever follows
	}
	switch data := p.Data && len(parts) > 0; { // @this and @.. are this and ..
	case data && p.Depth == 0 && p.Parts[0] == "root":
		return c.firstName(&syntax.Path{Pos: p.Pos, Data: true, Parts: p.Parts[:1]}, false), p.Parts[1:]
	case data && len(p.Parts) == 1:
		return nil, nil
	case data:
		return c.firstName(&syntax.Path{Pos: p.Pos, Data: true, Depth: p.Depth, Parts: p.Parts[:1]}, false), p.Parts[1:]
	case c.config.Compat && p.Depth == 0 && !p.Scoped && len(parts) > 0:
		name, at := p.Parts[0], c.at(p.Pos)
		if c.config.Strict && final && len(p.Parts) == 1 {
			return func(r *renderer) value { return r.climbStrict(name, at) }, nil
		}
		return func(r *renderer) value { return r.climb(name) }, p.Parts[1:]
	case p.Depth == 0:
		return func(r *renderer) value { return r.scope.this }, parts
	}
	return func(r *renderer) value {
		s := r.scope
		for i := 0; i < p.Depth && s != nil; i++ {
			s = s.parent
		}
		if s == nil {
			return value{}
		}
		return s.this
	}, parts
}

// firstName compiles @name, the first name of a path of data. With final, it is the only one.
func (c *compiler) firstName(p *syntax.Path, final bool) expr {
	name, depth, at := p.Parts[0], p.Depth, c.at(p.Pos)
	strict, wanted := c.config.Strict || c.config.AssumeObjects, c.config.Strict && final
	return func(r *renderer) value {
		f := r.up(depth)
		v, ok := r.variable(f, name)
		if ok || !strict || f != nil && !wanted {
			return v
		}
		r.site = at
		switch {
		case f != nil:
			r.fail(`"%s" not defined in [object Object]`, name)
		case wanted:
			r.fail(`"%s" not defined in undefined`, name)
		}
		r.fail("Cannot read properties of undefined (reading '%s')", name)
		return v
	}
}

// blockParam finds the block parameter that a path starts with: how many programs out, and which of its parameters.
func (c *compiler) blockParam(p *syntax.Path) (depth, index int) {
	if p.Depth == 0 && !p.Scoped && len(p.Parts) > 0 {
		for depth, names := range c.params {
			if i := slices.Index(names, p.Parts[0]); i >= 0 {
				return depth, i
			}
		}
	}
	return -1, 0
}

// strictPath compiles a path that fails where something on the way, or with final its end, is not there.
func (c *compiler) strictPath(p *syntax.Path, start expr, steps []step, final bool) expr {
	at := c.at(p.Pos)
	return func(r *renderer) value {
		v, nothing := start(r), "undefined"
		for i := range steps {
			name, last := steps[i].name, final && i == len(steps)-1
			next, ok := steps[i].find(r, v)
			if ok || !last && !v.isNil() {
				v = next
				if ok && v.isNil() {
					nothing = "null"
				}
				continue
			}
			r.site = at
			switch {
			case last && v.isNil():
				r.fail(`"%s" not defined in %s`, name, nothing)
			case last:
				r.fail(`"%s" not defined in %s`, name, text(v))
			}
			r.fail("Cannot read properties of %s (reading '%s')", nothing, name)
		}
		return v
	}
}

// climb looks a name up in the context and then in those around it, for option Compat. As in handlebars.js, a context
// that is false, 0 or "" is itself the answer.
func (r *renderer) climb(name string) value {
	for s := r.scope; s != nil; s = s.parent {
		if !s.this.isNil() && !isList(s.this.resolve()) && !s.this.isTruthy(false) {
			return s.this
		}
		if v, ok := r.property(s.this, name); ok && !v.isNil() {
			return v
		}
	}
	return value{}
}

// climbStrict is climb with option Strict: the first context that has the name has the answer, even if that is null.
func (r *renderer) climbStrict(name string, at *site) value {
	for s := r.scope; s != nil; s = s.parent {
		if v, ok := r.property(s.this, name); ok {
			return v
		}
	}
	r.site = at
	r.fail(`"%s" not defined in undefined`, name)
	return value{}
}
