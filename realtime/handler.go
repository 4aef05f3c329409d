package realtime

import (
	"context"
	"fmt"
	"reflect"
	"sync"
)

// Ack answers an event that the client wants acknowledged. The first answer
// counts, further ones are ignored, as is the answer to an event that needs
// none. It may be called at any time, from any goroutine.
type Ack func(args ...any)

var (
	ackType     = reflect.TypeFor[Ack]()
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	argsType    = reflect.TypeFor[Args]()
)

// handler is a function given to On, whose signature has been understood.
type handler struct {
	*signature
	fn any
}

// signature is what is to be known of functions of one type.
type signature struct {
	params   []reflect.Type // that take an argument of the event
	variadic reflect.Type   // of the last parameter's elements, or nil
	args     bool           // takes all further arguments as Args
	context  bool           // begins with a context
	ack      bool           // ends with an Ack
	result   bool           // returns a value
	fails    bool           // returns an error last

	direct caller // the same without reflection, for the most frequent types, or nil
}

// signatures has those that can work by their type: each socket of a program
// registers the same ones.
var signatures sync.Map

// compile understands the signature of fn, a handler of event. It panics when
// the signature cannot work, or must is set and the function is nil.
func compile(event string, fn any, must bool) handler {
	v := reflect.ValueOf(fn)
	if fn != nil && !(must && v.Kind() == reflect.Func && v.IsNil()) {
		if known, found := signatures.Load(v.Type()); found {
			return handler{known.(*signature), fn}
		}
	}
	fault := func(format string, args ...any) {
		panic(fmt.Sprintf("realtime: handler of %q is %T: %s", event, fn, fmt.Sprintf(format, args...)))
	}
	if v.Kind() != reflect.Func {
		fault("give a function, such as func(text string)")
	}
	if must && v.IsNil() {
		fault("the function is nil")
	}
	t := v.Type()
	h := &signature{direct: direct(fn)}
	from, to := 0, t.NumIn()
	if from < to && t.In(from) == contextType {
		h.context = true
		from++
	}
	if from < to && t.In(to-1) == ackType {
		h.ack = true
		to--
	}
	if from < to && t.In(to-1) == argsType {
		h.args = true
		to--
	}
	for i := from; i < to; i++ {
		p := t.In(i)
		if t.IsVariadic() && i == t.NumIn()-1 {
			h.variadic = p.Elem()
			p = p.Elem()
		} else {
			h.params = append(h.params, p)
		}
		switch {
		case p == ackType:
			fault("the Ack must be the last parameter")
		case p == argsType:
			fault("Args must be the last parameter but for the Ack")
		case p == contextType:
			fault("the context.Context must be the first parameter")
		case p.Kind() == reflect.Func || p.Kind() == reflect.Chan || p.Kind() == reflect.UnsafePointer ||
			p.Kind() == reflect.Interface && p.NumMethod() > 0:
			fault("parameter %d, a %v, cannot be decoded from JSON", i+1, p)
		}
	}
	switch n := t.NumOut(); {
	case n > 2:
		fault("return nothing, a result, an error, or a result and an error")
	case n == 2 && t.Out(1) != errorType:
		fault("the second result must be an error")
	case n > 0:
		h.fails = t.Out(n-1) == errorType
		h.result = !h.fails || n == 2
	}
	if h.ack && (h.result || h.fails) {
		fault("either take an Ack or return the answer")
	}
	signatures.Store(t, h)
	return handler{h, fn}
}

// decode makes the values of the handler's parameters, each of which passes
// validate, if that is not nil.
func (h *signature) decode(ctx context.Context, args Args, ack Ack, validate func(any) error) ([]reflect.Value, error) {
	in := make([]reflect.Value, 0, len(h.params)+2)
	if h.context {
		in = append(in, reflect.ValueOf(ctx))
	}
	one := func(i int, t reflect.Type) error {
		v := reflect.New(t)
		in = append(in, v.Elem())
		if err := args.decode(i, v.Interface()); err != nil {
			return err
		}
		if validate != nil {
			if err := validate(v.Elem().Interface()); err != nil {
				return &ArgumentError{Index: i, Err: err}
			}
		}
		return nil
	}
	for i, t := range h.params {
		if err := one(i, t); err != nil {
			return nil, err
		}
	}
	if h.variadic != nil {
		for i := len(h.params); i < args.Len(); i++ {
			if err := one(i, h.variadic); err != nil {
				return nil, err
			}
		}
	}
	if h.args {
		in = append(in, reflect.ValueOf(args.from(len(h.params))))
	}
	if h.ack {
		in = append(in, reflect.ValueOf(ack))
	}
	return in, nil
}

// call decodes the arguments, runs the handler, and acknowledges what it
// returned. It returns why the handler did not run, an *ArgumentError, or what
// it returned as its error.
func (h handler) call(ctx context.Context, args Args, ack Ack, validate func(any) error) error {
	if h.direct != nil {
		err := h.direct(h.fn, args, ack, validate)
		if err != nil {
			ack(failure(err))
		}
		return err
	}
	in, err := h.decode(ctx, args, ack, validate)
	if err != nil {
		ack(failure(err))
		return err
	}
	out := reflect.ValueOf(h.fn).Call(in)
	if h.fails {
		if err, _ := out[len(out)-1].Interface().(error); err != nil {
			ack(failure(err))
			return err
		}
	}
	switch {
	case h.result:
		ack(out[0].Interface())
	case h.fails:
		ack()
	}
	return nil
}

// A caller calls a function of one type without reflection. What it returns says
// why the arguments do not fit.
type caller func(fn any, args Args, ack Ack, validate func(any) error) error

// direct returns the caller of functions of fn's type, or nil.
func direct(fn any) caller {
	switch fn.(type) {
	case func():
		return func(fn any, _ Args, _ Ack, _ func(any) error) error { fn.(func())(); return nil }
	case func(Ack):
		return func(fn any, _ Args, ack Ack, _ func(any) error) error { fn.(func(Ack))(ack); return nil }
	case func(Args):
		return func(fn any, args Args, _ Ack, _ func(any) error) error { fn.(func(Args))(args); return nil }
	case func(Args, Ack):
		return func(fn any, args Args, ack Ack, _ func(any) error) error { fn.(func(Args, Ack))(args, ack); return nil }
	case func(string):
		return directOne(func(fn any, v string, _ Args, _ Ack) { fn.(func(string))(v) })
	case func(string, Ack):
		return directOne(func(fn any, v string, _ Args, ack Ack) { fn.(func(string, Ack))(v, ack) })
	case func(string, Args):
		return directOne(func(fn any, v string, rest Args, _ Ack) { fn.(func(string, Args))(v, rest) })
	case func([]byte):
		return directOne(func(fn any, v []byte, _ Args, _ Ack) { fn.(func([]byte))(v) })
	case func([]byte) []byte:
		return directOne(func(fn any, v []byte, _ Args, ack Ack) { ack(fn.(func([]byte) []byte)(v)) })
	}
	return nil
}

// directOne is direct for functions of one argument.
func directOne[T any](call func(fn any, v T, rest Args, ack Ack)) caller {
	return func(fn any, args Args, ack Ack, validate func(any) error) error {
		var v T
		if err := args.decode(0, &v); err != nil {
			return err
		}
		if validate != nil {
			if err := validate(v); err != nil {
				return &ArgumentError{Index: 0, Err: err}
			}
		}
		call(fn, v, args.from(1), ack)
		return nil
	}
}
