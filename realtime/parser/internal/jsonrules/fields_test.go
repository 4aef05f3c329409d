package jsonrules_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser/internal/jsonrules"
)

type base struct {
	A, B  int
	Same  int
	Twice int
}

type other struct {
	Twice int
	C     int `json:"c"`
}

type Exported struct{ D int }

type recursive struct {
	*recursive
	E int
}

type tagged struct {
	Same int `json:"B"`
}

type all struct {
	base
	other
	*Exported `json:"own"`
	Same      string `json:"same,omitempty"`
	Dash      int    `json:"-"`
	Quoted    *int   `json:",string"`
	private   int
	When      time.Time `json:",omitzero"`
	Any       any       `json:",omitempty"`
	time.Duration
}

// The members of a struct are those that encoding/json writes.
func TestFields(t *testing.T) {
	n := 1
	for _, value := range []any{
		all{}, all{Exported: &Exported{D: 1}, Same: "x", Quoted: &n, When: time.Unix(0, 0), Any: 1, private: 1},
		recursive{}, recursive{recursive: &recursive{}}, struct {
			base
			tagged
		}{}, struct{ base }{}, struct{ *base }{}, struct{}{},
		struct {
			tagged
			Own int `json:"y"`
		}{},
	} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		got := map[string]json.RawMessage{}
		v := reflect.ValueOf(value)
		for _, f := range jsonrules.Fields(v.Type()) {
			field, err := v.FieldByIndexErr(f.Index)
			if err != nil || f.Skip(field) {
				continue
			}
			if field, err = f.Value(field); err != nil {
				t.Fatal(err)
			}
			if got[f.Name], err = json.Marshal(field.Interface()); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%T:\n got %s\nwant %s", value, got, want)
		}
	}
}

type text struct{ s string }

func (t text) MarshalText() ([]byte, error) { return []byte("text " + t.s), nil }

func TestKey(t *testing.T) {
	for _, test := range []struct {
		key  any
		want string
	}{{"a", "a"}, {-1, "-1"}, {uint8(200), "200"}, {text{"x"}, "text x"}, {(*text)(nil), ""}} {
		if got, err := jsonrules.Key(reflect.ValueOf(test.key)); err != nil || got != test.want {
			t.Errorf("%v: %q, %v", test.key, got, err)
		}
	}
	if _, err := jsonrules.Key(reflect.ValueOf(1.5)); err == nil {
		t.Error("a float was a key")
	}
}
