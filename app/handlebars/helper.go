package handlebars

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// Helpers are functions that templates call by name.
//
// A helper takes any number of arguments of any types, before them a context.Context if it wants that of the request,
// and after them an *[Options] if it wants named arguments or is used as a block. It returns a value, or a value and an
// error. Its result is escaped unless it is a [SafeString]; that of a block is not.
//
//	"upper":  strings.ToUpper
//	"avatar": func(ctx context.Context, id int) (handlebars.SafeString, error) { … }
//	"list":   func(items []string, o *handlebars.Options) string { … o.FnWith(item) … }
//
// An argument that the template does not give is the zero value, one too many is dropped. A string takes anything as
// text, a number takes numeric text, a bool what {{#if}} makes of it.
type Helpers map[string]any

// A helper is a function that was checked and can be called.
type helper struct {
	call    func(r *renderer, args []value, o *Options) value
	options bool // it takes *Options
}

// A signature calls functions of one type.
type signature struct {
	context  bool
	options  bool
	variadic bool
	params   []reflect.Type // the last one is that of each variadic argument
	result   bool
	err      bool
}

var (
	contextType = reflect.TypeFor[context.Context]()
	optionsType = reflect.TypeFor[*Options]()
	errorType   = reflect.TypeFor[error]()
)

// newHelper checks a function. The error says what is wrong with it.
func (c *signatureCache) helper(name string, fn any) (*helper, error) {
	if h := common(fn); h != nil {
		return h, nil
	}
	rv := reflect.ValueOf(fn)
	if rv.Kind() != reflect.Func || rv.IsNil() {
		return nil, fmt.Errorf("helper %q is not a function but a %T", name, fn)
	}
	s, err := c.of(rv.Type())
	if err != nil {
		return nil, fmt.Errorf("helper %q: %w", name, err)
	}
	return &helper{
		call:    func(r *renderer, args []value, o *Options) value { return s.call(r, name, rv, args, o) },
		options: s.options,
	}, nil
}

// common makes helpers of the usual types of functions, which are called without reflection.
func common(fn any) *helper {
	arg := func(args []value, i int) value {
		if i < len(args) {
			return args[i]
		}
		return value{}
	}
	export := func(r *renderer, args []value, i int) any { return arg(args, i).export(&r.engine.fields) }
	simple := func(call func(r *renderer, args []value) value) *helper {
		return &helper{call: func(r *renderer, args []value, _ *Options) value { return call(r, args) }}
	}
	switch fn := fn.(type) {
	case func() string:
		return simple(func(*renderer, []value) value { return value{any: fn()} })
	case func(string) string:
		return simple(func(_ *renderer, args []value) value { return value{any: fn(text(arg(args, 0)))} })
	case func(string) SafeString:
		return simple(func(_ *renderer, args []value) value { return value{any: fn(text(arg(args, 0)))} })
	case func(string, string) string:
		return simple(func(_ *renderer, args []value) value { return value{any: fn(text(arg(args, 0)), text(arg(args, 1)))} })
	case func(any) any:
		return simple(func(r *renderer, args []value) value { return value{any: fn(export(r, args, 0))} })
	case func(any) string:
		return simple(func(r *renderer, args []value) value { return value{any: fn(export(r, args, 0))} })
	case func(any) bool:
		return simple(func(r *renderer, args []value) value { return value{any: fn(export(r, args, 0))} })
	case func(any, any) any:
		return simple(func(r *renderer, args []value) value { return value{any: fn(export(r, args, 0), export(r, args, 1))} })
	case func(any, any) bool:
		return simple(func(r *renderer, args []value) value { return value{any: fn(export(r, args, 0), export(r, args, 1))} })
	case func(*Options) string:
		return &helper{options: true, call: func(_ *renderer, _ []value, o *Options) value { return value{any: fn(o)} }}
	case func(*Options) any:
		return &helper{options: true, call: func(_ *renderer, _ []value, o *Options) value { return value{any: fn(o)} }}
	case func(any, *Options) string:
		return &helper{options: true, call: func(r *renderer, args []value, o *Options) value {
			return value{any: fn(export(r, args, 0), o)}
		}}
	}
	return nil
}

