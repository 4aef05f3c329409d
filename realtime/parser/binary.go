package parser

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// maxDepth bounds how deep a value is searched; encoding/json answers for
// cycles below it.
const maxDepth = 1000

var (
	bytesType         = reflect.TypeFor[[]byte]()
	marshalerType     = reflect.TypeFor[json.Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	rawType           = reflect.TypeFor[Raw]()
)

// isBinary reports whether values of t travel as attachments.
func isBinary(t reflect.Type) bool {
	return t == bytesType || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !marshalsItself(t)
}

func marshalsItself(t reflect.Type) bool {
	return t.Implements(marshalerType) || t.Implements(textMarshalerType) ||
		t.Kind() != reflect.Pointer && (reflect.PointerTo(t).Implements(marshalerType) || reflect.PointerTo(t).Implements(textMarshalerType))
}

// holdsBinary reports whether there is a non-nil byte slice in v.
func holdsBinary(v reflect.Value, depth int) bool {
	if !v.IsValid() || depth > maxDepth {
		return false
	}
	t := v.Type()
	switch v.Kind() {
	case reflect.Bool, reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return false
	case reflect.Slice:
		if isBinary(t) {
			return !v.IsNil()
		}
	}
	if t == rawType {
		if !v.CanInterface() {
			return false
		}
		r := v.Interface().(Raw)
		return len(r.Attachments) > 0 || r.codec() != Codec(JSON)
	}
	if marshalsItself(t) {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return holdsBinary(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if scalar(t.Elem()) {
			return false
		}
		for i := range v.Len() {
			if holdsBinary(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		if scalar(t.Elem()) {
			return false
		}
		for it := v.MapRange(); it.Next(); {
			if holdsBinary(it.Value(), depth+1) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && holdsBinary(v.Field(i), depth+1) {
				return true
			}
		}
	}
	return false
}

func scalar(t reflect.Type) bool {
	k := t.Kind()
	return k == reflect.Bool || k == reflect.String || k >= reflect.Int && k <= reflect.Float64
}

// mixed writes a value that holds binary: as encoding/json would, with
// placeholders in the place of byte slices.
func (e *encoder) mixed(v reflect.Value) error {
	if !holdsBinary(v, 0) {
		if !v.IsValid() {
			return e.plain(nil)
		}
		return e.plain(v.Interface())
	}
	if v.Type() == rawType {
		return e.raw(v.Interface().(Raw))
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return e.mixed(v.Elem())
	case reflect.Slice, reflect.Array:
		if isBinary(v.Type()) {
			e.attach(v.Bytes())
			return nil
		}
		e.json.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				e.json.WriteByte(',')
			}
			if err := e.mixed(v.Index(i)); err != nil {
				return err
			}
		}
		e.json.WriteByte(']')
		return nil
	case reflect.Map:
		return e.mixedMap(v)
	default:
		return e.mixedStruct(v)
	}
}

func (e *encoder) mixedMap(v reflect.Value) error {
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := mapKey(it.Key())
		if err != nil {
			return err
		}
		entries = append(entries, entry{key, it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	e.json.WriteByte('{')
	for i, entry := range entries {
		if err := e.member(i == 0, entry.key, entry.value); err != nil {
			return err
		}
	}
	e.json.WriteByte('}')
	return nil
}

// mapKey returns the text of a map's key, by the rules of encoding/json.
func mapKey(k reflect.Value) (string, error) {
	if k.Kind() == reflect.String {
		return k.String(), nil
	}
	if m, ok := k.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		return string(text), err
	}
	if k.CanInt() || k.CanUint() {
		return fmt.Sprint(k.Interface()), nil
	}
	return "", &json.UnsupportedTypeError{Type: k.Type()}
}

func (e *encoder) mixedStruct(v reflect.Value) error {
	e.json.WriteByte('{')
	first := true
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Anonymous && name == "" && indirect(f.Type).Kind() == reflect.Struct
		if name == "-" && options == "" || embedded || !f.IsExported() || hidden(v.Type(), f) {
			continue
		}
		field, err := v.FieldByIndexErr(f.Index)
		if err != nil { // in an embedded pointer that is nil
			continue
		}
		has := func(option string) bool { return slices.Contains(strings.Split(options, ","), option) }
		if has("omitempty") && isEmpty(field) || has("omitzero") && isZero(field) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if err := e.member(first, name, field); err != nil {
			return err
		}
		first = false
	}
	e.json.WriteByte('}')
	return nil
}

// hidden reports whether a promoted field is reached through an embedded struct
// that encoding/json treats as a member of its own, or skips.
func hidden(t reflect.Type, f reflect.StructField) bool {
	for _, i := range f.Index[:len(f.Index)-1] {
		outer := indirect(t).Field(i)
		if name, _, _ := strings.Cut(outer.Tag.Get("json"), ","); name != "" {
			return true
		}
		t = outer.Type
	}
	return false
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func isZero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	return v.IsZero()
}

func (e *encoder) member(first bool, name string, v reflect.Value) error {
	if !first {
		e.json.WriteByte(',')
	}
	if err := e.plain(name); err != nil {
		return err
	}
	e.json.WriteByte(':')
	return e.mixed(v)
}
