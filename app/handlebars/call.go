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
	head   string // the first name of the path
	simple bool   // one name, which may be that of a helper
	helper bool   // it must be callable
}

// callee classifies a name. A call has arguments or is a sub-expression: it means a helper, but for a block parameter.
func (c *compiler) callee(call syntax.Call, isCall bool) callee {
	p, ok := call.Name.(*syntax.Path)
	if !ok { // {{"name"}} and {{12}} are names too
		l := call.Name.(*syntax.Literal)
		name := literalName(l)
		p = &syntax.Path{Pos: l.Pos, Original: name, Parts: []string{name}, Scoped: syntax.Scoped(name)}
	}
	head := "undefined"
	if len(p.Parts) > 0 {
		head = p.Parts[0]
	}
	f := callee{path: p, name: p.Original, head: head, simple: len(p.Parts) == 1 && !p.Scoped && p.Depth == 0, helper: isCall}
	if depth, _ := c.blockParam(p); f.simple && depth >= 0 {
		f.simple, f.helper = false, false
		return f
	}
	switch {
	case f.helper && (p.Data || !f.simple) && c.isKnownHead(head):
		f.name, f.simple = head, true // {{./lookup …}} and {{@lookup …}} are the helper, too
	case f.helper && p.Data:
		f.simple = false
	case p.Data && f.simple:
		f.name = head // {{@name}} is the helper of that name, if there is one
	}
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
	return isBuiltInName(name) && c.helpers[name] == nil
}

func isBuiltInName(name string) bool {
	switch name {
	case "each", "if", "log", "lookup", "unless", "with":
		return true
	}
	return false
}

// isKnownHead reports whether a path that starts with a name calls the helper of that name when it has arguments.
func (c *compiler) isKnownHead(name string) bool {
	return isBuiltInName(name) || slices.Contains(c.config.KnownHelpers, name) || c.config.KnownHelpersOnly && c.helpers[name] != nil
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
	first := map[string]expr{}
	for _, p := range pairs {
		find := c.expr(p.Value)
		if l, ok := p.Value.(*syntax.Literal); ok && l.Undefined {
			find = nil
		}
		if _, again := first[p.Key]; !again {
			first[p.Key] = find
		}
	}
	for _, p := range slices.Backward(pairs) {
		if find := first[p.Key]; find != nil {
			keys, values = append(keys, p.Key), append(values, find)
		}
		delete(first, p.Key)
	}
	return keys, values
}

func (c *compiler) subexpression(s *syntax.Sub) expr {
	return c.callAs(c.callee(s.Call, true), s.Call, c.at(s.Pos))
}

// call compiles what a mustache writes.
func (c *compiler) call(call syntax.Call, at *site) expr {
	return c.callAs(c.callee(call, !isPlain(call)), call, at)
}

func (c *compiler) callAs(f callee, call syntax.Call, at *site) expr {
	switch {
	case f.helper:
		return c.callHelper(f, call, at)
	case f.simple:
		return c.callMaybe(f, c.invocation(call, f.name, at))
	}
	find, in := c.path(f.path, true), &invocation{name: f.name, at: at} // a block parameter takes no arguments
	return func(r *renderer) value { return r.force(find(r), in) }
}

// callHelper compiles a call of what must be a helper, or a function in the data.
func (c *compiler) callHelper(f callee, call syntax.Call, at *site) expr {
	if f.simple && c.isBuiltIn(f.name) {
		return c.builtIn(f.name, call, at)
	}
	in := c.invocation(call, f.name, at)
	c.mustKnow(f, at)
	return c.invoke(f, in)
}

// mustKnow breaks the compilation off if option KnownHelpersOnly forbids a call.
func (c *compiler) mustKnow(f callee, at *site) {
	if c.config.KnownHelpersOnly && !c.isKnownHead(f.head) {
		c.fail(at.offset, "You specified knownHelpersOnly, but used the unknown helper "+f.head)
	}
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
			r.fail(`"%s" is not a helper or a function`, in.name)
		}
		if missing := r.engine.helpers["helperMissing"]; missing != nil {
			return r.call(missing, in)
		}
		r.evaluate(in)
		if len(in.params) == 0 && !r.engine.config.Strict {
			return value{} // with arguments that all have names, nothing is missing
		}
		r.site = in.at
		r.fail(`Missing helper: "%s"%s`, in.name, r.engine.nearestHelper(in.name))
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
