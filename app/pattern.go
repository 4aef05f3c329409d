package app

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// A pattern is a path without optional parts, ready to match. It matches the path as the client wrote it, still
// percent-encoded, as Express does: "/a%2Fb" is one segment.
//
// Most patterns are a list of segments, each text or one parameter, and match by walking over the path once. What
// mixes the two within a segment, or has a wildcard before its end, is a regular expression.
type pattern struct {
	segments []segment
	captures []capture
	regexp   *regexp.Regexp // nil when the segments say everything
	fold     bool           // letters match in either case
	strict   bool           // a slash at the end counts
	shape    []string       // what chi indexes it by: see index.go
	source   string         // the path as it was registered
}

// A segment is what stands between two slashes.
type segment struct {
	kind tokenKind // text, parameter, or a wildcard, which is the last
	text string
}

// A param is one parameter of the path. The value is decoded, unless it is a wildcard's.
type param struct {
	name, value string
	wildcard    bool
}

// text is the decoded value; for a wildcard with its slashes.
func (p param) text() string {
	if p.wildcard && strings.IndexByte(p.value, '%') >= 0 {
		if s, err := url.PathUnescape(p.value); err == nil {
			return s
		}
	}
	return p.value
}

// maxCombinations is how many paths one with optional parts may stand for.
const maxCombinations = 256

type patternOptions struct {
	fold, strict bool
	prefix       bool // matches a path that starts with it: Use and Mount
}

