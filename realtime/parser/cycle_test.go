package parser_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// person knows his family, of which a packet shows the children.
type person struct {
	Name     string
	Picture  []byte    `json:",omitempty"`
	Parent   *person   `json:"-"`
	Children []*person `json:",omitempty"`
	Friends  []*person `json:",omitempty"`
}

func family() *person {
	parent := &person{Name: "a"}
	for i := range 3 {
		parent.Children = append(parent.Children, &person{Name: fmt.Sprint(i), Parent: parent})
	}
	return parent
}

// A way back that encoding/json does not take is not looked at, either: it would
// lead round and round, and every child twice as often.
func TestWhatIsNotWrittenIsNotSearched(t *testing.T) {
	p := family()
	want, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := encode(parser.Event, "/", parser.NoID, []any{"x", p})
	if got := string(text); err != nil || got != `2["x",`+string(want)+`]` {
		t.Errorf("a parent without binary: %s (%v)", got, err)
	}
	p.Children[1].Picture = []byte{1}
	text, attachments, err := encode(parser.Event, "/", parser.NoID, []any{"x", p})
	const withPicture = `51-["x",{"Name":"a","Children":[{"Name":"0"},{"Name":"1","Picture":{"_placeholder":true,"num":0}},{"Name":"2"}]}]`
	if got := string(text); err != nil || got != withPicture || len(attachments) != 1 {
		t.Errorf("a parent with binary: %s and %d attachments (%v)", got, len(attachments), err)
	}
}

func TestPartOfItself(t *testing.T) {
	p := family()
	for _, child := range p.Children {
		child.Friends = []*person{p}
	}
	_, _, err := encode(parser.Event, "/", parser.NoID, []any{"x", p})
	var cycle *json.UnsupportedValueError
	if !errors.As(err, &cycle) {
		t.Errorf("a friend without binary: the error is %v; want encoding/json's", err)
	}
	p.Picture = []byte{1}
	if _, _, err = encode(parser.Event, "/", parser.NoID, []any{"x", p}); err == nil {
		t.Error("a friend with binary: there is no error")
	}
}
