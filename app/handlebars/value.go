package handlebars

import (
	"encoding/json"
	"iter"
	"math"
	"reflect"
	"strconv"
	"unicode/utf16"
)

// An Object is a value that says itself what its properties are and in which order: an ordered map, a row of a
// database. It is the one way in which a template calls a method, besides fmt.Stringer.
type Object interface {
	Property(name string) (value any, ok bool)
	Properties() iter.Seq2[string, any] // for {{#each}}
}

// A value is what an expression finds. What comes out of an interface stays in it, and a field or an element of a typed
// container stays a reflect.Value, so that neither is allocated. The zero value is undefined, and so is null.
type value struct {
	any any
	rv  reflect.Value // only if any is nil; never an interface
}

// fromReflect makes a value of a field or an element.
func fromReflect(rv reflect.Value) value {
	if rv.Kind() == reflect.Interface {
		return value{any: rv.Interface()}
	}
	return value{rv: rv}
}

// export returns the value as helpers get it.
func (v value) export(fields *fieldCache) any {
	switch x := v.any.(type) {
	case nil:
		if !v.rv.IsValid() || !v.rv.CanInterface() {
			return nil
		}
		return v.rv.Interface()
	case *overlay:
		return x.toMap(fields)
	case *html:
		return string(x.text)
	case nothing:
		return map[string]any{}
	case *partialBlock:
		return x != nil // of a block, a helper learns that it is there
	}
	return v.any
}

// resolve follows pointers. The result is invalid for nil, and for nil pointers, maps, slices and functions.
func (v value) resolve() reflect.Value {
	rv := v.rv
	if v.any != nil {
		rv = reflect.ValueOf(v.any)
	}
	for {
		switch rv.Kind() {
		case reflect.Pointer, reflect.Interface:
			if rv.IsNil() {
				return reflect.Value{}
			}
			rv = rv.Elem()
			continue
		case reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
			if rv.IsNil() {
				return reflect.Value{}
			}
		}
		return rv
	}
}

// isNil reports whether the value is null or undefined.
func (v value) isNil() bool {
	switch v.any.(type) {
	case string, int, bool, float64, Object:
		return false
	case nil:
		if !v.rv.IsValid() {
			return true
		}
	}
	return !v.resolve().IsValid()
}

// isEmpty is Utils.isEmpty of handlebars.js: nothing, false, "", NaN and lists without items. Zero is not.
func (v value) isEmpty() bool {
	switch x := v.any.(type) {
	case string:
		return x == ""
	case bool:
		return !x
	case int:
		return false
	case []any:
		return len(x) == 0
	case map[string]any:
		return x == nil
	case *html:
		return len(x.text) == 0
	}
	rv := v.resolve()
	switch rv.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Bool:
		return !rv.Bool()
	case reflect.String, reflect.Slice, reflect.Array:
		return rv.Len() == 0
	case reflect.Float32, reflect.Float64:
		return math.IsNaN(rv.Float())
	}
	return false
}

// isFalsy reports whether JavaScript takes the value for false; a list never is.
func (v value) isFalsy() bool {
	return v.isNil() || (v.isEmpty() || v.isZero()) && !isList(v.resolve())
}

// isTruthy reports whether {{#if}} takes the value for true.
func (v value) isTruthy(includeZero bool) bool {
	switch x := v.any.(type) {
	case bool:
		return x
	case string:
		return x != ""
	case nil:
		switch v.rv.Kind() {
		case reflect.Invalid:
			return false
		case reflect.Bool:
			return v.rv.Bool()
		case reflect.String:
			return v.rv.Len() > 0
		}
	}
	return !v.isEmpty() && (includeZero || !v.isZero())
}

// isZero reports whether the value is the number 0.
func (v value) isZero() bool {
	switch x := v.any.(type) {
	case string, bool, map[string]any, []any:
		return false
	case int:
		return x == 0
	case float64:
		return x == 0
	case json.Number:
		f, err := x.Float64()
		return err == nil && f == 0
	}
	f, ok := numberOf(v.resolve())
	return ok && f == 0
}

// numberOf returns the number that rv is.
func numberOf(rv reflect.Value) (float64, bool) {
	switch {
	case rv.CanInt():
		return float64(rv.Int()), true
	case rv.CanUint():
		return float64(rv.Uint()), true
	case rv.CanFloat():
		return rv.Float(), true
	}
	return 0, false
}

// isList reports whether the value is an array to Handlebars. Bytes are text.
func isList(rv reflect.Value) bool {
	return rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() != reflect.Uint8 || rv.Kind() == reflect.Array
}

