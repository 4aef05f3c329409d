package handlebars

import (
	"context"
	"fmt"
	"sync"
)

// maxPartials bounds how deep partials nest; one that includes itself without end is stopped there.
const maxPartials = 1000

// A renderer is one rendering on its way. Its parts are used again by later ones; only out grows with the page.
//
// What it keeps while it runs are four chains, each entered and left like a stack: the contexts that ../ goes up, the
// frames of @data, the block parameters, and the inline partials of the template.
type renderer struct {
	engine  *Engine
	library *library
	helpers Helpers
	ctx     context.Context
	done    <-chan struct{}

	out    []byte
	scope  *scope
	frame  *frame
	params *params
	home   *activation
	root   value
	site   *site   // where the renderer is, for errors
	trail  []*site // of the partials that it is in

	seen     map[place]*Template           // templates read for this page, when files may change
	indexes  map[*folder]map[string]string // names of partials, likewise
	options  RenderOptions
	about    about     // @exphbs, if it has a view
	body     html      // the page that a layout is for
	around   overlay   // the context of the layout
	sections []section // what the page has set for it

	scopes      pool[scope]
	frames      pool[frame]
	loops       pool[loop]
	activations pool[activation]
	args        []value
	ready       *decorated // the block of a helper that is being called
}

// A scope is a context. Where a partial begins there is no parent.
type scope struct {
	this   value
	parent *scope
}

// A frame is a set of @data variables; what it has not, the parent has.
type frame struct {
	parent *frame
	top    bool           // has @root and @exphbs
	vars   map[string]any // of a helper or of the render call

	loop        bool // has @index, @key, @first and @last
	index       int
	key         value // if it is not the index
	first, last bool

	hasBlock bool // has @partial-block
	block    *partialBlock
}

// params are the values of one block's parameters.
type params struct {
	values []value
	parent *params
	pair   [2]value
}

// A pool hands out things that are given back in the opposite order.
type pool[T any] struct {
	items []*T
	used  int
}

func (p *pool[T]) take() *T {
	if p.used == len(p.items) {
		p.items = append(p.items, new(T))
	}
	p.used++
	return p.items[p.used-1]
}

func (p *pool[T]) release() {
	p.used--
	var zero T
	*p.items[p.used] = zero
}

// reset empties the pool, also after a rendering that broke off.
func (p *pool[T]) reset() {
	var zero T
	for _, item := range p.items[:p.used] {
		*item = zero
	}
	p.used = 0
}

func newRenderers() *sync.Pool {
	return &sync.Pool{New: func() any { return &renderer{out: make([]byte, 0, 4<<10)} }}
}

// renderer takes a renderer that is ready to run.
func (e *Engine) renderer(ctx context.Context, l *library) *renderer {
	r := e.renderers.Get().(*renderer)
	r.engine, r.library = e, l
	r.ctx, r.done = ctx, ctx.Done()
	return r
}

// free gives a renderer back. Nothing of the page stays in it but an output buffer of reasonable size.
func (e *Engine) free(r *renderer) {
	r.leave()
	clear(r.around.vals)
	clear(r.args[:cap(r.args)])
	clear(r.trail[:cap(r.trail)])
	kept := renderer{
		out: r.out[:0], args: r.args[:0], trail: r.trail[:0], around: overlay{vals: r.around.vals[:0]},
		scopes: r.scopes, frames: r.frames, loops: r.loops, activations: r.activations,
	}
	if cap(kept.out) > 16<<20 {
		kept.out = nil
	}
	*r = kept
	e.renderers.Put(r)
}

// A failure is a panic of ours: it carries an *Error out of the rendering.
type failure struct{ *Error }

// fail breaks the rendering off with an error where the renderer is.
func (r *renderer) fail(format string, args ...any) {
	panic(failure{r.newError(fmt.Sprintf(format, args...), nil)})
}

// failWith is fail with a cause that an error handler may look for.
func (r *renderer) failWith(cause error, format string, args ...any) {
	panic(failure{r.newError(fmt.Sprintf(format, args...), cause)})
}

func (r *renderer) newError(message string, cause error) *Error {
	e := errorAt(r.site, message, cause)
	for i := len(r.trail) - 1; i >= 0; i-- {
		e.IncludedFrom = append(e.IncludedFrom, r.trail[i].String())
	}
	return e
}

