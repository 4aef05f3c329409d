package app

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// An Object is what a query or a form says. The value of a name is a string, or, from the extended parser, a []any or
// an *Object. The zero value is empty; a nil *Object reads as one.
type Object struct {
	values map[string]any
	names  []string // in the order in which they came up

	overflow int // 1 + the highest index, of a list that has become an object because it is too long
	conflict int // 1 + the index of the last text that met an object under its name
}

// Len is the number of names.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.names)
}

// Names are the names in JavaScript's order: numbers first, ascending, then the others as they came up.
func (o *Object) Names() []string {
	if o == nil {
		return nil
	}
	return o.ordered()
}

// Value is the value of a name: a string, a []any, an *Object, or nil.
func (o *Object) Value(name string) any {
	if o == nil {
		return nil
	}
	return o.values[name]
}

// Get is the first text at a path: Get("user", "name") of user[name]=Ana, Get("a") of a=1&a=2. It is "" if there is
// none.
func (o *Object) Get(path ...string) string {
	if list := o.List(path...); len(list) > 0 {
		return list[0]
	}
	return ""
}

// List is every text at a path: List("a") of a=1&a=2, List("tags") of tags[]=x.
func (o *Object) List(path ...string) []string {
	var v any = o
	for _, name := range path {
		switch t := v.(type) {
		case *Object:
			v = t.Value(name)
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(t) {
				return nil
			}
			v = t[i]
		default:
			return nil
		}
	}
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}

// Map returns the values as maps, for a template or a function that knows nothing of Objects.
func (o *Object) Map() Map {
	m := make(Map, o.Len())
	if o != nil {
		for name, v := range o.values {
			m[name] = plain(v)
		}
	}
	return m
}

func plain(v any) any {
	switch v := v.(type) {
	case *Object:
		return v.Map()
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	}
	return v
}

// Set sets the value of a name: a string, a []any, an *Object or a Map.
func (o *Object) Set(name string, value any) {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, ok := o.values[name]; !ok {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

// MarshalJSON writes the names in the order of Names.
func (o *Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	encode := func(v any) error {
		err := enc.Encode(v)
		b.Truncate(b.Len() - 1)
		return err
	}
	b.WriteByte('{')
	for i, name := range o.Names() {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encode(name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encode(o.values[name]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (o *Object) ordered() []string {
	type number struct {
		name  string
		value uint64
	}
	var numbers []number
	for _, name := range o.names {
		if n, ok := arrayIndex(name); ok {
			numbers = append(numbers, number{name, n})
		}
	}
	if numbers == nil {
		return o.names
	}
	slices.SortFunc(numbers, func(a, b number) int { return compareInt64(int64(a.value), int64(b.value)) })
	names := make([]string, 0, len(o.names))
	for _, n := range numbers {
		names = append(names, n.name)
	}
	for _, name := range o.names {
		if _, ok := arrayIndex(name); !ok {
			names = append(names, name)
		}
	}
	return names
}

// arrayIndex reads a number that is written as JavaScript writes an index: without leading zeros, below 2^32-1.
func arrayIndex(s string) (uint64, bool) {
	if s == "" || len(s) > 10 || s[0] < '0' || s[0] > '9' || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n < 1<<32-1
}
