package parser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// headroom is how many bytes a header takes at most, without its namespace: the
// type, the number of attachments, a dash, a comma and the id.
const headroom = 1 + 19 + 1 + 1 + 19

// encode returns the frames of a packet.
func encode(p Outgoing) ([]Frame, error) {
	// What the header says of attachments is known last, so it is written last,
	// to the end of the room left for it.
	room := headroom + len(p.Namespace)
	e := encoder{}
	e.frames = e.text[:]
	e.json.Grow(room + 64)
	e.json.Write(e.json.AvailableBuffer()[:room])
	if err := e.payload(p); err != nil {
		return nil, err
	}
	kind, attachments := p.Type, len(e.frames)-1
	if attachments > 0 {
		kind += BinaryEvent - Event
	}
	var fixed [headroom + 64]byte
	header := appendHeader(fixed[:0], kind, attachments, p.Namespace, p.ID)
	text := e.json.Bytes()[room-len(header):]
	copy(text, header)
	e.frames[0].Data = text[:len(text):len(text)]
	return e.frames, nil
}

func appendHeader(b []byte, kind Type, attachments int, namespace string, id int64) []byte {
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

// payload writes what follows the header.
func (e *encoder) payload(p Outgoing) error {
	switch p.Type {
	case Event, Ack:
	case Connect, Disconnect, ConnectError:
		if p.Data == nil {
			return nil
		}
		return e.plain(p.Data)
	default:
		return fmt.Errorf("%v is no type of a packet to encode", p.Type)
	}
	e.json.WriteByte('[')
	comma := p.Type == Event
	if comma {
		if err := e.string(p.Event); err != nil {
			return err
		}
	}
	for i, arg := range p.Args {
		if comma {
			e.json.WriteByte(',')
		}
		comma = true
		if err := e.value(arg); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	e.json.WriteByte(']')
	return nil
}

// encoder writes values as JSON and puts their binary parts aside, into frames
// of their own.
type encoder struct {
	json   bytes.Buffer
	frames []Frame  // the first is that of the text
	text   [1]Frame // frames, as long as there is nothing binary
}

// string writes a text.
func (e *encoder) string(s string) error {
	if !plain(s) {
		return e.plain(s)
	}
	e.json.WriteByte('"')
	e.json.WriteString(s)
	e.json.WriteByte('"')
	return nil
}

// value writes one value.
func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case nil:
		e.json.WriteString("null")
		return nil
	case string:
		return e.string(v)
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
		return e.raw(v)
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
	e.placeholder(len(e.frames) - 1)
	e.frames = append(e.frames, Frame{data, true})
}

// placeholder writes the placeholder of an attachment. The order of its keys is
// that of the reference.
func (e *encoder) placeholder(n int) {
	e.json.WriteString(`{"_placeholder":true,"num":`)
	e.json.Write(strconv.AppendInt(e.json.AvailableBuffer(), int64(n), 10))
	e.json.WriteByte('}')
}

// raw writes an argument that came in.
func (e *encoder) raw(r Raw) error {
	if r.codec() != Codec(JSON) {
		var v any
		if err := r.Unmarshal(&v); err != nil {
			return err
		}
		return e.value(v)
	}
	from := 0
	if len(r.Attachments) > 0 {
		numbers := make(map[int]int) // in r.Attachments, among ours
		for _, p := range placeholders(r.Data) {
			if !p.in(r.Attachments) {
				return errPlaceholder
			}
			e.json.Write(r.Data[from:p.start])
			if n, again := numbers[p.num]; again {
				e.placeholder(n)
			} else {
				numbers[p.num] = len(e.frames) - 1
				e.attach(r.Attachments[p.num])
			}
			from = p.end
		}
	}
	e.json.Write(r.Data[from:])
	return nil
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
