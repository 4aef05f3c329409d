package app

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// This file is the extended parser of queries and forms, in which brackets make objects and lists: the rules of npm's
// qs, with its limits. A list is built sparsely, a[0]=x&a[2]=y, and closed up in the end.

// bracketOptions are the limits of the extended parser.
type bracketOptions struct {
	depth      int  // how many brackets are read; the rest is one name
	strict     bool // more than that is an error
	listLimit  int  // longer lists become objects
	parameters int
	latin1     bool
	sentinel   bool // a parameter utf8=✓ says which charset it is
	entities   bool // &#955; is λ in a latin1 form
}

// errTooDeep is more brackets than allowed.
var errTooDeep = errors.New("the input exceeded the depth")

func parseExtended(raw string) *Object {
	o, _ := parseBrackets(raw, bracketOptions{depth: 5, listLimit: 20, parameters: maxQueryParameters})
	return o
}

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

func parseBrackets(raw string, opts bracketOptions) (*Object, error) {
	flat := &Object{}
	if raw == "" {
		return flat, nil
	}
	if strings.IndexByte(raw, '%') >= 0 {
		raw = strings.NewReplacer("%5B", "[", "%5b", "[", "%5D", "]", "%5d", "]").Replace(raw)
	}
	skip := -1
	if opts.sentinel {
		skip = opts.readSentinel(raw)
	}
	for n, more := 0, true; more && n < opts.parameters; n++ {
		var part string
		if part, raw, more = strings.Cut(raw, "&"); n == skip {
			continue
		}
		key, value, split := part, "", strings.Index(part, "]=")
		if split++; split == 0 {
			split = strings.IndexByte(part, '=')
		}
		if split >= 0 {
			key, value = part[:split], opts.decode(part[split+1:])
			if opts.entities && opts.latin1 {
				value = decodeEntities(value)
			}
		}
		key = opts.decode(key)
		if before, ok := flat.values[key]; ok {
			flat.values[key] = combine(before, value, opts.listLimit)
		} else {
			flat.Set(key, value)
		}
	}
	var tree any = &Object{}
	for _, key := range flat.Names() {
		if key == "" {
			continue
		}
		chain, err := splitBrackets(key, opts)
		if err != nil {
			return &Object{}, err
		}
		tree = merge(tree, nest(chain, flat.values[key], opts.listLimit), opts.listLimit)
	}
	return compact(tree).(*Object), nil
}

// readSentinel looks for the parameter by which a browser tells the charset of a form: a check mark in UTF-8, or the
// entity that is sent where the charset has none. It returns the place of the parameter, -1 without it.
func (opts *bracketOptions) readSentinel(raw string) int {
	n := 0
	for part := range strings.SplitSeq(raw, "&") {
		switch part {
		case "utf8=%E2%9C%93":
			opts.latin1 = false
			return n
		case "utf8=%26%2310003%3B":
			opts.latin1 = true
			return n
		}
		if n++; n == opts.parameters {
			break
		}
	}
	return -1
}

var numericEntity = regexp.MustCompile(`&#\d+;`)

// decodeEntities decodes the numeric entities that browsers write for what a charset does not have.
func decodeEntities(s string) string {
	return numericEntity.ReplaceAllStringFunc(s, func(entity string) string {
		n, err := strconv.ParseUint(entity[2:len(entity)-1], 10, 16)
		if err != nil {
			return entity
		}
		return string(rune(n))
	})
}

// decode decodes a name or a value; one with a broken escape stays as it is.
func (opts bracketOptions) decode(s string) string {
	s = strings.ReplaceAll(s, "+", " ")
	if opts.latin1 {
		return decodeLatin1Escapes(s)
	}
	if decoded, ok := decodeComponent(s); ok {
		return decoded
	}
	return s
}

func decodeLatin1Escapes(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b.WriteRune(rune(unhex(s[i+1])<<4 | unhex(s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// splitBrackets splits a[b][c] into "a", "[b]" and "[c]".
func splitBrackets(key string, opts bracketOptions) ([]string, error) {
	if opts.depth <= 0 {
		return []string{key}, nil
	}
	var chain []string
	open := strings.IndexByte(key, '[')
	if open < 0 {
		return []string{key}, nil
	}
	if open > 0 {
		chain = append(chain, key[:open])
	}
	for n := 0; open >= 0; n++ {
		if n == opts.depth {
			if opts.strict {
				return nil, errTooDeep
			}
			return append(chain, "["+key[open:]+"]"), nil
		}
		level, end := 0, -1
		for i := open; i < len(key) && end < 0; i++ {
			switch key[i] {
			case '[':
				level++
			case ']':
				if level--; level == 0 {
					end = i
				}
			}
		}
		if end < 0 {
			return append(chain, "["+key[open:]+"]"), nil
		}
		chain = append(chain, key[open:end+1])
		next := strings.IndexByte(key[end+1:], '[')
		if open = end + 1 + next; next < 0 {
			open = -1
		}
	}
	return chain, nil
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
