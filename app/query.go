package app

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxQueryParameters is how many parameters of a query are read; Node and qs leave the rest out, too.
const maxQueryParameters = 1000

// Query is the first value of a parameter of the query, "" if there is none or the setting "query parser" reads none.
// URL.Query has the values as net/url reads them.
func (r *Request) Query(name string) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return r.QueryObject().Get(name)
}

// QueryObject is the query as the setting "query parser" reads it. The simple parser gives each name its text, or the
// list of its texts; the extended one reads brackets: user[name]=Ana&tags[]=x. Do not change it.
func (r *Request) QueryObject() *Object {
	if r.query == nil || r.queryOf != r.URL.RawQuery {
		raw, _, _ := strings.Cut(r.URL.RawQuery, "#") // a fragment, which clients do not send
		r.query, r.queryOf = r.x.app.options.queryParser(raw), r.URL.RawQuery
		if r.query == nil {
			r.query = &Object{}
		}
	}
	return r.query
}

func noQuery(string) *Object { return &Object{} }

// parseSimple is Node's querystring.parse: names and values, lists of values for a name that comes again.
func parseSimple(raw string) *Object {
	o := &Object{}
	for n := 0; raw != "" && n < maxQueryParameters; n++ {
		var part string
		part, raw, _ = strings.Cut(raw, "&")
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		key, value = decodeQuery(key), decodeQuery(value)
		switch before := o.values[key].(type) {
		case string:
			o.values[key] = []any{before, value}
		case []any:
			o.values[key] = append(before, value)
		default:
			o.Set(key, value)
		}
	}
	return o
}

// decodeQuery decodes plus signs and escapes. What is no escape stays, what is no UTF-8 becomes U+FFFD.
func decodeQuery(s string) string {
	if strings.IndexByte(s, '+') >= 0 {
		s = strings.ReplaceAll(s, "+", " ")
	}
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return validUTF8(b)
}

// decodeComponent is JavaScript's decodeURIComponent; not ok where that throws.
func decodeComponent(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	decoded, err := url.PathUnescape(s)
	return decoded, err == nil && utf8.ValidString(decoded)
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// validUTF8 is b with one U+FFFD for each maximal part of a character that is not whole, as the WHATWG's decoder
// has it.
func validUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out bytes.Buffer
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = brokenLength(b)
		}
		out.WriteRune(r)
		b = b[n:]
	}
	return out.String()
}

// brokenLength is how many bytes at the start of b could have begun a character.
func brokenLength(b []byte) int {
	low, high, size := byte(0x80), byte(0xbf), 0
	switch c := b[0]; {
	case 0xc2 <= c && c <= 0xdf:
		size = 2
	case 0xe0 <= c && c <= 0xef:
		size = 3
		if c == 0xe0 {
			low = 0xa0
		} else if c == 0xed {
			high = 0x9f
		}
	case 0xf0 <= c && c <= 0xf4:
		size = 4
		if c == 0xf0 {
			low = 0x90
		} else if c == 0xf4 {
			high = 0x8f
		}
	default:
		return 1
	}
	n := 1
	for n < size && n < len(b) && low <= b[n] && b[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}
