package msgpack

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/tinylib/msgp/msgp"
	"github.com/zocalo-go/zocalo/realtime/parser/internal/jsonrules"
)

// json writes what a JSON text means. The order of members is kept.
func (e *encoder) json(data []byte, depth int) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	t, err := d.Token()
	if err == nil {
		err = e.jsonValue(d, t, depth)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("data after the end of a JSON text")
	}
	return nil
}

// jsonValue writes the value that begins with the token t.
func (e *encoder) jsonValue(d *json.Decoder, t json.Token, depth int) error {
	switch t := t.(type) {
	case nil:
		e.b = msgp.AppendNil(e.b)
	case bool:
		e.b = msgp.AppendBool(e.b, t)
	case string:
		e.string(t)
	case json.Number:
		return e.number(string(t))
	case json.Delim:
		if depth > jsonrules.MaxDepth {
			return errors.New("JSON that is too deep")
		}
		return e.jsonContainer(d, t == '{', depth)
	}
	return nil
}

func (e *encoder) jsonContainer(d *json.Decoder, isObject bool, depth int) error {
	k := list
	if isObject {
		k = object
	}
	start, n := e.open(k), 0
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		if isObject {
			e.string(t.(string)) // the decoder lets no other key pass
			if t, err = d.Token(); err != nil {
				return err
			}
		}
		if err := e.jsonValue(d, t, depth+1); err != nil {
			return err
		}
		n++
	}
	if _, err := d.Token(); err != nil { // the closing bracket
		return err
	}
	e.close(k, start, n)
	return nil
}

// number writes a number of JSON, an integer as such when 64 bits hold it.
func (e *encoder) number(s string) error {
	if s == "" { // of a json.Number
		s = "0"
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		e.b = msgp.AppendInt64(e.b, i)
		return nil
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		e.b = msgp.AppendUint64(e.b, u)
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("invalid number %q", s)
	}
	e.b = msgp.AppendFloat64(e.b, f)
	return nil
}

func (codec) JSON(arg []byte, _ [][]byte) ([]byte, error) {
	if err := whole(arg, maxDepth); err != nil {
		return nil, fmt.Errorf("msgpack: %w", err)
	}
	out, _, err := appendJSON(make([]byte, 0, 2*len(arg)), arg)
	return out, err
}

// appendJSON appends the value that b begins with, which skip has checked.
func appendJSON(out, b []byte) (_, rest []byte, err error) {
	t, b, _ := next(b)
	switch t.kind {
	case null:
		return append(out, "null"...), b, nil
	case boolean:
		return strconv.AppendBool(out, t.i == 1), b, nil
	case integer:
		return strconv.AppendInt(out, t.i, 10), b, nil
	case unsigned:
		return strconv.AppendUint(out, t.u, 10), b, nil
	case float:
		return appendFloat(out, t.f), b, nil
	case text:
		out, err = appendString(out, string(t.bytes))
		return out, b, err
	case binaryData:
		return appendBase64(out, t.bytes), b, nil
	case date:
		return append(append(append(out, '"'), isoDate(t.time)...), '"'), b, nil
	case extension:
		out = append(strconv.AppendInt(append(out, '['), t.i, 10), ',')
		return append(appendBase64(out, t.bytes), ']'), b, nil
	}
	opening, closing := byte('['), byte(']')
	if t.kind == object {
		opening, closing = '{', '}'
	}
	out = append(out, opening)
	for i := range t.length {
		if i > 0 {
			out = append(out, ',')
		}
		if t.kind == object {
			var key token
			key, b, _ = next(b)
			if out, err = appendString(out, keyText(key)); err != nil {
				return nil, nil, err
			}
			out = append(out, ':')
		}
		if out, b, err = appendJSON(out, b); err != nil {
			return nil, nil, err
		}
	}
	return append(out, closing), b, nil
}

// keyText returns the text of a map's key, which skip has checked.
func keyText(key token) string {
	switch key.kind {
	case integer:
		return strconv.FormatInt(key.i, 10)
	case unsigned:
		return strconv.FormatUint(key.u, 10)
	}
	return validText(key.bytes)
}

func appendString(out []byte, s string) ([]byte, error) {
	buffer := bytes.NewBuffer(out)
	enc := json.NewEncoder(buffer)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, err
	}
	return buffer.Bytes()[:buffer.Len()-1], nil // without Encode's newline
}

func appendFloat(out []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(out, "null"...)
	}
	number, _ := json.Marshal(f) // which is finite
	return append(out, number...)
}

func appendBase64(out, data []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(out, '"'), data), '"')
}

// isoDate returns what JavaScript's toJSON makes of a Date.
func isoDate(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
