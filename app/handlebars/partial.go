package handlebars

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// A closure is a program with the place it was written in: the contexts and parameters there, and the template that runs.
type closure struct {
	program *program
	scope   *scope
	params  *params
	home    *activation
}

// An activation is a template that runs, with the inline partials that are in force in it.
type activation struct{ inlines *inlines }

// A partialBlock is what {{> @partial-block}} runs: the block of {{#> name}}, where the block around that one is
// @partial-block again.
type partialBlock struct {
	closure
	outer *partialBlock
}

// An inline is {{#*inline "name"}} as it stands in a program.
type inline struct {
	name    expr
	program *program
}

// inlines are the inline partials that a program brings into force.
type inlines struct {
	names    []string
	closures []closure
	parent   *inlines
}

// define makes the inline partials of a program, in front of those in force. They are written where the program is, not
// in it: ../ in one leads from its context to that around the program.
func (r *renderer) define(p *program, around *scope) *inlines {
	def := &inlines{parent: r.home.inlines}
	defer r.in(around)()
	for _, in := range p.inlines {
		def.names = append(def.names, propertyName(in.name(r)))
		def.closures = append(def.closures, closure{in.program, around, r.params, r.home})
	}
	return def
}

// inline finds the inline partial in force with a name. The last of several with one name counts.
func (r *renderer) inline(name string) (closure, bool) {
	for def := r.home.inlines; def != nil; def = def.parent {
		for i := len(def.names) - 1; i >= 0; i-- {
			if def.names[i] == name {
				return def.closures[i], true
			}
		}
	}
	return closure{}, false
}

// A partialCall is {{> name context key=value}} or {{#> name …}}block{{/name}}.
type partialCall struct {
	at      *site
	name    string
	dynamic expr // instead of name
	context expr
	keys    []string
	hash    []expr
	indent  string
	block   *program
	empty   bool // option ExplicitPartialContext and no context

	static atomic.Pointer[Template] // what name is, when files do not change
}

func (c *compiler) partial(s *syntax.Statement) op {
	call := &partialCall{at: c.at(s.Pos), block: c.program(s.Program)}
	switch name := s.Name.(type) {
	case *syntax.Path:
		call.name = name.Original
	case *syntax.Literal:
		call.name = literalName(name)
	case *syntax.Sub:
		call.dynamic = c.subexpression(name)
	}
	switch len(s.Params) {
	case 0:
		call.empty = c.config.ExplicitPartialContext
	case 1:
		call.context = c.expr(s.Params[0])
	default:
		c.fail(s.Pos, "Unsupported number of partial arguments: "+strconv.Itoa(len(s.Params)))
	}
	call.keys, call.hash = c.hash(s.Hash)
	call.indent = s.Indent
	if c.config.PreventIndent && call.indent != "" {
		indent := call.indent
		call.indent = ""
		return func(r *renderer) {
			r.out = append(r.out, indent...)
			r.partial(call)
		}
	}
	return func(r *renderer) { r.partial(call) }
}

// partial writes a partial.
func (r *renderer) partial(call *partialCall) {
	r.site = call.at
	r.cancelled()
	name := call.name
	if call.dynamic != nil {
		v := call.dynamic(r)
		if name = text(v); v.isFalsy() {
			name = "undefined"
		}
		r.site = call.at
	}
	context := r.partialContext(call)
	r.site = call.at
	if len(r.trail) == maxPartials {
		r.fail("the partial %s is included more than %d levels deep: %s", name, maxPartials, r.cycle())
	}
	r.trail = append(r.trail, call.at)
	start, outer := len(r.out), r.frame
	if call.at.template.noData {
		r.frame = r.frames.take()
	}
	to := r.target(call, name) // before the inline partials of the block are in force
	if call.block != nil {
		r.runWithBlock(to, call.block, context)
	} else {
		r.runTarget(to, context, r.home.inlines)
	}
	r.trail = r.trail[:len(r.trail)-1]
	if r.frame != outer {
		r.frame = outer
		r.frames.release()
	}
	if call.indent != "" {
		r.out = indentLines(r.out, start, call.indent)
	}
}

// partialContext is the context of a partial, with its arguments in front.
func (r *renderer) partialContext(call *partialCall) value {
	context := r.scope.this
	switch {
	case call.context != nil:
		context = call.context(r)
	case call.empty:
		context = value{}
	}
	if len(call.keys) == 0 {
		return context
	}
	o := &overlay{base: context, names: call.keys, vals: make([]value, len(call.hash))}
	for i, find := range call.hash {
		o.vals[i] = find(r)
	}
	return value{any: o}
}

// A target is what a name stands for: @partial-block, an inline partial or a file. The zero target is nothing.
type target struct {
	block    *partialBlock
	inline   closure
	template *Template
}

func (r *renderer) target(call *partialCall, name string) (to target) {
	found := false
	if name == "@partial-block" {
		to.block = r.partialBlock()
		found = to.block != nil
	} else if to.inline, found = r.inline(name); !found {
		to.template = r.template(call, name)
		found = to.template != nil
	}
	if !found && call.block == nil {
		r.site = call.at
		r.trail = r.trail[:len(r.trail)-1]
		r.failWith(fs.ErrNotExist, "The partial %s could not be found%s", name, r.missingPartial(name))
	}
	return to
}

