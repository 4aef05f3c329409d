package syntax

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A lexer cuts a template into the tokens of handlebars.l (handlebars.js 4.7). It never fails: what it cannot read is
// a tokInvalid or, when it cannot go on at all, a tokUnrecognized, which is the last one.
type lexer struct {
	src    string
	pos    int
	tokens []token
}

func lex(src string) []token {
	l := &lexer{src: src}
	for l.pos < len(src) && l.content() {
	}
	if n := len(l.tokens); n == 0 || l.tokens[n-1].kind != tokUnrecognized {
		l.emit(tokEOF, len(src))
	}
	return l.tokens
}

// emit adds the token that ends at end and is what it says.
func (l *lexer) emit(k kind, end int) { l.emitText(k, end, l.src[l.pos:end]) }

// emitText adds the token that ends at end and says text.
func (l *lexer) emitText(k kind, end int, text string) {
	l.tokens = append(l.tokens, token{k, l.pos, end, text})
	l.pos = end
}

func (l *lexer) rest() string { return l.src[l.pos:] }

// content reads text up to the next tag, and then the tag. It returns false when the lexer cannot go on.
func (l *lexer) content() bool {
	i := strings.Index(l.rest(), "{{")
	text := l.rest()
	if i >= 0 {
		text = text[:i]
	}
	if nul := strings.IndexByte(text, 0); nul >= 0 {
		l.emit(tokContent, l.pos+nul)
		return l.unrecognized()
	}
	if i < 0 {
		l.emit(tokContent, len(l.src))
		return true
	}
	bare, escaped := strings.CutSuffix(text, `\`)
	if escaped && !strings.HasSuffix(bare, `\`) {
		return l.escapedTag(bare, l.pos+i)
	}
	if i > 0 {
		l.emitText(tokContent, l.pos+i, bare)
	}
	return l.tag()
}

// escapedTag reads the text before \{{ and then the tag as text, up to what may be the next one.
func (l *lexer) escapedTag(before string, tag int) bool {
	if before != "" {
		l.emitText(tokContent, tag, before)
	}
	end := len(l.src)
	if i := strings.Index(l.src[tag+2:], "{{"); i >= 0 {
		end = tag + 2 + i
		for n := 0; n < 2 && end > tag+2 && l.src[end-1] == '\\'; n++ {
			end--
		}
	}
	if strings.IndexByte(l.src[tag:end], 0) >= 0 {
		return l.unrecognized()
	}
	l.emitText(tokContent, end, l.src[tag:end])
	return true
}

func (l *lexer) unrecognized() bool {
	l.emit(tokUnrecognized, len(l.src))
	return false
}

// tag reads from {{ to the }} that belongs to it, or to the end of a comment or of a raw block.
func (l *lexer) tag() bool {
	for {
		r := l.rest()
		switch {
		case r == "":
			return true
		case strings.HasPrefix(r, "{{"):
			if done, ok := l.open(r); done {
				return ok
			}
		case strings.HasPrefix(r, "}}}}"):
			l.emit(tokCloseRawBlock, l.pos+4)
			return l.raw()
		case strings.HasPrefix(r, "}}}"):
			l.emit(tokCloseUnescaped, l.pos+3)
			return true
		case strings.HasPrefix(r, "}~}}"):
			l.emit(tokCloseUnescaped, l.pos+4)
			return true
		case strings.HasPrefix(r, "}}"):
			l.emit(tokClose, l.pos+2)
			return true
		case strings.HasPrefix(r, "~}}"):
			l.emit(tokClose, l.pos+3)
			return true
		default:
			if !l.expression(r) {
				return false
			}
		}
	}
}

// open reads what a tag starts with. Done says that the tag is over with it.
func (l *lexer) open(r string) (done, ok bool) {
	if strings.HasPrefix(r, "{{{{") {
		l.emit(tokOpenRawBlock, l.pos+4)
		return false, true
	}
	n := 2
	if strings.HasPrefix(r[n:], "~") {
		n++
	}
	emit := func(k kind, extra int) (bool, bool) {
		l.emit(k, l.pos+n+extra)
		return false, true
	}
	switch body := r[n:]; {
	case strings.HasPrefix(body, ">"):
		return emit(tokOpenPartial, 1)
	case strings.HasPrefix(body, "#>"):
		return emit(tokOpenPartialBlock, 2)
	case strings.HasPrefix(body, "#*"):
		return emit(tokOpenBlock, 2)
	case strings.HasPrefix(body, "#"):
		return emit(tokOpenBlock, 1)
	case strings.HasPrefix(body, "/"):
		return emit(tokOpenEndBlock, 1)
	case strings.HasPrefix(body, "^"):
		if end := closing(body[1:]); end > 0 {
			l.emit(tokInverse, l.pos+n+1+end)
			return true, true
		}
		return emit(tokOpenInverse, 1)
	case strings.HasPrefix(body, "{"):
		return emit(tokOpenUnescaped, 1)
	case strings.HasPrefix(body, "&"), strings.HasPrefix(body, "*"):
		return emit(tokOpen, 1)
	case strings.HasPrefix(body, "!--"):
		for end := n + 1; ; end++ {
			i := strings.Index(r[end:], "--")
			if i < 0 {
				return true, l.unrecognized()
			}
			end += i
			if after := strings.TrimPrefix(r[end+2:], "~"); strings.HasPrefix(after, "}}") {
				l.emit(tokComment, len(l.src)-len(after)+2)
				return true, true
			}
		}
	case strings.HasPrefix(body, "!"):
		if i := strings.Index(body, "}}"); i >= 0 {
			l.emit(tokComment, l.pos+n+i+2)
			return true, true
		}
		return emit(tokOpen, 0)
	default:
		word := trimSpaceLeft(body)
		if after, ok := strings.CutPrefix(word, "else"); ok && (after == "" || !isWord(after[0])) {
			if end := closing(after); end > 0 {
				l.emit(tokInverse, len(l.src)-len(after)+end)
				return true, true
			}
			l.emit(tokOpenInverseChain, len(l.src)-len(after))
			return false, true
		}
		return emit(tokOpen, 0)
	}
}

// closing is the length of white space and }} or ~}} at the start of s, or 0.
func closing(s string) int {
	t := strings.TrimPrefix(trimSpaceLeft(s), "~")
	if strings.HasPrefix(t, "}}") {
		return len(s) - len(t) + 2
	}
	return 0
}

// raw reads the content of a raw block. Raw blocks in it are content too.
func (l *lexer) raw() bool {
	for depth := 1; ; {
		r := l.rest()
		if r == "" {
			return true
		}
		if strings.HasPrefix(r, "{{{{") && len(r) > 4 && r[4] != '/' {
			depth++
			l.emit(tokContent, l.pos+4)
			continue
		}
		if name, ok := strings.CutPrefix(r, "{{{{/"); ok {
			if n := identifier(name); n > 0 && strings.HasPrefix(name[n:], "}}}}") {
				if depth--; depth == 0 {
					l.emitText(tokEndRawBlock, l.pos+5+n+4, name[:n])
					return true
				}
				l.emit(tokContent, l.pos+5+n+4)
				continue
			}
		}
		i := strings.Index(r[1:], "{{{{")
		if i < 0 || strings.IndexByte(r[:1+i], 0) >= 0 {
			return l.unrecognized()
		}
		l.emit(tokContent, l.pos+1+i)
	}
}

// expression reads one token inside a tag; r is not empty.
func (l *lexer) expression(r string) bool {
	c := r[0]
	single := func(k kind) bool {
		l.emit(k, l.pos+1)
		return true
	}
	switch c {
	case '(':
		return single(tokOpenSexpr)
	case ')':
		return single(tokCloseSexpr)
	case '=':
		return single(tokEquals)
	case '@':
		return single(tokData)
	case '|':
		return single(tokCloseBlockParams)
	case '/':
		return single(tokSep)
	case '.':
		if strings.HasPrefix(r, "..") {
			l.emit(tokID, l.pos+2)
			return true
		}
		if before(r[1:], "=~}/.)|") {
			return single(tokID)
		}
		return single(tokSep)
	case '"', '\'':
		if n := quoted(r, c); n > 0 {
			l.emitText(tokString, l.pos+n, strings.ReplaceAll(r[1:n-1], `\`+r[:1], r[:1]))
			return true
		}
		return l.invalid()
	case '[':
		if n := quoted(r, ']'); n > 0 {
			l.emitText(tokID, l.pos+n, unescapeSegment(r[:n]))
			return true
		}
		return l.invalid()
	}
	if trimmed := trimSpaceLeft(r); len(trimmed) < len(r) {
		l.pos = len(l.src) - len(trimmed)
		return true
	}
	return l.word(r)
}

// word reads a literal or an identifier.
func (l *lexer) word(r string) bool {
	for _, literal := range [...]struct {
		text string
		kind kind
	}{{"true", tokBoolean}, {"false", tokBoolean}, {"undefined", tokUndefined}, {"null", tokNull}} {
		if after, ok := strings.CutPrefix(r, literal.text); ok && before(after, "~})") {
			l.emit(literal.kind, l.pos+len(literal.text))
			return true
		}
	}
	if n := number(r); n > 0 {
		l.emit(tokNumber, l.pos+n)
		return true
	}
	if after, ok := strings.CutPrefix(r, "as"); ok {
		if bar := trimSpaceLeft(after); len(bar) < len(after) && strings.HasPrefix(bar, "|") {
			l.emit(tokOpenBlockParams, len(l.src)-len(bar)+1)
			return true
		}
	}
	if n := identifier(r); n > 0 && before(r[n:], "=~}/.)|") {
		l.emit(tokID, l.pos+n)
		return true
	}
	return l.invalid()
}

// invalid ends the tokens: no grammar accepts one after it.
func (l *lexer) invalid() bool {
	_, n := utf8.DecodeRuneInString(l.rest())
	l.emit(tokInvalid, l.pos+n)
	return false
}

// quoted is the length of the string or [segment] at the start of s, whose end may be escaped inside it. As in a
// regular expression that backtracks, the last escaped end is the end when there is no other.
func quoted(s string, end byte) int {
	last := 0
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == end:
			return i + 1
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == end:
			i++
			last = i + 1
		}
	}
	return last
}

func unescapeSegment(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\]`, `]`).Replace(s)
}

