package app

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file reads the two spellings of a path, Express's (path-to-regexp 8) and chi's, into tokens.

type tokenKind uint8

const (
	textToken     tokenKind = iota
	paramToken              // :name, {name}, {name:regexp}
	wildcardToken           // *name
	groupToken              // {…}: may be missing
)

type token struct {
	kind  tokenKind
	text  string         // the text, or the name
	check *regexp.Regexp // of {name:regexp}: what the whole value must match
	group []token
}

// parsePath reads one path. Its error says what is wrong, where, and what to write instead.
func parsePath(path string) ([]token, error) {
	p := pathParser{path: path}
	return p.tokens(false)
}

type pathParser struct {
	path string
	pos  int
}

func (p *pathParser) errorf(at int, cure, format string, args ...any) error {
	return fmt.Errorf("path %q: %s at index %d; %s", p.path, fmt.Sprintf(format, args...), at, cure)
}

func (p *pathParser) tokens(inGroup bool) ([]token, error) {
	var out []token
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			out = append(out, token{kind: textToken, text: text.String()})
			text.Reset()
		}
	}
	for p.pos < len(p.path) {
		at := p.pos
		c := p.path[p.pos]
		p.pos++
		switch c {
		case '\\':
			if p.pos == len(p.path) {
				return nil, p.errorf(at, `write \\ for a backslash`, "nothing after the backslash")
			}
			_, n := utf8.DecodeRuneInString(p.path[p.pos:])
			text.WriteString(p.path[p.pos : p.pos+n])
			p.pos += n
		case ':', '*':
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			flush()
			kind := paramToken
			if c == '*' {
				kind = wildcardToken
			}
			out = append(out, token{kind: kind, text: name})
		case '{':
			flush()
			if t, ok, err := p.chiParam(); err != nil {
				return nil, err
			} else if ok {
				out = append(out, t)
				continue
			}
			group, err := p.tokens(true)
			if err != nil {
				return nil, err
			}
			out = append(out, token{kind: groupToken, group: group})
		case '}':
			if !inGroup {
				return nil, p.errorf(at, `write \} for the character itself`, "unexpected }")
			}
			flush()
			return out, nil
		case '(', ')', '[', ']', '+', '?', '!':
			return nil, p.errorf(at, `write {…} for an optional part, {name:regexp} for a regular expression, \`+string(c)+" for the character itself", "unexpected %c", c)
		default:
			text.WriteByte(c)
		}
	}
	if inGroup {
		return nil, p.errorf(p.pos, "close the optional part with }", "unexpected end")
	}
	flush()
	return out, nil
}

// name reads what follows : or *: an identifier, or anything in double quotes.
func (p *pathParser) name() (string, error) {
	if p.pos < len(p.path) && p.path[p.pos] == '"' {
		return p.quoted()
	}
	name := identifier(p.path[p.pos:])
	if name == "" {
		return "", p.errorf(p.pos, `name it, as in "/users/:id" and "/files/*path"`, "missing parameter name")
	}
	p.pos += len(name)
	return name, nil
}

func (p *pathParser) quoted() (string, error) {
	at := p.pos
	var name strings.Builder
	for p.pos++; p.pos < len(p.path); p.pos++ {
		switch c := p.path[p.pos]; {
		case c == '"':
			p.pos++
			if name.Len() == 0 {
				return "", p.errorf(at, `name it, as in :"odd-name"`, "missing parameter name")
			}
			return name.String(), nil
		case c == '\\' && p.pos+1 < len(p.path):
			p.pos++
			name.WriteByte(p.path[p.pos])
		default:
			name.WriteByte(c)
		}
	}
	return "", p.errorf(at, `close it with "`, "unterminated quote")
}

// chiParam reads name} or name:regexp} after an opening brace. Anything else in braces is an optional part.
func (p *pathParser) chiParam() (token, bool, error) {
	rest := p.path[p.pos:]
	name := identifier(rest)
	if name == "" || len(name) == len(rest) {
		return token{}, false, nil
	}
	switch rest[len(name)] {
	case '}':
		p.pos += len(name) + 1
		return token{kind: paramToken, text: name}, true, nil
	case ':':
		depth := 1
		for i := len(name) + 1; i < len(rest); i++ {
			switch rest[i] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 0 {
				re, err := regexp.Compile("^(?:" + rest[len(name)+1:i] + ")$")
				if err != nil {
					return token{}, false, p.errorf(p.pos, "see the package regexp for the syntax", "%v", err)
				}
				p.pos += i + 1
				return token{kind: paramToken, text: name, check: re}, true, nil
			}
		}
	}
	return token{}, false, nil
}

// identifier is the longest JavaScript identifier that s starts with.
func identifier(s string) string {
	for i, r := range s {
		if r == '$' || r == '_' || unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r) {
			continue
		}
		return s[:i]
	}
	return s
}

// flatten writes the optional parts out: every sequence of tokens without groups that tokens stands for, those
// with the optional part before those without it, which is the order in which Express tries them. It stops when there
// are too many.
func flatten(tokens []token) [][]token {
	sequences := [][]token{nil}
	for _, t := range tokens {
		if len(sequences) > maxCombinations {
			break
		}
		if t.kind != groupToken {
			for i, s := range sequences {
				sequences[i] = append(s[:len(s):len(s)], t)
			}
			continue
		}
		var longer [][]token
		for _, s := range sequences {
			for _, g := range flatten(t.group) {
				longer = append(longer, append(s[:len(s):len(s)], g...))
			}
			longer = append(longer, s)
		}
		sequences = longer
	}
	return sequences
}
