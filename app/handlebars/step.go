package handlebars

import (
	"reflect"
	"slices"
	"strconv"
	"sync/atomic"
)

// A step is one name of a path. It remembers the last struct type it was used on and where the field is there.
type step struct {
	name  string
	field atomic.Pointer[structField]
}

type structField struct {
	of     reflect.Type
	index  []int // nil: there is none
	object bool  // the type is an Object, and says itself what it has
	only   int   // the one index that there is, or -1
	plain  reflect.Kind
}

// field finds a field. Its plain is a kind that is written as it is: text that is not HTML, a number, a
// bool, of a type without methods; it is reflect.Invalid for others.
func (c *fieldCache) field(t reflect.Type, name string) *structField {
	table := c.of(t)
	f := &structField{of: t, index: table.index(name), object: table.object, only: -1}
	if len(f.index) != 1 || f.object {
		return f
	}
	f.only = f.index[0]
	switch field := t.Field(f.only).Type; field.Kind() {
	case reflect.String, reflect.Int, reflect.Int64, reflect.Float64, reflect.Bool:
		if reflect.PointerTo(field).NumMethod() == 0 && !isSafe(field) {
			f.plain = field.Kind()
		}
	}
	return f
}

// in returns the place of the field in a struct type.
func (s *step) in(r *renderer, t reflect.Type) *structField {
	f := s.field.Load()
	if f == nil || f.of != t {
		f = r.engine.fields.field(t, s.name)
		s.field.Store(f)
	}
	return f
}

func (s *step) find(r *renderer, v value) (value, bool) {
	switch m := v.any.(type) {
	case map[string]any:
		x, ok := m[s.name]
		return value{any: x}, ok
	case nil:
		return s.findIn(r, v, v.rv)
	case *overlay:
		for i, name := range m.names {
			if name == s.name {
				return m.vals[i], true
			}
		}
		if _, ok := m.base.any.(map[string]any); ok {
			return s.find(r, m.base)
		}
		return m.property(r, s.name)
	case string, int, bool, float64, []any, *html:
		return r.property(v, s.name)
	}
	return s.findIn(r, v, reflect.ValueOf(v.any))
}

// findIn is find in what may be a struct, or a pointer to one.
func (s *step) findIn(r *renderer, v value, rv reflect.Value) (value, bool) {
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct {
		return r.property(v, s.name)
	}
	f := s.in(r, rv.Type())
	switch {
	case f.object:
		return r.property(v, s.name)
	case f.only >= 0:
		return fromReflect(rv.Field(f.only)), true
	}
	return fieldOf(rv, f.index)
}

// write writes the property of a context if it is what most are: text, a number or a bool of a map or a struct. It
// reports whether it was.
func (s *step) write(r *renderer, this *value, escape bool) bool {
	rv := this.rv
	switch m := this.any.(type) {
	case nil:
	case map[string]any:
		return r.writePlain(m[s.name], escape)
	case *overlay:
		if base, ok := m.base.any.(map[string]any); ok && !slices.Contains(m.names, s.name) {
			return r.writePlain(base[s.name], escape)
		}
		return false
	case string, int, bool, float64, []any, *html:
		return false
	default:
		rv = reflect.ValueOf(m)
	}
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct {
		return false
	}
	f := s.in(r, rv.Type())
	switch f.plain {
	case reflect.String:
		r.writeText(rv.Field(f.only).String(), escape)
	case reflect.Int, reflect.Int64:
		r.out = strconv.AppendInt(r.out, rv.Field(f.only).Int(), 10)
	case reflect.Float64:
		r.out = appendFloat(r.out, rv.Field(f.only).Float(), 64)
	case reflect.Bool:
		r.out = strconv.AppendBool(r.out, rv.Field(f.only).Bool())
	default:
		return false
	}
	return true
}

// writePlain writes text, a number or a bool, and reports whether x is one.
func (r *renderer) writePlain(x any, escape bool) bool {
	switch x := x.(type) {
	case string:
		r.writeText(x, escape)
	case int:
		r.out = strconv.AppendInt(r.out, int64(x), 10)
	case float64:
		r.out = appendFloat(r.out, x, 64)
	case bool:
		r.out = strconv.AppendBool(r.out, x)
	default:
		return false
	}
	return true
}

func fieldOf(rv reflect.Value, index []int) (value, bool) {
	switch len(index) {
	case 0:
		return value{}, false
	case 1:
		return fromReflect(rv.Field(index[0])), true
	}
	f, err := rv.FieldByIndexErr(index) // an embedded pointer may be nil
	if err != nil {
		return value{}, false
	}
	return fromReflect(f), true
}
