package app

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// jsonSyntax says what is wrong with a text that is no JSON, in the words of JSON.parse in Node, which people know from
// their logs. Places are counted in units of UTF-16, as there. It is "" for a text that is JSON.
func jsonSyntax(text string) string {
	s := jsonScanner{text: text}
	return s.document()
}

// A jsonScanner walks over one text. Nesting is kept in a slice: a body of brackets must not cost a stack.
type jsonScanner struct {
	text   string
	pos    int
	nested []byte // '{' or '['
}

func (s *jsonScanner) document() string {
	if m := s.value(); m != "" {
		return m
	}
	for len(s.nested) > 0 {
		c := s.peek()
		if s.nested[len(s.nested)-1] == '[' {
			switch c {
			case ',':
				s.pos++
				if m := s.value(); m != "" {
					return m
				}
				continue
			case ']':
			default:
				return s.at("Expected ',' or ']' after array element")
			}
		} else {
			switch c {
			case ',':
				s.pos++
				if m := s.member("Expected double-quoted property name"); m != "" {
					return m
				}
				continue
			case '}':
			default:
				return s.at("Expected ',' or '}' after property value")
			}
		}
		s.pos++
		s.nested = s.nested[:len(s.nested)-1]
	}
	if s.peek() != 0 || s.pos < len(s.text) {
		return s.at("Unexpected non-whitespace character after JSON")
	}
	return ""
}

// value reads one value, or the start of one that has others in it.
func (s *jsonScanner) value() string {
	for {
		switch c := s.peek(); {
		case c == '"':
			return s.str()
		case c == '-' || '0' <= c && c <= '9':
			return s.number()
		case c == 't':
			return s.literal("true")
		case c == 'f':
			return s.literal("false")
		case c == 'n':
			return s.literal("null")
		case c == '{':
			s.pos++
			if s.peek() == '}' {
				s.pos++
				return ""
			}
			s.nested = append(s.nested, '{')
			return s.member("Expected property name or '}'")
		case c == '[':
			s.pos++
			if s.peek() == ']' {
				s.pos++
				return ""
			}
			s.nested = append(s.nested, '[')
		default:
			return s.unexpected()
		}
	}
}

// member reads a name, a colon and a value.
func (s *jsonScanner) member(expected string) string {
	for {
		if s.peek() != '"' {
			return s.at(expected)
		}
		if m := s.str(); m != "" {
			return m
		}
		if s.peek() != ':' {
			return s.at("Expected ':' after property name")
		}
		s.pos++
		if s.peek() != '{' {
			return s.value()
		}
		// An object in an object, and so on: here, not by calling each other.
		s.pos++
		if s.peek() == '}' {
			s.pos++
			return ""
		}
		s.nested = append(s.nested, '{')
		expected = "Expected property name or '}'"
	}
}

func (s *jsonScanner) literal(word string) string {
	for i := range len(word) {
		if s.pos == len(s.text) || s.text[s.pos] != word[i] {
			return s.unexpected()
		}
		s.pos++
	}
	return ""
}

func (s *jsonScanner) number() string {
	digits := func() bool {
		start := s.pos
		for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
			s.pos++
		}
		return s.pos > start
	}
	if s.text[s.pos] == '-' {
		s.pos++
	}
	start := s.pos
	if !digits() {
		return s.at("No number after minus sign")
	}
	if s.text[start] == '0' && s.pos > start+1 {
		s.pos = start + 1
		return s.at("Unexpected number")
	}
	if s.pos < len(s.text) && s.text[s.pos] == '.' {
		s.pos++
		if !digits() {
			return s.at("Unterminated fractional number")
		}
	}
	if s.pos < len(s.text) && s.text[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.text) && (s.text[s.pos] == '+' || s.text[s.pos] == '-') {
			s.pos++
		}
		if !digits() {
			return s.at("Exponent part is missing a number")
		}
	}
	return ""
}

func (s *jsonScanner) str() string {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return ""
		case c < ' ':
			return s.at("Bad control character in string literal")
		case c == '\\':
			s.pos++
			if s.pos == len(s.text) {
				return s.at("Unterminated string")
			}
			if s.text[s.pos] == 'u' {
				for range 4 {
					if s.pos++; s.pos == len(s.text) || !isHex(s.text[s.pos]) {
						return s.at("Bad Unicode escape")
					}
				}
			} else if strings.IndexByte(`"\/bfnrt`, s.text[s.pos]) < 0 {
				return s.at("Bad escaped character")
			}
		}
	}
	return s.at("Unterminated string")
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *jsonScanner) peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

func (s *jsonScanner) at(message string) string {
	if !strings.HasSuffix(message, "JSON") {
		message += " in JSON"
	}
	return fmt.Sprintf("%s at position %d", message, utf16Length(s.text[:s.pos]))
}

// unexpected is the message for a token that may not stand at the current place: with up to ten units of the text on
// both sides of it.
func (s *jsonScanner) unexpected() string {
	if s.pos >= len(s.text) {
		return "Unexpected end of JSON input"
	}
	switch c := s.text[s.pos]; {
	case c == '"':
		return s.at("Unexpected string")
	case c == '-' || '0' <= c && c <= '9':
		return s.at("Unexpected number")
	}
	switch s.text {
	case "NaN", "Infinity", "undefined", "[object Object]":
		return `"` + s.text + `" is not valid JSON`
	}
	const context = 10
	units := utf16.Encode([]rune(s.text))
	pos := utf16Length(s.text[:s.pos])
	text := func(from, to int) string { return string(utf16.Decode(units[from:to])) }
	token := text(pos, pos+1)
	switch {
	case len(units) <= 2*context:
		return fmt.Sprintf(`Unexpected token '%s', "%s" is not valid JSON`, token, s.text)
	case pos < context:
		return fmt.Sprintf(`Unexpected token '%s', "%s"... is not valid JSON`, token, text(0, pos+context))
	case pos < len(units)-context:
		return fmt.Sprintf(`Unexpected token '%s', ..."%s"... is not valid JSON`, token, text(pos-context, pos+context))
	}
	return fmt.Sprintf(`Unexpected token '%s', ..."%s" is not valid JSON`, token, text(pos-context, len(units)))
}

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// strictSyntax is the message for a text that is no object and no list at the top, whatever else it is.
func strictSyntax(text string) string {
	start := len(text) - len(strings.TrimLeft(text, " \t\n\r"))
	if start == len(text) {
		return "Unexpected end of JSON input"
	}
	// The same message as for a text in which everything from there on makes no sense; what is shown is the text.
	units := utf16.Encode([]rune(text[start:]))
	message := jsonSyntax(text[:start] + strings.Repeat("#", len(units)))
	var b strings.Builder
	for message != "" {
		i := strings.IndexByte(message, '#')
		if i < 0 {
			b.WriteString(message)
			break
		}
		n := len(message[i:]) - len(strings.TrimLeft(message[i:], "#"))
		b.WriteString(message[:i] + string(utf16.Decode(units[:n])))
		message = message[i+n:]
	}
	return b.String()
}
