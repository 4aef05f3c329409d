package parser

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/zocalo-go/zocalo/realtime/parser/internal/jsonrules"
)

var rawType = reflect.TypeFor[Raw]()

// holdsBinary reports whether there is a non-nil byte slice in v, in what encoding/json writes of it. A value that is
// too deep, which is one that is part of itself most likely, is taken for one without: encoding/json knows what to say.
func holdsBinary(v reflect.Value) bool {
	var s search
	return s.finds(v, 0)
}

// search looks for a byte slice.
type search struct {
	lost bool // it went too deep: to look elsewhere would be to go there again and again
}

// finds reports whether there is one in v, which stands so deep.
func (s *search) finds(v reflect.Value, depth int) bool {
	if s.lost = s.lost || depth > jsonrules.MaxDepth; s.lost || !v.IsValid() {
		return false
	}
	t := v.Type()
	switch v.Kind() {
	case reflect.Bool, reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return false
	case reflect.Slice:
		if jsonrules.IsBinary(t) {
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
	if jsonrules.MarshalsItself(t) && t != reflect.PointerTo(rawType) {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return s.finds(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if jsonrules.Scalar(t.Elem()) {
			return false
		}
		for i := range v.Len() {
			if s.finds(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		if jsonrules.Scalar(t.Elem()) {
			return false
		}
		for it := v.MapRange(); it.Next(); {
			if s.finds(it.Value(), depth+1) {
				return true
			}
		}
	case reflect.Struct:
		for _, f := range jsonrules.Fields(t) {
			field, err := v.FieldByIndexErr(f.Index)
			if err == nil && s.finds(field, depth+1) { // otherwise it is in an embedded pointer that is nil
				return true
			}
		}
	}
	return false
}

// errTooDeep is of a value that holds binary, and has no end.
var errTooDeep = errors.New("a value that is too deep, or part of itself")

// mixed writes a value that holds binary: as encoding/json would, with
// placeholders in the place of byte slices. The value is depth deep in others.
func (e *encoder) mixed(v reflect.Value, depth int) error {
	if depth > jsonrules.MaxDepth {
		return errTooDeep
	}
	if !holdsBinary(v) {
		if !v.IsValid() {
			return e.plain(nil)
		}
		return e.plain(v.Interface())
	}
	if v.Type() == rawType {
		r := v.Interface().(Raw)
		return e.raw(&r)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return e.mixed(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if jsonrules.IsBinary(v.Type()) {
			e.attach(v.Bytes())
			return nil
		}
		e.text = append(e.text, '[')
		for i := range v.Len() {
			if i > 0 {
				e.text = append(e.text, ',')
			}
			if err := e.mixed(v.Index(i), depth+1); err != nil {
				return err
			}
		}
		e.text = append(e.text, ']')
		return nil
	case reflect.Map:
		return e.mixedMap(v, depth)
	default:
		return e.mixedStruct(v, depth)
	}
}

func (e *encoder) mixedMap(v reflect.Value, depth int) error {
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := jsonrules.Key(it.Key())
		if err != nil {
			return err
		}
		entries = append(entries, entry{key, it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	e.text = append(e.text, '{')
	for i, entry := range entries {
		if err := e.member(i == 0, entry.key, entry.value, depth); err != nil {
			return err
		}
	}
	e.text = append(e.text, '}')
	return nil
}

func (e *encoder) mixedStruct(v reflect.Value, depth int) error {
	e.text = append(e.text, '{')
	first := true
	for _, f := range jsonrules.Fields(v.Type()) {
		field, err := v.FieldByIndexErr(f.Index)
		if err != nil || f.Skip(field) { // in an embedded pointer that is nil, or left out
			continue
		}
		if field, err = f.Value(field); err != nil {
			return err
		}
		if err := e.member(first, f.Name, field, depth); err != nil {
			return err
		}
		first = false
	}
	e.text = append(e.text, '}')
	return nil
}

func (e *encoder) member(first bool, name string, v reflect.Value, depth int) error {
	if !first {
		e.text = append(e.text, ',')
	}
	if err := e.plain(name); err != nil {
		return err
	}
	e.text = append(e.text, ':')
	return e.mixed(v, depth+1)
}
