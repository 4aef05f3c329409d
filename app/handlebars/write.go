package handlebars

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A SafeString is text that is already HTML: {{name}} writes it as it is. The type of the same name in raymond and
// html/template's HTML are accepted as well.
type SafeString string

// html is the page that a layout writes as {{{body}}}. It is text like any other, as in express-handlebars: {{body}}
// escapes it.
type html struct{ text []byte }

var (
	stringType = reflect.TypeFor[string]()
	intType    = reflect.TypeFor[int]()
)

// escapes is handlebars.js's table (lib/handlebars/utils.js).
var escapes = [256]string{
	'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;", '\'': "&#x27;", '`': "&#x60;", '=': "&#x3D;",
}

// special are the characters that escapes has, in a table that is small enough to stay near.
var special = [256]bool{'&': true, '<': true, '>': true, '"': true, '\'': true, '`': true, '=': true}

// Escape writes text as Handlebars escapes it for HTML: the characters & < > " ' ` and =.
func Escape(text string) string { return string(appendEscaped(nil, text)) }

func appendEscaped(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); i++ {
		if special[s[i]] {
			dst = append(append(dst, s[start:i]...), escapes[s[i]]...)
			start = i + 1
		}
	}
	return append(dst, s[start:]...)
}

// write appends a value to the output.
func (r *renderer) write(v value, escape bool) {
	switch x := v.any.(type) {
	case string:
		r.writeText(x, escape)
	case SafeString:
		r.out = append(r.out, x...)
	case *html:
		if escape {
			r.out = appendEscaped(r.out, string(x.text))
		} else {
			r.out = append(r.out, x.text...)
		}
	case int:
		r.out = strconv.AppendInt(r.out, int64(x), 10)
	case float64:
		r.out = appendFloat(r.out, x, 64)
	case nil:
		switch {
		case !v.rv.IsValid():
		case v.rv.Type() == stringType:
			r.writeText(v.rv.String(), escape)
		case v.rv.Type() == intType:
			r.out = strconv.AppendInt(r.out, v.rv.Int(), 10)
		default:
			r.writeOther(v, escape)
		}
	default:
		r.writeOther(v, escape)
	}
}

func (r *renderer) writeText(s string, escape bool) {
	if escape {
		r.out = appendEscaped(r.out, s)
	} else {
		r.out = append(r.out, s...)
	}
}

func (r *renderer) writeOther(v value, escape bool) {
	if rv := v.resolve(); rv.Kind() == reflect.String && isSafe(rv.Type()) {
		escape = false
	}
	start := len(r.out)
	r.out = appendValue(r.out, v, nil)
	if escape && needsEscape(r.out[start:]) {
		s := string(r.out[start:])
		r.out = appendEscaped(r.out[:start], s)
	}
}

func needsEscape(b []byte) bool {
	for _, c := range b {
		if special[c] {
			return true
		}
	}
	return false
}

// isSafe reports whether a string type means HTML.
func isSafe(t reflect.Type) bool {
	if t.PkgPath() == "" {
		return false
	}
	switch t.PkgPath() + "." + t.Name() {
	case "github.com/zocalo-go/zocalo/app/handlebars.SafeString", "github.com/aymerick/raymond.SafeString", "html/template.HTML":
		return true
	}
	return false
}

// text is a value as text.
func text(v value) string {
	if s, ok := v.any.(string); ok {
		return s
	}
	return string(appendValue(nil, v, nil))
}

// appendValue writes a value as JavaScript turns it into a string, except that a fmt.Stringer is asked. Inside are the
// lists around it: one that holds itself is empty there.
func appendValue(dst []byte, v value, inside []uintptr) []byte {
	switch x := v.any.(type) {
	case *overlay:
		return append(dst, "[object Object]"...)
	case *partialBlock:
		return dst
	case *html:
		return append(dst, x.text...)
	case fmt.Stringer:
		if v.isNilPointer() {
			return dst
		}
		return append(dst, x.String()...)
	case error:
		if v.isNilPointer() {
			return dst
		}
		return append(dst, x.Error()...)
	}
	rv := v.resolve()
	if v.any == nil && rv.IsValid() && rv.CanInterface() {
		if s, ok := stringer(rv); ok {
			return append(dst, s.String()...)
		}
	}
	switch rv.Kind() {
	case reflect.Invalid:
		return dst
	case reflect.String:
		return append(dst, rv.String()...)
	case reflect.Bool:
		return strconv.AppendBool(dst, rv.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(dst, rv.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(dst, rv.Uint(), 10)
	case reflect.Float32:
		return appendFloat(dst, rv.Float(), 32)
	case reflect.Float64:
		return appendFloat(dst, rv.Float(), 64)
	case reflect.Slice, reflect.Array:
		if !isList(rv) {
			return append(dst, rv.Bytes()...)
		}
		if rv.Kind() == reflect.Slice {
			if slices.Contains(inside, rv.Pointer()) {
				return dst
			}
			inside = append(inside, rv.Pointer())
		}
		for i := range rv.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, fromReflect(rv.Index(i)), inside)
		}
		return dst
	case reflect.Func, reflect.Chan:
		return dst
	}
	return append(dst, "[object Object]"...)
}

// stringer finds String on a field or an element, and on the address of one.
func stringer(rv reflect.Value) (fmt.Stringer, bool) {
	if s, ok := rv.Interface().(fmt.Stringer); ok {
		return s, true
	}
	if rv.CanAddr() {
		s, ok := rv.Addr().Interface().(fmt.Stringer)
		return s, ok
	}
	return nil, false
}

// appendFloat writes a number as Number.prototype.toString does (ECMA-262, 6.1.6.1.20).
func appendFloat(dst []byte, f float64, bits int) []byte {
	if n := int64(f); float64(n) == f && n > -1<<53 && n < 1<<53 {
		return strconv.AppendInt(dst, n, 10)
	}
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0')
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, bits)
	}
	s := strconv.FormatFloat(f, 'e', -1, bits)
	mantissa, exponent, _ := strings.Cut(s, "e")
	return append(append(append(dst, mantissa...), 'e', exponent[0]), strings.TrimLeft(exponent[1:], "0")...)
}