// compilePath compiles every pattern that path stands for, in the order in which they are tried.
func compilePath(path string, o patternOptions) ([]*pattern, error) {
	source := path
	if path != "/" && (!o.strict || o.prefix) {
		source = strings.TrimRight(path, "/")
	}
	if source != "" && source[0] != '/' && source[0] != '{' {
		if _, err := parsePath(path); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("path %q: it must start with a slash; write %q", path, "/"+path)
	}
	tokens, err := parsePath(source)
	if err != nil {
		return nil, err
	}
	sequences := flatten(tokens)
	if len(sequences) > maxCombinations {
		return nil, fmt.Errorf("path %q: its optional parts make more than %d paths; write some of them as routes of their own", path, maxCombinations)
	}
	var patterns []*pattern
	for _, sequence := range sequences {
		p, err := compilePattern(path, sequence, o)
		if errors.Is(err, errNoSlash) && strings.HasPrefix(source, "{") && len(sequences) > 1 {
			continue // no request has such a path: an optional part before the first slash is never there
		}
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

var errNoSlash = errors.New("it must start with a slash")

func compilePattern(path string, tokens []token, o patternOptions) (*pattern, error) {
	p := &pattern{fold: o.fold, strict: o.strict, source: path}
	var expr strings.Builder
	limits := captureLimits{tokens: tokens}
	before := "/" // the text since the last capture; holds a slash at the start of a segment
	simple := true
	for i, t := range tokens {
		switch t.kind {
		case textToken:
			text := escapeText(t.text)
			expr.WriteString(regexp.QuoteMeta(text))
			for j, s := range strings.Split(text, "/") {
				if j > 0 {
					p.segments = append(p.segments, segment{text: s})
				} else if s != "" && len(p.segments) > 0 {
					simple = p.extend(s) && simple
				}
			}
			before += t.text
			limits.text(text)
		default:
			if before == "" {
				return nil, fmt.Errorf("path %q: missing text before parameter %q; two parameters need text between them, as in /:from-:to", path, t.text)
			}
			c := capture{name: t.text, check: t.check, wildcard: t.kind == wildcardToken, fold: o.fold}
			var e string
			e, c.without, c.alone = limits.capture(i, c.wildcard)
			expr.WriteString("(" + e + ")")
			before = ""
			p.captures = append(p.captures, c)
			last := len(p.segments) - 1
			if last < 0 || p.segments[last] != (segment{}) || c.wildcard && i != len(tokens)-1 {
				simple = false
			}
			if last >= 0 && p.segments[last].kind != wildcardToken {
				p.segments[last] = segment{kind: t.kind}
			}
		}
	}
	if len(tokens) > 0 && (len(p.segments) == 0 || !strings.HasPrefix(expr.String(), "/")) {
		return nil, fmt.Errorf("path %q: %w; write %q", path, errNoSlash, "/"+path)
	}
	for _, s := range p.segments {
		if s.kind == wildcardToken {
			p.shape = append(p.shape, "*")
			break
		}
		if s.kind == paramToken || strings.ContainsAny(s.text, "{}*") {
			p.shape = append(p.shape, "")
			continue
		}
		p.shape = append(p.shape, "="+p.folded(s.text))
	}
	if n := len(p.shape); !o.strict && n > 1 && p.shape[n-1] == "=" {
		// It ends with a slash, and one more may be there or not: a wildcard in the place of the last text covers both.
		for n > 1 && p.shape[n-1] == "=" {
			n--
		}
		p.shape = append(p.shape[:n-1], "*")
	}
	if !simple {
		source := `^(` + expr.String() + `)`
		switch {
		case o.prefix:
			source += `(?:/|$)`
		case o.strict:
			source += `$`
		default:
			source += `/?$`
		}
		if o.fold {
			source = `(?i)` + source
		}
		p.regexp = regexp.MustCompile(source)
	}
	return p, nil
}

// extend adds text to the last segment, and reports whether the segment is still text and nothing else.
func (p *pattern) extend(text string) bool {
	last := &p.segments[len(p.segments)-1]
	if last.kind != textToken {
		last.kind = max(last.kind, paramToken)
		return false
	}
	last.text += text
	return true
}

func (p *pattern) folded(s string) string {
	if p.fold {
		return foldASCII(s)
	}
	return s
}

// match reports whether the whole path matches, and appends its parameters to dst. The error is a 400: a value that
// is no UTF-8 when decoded.
func (p *pattern) match(path string, dst []param) ([]param, bool, error) {
	n, dst, ok, err := p.walk(path, dst, false)
	if !ok {
		return dst, false, nil
	}
	if rest := path[n:]; rest != "" && (rest != "/" || p.strict) {
		return dst, false, nil
	}
	return dst, true, err
}

// matchPrefix reports whether path is the pattern or stands below it, and how much of the path that is.
func (p *pattern) matchPrefix(path string, dst []param) (int, []param, bool, error) {
	return p.walk(path, dst, true)
}

func (p *pattern) walk(path string, dst []param, prefix bool) (int, []param, bool, error) {
	if p.regexp != nil {
		return p.walkRegexp(path, dst, prefix)
	}
	i, captured := 0, 0
	var undecodable error // counts if the rest matches
	for _, s := range p.segments {
		if i >= len(path) || path[i] != '/' {
			return 0, dst, false, nil
		}
		i++
		end := len(path)
		if s.kind != wildcardToken {
			if j := strings.IndexByte(path[i:], '/'); j >= 0 {
				end = i + j
			}
		}
		value := path[i:end]
		if s.kind == textToken {
			if value != s.text && (!p.fold || !equalFoldASCII(value, s.text)) {
				return 0, dst, false, nil
			}
		} else {
			var ok bool
			var err error
			if dst, ok, err = p.captures[captured].take(value, dst); !ok {
				return 0, dst, false, nil
			}
			undecodable = cmp.Or(undecodable, err)
			captured++
		}
		i = end
	}
	return i, dst, true, undecodable
}

func (p *pattern) walkRegexp(path string, dst []param, prefix bool) (int, []param, bool, error) {
	m := p.regexp.FindStringSubmatchIndex(path)
	if m == nil {
		return 0, dst, false, nil
	}
	var undecodable error
	for i, c := range p.captures {
		var ok bool
		var err error
		if dst, ok, err = c.take(path[m[4+2*i]:m[5+2*i]], dst); !ok {
			return 0, dst, false, nil
		}
		undecodable = cmp.Or(undecodable, err)
	}
	if prefix {
		return m[3], dst, true, undecodable
	}
	return len(path), dst, true, undecodable
}

// escapeText writes the text of a path as a client does in a URL: "/café" matches a request for "/caf%C3%A9".
func escapeText(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// foldASCII is s with its ASCII letters in lower case; s itself when there is nothing to do.
func foldASCII(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return true
}
