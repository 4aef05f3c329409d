package handlebars

import (
	"reflect"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// block compiles {{#name …}}…{{else}}…{{/name}}.
func (c *compiler) block(s *syntax.Statement) op {
	at := c.at(s.Pos)
	f := c.callee(s.Call, !isPlain(s.Call))
	main, inverse := c.program(s.Program), c.program(s.Inverse)
	if f.helper && f.simple && c.isBuiltIn(f.name) {
		if op := c.builtInBlock(f.name, s, at, main, inverse); op != nil {
			return op
		}
	}
	in := &invocation{name: f.name, at: at}
	if f.helper {
		in = c.invocation(s.Call, f.name, at)
	}
	in.main, in.inverse, in.block = main, inverse, true
	if f.helper {
		c.mustKnow(f, at)
		find := c.invoke(f, in)
		return func(r *renderer) { r.write(find(r), false) }
	}
	own, missing, blockMissing := c.helpers[f.name], c.helpers["helperMissing"], c.helpers["blockHelperMissing"]
	find := c.path(f.path, true)
	return func(r *renderer) {
		r.site = at
		if h := r.helper(f, own); h != nil && f.simple {
			r.write(r.call(h, in), false)
			return
		}
		v := find(r)
		if missing != nil && f.simple && v.isNil() {
			v = r.call(missing, in)
		} else {
			v = r.force(v, in)
		}
		if blockMissing != nil {
			with := *in
			with.params = []expr{func(*renderer) value { return v }}
			r.write(r.call(blockMissing, &with), false)
			return
		}
		r.section(v, main, inverse)
	}
}

// section is what {{#name}} does with a value when name is no helper (blockHelperMissing). Its branches have the
// context that is in force, also where that is nothing.
func (r *renderer) section(v value, main, inverse *program) {
	rv := v.resolve()
	switch {
	case !rv.IsValid() || rv.Kind() == reflect.Bool && !rv.Bool():
		r.runWith(inverse, r.scope.this)
	case rv.Kind() == reflect.Bool:
		r.runWith(main, r.scope.this)
	case isList(rv) && !r.engine.fields.isObject(v, rv):
		if rv.Len() == 0 {
			r.runWith(inverse, r.scope.this)
			return
		}
		r.each(v, main, nil)
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
	find, named := c.expr(s.Params[0]), c.named(s.Call, "includeZero")
	in := &invocation{name: name, at: at} // for a function in the data
	argument := func(r *renderer) (v, includeZero value) {
		r.site = at
		v, includeZero = find(r), named(r)
		return r.force(v, in), includeZero
	}
	switch name {
	case "if", "unless":
		return func(r *renderer) {
			v, includeZero := argument(r)
			r.runEither(v.isTruthy(!includeZero.isFalsy()) == (name == "if"), main, inverse)
		}
	case "with":
		return func(r *renderer) {
			switch v, _ := argument(r); {
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
		v, _ := argument(r)
		r.each(v, main, inverse)
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
	in := c.invocation(call, "", at)
	return func(r *renderer) value {
		r.evaluate(in)
		r.site = at
		r.fail("%s", message)
		return value{}
	}
}

// propertyName is a value as JavaScript makes the name of a property of it.
func propertyName(v value) string {
	if v.isNil() {
		return "undefined"
	}
	return text(v)
}

// named compiles the arguments with a name of a helper of Handlebars, which takes one of them: the others are evaluated
// for the mistakes in them.
func (c *compiler) named(call syntax.Call, name string) expr {
	keys, hash := c.hash(call.Hash)
	return func(r *renderer) (named value) {
		for i, find := range hash {
			if v := find(r); keys[i] == name {
				named = v
			}
		}
		return named
	}
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
		all, fail := c.invocation(call, "", at), c.broken(call, at, usage)
		return func(r *renderer) value {
			r.evaluate(all)
			if v := in(r); v.isFalsy() {
				return v
			}
			return fail(r)
		}
	}
	name, named := c.expr(call.Params[1]), c.named(call, "")
	return func(r *renderer) value {
		v, key := in(r), name(r)
		named(r)
		if v.isFalsy() {
			return v
		}
		found, _ := r.property(v, propertyName(key))
		return found
	}
}
