package app

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// This file is the extended parser of queries and forms, in which brackets make objects and lists: the rules of npm's
// qs, with its limits. What the names with brackets become together is in brackettree.go.

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
