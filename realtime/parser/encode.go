package parser

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"
)

// encode returns the frames of a packet.
func encode(p Outgoing) ([]Frame, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	text, attachments, err := e.packet(e.scratch[:0], p)
	if err != nil {
		return nil, err
	}
	if cap(text) <= maxScratch {
		e.scratch = text
	}
	frames := make([]Frame, 1, 1+len(attachments))
	frames[0].Data = slices.Clone(text)
	for _, data := range attachments {
		frames = append(frames, Frame{data, true})
	}
	return frames, nil
}

// appendText appends the first frame of a packet to dst, and returns the rest.
func appendText(dst []byte, p Outgoing) (text []byte, attachments [][]byte, err error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	return e.packet(dst, p)
}

// encoder writes values as JSON and puts their binary parts aside. It is used
// again and again, by one goroutine at a time.
type encoder struct {
	text        []byte
	attachments [][]byte
	json        *json.Encoder // writes to text
	scratch     []byte        // memory for who does not bring some
}

// maxScratch is how much memory is kept for the next packet, in bytes.
const maxScratch = 64 << 10

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.json = json.NewEncoder(e)
	e.json.SetEscapeHTML(false) // the receiver is no HTML page
	return e
}}

func (e *encoder) release() {
	e.text, e.attachments = nil, nil
	encoders.Put(e)
}

// Write appends to the text, for encoding/json.
func (e *encoder) Write(p []byte) (int, error) {
	e.text = append(e.text, p...)
	return len(p), nil
}

// packet appends the text of a packet to dst. What the header says of attachments
// is known last, and as most packets have none, room is made for it then.
func (e *encoder) packet(dst []byte, p Outgoing) (text []byte, attachments [][]byte, err error) {
	start := len(dst)
	e.text = append(dst, '0'+byte(p.Type))
	if p.Namespace != "/" {
		e.text = append(append(e.text, p.Namespace...), ',')
	}
	if p.ID != NoID {
		e.text = strconv.AppendInt(e.text, p.ID, 10)
	}
	if err := e.payload(p); err != nil {
		return nil, nil, err
	}
	if n := len(e.attachments); n > 0 {
		e.text[start] += byte(BinaryEvent - Event)
		e.text = slices.Insert(e.text, start+1, []byte(strconv.Itoa(n)+"-")...)
	}
	return e.text, e.attachments, nil
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
	e.text = append(e.text, '[')
	comma := p.Type == Event
	if comma {
		if err := e.string(p.Event); err != nil {
			return err
		}
	}
	for i, arg := range p.Args {
		if comma {
			e.text = append(e.text, ',')
		}
		comma = true
		if err := e.value(arg); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	e.text = append(e.text, ']')
	return nil
}

// string writes a text.
func (e *encoder) string(s string) error {
	if !plain(s) {
		return e.plain(s)
	}
	e.text = append(e.text, '"')
	e.text = append(e.text, s...)
	e.text = append(e.text, '"')
	return nil
}

// value writes one value.
func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case nil:
		e.text = append(e.text, "null"...)
		return nil
	case string:
		return e.string(v)
	case int:
		e.text = strconv.AppendInt(e.text, int64(v), 10)
		return nil
	case bool:
		e.text = strconv.AppendBool(e.text, v)
		return nil
	case []byte:
		e.attach(v)
		return nil
	case *Raw:
		return e.raw(v)
	case Raw:
		return e.raw(&v)
	}
	if rv := reflect.ValueOf(v); holdsBinary(rv, 0) {
		return e.mixed(rv)
	}
	return e.plain(v)
}

// plain writes a value without binary parts as encoding/json does.
func (e *encoder) plain(v any) error {
	if err := e.json.Encode(v); err != nil {
		return err
	}
	e.text = e.text[:len(e.text)-1] // Encode's newline
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
	e.text = append(e.text, placeholderStart...)
	e.text = append(strconv.AppendInt(e.text, int64(n), 10), '}')
}

// raw writes an argument that came in.
func (e *encoder) raw(r *Raw) error {
	if r.codec() != Codec(JSON) {
		var v any
		if err := r.Unmarshal(&v); err != nil {
			return err
		}
		return e.value(v)
	}
	from := 0
	if len(r.Attachments) > 0 {
		var room [4]placeholder
		var ours [DefaultMaxAttachments]int // by number in r.Attachments, from 1 on; 0 while it is not attached
		numbers := ours[:]
		if len(r.Attachments) > len(numbers) {
			numbers = make([]int, len(r.Attachments))
		}
		for _, p := range placeholders(room[:0], r.Data) {
			if !p.in(r.Attachments) {
				return errPlaceholder
			}
			e.text = append(e.text, r.Data[from:p.start]...)
			if n := numbers[p.num]; n > 0 {
				e.placeholder(n - 1)
			} else {
				e.attach(r.Attachments[p.num])
				numbers[p.num] = len(e.attachments)
			}
			from = p.end
		}
	}
	e.text = append(e.text, r.Data[from:]...)
	return nil
}

// plain reports whether s is its own JSON but for the quotes.
func plain[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
