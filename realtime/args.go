package realtime

import (
	"encoding/json"
	"fmt"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Args are the arguments of an event or of an acknowledgement, not decoded yet.
// They are immutable.
type Args struct {
	raw         [][]byte
	attachments [][]byte
}

// Len returns the number of arguments.
func (a Args) Len() int { return len(a.raw) }

// Raw returns argument i as the JSON text it came in, in which binary parts are
// placeholders. It panics when there is no such argument.
func (a Args) Raw(i int) json.RawMessage { return a.raw[i] }

// Values returns the arguments as values that Emit or an Ack send on unchanged,
// binary parts included.
func (a Args) Values() []any {
	values := make([]any, len(a.raw))
	for i, raw := range a.raw {
		values[i] = parser.Raw{Data: raw, Attachments: a.attachments}
	}
	return values
}

// Decode decodes the arguments into the values that dst points to, one after
// the other, as handlers get them: a []byte receives binary, arguments that are
// missing leave their value as it is, further ones are ignored.
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
	return Args{a.raw[min(i, len(a.raw)):], a.attachments}
}

func (a Args) decode(i int, dst any) error {
	if i >= len(a.raw) {
		return nil
	}
	if err := parser.JSON.Unmarshal(a.raw[i], a.attachments, dst); err != nil {
		return fmt.Errorf("realtime: argument %d: %w", i+1, err)
	}
	return nil
}
