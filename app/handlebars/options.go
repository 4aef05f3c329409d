package handlebars

import (
	"context"
	"slices"
)

// Options are what a helper gets besides its arguments, as its last parameter. They are for the call only: a helper
// that keeps them, or hands them to a goroutine that outlives it, panics when they are used.
type Options struct {
	r    *renderer
	in   *invocation
	args []value
	hash []value

	decorated *decorated // the block, if it has decorators
}

func (o *Options) live() *renderer {
	if o.r == nil {
		panic("handlebars: Options were used after the helper had returned")
	}
	return o.r
}

// Name is how the template calls the helper.
func (o *Options) Name() string { return o.in.name }

// Context is the context of the request that the page is for.
func (o *Options) Context() context.Context { return o.live().ctx }

// IsBlock reports whether the helper is used as {{#name}}…{{/name}}.
func (o *Options) IsBlock() bool { return o.in.block }

// BlockParams is the number of parameters that the block declares: 2 for {{#name as |item index|}}.
func (o *Options) BlockParams() int {
	if o.in.main == nil {
		return 0
	}
	return o.in.main.params
}

// Params are the arguments without a name.
func (o *Options) Params() []any {
	r := o.live()
	list := make([]any, len(o.args))
	for i, v := range o.args {
		list[i] = v.export(&r.engine.fields)
	}
	return list
}

// Hash are the arguments with a name.
func (o *Options) Hash() map[string]any {
	r := o.live()
	m := make(map[string]any, len(o.hash))
	for i, v := range o.hash {
		m[o.in.keys[i]] = v.export(&r.engine.fields)
	}
	return m
}

// HashKeys are the names of the arguments with a name, in the order in which handlebars.js has them: the last first.
func (o *Options) HashKeys() []string { return slices.Clone(o.in.keys) }

// HashProp is one argument with a name, nil if it was not given.
func (o *Options) HashProp(name string) any {
	r := o.live()
	for i := range o.hash {
		if o.in.keys[i] == name {
			return o.hash[i].export(&r.engine.fields)
		}
	}
	return nil
}

// HashStr is HashProp as text.
func (o *Options) HashStr(name string) string { return text(value{any: o.HashProp(name)}) }

// Ctx is the context of the template, this.
func (o *Options) Ctx() any {
	r := o.live()
	return r.scope.this.export(&r.engine.fields)
}

// Value is a property of the context.
func (o *Options) Value(name string) any {
	r := o.live()
	v, _ := r.property(r.scope.this, name)
	return v.export(&r.engine.fields)
}

// Data is the variable @name, nil if there is none.
func (o *Options) Data(name string) any {
	r := o.live()
	if o.in.at.template.noData {
		return nil
	}
	v, _ := r.variable(r.frame, name)
	return v.export(&r.engine.fields)
}

// Fn renders the block with the context that it stands in. It is "" for a helper that is not used as a block.
func (o *Options) Fn() string {
	return o.render(o.in.main, o.context(), nil, nil)
}

// context is the one that the block stands in.
func (o *Options) context() value {
	this := o.live().scope.this
	if this.any == nil && !this.rv.IsValid() {
		return value{any: nothing{}}
	}
	return this
}

// FnWith renders the block with a context, and values for the parameters that it declares.
func (o *Options) FnWith(context any, params ...any) string {
	return o.render(o.in.main, value{any: context}, nil, params)
}

// FnData is FnWith with variables: {"index": 3} is @index in the block.
func (o *Options) FnData(context any, data map[string]any, params ...any) string {
	return o.render(o.in.main, value{any: context}, data, params)
}

// Inverse renders what stands behind {{else}}, with the context that the block stands in.
func (o *Options) Inverse() string {
	return o.render(o.in.inverse, o.context(), nil, nil)
}

func (o *Options) render(p *program, context value, data map[string]any, params []any) string {
	r := o.live()
	if p == nil {
		return ""
	}
	// A helper may recover from what breaks the block off: everything is put back.
	before, inlines := *r, r.home.inlines
	defer func() {
		out := r.out
		r.scope, r.frame, r.params, r.home = before.scope, before.frame, before.params, before.home
		r.out, r.trail, r.args = out[:len(before.out)], before.trail, before.args
		r.home.inlines = inlines
	}()
	r.cancelled()
	if data != nil {
		r.frame = &frame{parent: r.frame, vars: data}
	}
	var values []value
	for _, v := range params {
		values = append(values, value{any: v})
	}
	r.ready = o.decorated
	r.runWith(p, context, values...)
	return string(r.out[len(before.out):])
}
