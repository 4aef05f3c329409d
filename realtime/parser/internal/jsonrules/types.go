package jsonrules

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
)

// MaxDepth bounds how deep a value is followed that is on its way out. What is
// deeper is, most likely, part of itself.
const MaxDepth = 1000

var (
	bytesType         = reflect.TypeFor[[]byte]()
	marshalerType     = reflect.TypeFor[json.Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
)

// IsBinary reports whether values of t are bytes: slices of bytes that do not
// marshal themselves.
func IsBinary(t reflect.Type) bool {
	return t == bytesType || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !MarshalsItself(t)
}

// MarshalsItself reports whether t, or a pointer to it, has a method that
// encoding/json calls.
func MarshalsItself(t reflect.Type) bool {
	return t.Implements(marshalerType) || t.Implements(textMarshalerType) ||
		t.Kind() != reflect.Pointer && (reflect.PointerTo(t).Implements(marshalerType) || reflect.PointerTo(t).Implements(textMarshalerType))
}

// Scalar reports whether values of t hold nothing but a number, a bool or text.
func Scalar(t reflect.Type) bool {
	k := t.Kind()
	return k == reflect.Bool || k == reflect.String || k >= reflect.Int && k <= reflect.Float64
}

// Key returns the text of a map's key.
func Key(k reflect.Value) (string, error) {
	if k.Kind() == reflect.String {
		return k.String(), nil
	}
	if m, ok := k.Interface().(encoding.TextMarshaler); ok {
		if k.Kind() == reflect.Pointer && k.IsNil() {
			return "", nil
		}
		text, err := m.MarshalText()
		return string(text), err
	}
	switch {
	case k.CanInt():
		return strconv.FormatInt(k.Int(), 10), nil
	case k.CanUint():
		return strconv.FormatUint(k.Uint(), 10), nil
	}
	return "", &json.UnsupportedTypeError{Type: k.Type()}
}
