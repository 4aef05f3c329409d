package app

import (
	"bytes"
	"encoding/json"
	"strings"
)

var javascriptType = []string{"text/javascript; charset=utf-8"}

// JSON answers with v as JSON. <, > and & are written as they are, unless the setting "json escape" is on.
func (s *Response) JSON(v any) error {
	if s.invalid != nil {
		return s.rejected()
	}
	buf := buffers.Get().(*bytes.Buffer)
	defer freeBuffer(buf)
	body, err := s.encodeJSON(buf, v)
	if err != nil {
		return err
	}
	if err := s.textType(jsonType); err != nil {
		return err
	}
	return s.send(body)
}

// JSONP answers with a call of the function that the query names by the setting "jsonp callback name", with v as its
// argument, or as JSON without one.
func (s *Response) JSONP(v any) error {
	if s.invalid != nil {
		return s.rejected()
	}
	callback := s.x.req.Query(s.x.app.options.jsonpCallback)
	if callback == "" {
		if s.Header().Get("Content-Type") == "" {
			s.Header().Set("X-Content-Type-Options", "nosniff")
		}
		return s.JSON(v)
	}
	callback = strings.Map(func(r rune) rune {
		if r < 0x80 && (isWordByte(byte(r)) || strings.ContainsRune("[]$.", r)) {
			return r
		}
		return -1
	}, callback)
	buf := buffers.Get().(*bytes.Buffer)
	defer freeBuffer(buf)
	argument, err := s.encodeJSON(buf, v)
	if err != nil {
		return err
	}
	// JavaScript before ES2019 takes these two for the end of a line.
	text := strings.NewReplacer("\u2028", `\u2028`, "\u2029", `\u2029`).Replace(string(argument))
	s.Header().Set("X-Content-Type-Options", "nosniff")
	s.Header()["Content-Type"] = javascriptType
	// The comment keeps the answer from being taken for a Flash file, typeof from failing on a page without the function.
	return s.send([]byte("/**/ typeof " + callback + " === 'function' && " + callback + "(" + text + ");"))
}

func isWordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
}

// encodeJSON writes v into buf as the settings say, without the encoder's line break at the end.
func (s *Response) encodeJSON(buf *bytes.Buffer, v any) ([]byte, error) {
	enc := json.NewEncoder(buf)
	o := &s.x.app.options
	enc.SetEscapeHTML(o.jsonEscape)
	if o.jsonIndent != "" {
		enc.SetIndent("", o.jsonIndent)
	}
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return unescapeSeparators(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

// unescapeSeparators writes U+2028 and U+2029 as they are, which encoding/json escapes and JSON.stringify does not.
func unescapeSeparators(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\u202`)) {
		return b
	}
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		if i+6 <= len(b) && (string(b[i:i+6]) == `\u2028` || string(b[i:i+6]) == `\u2029`) {
			out = append(out, 0xe2, 0x80, 0xa8+(b[i+5]-'8'))
			i += 5
			continue
		}
		out = append(out, b[i], b[i+1])
		i++
	}
	return out
}
