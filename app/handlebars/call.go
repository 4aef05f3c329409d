package handlebars

import (
	"reflect"
	"slices"
	"strings"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// A callee is what the name of a mustache or a block can mean (classifySexpr of handlebars.js's compiler).
type callee struct {
	path   *syntax.Path
	name   string // what messages and Options.Name call it
	simple bool   // one name, which may be that of a helper
	helper bool   // it has arguments: it must be callable
}

func (c *compiler) callee(call syntax.Call) callee {
	p, ok := call.Name.(*syntax.Path)
	if !ok { // {{"name"}} and {{12}} are names too
		l := call.Name.(*syntax.Literal)
		name := literalName(l)
		p = &syntax.Path{Pos: l.Pos, Original: name, Parts: []string{name}}
	}
	f := callee{path: p, name: p.Original}
	depth, _ := c.blockParam(p)
	f.simple = len(p.Parts) == 1 && !p.Scoped && p.Depth == 0 && !p.Data && depth < 0
	f.helper = depth < 0 && !isPlain(call)
	if f.simple && !c.config.AllowCallsToHelperMissing && (f.name == "helperMissing" || f.name == "blockHelperMissing") {
		c.fail(p.Pos, f.name+" is called by Handlebars, not by templates")
	}
	if f.simple && !f.helper {
		f.helper = c.isKnown(f.name)
		f.simple = f.helper || !c.config.KnownHelpersOnly
	}
	return f
}

// literalName is what a literal means as a name: 1.0 is "1".
func literalName(l *syntax.Literal) string {
	if f, ok := l.Value.(float64); ok {
		return text(value{any: f})
	}
	return l.Text
}

// isBuiltIn reports whether a name is that of a helper of Handlebars, and not taken by one of the engine's.
func (c *compiler) isBuiltIn(name string) bool {
	switch name {
	case "each", "if", "log", "lookup", "unless", "with":
		return c.helpers[name] == nil
	}
	return false
}

func (c *compiler) isKnown(name string) bool {
	return c.helpers[name] != nil || c.isBuiltIn(name) || slices.Contains(c.config.KnownHelpers, name)
}

// An invocation is a call as it stands in a template.
type invocation struct {
	name    string
	at      *site
	params  []expr
	keys    []string
	hash    []expr
	main    *program // of a block
	inverse *program
	block   bool
}

func (c *compiler) invocation(call syntax.Call, name string, at *site) *invocation {
	in := &invocation{name: name, at: at, params: c.exprs(call.Params)}
	in.keys, in.hash = c.hash(call.Hash)
	return in
}

// hash compiles arguments with a name. As handlebars.js has it, the last comes first, the first of two with one name
// counts, and one that says undefined is none.
func (c *compiler) hash(pairs []syntax.Pair) (keys []string, values []expr) {
	first := map[string]syntax.Expr{}
	for _, p := range slices.Backward(pairs) {
		first[p.Key] = p.Value
	}
	for _, p := range slices.Backward(pairs) {
		e, more := first[p.Key]
		delete(first, p.Key)
		if l, ok := e.(*syntax.Literal); !more || ok && l.Undefined {
			continue
		}
		keys = append(keys, p.Key)
		values = append(values, c.expr(e))
	}
	return keys, values
}

func (c *compiler) subexpression(s *syntax.Sub) expr {
	f := c.callee(s.Call)
	f.helper = true
	return c.callHelper(f, s.Call, c.at(s.Pos))
}

// call compiles what a mustache writes.
func (c *compiler) call(call syntax.Call, at *site) expr {
	f := c.callee(call)
	switch {
	case f.helper:
		return c.callHelper(f, call, at)
	case f.simple:
		return c.callMaybe(f, c.invocation(call, f.name, at))
	}
	find, in := c.path(f.path, true), c.invocation(call, f.name, at)
	return func(r *renderer) value { return r.force(find(r), in) }
}

// callHelper compiles a call of what must be a helper, or a function in the data.
func (c *compiler) callHelper(f callee, call syntax.Call, at *site) expr {
	if f.simple && c.isBuiltIn(f.name) {
		return c.builtIn(f.name, call, at)
	}
	if f.simple && c.config.KnownHelpersOnly && !c.isKnown(f.name) {
		c.fail(at.offset, "You specified knownHelpersOnly, but used the unknown helper "+f.name)
	}
	return c.invoke(f, c.invocation(call, f.name, at))
}

// invoke compiles a call that fails when there is nothing to call.
func (c *compiler) invoke(f callee, in *invocation) expr {
	var own *helper
	if f.simple {
		own = c.helpers[f.name]
	}
	find := c.path(f.path, true)
	section := in.isSection(f)
	return func(r *renderer) value {
		if h := r.helper(f, own); h != nil {
			return r.call(h, in)
		}
		if section && !r.hasFunction(in.name) {
			return r.namedSection(in)
		}
		v := find(r)
		if h := r.function(v, in); h != nil {
			return r.call(h, in)
		}
		if !v.isFalsy() {
			r.evaluate(in)
			r.site = in.at
			r.fail("%q is not a helper or a function", in.name)
		}
		if missing := r.engine.helpers["helperMissing"]; missing != nil {
			return r.call(missing, in)
		}
		r.evaluate(in)
		if len(in.params) == 0 && !r.engine.config.Strict {
			return value{} // with arguments that all have names, nothing is missing
		}
		r.site = in.at
		r.fail("Missing helper: %q%s", in.name, r.engine.nearestHelper(in.name))
		return value{}
	}
}

// evaluate finds the arguments of a call that is about to fail: a mistake in one of them comes first.
func (r *renderer) evaluate(in *invocation) {
	for _, find := range in.params {
		find(r)
	}
	for _, find := range in.hash {
		find(r)
	}
}

// callMaybe compiles {{name}}: a helper if there is one, or else the property of the context.
func (c *compiler) callMaybe(f callee, in *invocation) expr {
	own, missing := c.helpers[f.name], c.helpers["helperMissing"]
	find := c.path(f.path, true)
	return func(r *renderer) value {
		if h := r.helper(f, own); h != nil {
			return r.call(h, in)
		}
		v := find(r)
		if missing != nil && v.isNil() {
			return r.call(missing, in)
		}
		return r.force(v, in)
	}
}

// helper is what a name calls: a helper given for this page, or one of the engine.
func (r *renderer) helper(f callee, own *helper) *helper {
	if r.helpers != nil && f.simple {
		if fn, ok := r.helpers[f.name]; ok {
			return r.engine.adapt(f.name, fn)
		}
	}
	return own
}

// function makes a helper of a function in the data, or returns nil.
func (r *renderer) function(v value, in *invocation) *helper {
	switch v.any.(type) {
	case string, int, bool, float64, map[string]any, []any, SafeString:
		return nil
	case nil:
		if k := v.rv.Kind(); k != reflect.Func && k != reflect.Pointer {
			return nil
		}
	}
	rv := v.resolve()
	if rv.Kind() != reflect.Func || isIterator(rv.Type()) || !rv.CanInterface() {
		return nil
	}
	h, err := r.engine.signatures.helper(in.name, rv.Interface())
	if err != nil {
		r.site = in.at
		r.fail("%s: %v", in.name, err)
	}
	return h
}

// force calls a value that is a function.
func (r *renderer) force(v value, in *invocation) value {
	switch x := v.any.(type) {
	case string, bool, map[string]any:
		return v
	case nil:
		if k := v.rv.Kind(); k <= reflect.Float64 || k >= reflect.Slice { // no function, interface, map or pointer
			return v
		}
	case *partialBlock:
		return r.blockText(x)
	}
	if h := r.function(v, in); h != nil {
		return r.call(h, in)
	}
	return v
}

// call evaluates the arguments of an invocation and calls a helper with them.
func (r *renderer) call(h *helper, in *invocation) value {
	base := len(r.args)
	for _, find := range in.params {
		v := find(r)
		r.args = append(r.args, v)
	}
	args := r.args[base:]
	var o *Options
	if h.options {
		o = &Options{r: r, in: in, args: args}
		for _, find := range in.hash {
			o.hash = append(o.hash, find(r))
		}
		if in.main != nil && in.main.decorations != nil {
			o.decorated = r.decorate(in.main, r.scope)
		}
	} else {
		for _, find := range in.hash {
			find(r) // for a mistake in it
		}
	}
	r.site = in.at
	v := h.call(r, args, o)
	r.site = in.at
	if o != nil {
		o.r = nil
	}
	clear(args)
	r.args = r.args[:base]
	return v
}

// nearestHelper is the hint of a message about a helper that there is not.
func (e *Engine) nearestHelper(name string) string {
	names := []string{"each", "if", "log", "lookup", "unless", "with"}
	for n := range e.helpers {
		names = append(names, n)
	}
	if near := nearest(name, names); near != "" && !strings.EqualFold(near, name) {
		return "; did you mean " + near + "?"
	}
	return ""
}