// number is the length of the number at the start of s: -?[0-9]+(\.[0-9]+)? before the end of an expression.
func number(s string) int {
	digits := func(i int) int {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i
	}
	start := len(s) - len(strings.TrimPrefix(s, "-"))
	n := digits(start)
	if n == start {
		return 0
	}
	if n < len(s) && s[n] == '.' {
		if m := digits(n + 1); m > n+1 && before(s[m:], "~})") {
			return m
		}
	}
	if before(s[n:], "~})") {
		return n
	}
	return 0
}

// identifier is the length of the identifier at the start of s.
func identifier(s string) int {
	for i, r := range s {
		if isSpace(r) || r < utf8.RuneSelf && strings.IndexByte("!\"#%&'()*+,./;<=>@[\\]^`{|}~", byte(r)) >= 0 {
			return i
		}
	}
	return len(s)
}

// before reports whether s starts with white space or one of chars.
func before(s, chars string) bool {
	if s == "" {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s)
	return isSpace(r) || strings.ContainsRune(chars, r)
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isSpace is \s of JavaScript.
func isSpace(r rune) bool { return r != 0x85 && unicode.IsSpace(r) || r == 0xfeff }

func trimSpaceLeft(s string) string  { return strings.TrimLeftFunc(s, isSpace) }
func trimSpaceRight(s string) string { return strings.TrimRightFunc(s, isSpace) }

// TrimLeft and TrimRight take what JavaScript takes for white space off, the byte order mark included.
func TrimLeft(s string) string  { return trimSpaceLeft(s) }
func TrimRight(s string) string { return trimSpaceRight(s) }

// TrimBytes is String.prototype.trim.
func TrimBytes(b []byte) []byte { return bytes.TrimFunc(b, isSpace) }
