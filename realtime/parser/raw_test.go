package parser_test

import (
	"testing"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Binary that came in goes out as binary, however deep it is put.
func TestRawWithinValues(t *testing.T) {
	raw := &parser.Raw{Data: []byte(`{"a":{"_placeholder":true,"num":0}}`), Attachments: [][]byte{{1, 2}}}
	for name, value := range map[string]any{"map": map[string]any{"x": []any{raw}}, "list": []*parser.Raw{raw}, "struct": struct{ X *parser.Raw }{raw}} {
		t.Run(name, func(t *testing.T) {
			frames, err := parser.JSON.Encode(parser.Outgoing{Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "x", Args: []any{value}})
			if err != nil {
				t.Fatal(err)
			}
			if len(frames) != 2 || string(frames[1].Data) != "\x01\x02" {
				t.Errorf("got %v", frames)
			}
		})
	}
}
