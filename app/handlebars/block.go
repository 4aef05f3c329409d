package handlebars

import (
	"reflect"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// block compiles {{#name …}}…{{else}}…{{/name}}.
func (c *compiler) block(s *syntax.Statement) op {
	at := c.at(s.Pos)
	f := c.callee(s.Call)
	main, inverse := c.program(s.Program), c.program(s.Inverse)
	if f.helper && f.simple && c.isBuiltIn(f.name) {
		if op := c.builtInBlock(f.name, s, at, main, inverse); op != nil {
			return op
		}
	}
	in := c.invocation(s.Call, f.name, at)
	in.main, in.inverse, in.block = main, inverse, true
	if f.helper {
		if f.simple && c.config.KnownHelpersOnly && !c.isKnown(f.name) {
			c.fail(s.Pos, "You specified knownHelpersOnly, but used the unknown helper "+f.name)
		}
		find := c.invoke(f, in)
		return func(r *renderer) { r.write(find(r), false) }
	}
	own, missing := c.helpers[f.name], c.helpers["blockHelperMissing"]
	find := c.path(f.path, true)
	return func(r *renderer) {
		r.site = at
		if h := r.helper(f, own); h != nil && f.simple {
			r.write(r.call(h, in), false)
			return
		}
		v := r.force(find(r), in)
		if missing != nil {
			with := *in
			with.params = []expr{func(*renderer) value { return v }}
			r.write(r.call(missing, &with), false)
			return
		}
		r.section(v, main, inverse)
	}
}

// section is what {{#name}} does with a value when name is no helper (blockHelperMissing).
func (r *renderer) section(v value, main, inverse *program) {
	if b, ok := v.any.(bool); ok {
		r.runEither(b, main, inverse)
		return
	}
	rv := v.resolve()
	switch {
	case !rv.IsValid():
		r.run(inverse)
	case rv.Kind() == reflect.Bool:
		r.runEither(rv.Bool(), main, inverse)
	case isList(rv) && !r.engine.fields.isObject(v, rv):
		r.each(v, main, inverse)
	default:
		r.runWith(main, v)
	}
}

func (r *renderer) runEither(b bool, main, inverse *program) {
	if b {
		r.run(main)
	} else {
		r.run(inverse)
	}
}

// builtInBlock compiles a block of a helper of Handlebars; nil if it is one that is no block helper.
func (c *compiler) builtInBlock(name string, s *syntax.Statement, at *site, main, inverse *program) op {
	if name == "log" || name == "lookup" {
		return nil
	}
	if len(s.Params) != 1 {
		return c.malformed(name, s.Call, at)
	}
	find := c.expr(s.Params[0])
	in := &invocation{name: name, at: at} // for a function in the data
	switch name {
	case "if", "unless":
		includeZero := c.hashArgument(s.Call, "includeZero")
		return func(r *renderer) {
			r.site = at
			zero := includeZero != nil && includeZero(r).isTruthy(false)
			r.runEither(r.force(find(r), in).isTruthy(zero) == (name == "if"), main, inverse)
		}
	case "with":
		return func(r *renderer) {
			r.site = at
			switch v := r.force(find(r), in); {
			case v.isEmpty():
				r.run(inverse)
			case main != nil && main.params > 0:
				r.runWith(main, v, v)
			default:
				r.runWith(main, v)
			}
		}
	}
	return func(r *renderer) {
		r.site = at
		r.each(r.force(find(r), in), main, inverse)
	}
}

// malformed compiles a block helper of Handlebars with the wrong number of arguments: an error, once it is called.
func (c *compiler) malformed(name string, call syntax.Call, at *site) op {
	message := "#" + name + " requires exactly one argument"
	if name == "each" && len(call.Params) == 0 {
		message = "Must pass iterator to #each"
	}
	find := c.broken(call, at, message)
	return func(r *renderer) { find(r) }
}

// broken compiles a call that can only fail, which Engine.Check reports and which fails when it is run.
func (c *compiler) broken(call syntax.Call, at *site, message string) expr {
	c.template.broken = append(c.template.broken, errorAt(at, message, nil))
	params := c.exprs(call.Params)
	return func(r *renderer) value {
		for _, find := range params {
			find(r)
		}
		r.site = at
		r.fail("%s", message)
		return value{}
	}
}

func (c *compiler) hashArgument(call syntax.Call, name string) expr {
	for _, p := range call.Hash {
		if p.Key == name {
			return c.expr(p.Value)
		}
	}
	return nil
}

// builtIn compiles a helper of Handlebars that is not used as a block.
func (c *compiler) builtIn(name string, call syntax.Call, at *site) expr {
	switch name {
	case "lookup":
		return c.lookup(call, at)
	case "log":
		return c.log(call, at)
	}
	switch n := len(call.Params); {
	case name == "each" && n == 0:
		return c.broken(call, at, "Must pass iterator to #each")
	case n != 1 && name != "each":
		return c.broken(call, at, "#"+name+" requires exactly one argument")
	}
	return c.broken(call, at, "#"+name+" is a block: {{#"+name+" …}}…{{/"+name+"}}")
}

// lookup compiles {{lookup value name}}.
func (c *compiler) lookup(call syntax.Call, at *site) expr {
	const usage = "lookup takes a value and the name of a property"
	if len(call.Params) == 0 {
		return c.broken(call, at, usage)
	}
	in := c.expr(call.Params[0])
	if len(call.Params) != 2 {
		fail := c.broken(call, at, usage)
		return func(r *renderer) value {
			if v := in(r); v.isFalsy() {
				return v
			}
			return fail(r)
		}
	}
	name := c.expr(call.Params[1])
	return func(r *renderer) value {
		v, key := in(r), name(r)
		if v.isFalsy() {
			return v
		}
		if key.isNil() {
			key = value{any: "undefined"}
		}
		found, _ := r.property(v, text(key))
		return found
	}
}
