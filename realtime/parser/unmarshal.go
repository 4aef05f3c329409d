package parser

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"reflect"
)

// errPlaceholder is of a placeholder that names no attachment; those of a
// Packet do.
var errPlaceholder = errors.New("placeholder out of range")

// unmarshal decodes an argument, as [JSON] documents. The byte slices are shared
// with attachments.
func unmarshal(arg []byte, attachments [][]byte, dst any) error {
	if len(attachments) == 0 {
		if scalar(arg, dst) {
			return nil
		}
		return json.Unmarshal(arg, dst)
	}
	var room [4]placeholder
	if found := placeholders(room[:0], arg); len(found) == 1 && found[0].start == 0 && found[0].in(attachments) {
		switch dst := dst.(type) {
		case *[]byte:
			*dst = attachments[found[0].num]
			return nil
		case *any:
			*dst = attachments[found[0].num]
			return nil
		}
	}
	switch dst.(type) {
	case *any, *map[string]any, *[]any:
		if err := json.Unmarshal(arg, dst); err != nil {
			return err
		}
		restore(reflect.ValueOf(dst).Elem(), attachments)
		return nil
	}
	text, err := inline(arg, attachments)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, dst)
}

// scalar decodes what needs no decoder, and reports whether it did.
func scalar(arg []byte, dst any) bool {
	switch dst := dst.(type) {
	case *string:
		last := len(arg) - 1
		if last < 1 || arg[0] != '"' || arg[last] != '"' || !plain(arg[1:last]) {
			return false
		}
		*dst = string(arg[1:last])
		return true
	case *int:
		n, digits := number(arg)
		if digits == 0 || digits < len(arg) || arg[0] == '0' && digits > 1 || n > math.MaxInt32 {
			return false
		}
		*dst = int(n)
		return true
	}
	return false
}

// restore puts attachments into a tree of maps, slices and anys.
func restore(v reflect.Value, attachments [][]byte) {
	switch x := v.Interface().(type) {
	case map[string]any:
		for key, element := range x {
			x[key] = restored(element, attachments)
		}
	case []any:
		for i, element := range x {
			x[i] = restored(element, attachments)
		}
	}
}

func restored(v any, attachments [][]byte) any {
	if m, ok := v.(map[string]any); ok && m["_placeholder"] == true {
		if n, ok := m["num"].(float64); ok && n >= 0 && n < float64(len(attachments)) {
			return attachments[int(n)]
		}
	}
	restore(reflect.ValueOf(&v).Elem(), attachments)
	return v
}

// inline writes attachments as base64 in the place of their placeholders, which
// is what encoding/json expects for a []byte.
func inline(arg []byte, attachments [][]byte) ([]byte, error) {
	out := make([]byte, 0, len(arg))
	from := 0
	for _, p := range placeholders(nil, arg) {
		if !p.in(attachments) {
			return nil, errPlaceholder
		}
		out = append(out, arg[from:p.start]...)
		out = append(out, '"')
		out = base64.StdEncoding.AppendEncode(out, attachments[p.num])
		out = append(out, '"')
		from = p.end
	}
	return append(out, arg[from:]...), nil
}

// checkPlaceholders checks that every placeholder names an attachment. In a
// packet without any, what looks like one is an object as any other.
func (p *Packet) checkPlaceholders() error {
	if len(p.Attachments) == 0 {
		return nil
	}
	references := 0
	var room [4]placeholder
	for _, arg := range p.Args {
		all := placeholders(room[:0], arg)
		// Each is a copy for some receivers, so a short text must not make many.
		if references += len(all); references > 2*max(len(p.Attachments), DefaultMaxAttachments) {
			return invalid("too many placeholders")
		}
		for _, found := range all {
			if !found.in(p.Attachments) {
				return invalid("placeholder out of range")
			}
		}
	}
	return nil
}

// placeholder is an object {"_placeholder":true,"num":n} in a JSON text.
type placeholder struct {
	start, end int
	num        int // -1 when it is missing or no index
}

// in reports whether the placeholder names one of attachments.
func (p placeholder) in(attachments [][]byte) bool { return p.num >= 0 && p.num < len(attachments) }

// placeholderStart is what a placeholder starts with that the reference has
// written, or we.
const placeholderStart = `{"_placeholder":true,"num":`

// placeholders appends the outermost placeholders of a valid JSON text to found,
// in order, in one pass.
func placeholders(found []placeholder, text []byte) []placeholder {
	if rest, ok := bytes.CutPrefix(text, []byte(placeholderStart)); ok { // mostly it is nothing else
		if num, digits := number(rest); digits > 0 && string(rest[digits:]) == "}" && num <= math.MaxInt32 {
			return append(found, placeholder{0, len(text), int(num)})
		}
	}
	if !bytes.Contains(text, []byte(`"_placeholder"`)) && !bytes.Contains(text, []byte(`\u00`)) { // nor in disguise
		return found
	}
	type level struct {
		object placeholder
		marked bool
	}
	var open []level
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			open = append(open, level{object: placeholder{start: i, num: -1}})
		case '}', ']':
			top := open[len(open)-1]
			open = open[:len(open)-1]
			if !top.marked {
				continue
			}
			for len(found) > 0 && found[len(found)-1].start > top.object.start {
				found = found[:len(found)-1]
			}
			top.object.end = i + 1
			found = append(found, top.object)
		case '"':
			key := text[i:stringEnd(text, i)]
			i += len(key) - 1
			colon := skipSpace(text, i+1)
			if colon >= len(text) || text[colon] != ':' {
				continue
			}
			top, value := &open[len(open)-1], text[skipSpace(text, colon+1):]
			switch {
			case isKey(key, "_placeholder"):
				top.marked = bytes.HasPrefix(value, []byte("true"))
			case isKey(key, "num"):
				top.object.num = index(value)
			}
		}
	}
	return found
}

// isKey reports whether a JSON string means name.
func isKey(raw []byte, name string) bool {
	inner := raw[1 : len(raw)-1]
	return string(inner) == name || bytes.IndexByte(inner, '\\') >= 0 && unquote(raw) == name
}

// index returns the whole number that a JSON text starts with, or -1.
func index(text []byte) int {
	n, digits := number(text)
	if digits == 0 || n > math.MaxInt32 || digits < len(text) && bytes.IndexByte([]byte(".eE"), text[digits]) >= 0 {
		return -1
	}
	return int(n)
}
