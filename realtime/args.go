package realtime

import (
	"encoding/json"
	"fmt"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Args are the arguments of an event or of an acknowledgement, not decoded yet.
// They are immutable.
type Args struct {
	codec       parser.Codec // nil without arguments
	raw         [][]byte
	attachments [][]byte
}

// Len returns the number of arguments.
func (a Args) Len() int { return len(a.raw) }

// Raw returns argument i as JSON text, in which binary parts are base64. It
// panics when there is no such argument.
func (a Args) Raw(i int) json.RawMessage {
	text, err := a.codec.JSON(a.raw[i], a.attachments)
	if err != nil { // the decoder has let it pass
		return json.RawMessage("null")
	}
	return text
}

// Values returns the arguments as values that Emit or an Ack send on unchanged,
// binary parts included.
func (a Args) Values() []any {
	if len(a.raw) == 1 { // as most have, in one piece of memory
		one := &struct {
			raw    parser.Raw
			values [1]any
		}{raw: parser.Raw{Codec: a.codec, Data: a.raw[0], Attachments: a.attachments}}
		one.values[0] = &one.raw
		return one.values[:]
	}
	values := make([]any, len(a.raw))
	raws := make([]parser.Raw, len(a.raw))
	for i, raw := range a.raw {
		raws[i] = parser.Raw{Codec: a.codec, Data: raw, Attachments: a.attachments}
		values[i] = &raws[i]
	}
	return values
}

// MarshalJSON returns the arguments as a JSON array, with binary parts as base64:
// as one argument of Emit, or as what a handler returns. [Args.Values] are sent on
// one by one.
func (a Args) MarshalJSON() ([]byte, error) {
	list := make([]json.RawMessage, a.Len())
	for i := range list {
		list[i] = a.Raw(i)
	}
	return json.Marshal(list)
}

// Decode decodes the arguments into the values that dst points to, one after
// the other, as handlers get them: a []byte receives binary, arguments that are
// missing leave their value as it is, further ones are ignored. It fails with an
// *[ArgumentError].
func (a Args) Decode(dst ...any) error {
	for i, d := range dst {
		if err := a.decode(i, d); err != nil {
			return err
		}
	}
	return nil
}

// from returns the arguments from i on.
func (a Args) from(i int) Args {
	return Args{a.codec, a.raw[min(i, len(a.raw)):], a.attachments}
}

func (a Args) decode(i int, dst any) error {
	if i >= len(a.raw) {
		return nil
	}
	if err := a.codec.Unmarshal(a.raw[i], a.attachments, dst); err != nil {
		return &ArgumentError{Index: i, Err: err}
	}
	return nil
}

// ArgumentError says that an argument does not fit what it was to be decoded
// into, or is not valid. An event with such an argument does not reach its
// handler; its acknowledgement is
//
//	{"error": "argument 1: …", "data": {"name": "ArgumentError", "argument": 1}}
type ArgumentError struct {
	Index int // of the argument, from 0 on
	Err   error
}

// Error counts arguments from 1 on.
func (e *ArgumentError) Error() string { return fmt.Sprintf("argument %d: %v", e.Index+1, e.Err) }

// Unwrap returns what the decoder, or Config.Validate, said.
func (e *ArgumentError) Unwrap() error { return e.Err }
