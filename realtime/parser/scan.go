package parser

import (
	"encoding/binary"
	"math/bits"
)

// A scanner reads a JSON text once: it checks the grammar of RFC 8259, as
// encoding/json does, and how deep arrays and objects stand in each other. Its
// methods take where something starts and return where it ends, or one of the
// faults below.
type scanner struct {
	text  []byte
	limit int // of the depth
}

// Faults of a text, which are no place in it.
const (
	faulty  = -1
	tooDeep = -2
)

// scan checks that data is one JSON value, and when that is an array, appends its
// elements to dst. It returns the value's first byte.
func scan(data []byte, limit int, dst [][]byte) (first byte, elements [][]byte, err error) {
	s := scanner{data, limit}
	i, end := skipSpace(data, 0), 0
	if i < len(data) {
		first = data[i]
	}
	if first == '[' {
		end, dst = s.elements(i, dst)
	} else {
		end = s.value(i, 0)
	}
	switch {
	case end == tooDeep:
		return 0, nil, invalid("payload is deeper than %d", limit)
	case end < 0 || skipSpace(data, end) < len(data):
		return 0, nil, invalid("payload is not JSON")
	}
	return first, dst, nil
}

// elements scans the outermost array, whose elements it appends to dst.
func (s *scanner) elements(i int, dst [][]byte) (int, [][]byte) {
	if s.limit < 1 {
		return tooDeep, nil
	}
	i = skipSpace(s.text, i+1)
	if s.at(i) == ']' {
		return i + 1, dst
	}
	for {
		end := s.value(i, 1)
		if end < 0 {
			return end, nil
		}
		dst = append(dst, s.text[i:end:end])
		i = skipSpace(s.text, end)
		switch s.at(i) {
		case ',':
			i = skipSpace(s.text, i+1)
		case ']':
			return i + 1, dst
		default:
			return faulty, nil
		}
	}
}

// at returns the byte at i, or 0 at the end, which is valid nowhere.
func (s *scanner) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// value scans any value that stands so deep.
func (s *scanner) value(i, depth int) int {
	switch c := s.at(i); c {
	case '"':
		return s.string(i)
	case '{':
		return s.items(i, depth+1, '}')
	case '[':
		return s.items(i, depth+1, ']')
	case 't':
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	default:
		return s.number(i)
	}
}

// items scans an array, or an object with names before its values, from its bracket to the one that ends it.
func (s *scanner) items(i, depth int, end byte) int {
	if depth > s.limit {
		return tooDeep
	}
	i = skipSpace(s.text, i+1)
	if s.at(i) == end {
		return i + 1
	}
	for {
		if end == '}' {
			if i = s.name(i); i < 0 {
				return i
			}
		}
		if i = s.value(i, depth); i < 0 {
			return i
		}
		i = skipSpace(s.text, i)
		switch s.at(i) {
		case ',':
			i = skipSpace(s.text, i+1)
		case end:
			return i + 1
		default:
			return faulty
		}
	}
}

// name scans the name of a member and its colon, up to the value.
func (s *scanner) name(i int) int {
	if s.at(i) != '"' {
		return faulty
	}
	if i = s.string(i); i < 0 {
		return i
	}
	if i = skipSpace(s.text, i); s.at(i) != ':' {
		return faulty
	}
	return skipSpace(s.text, i+1)
}

func (s *scanner) literal(i int, word string) int {
	if end := i + len(word); end <= len(s.text) && string(s.text[i:end]) == word {
		return end
	}
	return faulty
}

func (s *scanner) number(i int) int {
	if s.at(i) == '-' {
		i++
	}
	switch c := s.at(i); {
	case c == '0':
		i++
	case isDigit(c):
		i = s.digits(i)
	default:
		return faulty
	}
	if s.at(i) == '.' {
		if i = s.digits(i + 1); i < 0 {
			return i
		}
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		i++
		if c := s.at(i); c == '+' || c == '-' {
			i++
		}
		i = s.digits(i)
	}
	return i
}

// digits scans at least one.
func (s *scanner) digits(i int) int {
	if !isDigit(s.at(i)) {
		return faulty
	}
	for isDigit(s.at(i)) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (s *scanner) string(i int) int {
	for i++; ; {
		i = s.ordinary(i)
		switch s.at(i) {
		case '"':
			return i + 1
		case '\\':
			if i = s.escape(i + 1); i < 0 {
				return i
			}
		default: // a control character, or the end
			return faulty
		}
	}
}

// ordinary scans what a string has up to the next quote, backslash or control
// character, eight bytes at a time: much of what a chat sends is text.
func (s *scanner) ordinary(i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(s.text); i += 8 {
		w := binary.LittleEndian.Uint64(s.text[i:])
		quote, backslash := w^ones*'"', w^ones*'\\'
		// The lowest high bit of each stands where the first such byte is.
		found := ((w-ones*' ')&^w | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s.text) && s.text[i] >= ' ' && s.text[i] != '"' && s.text[i] != '\\' {
		i++
	}
	return i
}

// escape scans what follows a backslash.
func (s *scanner) escape(i int) int {
	switch s.at(i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		for end := i + 5; ; {
			i++
			if i == end {
				return i
			}
			if c := s.at(i) | 0x20; !isDigit(s.at(i)) && (c < 'a' || c > 'f') {
				return faulty
			}
		}
	}
	return faulty
}