// same reports whether two contexts are one, so that entering one from the other leaves ../ where it was.
func same(a, b value) bool {
	switch x := a.any.(type) {
	case string:
		y, ok := b.any.(string)
		return ok && x == y
	case int:
		y, ok := b.any.(int)
		return ok && x == y
	}
	ra, rb := a.resolve(), b.resolve()
	if !ra.IsValid() || !rb.IsValid() {
		return ra.IsValid() == rb.IsValid()
	}
	if ra.Type() != rb.Type() {
		return false
	}
	switch ra.Kind() {
	case reflect.Map, reflect.Func:
		return ra.Pointer() == rb.Pointer()
	case reflect.Slice:
		return ra.Pointer() == rb.Pointer() && ra.Len() == rb.Len()
	case reflect.Struct, reflect.Array:
		return ra.CanAddr() && rb.CanAddr() && ra.UnsafeAddr() == rb.UnsafeAddr()
	}
	return ra.Comparable() && ra.Equal(rb)
}

// An overlay is a context with some properties in front: the arguments of {{> partial name=value}}, the body of a page.
type overlay struct {
	base  value
	names []string
	vals  []value
}

func (o *overlay) property(r *renderer, name string) (value, bool) {
	for i, n := range o.names {
		if n == name {
			return o.vals[i], true
		}
	}
	if name == "length" && isIndexed(o.base.resolve()) {
		return value{}, false // of its base, an overlay has the items
	}
	return r.property(o.base, name)
}

// isIndexed reports whether the properties of a value are its items: a list or a text.
func isIndexed(rv reflect.Value) bool { return isList(rv) || rv.Kind() == reflect.String }

func (o *overlay) toMap(fields *fieldCache) map[string]any {
	m := map[string]any{}
	for key, v := range fields.ownProperties(o.base) {
		m[text(key)] = v.export(fields)
	}
	for i, name := range o.names {
		m[name] = o.vals[i].export(fields)
	}
	return m
}

// property looks a name up in a value. Methods are never found.
func (r *renderer) property(v value, name string) (value, bool) {
	switch x := v.any.(type) {
	case map[string]any:
		p, ok := x[name]
		return value{any: p}, ok
	case map[string]string:
		p, ok := x[name]
		if !ok {
			return value{}, false
		}
		return value{any: p}, true
	case *overlay:
		return x.property(r, name)
	case *html:
		return inString(string(x.text), name)
	}
	rv := v.resolve()
	if o, ok := r.engine.fields.object(v, rv); ok {
		p, ok := o.Property(name)
		return value{any: p}, ok
	}
	switch rv.Kind() {
	case reflect.Struct:
		return fieldOf(rv, r.engine.fields.of(rv.Type()).index(name))
	case reflect.Map:
		key, ok := mapKey(rv.Type().Key(), name)
		if !ok {
			return value{}, false
		}
		if e := rv.MapIndex(key); e.IsValid() {
			return fromReflect(e), true
		}
	case reflect.Slice, reflect.Array:
		if name == "length" {
			return value{any: rv.Len()}, true
		}
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < rv.Len() && strconv.Itoa(i) == name {
			return fromReflect(rv.Index(i)), true
		}
	case reflect.String:
		return inString(rv.String(), name)
	}
	return value{}, false
}

// inString is a property that a string has in JavaScript: its length, or one of its UTF-16 code units.
func inString(s, name string) (value, bool) {
	if name == "length" {
		return value{any: len(utf16.Encode([]rune(s)))}, true
	}
	i, err := strconv.Atoi(name)
	if err != nil || i < 0 || strconv.Itoa(i) != name {
		return value{}, false
	}
	if units := utf16.Encode([]rune(s)); i < len(units) {
		return value{any: string(utf16.Decode(units[i : i+1]))}, true
	}
	return value{}, false
}

func (v value) isNilPointer() bool {
	rv := reflect.ValueOf(v.any)
	return rv.Kind() == reflect.Pointer && rv.IsNil()
}

// mapKey is the key of a map that a name in a template means.
func mapKey(t reflect.Type, name string) (reflect.Value, bool) {
	switch t.Kind() {
	case reflect.String:
		return reflect.ValueOf(name).Convert(t), true
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return reflect.ValueOf(name), true
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n, err := strconv.ParseInt(name, 10, t.Bits()); err == nil {
			return reflect.ValueOf(n).Convert(t), true
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n, err := strconv.ParseUint(name, 10, t.Bits()); err == nil {
			return reflect.ValueOf(n).Convert(t), true
		}
	}
	return reflect.Value{}, false
}