// page runs a template as a page of its own with a context.
func (r *renderer) page(t *Template, context value, data map[string]any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.recovered(p)
		}
	}()
	r.root = context
	r.site = &t.start
	r.frame = r.frames.take()
	if data != nil { // as in handlebars.js, the given variables are also those of @../ at the top
		r.frame.vars = data
		given := r.frame
		r.frame = r.frames.take()
		r.frame.parent = given
	}
	r.frame.top = true
	r.home = r.activations.take()
	r.runWith(t.main, context)
	return nil
}

// leave forgets a page that is done, before its layout runs.
func (r *renderer) leave() {
	r.scopes.reset()
	r.frames.reset()
	r.loops.reset()
	r.activations.reset()
	r.params = nil
}

// recovered turns a panic into an error: one of ours, or that of a helper or a method String.
func (r *renderer) recovered(p any) error {
	if f, ok := p.(failure); ok {
		return f.Error
	}
	cause, ok := p.(error)
	if !ok {
		cause = fmt.Errorf("%v", p)
	}
	return r.newError("panic: "+cause.Error(), cause)
}

// nothing is what a block has for its context when there is none around it: an object without properties, as in
// handlebars.js.
type nothing struct{}

// run writes a program with the context, the data and the parameters that are in force. Those that it declares itself
// have no values.
func (r *renderer) run(p *program) {
	if p == nil {
		return
	}
	if p.params > 0 {
		outer := r.params
		r.params = &params{parent: outer}
		defer func() { r.params = outer }()
	}
	if this := &r.scope.this; this.any == nil && !this.rv.IsValid() {
		outer := r.scope
		r.scope = r.scopes.take()
		r.scope.this, r.scope.parent = value{any: nothing{}}, outer.parent
		r.runIn(p, outer)
		r.scope = outer
		r.scopes.release()
		return
	}
	r.runIn(p, r.scope)
}

// runIn is run for a program that stands in a scope, which is that around the one in force if the program has a context
// of its own.
func (r *renderer) runIn(p *program, around *scope) {
	if p.decorations != nil {
		r.runDecorated(p, around)
		return
	}
	r.runOps(p, around)
}

func (r *renderer) runOps(p *program, around *scope) {
	if p.inlines == nil {
		r.writePieces(p)
		return
	}
	before := r.home.inlines
	r.home.inlines = r.define(p, around)
	r.writePieces(p)
	r.home.inlines = before
}

func (r *renderer) writePieces(p *program) {
	for i := range p.pieces {
		piece := &p.pieces[i]
		r.out = append(r.out, piece.text...)
		if piece.op != nil {
			piece.op(r)
		}
	}
}

// runWith writes a program with another context, unless it is the one in force.
func (r *renderer) runWith(p *program, context value, values ...value) {
	if p == nil {
		return
	}
	outer, outerParams := r.scope, r.params
	entered := outer == nil || !p.template.climbs || !same(context, outer.this)
	if entered {
		r.scope = r.scopes.take()
		r.scope.this, r.scope.parent = context, outer
	}
	if p.params > 0 {
		r.params = &params{values: values, parent: outerParams}
	}
	r.runIn(p, outer)
	r.scope, r.params = outer, outerParams
	if entered {
		r.scopes.release()
	}
}

// cancelled breaks the rendering off when its context is over.
func (r *renderer) cancelled() {
	if r.done == nil {
		return
	}
	select {
	case <-r.done:
		r.failWith(context.Cause(r.ctx), "%v", context.Cause(r.ctx))
	default:
	}
}

// variable looks up @name in a frame and those around it.
func (r *renderer) variable(f *frame, name string) (value, bool) {
	for ; f != nil; f = f.parent {
		if f.loop {
			switch name {
			case "index":
				return value{any: f.index}, true
			case "key":
				return f.keyOrIndex(), true
			case "first":
				return value{any: f.first}, true
			case "last":
				return value{any: f.last}, true
			}
		}
		if f.hasBlock && name == "partial-block" {
			return value{any: f.block}, f.block != nil
		}
		if f.top && name == "exphbs" && r.about.view != "" {
			return value{any: &r.about}, true
		}
		if v, ok := f.vars[name]; ok {
			return value{any: v}, true
		}
		if f.top && name == "root" {
			if f.parent != nil {
				if v, ok := f.parent.vars[name]; ok {
					return value{any: v}, true
				}
			}
			return r.root, true
		}
	}
	return value{}, false
}

func (f *frame) keyOrIndex() value {
	if f.key.any == nil && !f.key.rv.IsValid() {
		return value{any: f.index}
	}
	return f.key
}

// up is the frame n levels above the innermost one.
func (r *renderer) up(n int) *frame {
	f := r.frame
	for ; n > 0 && f != nil; n-- {
		f = f.parent
	}
	return f
}
