package parser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// EncodeEvent returns the frames of an event: its text, and the binary
// attachments that must follow it without another frame between. id is NoID, or
// the number the answer shall have. It fails when an argument cannot be
// marshalled. The attachments are the caller's own byte slices.
func EncodeEvent(namespace string, id int64, name string, args []any) (text []byte, attachments [][]byte, err error) {
	e := encoder{}
	e.json.WriteByte('[')
	if err := e.value(name); err != nil {
		return nil, nil, err
	}
	return e.finish(Event, namespace, id, args)
}

// EncodeAck returns the frames of the answer to the event with the number id,
// as EncodeEvent does.
func EncodeAck(namespace string, id int64, args []any) (text []byte, attachments [][]byte, err error) {
	e := encoder{}
	e.json.WriteByte('[')
	return e.finish(Ack, namespace, id, args)
}

// finish writes the arguments and puts the header before the whole.
func (e *encoder) finish(kind Type, namespace string, id int64, args []any) ([]byte, [][]byte, error) {
	for i, arg := range args {
		if e.json.Len() > 1 {
			e.json.WriteByte(',')
		}
		if err := e.value(arg); err != nil {
			return nil, nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	e.json.WriteByte(']')
	if len(e.attachments) > 0 {
		kind += BinaryEvent - Event
	}
	text := header(kind, len(e.attachments), namespace, id, e.json.Len())
	return append(text, e.json.Bytes()...), e.attachments, nil
}

// EncodePlain returns the text of a packet that is neither event nor ack: data
// is its payload as JSON, or nil.
func EncodePlain(kind Type, namespace string, data []byte) []byte {
	return append(header(kind, 0, namespace, NoID, len(data)), data...)
}

func header(kind Type, attachments int, namespace string, id int64, room int) []byte {
	b := make([]byte, 0, 1+len(namespace)+24+room)
	b = append(b, '0'+byte(kind))
	if attachments > 0 {
		b = append(strconv.AppendInt(b, int64(attachments), 10), '-')
	}
	if namespace != "/" {
		b = append(append(b, namespace...), ',')
	}
	if id != NoID {
		b = strconv.AppendInt(b, id, 10)
	}
	return b
}

// encoder writes values as JSON and puts their binary parts aside.
type encoder struct {
	json        bytes.Buffer
	attachments [][]byte
}

// value writes one value.
func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case nil:
		e.json.WriteString("null")
		return nil
	case string:
		if plain(v) {
			e.json.WriteByte('"')
			e.json.WriteString(v)
			e.json.WriteByte('"')
			return nil
		}
	case int:
		e.json.Write(strconv.AppendInt(e.json.AvailableBuffer(), int64(v), 10))
		return nil
	case bool:
		e.json.Write(strconv.AppendBool(e.json.AvailableBuffer(), v))
		return nil
	case []byte:
		e.attach(v)
		return nil
	case Raw:
		e.raw(v)
		return nil
	}
	if rv := reflect.ValueOf(v); holdsBinary(rv, 0) {
		return e.mixed(rv)
	}
	return e.plain(v)
}

// plain writes a value without binary parts as encoding/json does, but without
// escaping HTML: the receiver is no HTML page.
func (e *encoder) plain(v any) error {
	enc := json.NewEncoder(&e.json)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	e.json.Truncate(e.json.Len() - 1) // Encode's newline
	return nil
}

// attach adds an attachment and writes its placeholder.
func (e *encoder) attach(data []byte) {
	e.placeholder(len(e.attachments))
	e.attachments = append(e.attachments, data)
}

// placeholder writes the placeholder of an attachment. The order of its keys is
// that of the reference.
func (e *encoder) placeholder(n int) {
	e.json.WriteString(`{"_placeholder":true,"num":`)
	e.json.Write(strconv.AppendInt(e.json.AvailableBuffer(), int64(n), 10))
	e.json.WriteByte('}')
}

// Raw is an argument as it came in: a JSON text and the attachments that its
// placeholders stand for. In an argument of EncodeEvent or EncodeAck it goes out
// again unchanged, but for the numbers of its placeholders.
type Raw struct {
	JSON        []byte
	Attachments [][]byte
}

// MarshalJSON returns the text, with attachments as base64.
func (r Raw) MarshalJSON() ([]byte, error) {
	if len(r.Attachments) == 0 {
		return r.JSON, nil
	}
	return inline(r.JSON, r.Attachments), nil
}

func (e *encoder) raw(r Raw) {
	from := 0
	if len(r.Attachments) > 0 {
		numbers := make(map[int]int) // in r.Attachments, in e.attachments
		for _, p := range placeholders(r.JSON) {
			e.json.Write(r.JSON[from:p.start])
			if n, again := numbers[p.num]; again {
				e.placeholder(n)
			} else {
				numbers[p.num] = len(e.attachments)
				e.attach(r.Attachments[p.num])
			}
			from = p.end
		}
	}
	e.json.Write(r.JSON[from:])
}

// plain reports whether s is its own JSON but for the quotes.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
