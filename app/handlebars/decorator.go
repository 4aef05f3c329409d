package handlebars

import "github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"

// A Decorator is called by {{* name …}} and {{#* name …}}…{{/name}} for the program that the tag stands in, the block or
// the template around it, each time before that is rendered. It can give the program properties, which the helper of
// the block reads with [Options.Property], and can have what the program writes pass through a function. The arguments
// of the tag are those of the context around the program; around a template there is none.
type Decorator func(d *Decoration)

// A Decoration is the call of a [Decorator], and good for the call only.
type Decoration struct {
	Options // the arguments of the tag; Fn renders the block of {{#* name}}

	to *decorated
}

// Set gives the program a property.
func (d *Decoration) Set(name string, value any) {
	d.live()
	if d.to.properties == nil {
		d.to.properties = map[string]any{}
	}
	d.to.properties[name] = value
}

// Current is what the decorators before this one have given the program as a property, nil if they have not.
func (d *Decoration) Current(name string) any {
	d.live()
	return d.to.properties[name]
}

// Wrap has the program be written by a function, which is given what the program writes. Of several, the last one
// applied is outermost.
func (d *Decoration) Wrap(write func(text string) string) {
	d.live()
	d.to.wrappers = append(d.to.wrappers, write)
}

// Property is what a decorator in the block has set with [Decoration.Set], nil if none has.
func (o *Options) Property(name string) any {
	o.live()
	if o.decorated == nil {
		return nil
	}
	return o.decorated.properties[name]
}

// A decoration is a tag of a decorator other than inline.
type decoration struct {
	decorator Decorator
	in        *invocation
}

// decorated is a program after its decorators.
type decorated struct {
	program    *program
	properties map[string]any
	wrappers   []func(string) string
}

// decorator compiles a tag of a decorator into the program that it stands in.
func (c *compiler) decorator(s *syntax.Statement, into *program) {
	f := c.callee(s.Call, !isPlain(s.Call))
	if d := c.config.Decorators[f.name]; d != nil {
		in := c.invocation(s.Call, f.name, c.at(s.Pos))
		in.main, in.block = c.program(s.Program), s.Kind == syntax.DecoratorBlock
		into.decorations = append(into.decorations, decoration{d, in})
		return
	}
	if f.name != "inline" {
		c.fail(s.Pos, `Missing decorator: "`+f.name+`"`)
	}
	in := inline{name: func(*renderer) value { return value{any: "undefined"} }, program: c.program(s.Program)}
	if len(s.Params) > 0 {
		in.name = c.expr(s.Params[0])
	}
	into.inlines = append(into.inlines, in)
}

// decorate calls the decorators of a program that stands in a scope.
func (r *renderer) decorate(p *program, around *scope) *decorated {
	to := &decorated{program: p}
	defer r.in(around)()
	for _, d := range p.decorations {
		base := len(r.args)
		for _, find := range d.in.params {
			v := find(r)
			r.args = append(r.args, v)
		}
		o := &Decoration{Options{r: r, in: d.in, args: r.args[base:]}, to}
		for _, find := range d.in.hash {
			o.hash = append(o.hash, find(r))
		}
		if d.in.main != nil && d.in.main.decorations != nil {
			o.decorated = r.decorate(d.in.main, r.scope)
		}
		r.site = d.in.at
		d.decorator(o)
		r.site = d.in.at
		o.r = nil
		r.args = r.args[:base]
	}
	return to
}

// in goes to the scope around a program, and returns what goes back.
func (r *renderer) in(around *scope) func() {
	inner := r.scope
	if around == nil {
		around = &scope{}
	}
	r.scope = around
	return func() { r.scope = inner }
}

// runDecorated writes a program that has decorators.
func (r *renderer) runDecorated(p *program, around *scope) {
	d := r.ready
	if r.ready = nil; d == nil || d.program != p {
		d = r.decorate(p, around)
	}
	start := len(r.out)
	r.runOps(p, around)
	for _, wrap := range d.wrappers {
		text := string(r.out[start:])
		r.out = append(r.out[:start], wrap(text)...)
	}
}
