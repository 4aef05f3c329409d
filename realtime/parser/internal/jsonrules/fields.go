// Package jsonrules knows what encoding/json makes of Go types, for the codecs
// that must walk a value themselves: a struct is written alike by all of them.
//
// Start with [Fields], the members that a struct has, [Key], the text of a map's
// key, and [IsBinary], which values are bytes.
//
// Everything here is safe for concurrent use.
package jsonrules

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Field is a member of a struct.
type Field struct {
	Name  string // of the member
	Type  reflect.Type
	Index []int // as reflect.Value.FieldByIndexErr takes it

	OmitEmpty, OmitZero bool
	String              bool // a number, bool or string is written as a string

	tagged bool // the name is from the tag
}

// Value returns what is written of the member with the value v: v itself, or
// what String makes of it.
func (f *Field) Value(v reflect.Value) (reflect.Value, error) {
	if !f.String || v.Kind() == reflect.Pointer && v.IsNil() {
		return v, nil
	}
	text, err := json.Marshal(v.Interface())
	return reflect.ValueOf(string(text)), err
}

// Skip reports whether the member with the value v is left out.
func (f *Field) Skip(v reflect.Value) bool {
	return f.OmitEmpty && isEmpty(v) || f.OmitZero && isZero(v)
}

// known remembers the fields of types, which never change. It can only grow to
// the number of struct types in the program.
var known sync.Map // reflect.Type -> []Field

// Fields returns the members of t, a struct, in the order of their fields. An
// embedded struct without a name of its own lends its members; among members of
// the same name the one that is embedded least deep counts, then the one whose
// name is from a tag, and none when there are still several.
func Fields(t reflect.Type) []Field {
	if fields, ok := known.Load(t); ok {
		return fields.([]Field)
	}
	fields, _ := known.LoadOrStore(t, dominant(collect(t)))
	return fields.([]Field)
}

// level is a struct embedded in another.
type level struct {
	t     reflect.Type
	index []int
}

// collect returns all fields that could be members, those embedded less deep
// first.
func collect(t reflect.Type) []Field {
	var fields []Field
	visited := map[reflect.Type]bool{}
	for current, next := []level{{t: t}}, []level(nil); len(current) > 0; current, next = next, nil {
		// A type that is embedded twice at the same depth cancels its own members.
		seen := map[reflect.Type]bool{}
		for _, l := range current {
			if visited[l.t] && !seen[l.t] {
				continue
			}
			visited[l.t], seen[l.t] = true, true
			for i := range l.t.NumField() {
				field, embedded := understand(l.t.Field(i), append(slices.Clone(l.index), i))
				if embedded != nil {
					next = append(next, level{embedded, field.Index})
				} else if field.Name != "" {
					fields = append(fields, field)
				}
			}
		}
	}
	return fields
}

// understand reads a field's tag. It returns the struct that the field embeds,
// or the member that it is, which has no name when there is none.
func understand(f reflect.StructField, index []int) (field Field, embedded reflect.Type) {
	field = Field{Type: f.Type, Index: index}
	tag := f.Tag.Get("json")
	if tag == "-" {
		return field, nil
	}
	inner := f.Type
	if f.Anonymous && inner.Kind() == reflect.Pointer {
		inner = inner.Elem()
	}
	if !f.IsExported() && !(f.Anonymous && inner.Kind() == reflect.Struct) {
		return field, nil
	}
	name, options, _ := strings.Cut(tag, ",")
	if f.Anonymous && name == "" && inner.Kind() == reflect.Struct {
		return field, inner
	}
	if !f.IsExported() {
		return field, nil
	}
	field.Name, field.tagged = name, name != ""
	if name == "" {
		field.Name = f.Name
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			field.OmitEmpty = true
		case "omitzero":
			field.OmitZero = true
		case "string":
			field.String = quotable(f.Type)
		}
	}
	return field, nil
}

func quotable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return Scalar(t)
}

// dominant leaves the field that counts of each name.
func dominant(fields []Field) []Field {
	byName := make(map[string][]Field, len(fields))
	for _, f := range fields {
		byName[f.Name] = append(byName[f.Name], f)
	}
	chosen := make([]Field, 0, len(byName))
	for _, same := range byName {
		slices.SortStableFunc(same, func(a, b Field) int {
			switch {
			case len(a.Index) != len(b.Index):
				return len(a.Index) - len(b.Index)
			case a.tagged == b.tagged:
				return 0
			case a.tagged:
				return -1
			}
			return 1
		})
		if len(same) > 1 && len(same[0].Index) == len(same[1].Index) && same[0].tagged == same[1].tagged {
			continue
		}
		chosen = append(chosen, same[0])
	}
	slices.SortFunc(chosen, func(a, b Field) int { return slices.Compare(a.Index, b.Index) })
	return chosen
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
	if (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
		return true
	}
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	if v.CanAddr() {
		if z, ok := v.Addr().Interface().(interface{ IsZero() bool }); ok {
			return z.IsZero()
		}
	}
	return v.IsZero()
}