// runTarget runs a partial. Those inline partials are there for one from a file that are in force where it is called.
func (r *renderer) runTarget(to target, context value, inlines *inlines) {
	switch {
	case to.block != nil:
		r.runBlock(to.block, context)
	case to.template != nil:
		r.runTemplate(to.template, context, inlines)
	default:
		r.runClosure(to.inline, context)
	}
}

// runWithBlock runs a partial with a block, which is its @partial-block and whose inline partials are there for it.
// If there is no such partial, the block runs.
func (r *renderer) runWithBlock(to target, block *program, context value) {
	own := &partialBlock{closure{block, r.scope, r.params, r.home}, r.partialBlock()}
	if to == (target{}) {
		to.block = own
	}
	inlines := r.home.inlines
	if block.inlines != nil {
		inlines = r.define(block, r.scope)
	}
	f := r.frames.take()
	f.parent, f.hasBlock, f.block = r.frame, true, own
	r.frame = f
	r.runTarget(to, context, inlines)
	r.frame = f.parent
	r.frames.release()
}

func (r *renderer) partialBlock() *partialBlock {
	v, _ := r.variable(r.frame, "partial-block")
	b, _ := v.any.(*partialBlock)
	return b
}

// runBlock runs the block of a partial, in which @partial-block is the one around it.
func (r *renderer) runBlock(b *partialBlock, context value) {
	f := r.frames.take()
	f.parent, f.hasBlock, f.block = r.frame, true, b.outer
	r.frame = f
	r.runClosure(b.closure, context)
	r.frame = f.parent
	r.frames.release()
}

// blockText is @partial-block as a value: what {{#if @partial-block}} asks about is, as in handlebars.js, what the block
// writes without a context. Sections that it sets do not count.
func (r *renderer) blockText(b *partialBlock) value {
	if b == nil {
		return value{}
	}
	start, sections, outer := len(r.out), r.sections, r.frame
	r.sections = nil
	f := r.frames.take()
	f.hasBlock, f.block = true, b.outer
	r.frame = f
	r.runClosure(b.closure, value{})
	r.frame, r.sections = outer, sections
	r.frames.release()
	written := string(r.out[start:])
	r.out = r.out[:start]
	return value{any: written}
}

// runClosure runs a program where it was written, with a context.
func (r *renderer) runClosure(c closure, context value) {
	scope, params, home := r.scope, r.params, r.home
	r.scope, r.params, r.home = c.scope, c.params, c.home
	r.runWith(c.program, context)
	r.scope, r.params, r.home = scope, params, home
}

// runTemplate runs a partial from a file: ../ ends at its context, unless option Compat is on.
func (r *renderer) runTemplate(t *Template, context value, inlines *inlines) {
	scope, home := r.scope, r.home
	if !r.engine.config.Compat {
		r.scope = nil
	}
	r.home = r.activations.take()
	r.home.inlines = inlines
	r.runWith(t.main, context)
	r.scope, r.home = scope, home
	r.activations.release()
}

// template finds the template of a partial, nil if there is none.
func (r *renderer) template(call *partialCall, name string) *Template {
	if call.dynamic == nil && r.options.Partials == nil {
		if t := call.static.Load(); t != nil {
			return t
		}
	}
	if source, ok := r.options.Partials[name]; ok {
		t, err := r.library.given.compile(r.library, name, name, source)
		if err != nil {
			r.includeError(err)
		}
		return t
	}
	t, err := r.partialTemplate(name)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			r.includeError(err)
		}
		return nil
	}
	if call.dynamic == nil && r.library.cached {
		call.static.Store(t)
	}
	return t
}

// includeError breaks the rendering off with the error of a partial that does not compile or cannot be read.
func (r *renderer) includeError(err error) {
	var e *Error
	if !errors.As(err, &e) {
		r.failWith(err, "%v", err)
	}
	included := *e
	for i := len(r.trail) - 1; i >= 0; i-- {
		included.IncludedFrom = append(included.IncludedFrom, r.trail[i].String())
	}
	panic(failure{&included})
}

// cycle names the files around an endless inclusion, up to where they repeat.
func (r *renderer) cycle() string {
	var chain []string
	for i := len(r.trail) - 1; i >= 0; i-- {
		file := r.trail[i].template.file
		chain = append(chain, file)
		if len(chain) > 1 && file == chain[0] {
			break
		}
	}
	slices.Reverse(chain)
	return strings.Join(chain, " > ")
}

// indentLines puts indent before every line of out from start on, the empty one at the end excepted.
func indentLines(out []byte, start int, indent string) []byte {
	end := len(out)
	for line := start; line < end; {
		next := end
		if n := bytes.IndexByte(out[line:end], '\n'); n >= 0 {
			next = line + n + 1
		}
		out = append(append(out, indent...), out[line:next]...)
		line = next
	}
	return out[:start+copy(out[start:], out[end:])]
}
