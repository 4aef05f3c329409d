package app

import "strconv"

// This file builds the tree of objects and lists that names with brackets stand for: each name with its value is nested
// by itself and merged into what is there. A list is built sparsely, a[0]=x&a[2]=y, and closed up in the end.

// A sparse is a list while it is built.
type sparse struct {
	items    []any // hole where there is nothing
	conflict int   // as of Object
}

type hole struct{}

func (l *sparse) count() int {
	n := 0
	for _, item := range l.items {
		if item != (hole{}) {
			n++
		}
	}
	return n
}

// object makes an object of a list, with the indexes as names.
func (l *sparse) object() *Object {
	o := &Object{}
	for i, item := range l.items {
		if item != (hole{}) {
			o.Set(strconv.Itoa(i), item)
		}
	}
	return o
}

// nest wraps a value into the objects and lists of a chain.
func nest(chain []string, value any, limit int) any {
	for i := len(chain) - 1; i >= 0; i-- {
		root := chain[i]
		if root == "[]" {
			if o, ok := value.(*Object); !ok || o.overflow == 0 {
				value = combine(&sparse{}, value, limit)
			}
			continue
		}
		name := root
		if n := len(root); n > 1 && root[0] == '[' && root[n-1] == ']' {
			name = root[1 : n-1]
		}
		index, isIndex := arrayIndex(name)
		isIndex = isIndex && name != root
		if isIndex && index < uint64(limit) {
			l := &sparse{items: make([]any, index+1)}
			for j := range l.items {
				l.items[j] = hole{}
			}
			l.items[index] = value
			value = l
			continue
		}
		o := &Object{}
		if isIndex {
			o.overflow = int(index) + 1
		}
		if name != "__proto__" {
			o.Set(name, value)
		}
		value = o
	}
	return value
}

// combine makes one list of two values, lists or not; an object if it is longer than the limit.
func combine(a, b any, limit int) any {
	if o, ok := a.(*Object); ok && o.overflow > 0 {
		for _, item := range items(b) {
			o.Set(strconv.Itoa(o.overflow), item)
			o.overflow++
		}
		return o
	}
	return limited(&sparse{items: append(append([]any{}, items(a)...), items(b)...)}, limit)
}

func items(v any) []any {
	if l, ok := v.(*sparse); ok {
		return l.items
	}
	return []any{v}
}

// limited is l, or the object that it becomes when it has more items than the limit.
func limited(l *sparse, limit int) any {
	if len(l.items) <= limit {
		return l
	}
	o := l.object()
	o.overflow = len(l.items)
	return o
}

// merge puts source into target and returns what target has become.
func merge(target, source any, limit int) any {
	if text, ok := source.(string); ok {
		if text == "" {
			return target
		}
		return mergeText(target, text, limit)
	}
	if text, ok := target.(string); ok {
		if o, ok := source.(*Object); ok && o.overflow > 0 {
			shifted := &Object{overflow: o.overflow + 1}
			shifted.Set("0", text)
			for _, name := range o.ordered() {
				if n, ok := arrayIndex(name); ok {
					shifted.Set(strconv.Itoa(int(n)+1), o.values[name])
				}
			}
			return shifted
		}
		return limited(&sparse{items: append([]any{text}, items(source)...)}, limit)
	}
	from, isList := source.(*sparse)
	into, intoList := target.(*sparse)
	if isList && intoList {
		return mergeLists(into, from, limit)
	}
	o, ok := target.(*Object)
	if !ok {
		o = into.object()
		if into.conflict > 0 {
			o.conflict = len(into.items)
		}
	}
	s, ok := source.(*Object)
	if !ok {
		s = from.object()
	}
	for _, name := range s.ordered() {
		value := s.values[name]
		if before, ok := o.values[name]; ok {
			value = merge(before, value, limit)
		}
		o.Set(name, value)
		if s.overflow > 0 && o.overflow == 0 {
			o.overflow = s.overflow
			for _, n := range o.names {
				o.overflow = max(o.overflow, indexPlusOne(n))
			}
		}
		if o.overflow > 0 {
			o.overflow = max(o.overflow, indexPlusOne(name))
		}
		if o.conflict > 0 {
			o.conflict = max(o.conflict, indexPlusOne(name))
		}
	}
	return o
}

func indexPlusOne(name string) int {
	if n, ok := arrayIndex(name); ok {
		return int(n) + 1
	}
	return 0
}

// mergeText adds a text to a list, to an object that was one, or makes a list of the two.
func mergeText(target any, text string, limit int) any {
	switch t := target.(type) {
	case *sparse:
		if t.count() >= limit {
			t.items = append(t.items, text)
			o := t.object()
			o.overflow = len(t.items)
			return o
		}
		t.items = append(t.items, text)
		return t
	case *Object:
		switch {
		case t.overflow > 0:
			t.Set(strconv.Itoa(t.overflow), text)
			t.overflow++
			return t
		case t.conflict > 0:
			t.Set(strconv.Itoa(t.conflict), text)
			t.conflict++
			return t
		}
	}
	pair := limited(&sparse{items: []any{target, text}}, limit)
	if l, ok := pair.(*sparse); ok {
		if _, ok := target.(*Object); ok {
			l.conflict = 2
		}
	}
	return pair
}

func mergeLists(into, from *sparse, limit int) any {
	for i, item := range from.items {
		if item == (hole{}) {
			continue
		}
		for len(into.items) <= i {
			into.items = append(into.items, hole{})
		}
		before := into.items[i]
		switch {
		case before == (hole{}):
			into.items[i] = item
		case isTree(before) && isTree(item):
			into.items[i] = merge(before, item, limit)
		default:
			into.items = append(into.items, item)
		}
	}
	if into.count() <= limit {
		return into
	}
	o := into.object()
	o.overflow = len(into.items)
	return o
}

func isTree(v any) bool {
	_, text := v.(string)
	return !text
}

// compact closes the lists up and makes a []any of each.
func compact(v any) any {
	switch v := v.(type) {
	case *sparse:
		list := []any{}
		for _, item := range v.items {
			if item != (hole{}) {
				list = append(list, compact(item))
			}
		}
		return list
	case *Object:
		for name, value := range v.values {
			v.values[name] = compact(value)
		}
	}
	return v
}
