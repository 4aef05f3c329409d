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
func encode(p *Outgoing) ([]Frame, error) {
	w := writers.Get().(*writer)
	defer w.release()
	text, attachments, err := appendText(w.text, p)
	if err != nil {
		return nil, err
	}
	w.text = text
	frames := make([]Frame, 1, 1+len(attachments))
	frames[0].Data = slices.Clone(text)
	for _, data := range attachments {
		frames = append(frames, Frame{data, true})
	}
	return frames, nil
}

// appendText appends the first frame of a packet to dst, and returns the rest.
func appendText(dst []byte, p *Outgoing) (text []byte, attachments [][]byte, err error) {
	e := encoder{text: dst}
	if err := e.packet(p); err != nil {
		return nil, nil, err
	}
	return e.text, e.attachments, nil
}

// encoder writes values as JSON and puts their binary parts aside.
type encoder struct {
	text        []byte
	attachments [][]byte
}

// writer is memory to write a text to, and for encoding/json the way there. It is
// used again and again, by one goroutine at a time.
type writer struct {
	text []byte
	json *json.Encoder // writes to text
}

// maxScratch is how much memory is kept for the next packet, in bytes.
const maxScratch = 64 << 10

var writers = sync.Pool{New: func() any {
	w := new(writer)
	w.json = json.NewEncoder(w)
	w.json.SetEscapeHTML(false) // the receiver is no HTML page
	return w
}}

func (w *writer) release() {
	if cap(w.text) > maxScratch {
		w.text = nil
	}
	w.text = w.text[:0]
	writers.Put(w)
}

// Write appends to the text, for encoding/json.
func (w *writer) Write(p []byte) (int, error) {
	w.text = append(w.text, p...)
	return len(p), nil
}

// packet writes the text of a packet. What the header says of attachments is known
// last, and as most packets have none, room is made for it then.
func (e *encoder) packet(p *Outgoing) error {
	start := len(e.text)
	e.text = append(e.text, '0'+byte(p.Type))
	if p.Namespace != "/" {
		e.text = append(append(e.text, p.Namespace...), ',')
	}
	if p.ID != NoID {
		e.text = strconv.AppendInt(e.text, p.ID, 10)
	}
	if err := e.payload(p); err != nil {
		return err
	}
	if n := len(e.attachments); n > 0 {
		e.text[start] += byte(BinaryEvent - Event)
		e.text = slices.Insert(e.text, start+1, []byte(strconv.Itoa(n)+"-")...)
	}
	return nil
}

// payload writes what follows the header.
func (e *encoder) payload(p *Outgoing) error {
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
	if rv := reflect.ValueOf(v); holdsBinary(rv) {
		return e.mixed(rv, 0)
	}
	return e.plain(v)
}

// plain writes a value without binary parts as encoding/json does.
func (e *encoder) plain(v any) error {
	w := writers.Get().(*writer)
	own := w.text
	w.text = e.text
	err := w.json.Encode(v)
	if err == nil {
		e.text = w.text[:len(w.text)-1] // without Encode's newline
	}
	w.text = own
	w.release()
	return err
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
