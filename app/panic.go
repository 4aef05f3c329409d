package app

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
)

// A PanicError is a panic of a handler on its way to the error handlers.
type PanicError struct {
	Value any             // what was given to panic
	Stack []runtime.Frame // innermost first, from the call of panic on
}

// Error is the text of the value.
func (e *PanicError) Error() string { return fmt.Sprint(e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// panicked makes an error of a recovered panic. http.ErrAbortHandler is net/http's own and goes on.
func panicked(v any) error {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	e := &PanicError{Value: v}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		e.Stack = append(e.Stack, f)
		if !more {
			return e
		}
	}
}

// stackOf is where the panic that caused err came up; nil if none did.
func stackOf(err error) []runtime.Frame {
	var p *PanicError
	if errors.As(err, &p) {
		return p.Stack
	}
	return nil
}
