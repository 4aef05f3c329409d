package handlebars

import (
	"cmp"
	"iter"
	"reflect"
	"slices"
	"unicode/utf16"
)

// A loop runs a program once for each item of an {{#each}}.
type loop struct {
	r     *renderer
	body  *program
	outer *scope
	inner *scope
	frame *frame
	pair  *params // nil if the block has no parameters
	count int
}

// each writes main for every item of a list, map, struct or iterator, or inverse if there is none.
func (r *renderer) each(v value, main, inverse *program) {
	l := r.loops.take()
	*l = loop{r: r, body: main, outer: r.scope}
	if main != nil {
		l.inner = r.scopes.take()
		l.inner.parent = r.scope
		l.frame = r.frames.take()
		l.frame.parent, l.frame.loop = r.frame, true
		if main.params > 0 {
			l.pair = &params{parent: r.params}
			l.pair.values = l.pair.pair[:]
		}
	}
	frame, params := r.frame, r.params
	l.items(v)
	if main != nil {
		r.scope, r.frame, r.params = l.outer, frame, params
		r.frames.release()
		r.scopes.release()
	}
	count := l.count
	r.loops.release()
	if count == 0 {
		r.run(inverse)
	}
}

// step runs the body for one item. Without a key the index is the key.
func (l *loop) step(item, key value, last bool) {
	r, f := l.r, l.frame
	l.count++
	if l.body == nil {
		return
	}
	r.cancelled()
	f.index, f.first, f.last, f.key = l.count-1, l.count == 1, last, key
	r.frame = f
	if l.body.template.climbs && same(item, l.outer.this) {
		r.scope = l.outer
	} else {
		l.inner.this = item
		r.scope = l.inner
	}
	if l.pair != nil {
		l.pair.pair = [2]value{item, f.keyOrIndex()}
		r.params = l.pair
	}
	r.runIn(l.body, l.outer)
}

func (l *loop) items(v value) {
	switch x := v.any.(type) {
	case []any:
		for i, item := range x {
			l.step(value{any: item}, value{}, i == len(x)-1)
		}
		return
	case []map[string]any:
		for i, item := range x {
			l.step(value{any: item}, value{}, i == len(x)-1)
		}
		return
	}
	rv := v.resolve()
	object := l.r.engine.fields.isObject(v, rv)
	switch {
	case !rv.IsValid():
	case isList(rv) && !object:
		for i, n := 0, rv.Len(); i < n; i++ {
			l.step(fromReflect(rv.Index(i)), value{}, i == n-1)
		}
	case rv.Kind() == reflect.Func && rv.Type().CanSeq():
		l.sequence(func(yield func(key, item value) bool) {
			for item := range rv.Seq() {
				if !yield(value{}, fromReflect(item)) {
					return
				}
			}
		})
	default:
		l.sequence(l.r.engine.fields.properties(v))
	}
}

// sequence runs one step behind, to know which item is the last.
func (l *loop) sequence(seq iter.Seq2[value, value]) {
	var key, item value
	have := false
	for k, v := range seq {
		if have {
			l.step(item, key, false)
		}
		key, item, have = k, v, true
	}
	if have {
		l.step(item, key, true)
	}
}

// properties are what an object has: the entries of a map in the order of its keys, the fields of a struct in their own,
// the pairs of an iterator. Other values have nothing.
func (c *fieldCache) properties(v value) iter.Seq2[value, value] {
	return func(yield func(key, item value) bool) {
		switch x := v.any.(type) {
		case map[string]any:
			mapProperties(x, yield)
			return
		case *overlay:
			c.overlayProperties(x, yield)
			return
		}
		rv := v.resolve()
		if o, ok := c.object(v, rv); ok {
			for key, item := range o.Properties() {
				if !yield(value{any: key}, value{any: item}) {
					return
				}
			}
			return
		}
		switch rv.Kind() {
		case reflect.Map:
			keys := rv.MapKeys()
			slices.SortFunc(keys, compareKeys)
			for _, key := range keys {
				if !yield(value{any: text(fromReflect(key))}, fromReflect(rv.MapIndex(key))) {
					return
				}
			}
		case reflect.Struct:
			table := c.of(rv.Type())
			for i, name := range table.names {
				field, ok := fieldOf(rv, table.fields[i])
				if ok && !yield(value{any: name}, field) {
					return
				}
			}
		case reflect.Func:
			if !rv.Type().CanSeq2() {
				return
			}
			for key, item := range rv.Seq2() {
				if !yield(fromReflect(key), fromReflect(item)) {
					return
				}
			}
		}
	}
}

func mapProperties(m map[string]any, yield func(key, item value) bool) {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !yield(value{any: key}, value{any: m[key]}) {
			return
		}
	}
}

func (c *fieldCache) overlayProperties(o *overlay, yield func(key, item value) bool) {
	over := map[string]value{}
	for i, name := range o.names {
		over[name] = o.vals[i]
	}
	for key, item := range c.ownProperties(o.base) {
		name := text(key)
		if v, ok := over[name]; ok {
			item = v
			delete(over, name)
		}
		if !yield(key, item) {
			return
		}
	}
	for _, name := range o.names {
		if v, ok := over[name]; ok {
			delete(over, name)
			if !yield(value{any: name}, v) {
				return
			}
		}
	}
}

// ownProperties are properties, and of a list or a text its items.
func (c *fieldCache) ownProperties(v value) iter.Seq2[value, value] {
	rv := v.resolve()
	if !isIndexed(rv) || c.isObject(v, rv) {
		return c.properties(v)
	}
	return func(yield func(key, item value) bool) {
		if isList(rv) {
			for i := range rv.Len() {
				if !yield(value{any: i}, fromReflect(rv.Index(i))) {
					return
				}
			}
			return
		}
		for i, unit := range utf16.Encode([]rune(rv.String())) {
			if !yield(value{any: i}, value{any: string(utf16.Decode([]uint16{unit}))}) {
				return
			}
		}
	}
}

// compareKeys orders the keys of a map: numbers by size, everything else as text.
func compareKeys(a, b reflect.Value) int {
	x, okX := numberOf(a)
	y, okY := numberOf(b)
	if okX && okY {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(text(fromReflect(a)), text(fromReflect(b)))
}

// isIterator reports whether a function is an iter.Seq or an iter.Seq2.
func isIterator(t reflect.Type) bool { return t.Kind() == reflect.Func && (t.CanSeq() || t.CanSeq2()) }
