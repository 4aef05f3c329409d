package handlebars

import (
	"reflect"
	"strings"
	"sync"
)

// A fieldCache knows the fields of the struct types that were rendered.
type fieldCache struct{ types sync.Map } // reflect.Type to *fieldTable

// A fieldTable is what templates see of a struct type: its exported fields, those of embedded structs included.
type fieldTable struct {
	names  []string // in the order of the fields, as {{#each}} calls them
	fields [][]int
	byName map[string][]int
	folded map[string][]int // by name in lower case: url finds URL
	object bool             // the type, or a pointer to it, is an Object
}

// of returns the table of a struct type.
func (c *fieldCache) of(t reflect.Type) *fieldTable {
	if table, ok := c.types.Load(t); ok {
		return table.(*fieldTable)
	}
	table, _ := c.types.LoadOrStore(t, newFieldTable(t))
	return table.(*fieldTable)
}

func newFieldTable(t reflect.Type) *fieldTable {
	table := &fieldTable{byName: map[string][]int{}, folded: map[string][]int{}}
	table.object = reflect.PointerTo(t).Implements(reflect.TypeFor[Object]())
	add := func(m map[string][]int, name string, index []int) {
		if _, taken := m[name]; !taken {
			m[name] = index
		}
	}
	visible := reflect.VisibleFields(t)
	// A tag wins over a field that happens to have the same name.
	for _, tag := range []string{"handlebars", "json", ""} {
		for _, f := range visible {
			name, hidden := f.Name, f.Tag.Get("handlebars") == "-"
			if tag != "" {
				name, _, _ = strings.Cut(f.Tag.Get(tag), ",")
			}
			if hidden || name == "" || name == "-" || !f.IsExported() {
				continue
			}
			add(table.byName, name, f.Index)
			add(table.folded, strings.ToLower(name), f.Index)
		}
	}
	for _, f := range visible {
		name := displayName(f)
		if name == "" || f.Anonymous && reflectStruct(f.Type) {
			continue
		}
		table.names = append(table.names, name)
		table.fields = append(table.fields, f.Index)
	}
	return table
}

// displayName is what {{#each}} calls a field as @key, or "" if it is hidden.
func displayName(f reflect.StructField) string {
	if !f.IsExported() || f.Tag.Get("handlebars") == "-" {
		return ""
	}
	for _, tag := range []string{"handlebars", "json"} {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" && name != "-" {
			return name
		}
	}
	return f.Name
}

// reflectStruct reports whether an embedded type adds its fields to those around it.
func reflectStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// index is the place of the field that a template calls name, or nil.
func (t *fieldTable) index(name string) []int {
	if index, ok := t.byName[name]; ok {
		return index
	}
	return t.folded[strings.ToLower(name)]
}

// object returns what a value says of itself. The second argument is what v resolves to.
func (c *fieldCache) object(v value, rv reflect.Value) (Object, bool) {
	if !rv.IsValid() {
		return nil, false
	}
	if o, ok := v.any.(Object); ok {
		return o, true
	}
	t := rv.Type()
	if t.PkgPath() == "" || !rv.CanInterface() || rv.Kind() == reflect.Struct && !c.of(t).object {
		return nil, false
	}
	if rv.CanAddr() {
		rv = rv.Addr()
	}
	o, ok := rv.Interface().(Object)
	return o, ok
}

func (c *fieldCache) isObject(v value, rv reflect.Value) bool {
	_, ok := c.object(v, rv)
	return ok
}