// newSignature checks a type of function.
func newSignature(t reflect.Type) (*signature, error) {
	s := &signature{variadic: t.IsVariadic()}
	for i := range t.NumIn() {
		in := t.In(i)
		last := i == t.NumIn()-1
		switch {
		case in == contextType && i == 0:
			s.context = true
		case in == optionsType && last:
			s.options = true
		case in == contextType:
			return nil, errors.New("a context.Context is the first parameter")
		case in == optionsType:
			return nil, errors.New("*handlebars.Options is the last parameter")
		case last && s.variadic && in.Elem() == optionsType:
			return nil, errors.New("*handlebars.Options cannot be variadic; Options.Params has all arguments")
		case last && s.variadic:
			s.params = append(s.params, in.Elem())
		default:
			s.params = append(s.params, in)
		}
	}
	switch n := t.NumOut(); {
	case n == 2 && t.Out(1) == errorType:
		s.result, s.err = true, true
	case n == 1 && t.Out(0) == errorType:
		s.err = true
	case n == 1:
		s.result = true
	case n > 0:
		return nil, fmt.Errorf("%s returns a value, or a value and an error", t)
	}
	return s, nil
}

func (s *signature) call(r *renderer, name string, fn reflect.Value, args []value, o *Options) value {
	in := make([]reflect.Value, 0, len(args)+2)
	if s.context {
		in = append(in, reflect.ValueOf(r.ctx))
	}
	fixed := len(s.params)
	if s.variadic {
		fixed--
	}
	for i := 0; i < fixed || s.variadic && i < len(args); i++ {
		t := s.params[min(i, len(s.params)-1)]
		if i >= len(args) {
			in = append(in, reflect.Zero(t))
			continue
		}
		arg, err := convert(args[i], t, &r.engine.fields)
		if err != nil {
			r.fail("helper %q: argument %d: %v", name, i+1, err)
		}
		in = append(in, arg)
	}
	if s.options {
		in = append(in, reflect.ValueOf(o))
	}
	out := fn.Call(in)
	if s.err {
		if err, _ := out[len(out)-1].Interface().(error); err != nil {
			r.site = o.siteOr(r.site)
			r.failWith(err, "helper %q: %v", name, err)
		}
	}
	if !s.result {
		return value{}
	}
	return value{any: out[0].Interface()}
}

// siteOr is the place of the call, after which blocks were rendered.
func (o *Options) siteOr(s *site) *site {
	if o == nil {
		return s
	}
	return o.in.at
}

// convert makes an argument of a helper's type.
func convert(v value, t reflect.Type, fields *fieldCache) (reflect.Value, error) {
	if t.Kind() == reflect.Interface {
		x := reflect.ValueOf(v.export(fields))
		if !x.IsValid() {
			return reflect.Zero(t), nil
		}
		if !x.Type().Implements(t) {
			return x, fmt.Errorf("it is a %s, not a %s", x.Type(), t)
		}
		return x, nil
	}
	x := reflect.ValueOf(v.export(fields))
	if x.IsValid() && x.Type().AssignableTo(t) {
		return x, nil
	}
	rv := v.resolve()
	switch {
	case t.Kind() == reflect.Bool:
		return reflect.ValueOf(v.isTruthy(false)).Convert(t), nil
	case t.Kind() == reflect.String:
		return reflect.ValueOf(text(v)).Convert(t), nil
	case !rv.IsValid():
		return reflect.Zero(t), nil
	case isNumber(t):
		return convertNumber(rv, t)
	case t.Kind() == reflect.Pointer && rv.CanAddr() && rv.Addr().Type().AssignableTo(t):
		return rv.Addr(), nil
	case rv.Type().AssignableTo(t):
		return rv, nil
	case rv.Type().ConvertibleTo(t) && rv.Kind() == t.Kind():
		return rv.Convert(t), nil
	case x.Type().ConvertibleTo(t) && x.Kind() == t.Kind():
		return x.Convert(t), nil
	case isList(rv) && t.Kind() == reflect.Slice:
		list := reflect.MakeSlice(t, rv.Len(), rv.Len())
		for i := range rv.Len() {
			item, err := convert(fromReflect(rv.Index(i)), t.Elem(), fields)
			if err != nil {
				return item, fmt.Errorf("item %d: %w", i, err)
			}
			list.Index(i).Set(item)
		}
		return list, nil
	}
	return rv, fmt.Errorf("it is a %s, not a %s", rv.Type(), t)
}

func isNumber(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 }

// convertNumber makes a number of a number or of text that is one.
func convertNumber(rv reflect.Value, t reflect.Type) (reflect.Value, error) {
	if isNumber(rv.Type()) {
		return rv.Convert(t), nil
	}
	if rv.Kind() != reflect.String {
		return rv, fmt.Errorf("it is a %s, not a %s", rv.Type(), t)
	}
	if f, err := strconv.ParseFloat(rv.String(), 64); err == nil {
		return reflect.ValueOf(f).Convert(t), nil
	}
	return rv, fmt.Errorf("%q is not a number", rv.String())
}
