package parser_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

func decode(t *testing.T, text string, attachments ...string) (*parser.Packet, error) {
	t.Helper()
	d := parser.JSON.NewDecoder(parser.Limits{})
	p, err := d.Decode([]byte(text), false)
	for _, a := range attachments {
		if err != nil || p != nil {
			t.Fatalf("%s: attachments left over (%v, %v)", text, p, err)
		}
		p, err = d.Decode([]byte(a), true)
	}
	return p, err
}

func TestDecode(t *testing.T) {
	tests := []struct {
		text        string
		attachments []string
		want        parser.Packet
	}{
		{"0", nil, parser.Packet{Type: parser.Connect, Namespace: "/", ID: -1}},
		{`0{"token":"x"}`, nil, parser.Packet{Type: parser.Connect, Namespace: "/", ID: -1, Data: []byte(`{"token":"x"}`)}},
		{"0/custom,", nil, parser.Packet{Type: parser.Connect, Namespace: "/custom", ID: -1}},
		{"0/custom", nil, parser.Packet{Type: parser.Connect, Namespace: "/custom", ID: -1}},
		{"1/custom,", nil, parser.Packet{Type: parser.Disconnect, Namespace: "/custom", ID: -1}},
		{`2["a",1,{"b":[2,3]},"c,]"]`, nil, event("/", -1, "a", `1`, `{"b":[2,3]}`, `"c,]"`)},
		{`2 [ "a" , -1.5e3 , null , [ ] ] `, nil, event("/", -1, "a", `-1.5e3`, `null`, `[ ]`)},
		{`2[0]`, nil, event("/", -1, "0")},
		{`2/n,0012["a"]`, nil, event("/n", 12, "a")},
		{`2/n,99999999999999999999["a"]`, nil, event("/n", 1<<63-1, "a")},
		{`0/custom?a=b,{"c":1}`, nil, parser.Packet{Type: parser.Connect, Namespace: "/custom?a=b", ID: -1, Data: []byte(`{"c":1}`)}},
		{"2", nil, parser.Packet{Type: parser.Event, Namespace: "/", ID: -1}},
		{`37[]`, nil, parser.Packet{Type: parser.Ack, Namespace: "/", ID: 7, Args: [][]byte{}}},
		{`50-["x"]`, nil, event("/", -1, "x")},
		{`2["x",{"_placeholder":true,"num":9}]`, nil, event("/", -1, "x", `{"_placeholder":true,"num":9}`)},
		{`52-/n,["x",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`, []string{"ab", "cd"},
			with(event("/n", -1, "x", `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":0}`), "ab", "cd")},
		{`51-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, []string{"ab"},
			with(event("/", -1, "x", `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":0}`), "ab")},
		{`51-["x"]`, []string{"unreferenced"}, with(event("/", -1, "x"), "unreferenced")},
	}
	for _, test := range tests {
		p, err := decode(t, test.text, test.attachments...)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
		} else if !reflect.DeepEqual(*p, test.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.text, *p, test.want)
		}
	}
}

func event(namespace string, id int64, name string, args ...string) parser.Packet {
	p := parser.Packet{Type: parser.Event, Namespace: namespace, ID: id, Event: name, Args: [][]byte{}}
	for _, a := range args {
		p.Args = append(p.Args, []byte(a))
	}
	return p
}

func with(p parser.Packet, attachments ...string) parser.Packet {
	for _, a := range attachments {
		p.Attachments = append(p.Attachments, []byte(a))
	}
	return p
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{
		"", "7", "x", `0"x"`, "0[1]", "0null", "0{", `1["x"]`, "4", "4[]", "41",
		"2[]", "2[null]", "2{}", "2abc", `2["a"]x`, `2["a"`, `2[true]`, `2[{}]`, `2[["a"]]`,
		`2["connect"]`, `2["connect_error"]`, `2["disconnect"]`, `2["disconnecting"]`, `2["newListener"]`, `2["removeListener"]`,
		`2["\u0064isconnect"]`, `3{}`, `3"x"`,
		`511-["x"]`, `5["x"]`, `5-["x"]`, `5-1-["x"]`, `5a-["x"]`, `599999999999999999999-["x"]`, "51",
	} {
		if p, err := decode(t, text); !errors.Is(err, parser.ErrInvalid) {
			t.Errorf("%s: got %+v, %v", text, p, err)
		}
	}
	for _, text := range []string{
		`51-["x",{"_placeholder":true,"num":1}]`,
		`51-["x",{"_placeholder":true,"num":-1}]`,
		`51-["x",{"_placeholder":true,"num":0.5}]`,
		`51-["x",{"_placeholder":true,"num":"splice"}]`,
		`51-["x",{"_placeholder":true}]`,
		`51-["x",{"a":[{"num":99999999999999999999,"_placeholder":true}]}]`,
	} {
		if p, err := decode(t, text, "a"); !errors.Is(err, parser.ErrInvalid) {
			t.Errorf("%s: got %+v, %v", text, p, err)
		}
	}
	many := `51-["x",` + strings.Repeat(`{"_placeholder":true,"num":0},`, 100) + `0]`
	if p, err := decode(t, many, "a"); !errors.Is(err, parser.ErrInvalid) {
		t.Errorf("a hundred placeholders: got %+v, %v", p, err)
	}
	var v any
	for _, arg := range []string{`[{"\u005fplaceholder":true,"num":1e300}]`, `[{"_placeholder":true,"num":0,"n\u0075m":-1}]`} {
		if err := parser.JSON.Unmarshal([]byte(arg), [][]byte{nil}, &v); err != nil { // and no panic
			t.Errorf("%s: %v", arg, err)
		}
	}
	d := parser.JSON.NewDecoder(parser.Limits{})
	if _, err := d.Decode([]byte("a"), true); !errors.Is(err, parser.ErrInvalid) {
		t.Errorf("attachment out of the blue: %v", err)
	}
	d.Decode([]byte(`51-["x"]`), false)
	if _, err := d.Decode([]byte(`2["y"]`), false); !errors.Is(err, parser.ErrInvalid) {
		t.Errorf("text while an attachment is due: %v", err)
	}
}

type inner struct {
	Picture []byte `json:"picture"`
	Note    string `json:"note,omitempty"`
}

type outer struct {
	inner  // promoted
	Name   string
	Hidden []byte `json:"-"`
	When   time.Time
	List   []*inner          `json:"list"`
	ByName map[string][]byte `json:"byName"`
	Raw    json.RawMessage   `json:"raw"`
	Any    any               `json:"any"`
	lower  []byte
}

// encode encodes an event or an ack, and takes its frames apart.
func encode(kind parser.Type, namespace string, id int64, args []any) (text []byte, attachments [][]byte, err error) {
	p := parser.Outgoing{Type: kind, Namespace: namespace, ID: id, Args: args}
	if kind == parser.Event {
		p.Event, p.Args = args[0].(string), args[1:]
	}
	frames, err := parser.JSON.Encode(p)
	if err != nil {
		return nil, nil, err
	}
	for _, frame := range frames[1:] {
		attachments = append(attachments, frame.Data)
	}
	return frames[0].Data, attachments, nil
}

func TestEncode(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name        string
		kind        parser.Type
		namespace   string
		id          int64
		args        []any
		want        string
		attachments []string
	}{
		{"plain", parser.Event, "/", parser.NoID, []any{"a", 1, true, nil, "<é\u2028\n>"}, `2["a",1,true,null,"<é\u2028\n>"]`, nil},
		{"ack", parser.Ack, "/n", 12, []any{}, `3/n,12[]`, nil},
		{"binary", parser.Event, "/n", 3, []any{"a", []byte("x"), []byte{}}, `52-/n,3["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, []string{"x", ""}},
		{"binary ack", parser.Ack, "/", 3, []any{map[string]any{"b": []byte("x"), "a": 1}}, `61-3[{"a":1,"b":{"_placeholder":true,"num":0}}]`, []string{"x"}},
		{"deep", parser.Event, "/", parser.NoID, []any{"deep", &outer{
			inner: inner{Picture: []byte("p")}, Name: "n", Hidden: []byte("no"), When: when,
			List: []*inner{{Picture: []byte("q"), Note: "<"}, nil}, ByName: map[string][]byte{"z": []byte("z"), "y": []byte("y")},
			Raw: json.RawMessage(`[1]`), Any: []any{1, []byte("any")}, lower: []byte("no"),
		}},
			`55-["deep",{"picture":{"_placeholder":true,"num":0},"Name":"n","When":"2026-01-02T03:04:05Z",` +
				`"list":[{"picture":{"_placeholder":true,"num":1},"note":"<"},null],"byName":{"y":{"_placeholder":true,"num":2},"z":{"_placeholder":true,"num":3}},` +
				`"raw":[1],"any":[1,{"_placeholder":true,"num":4}]}]`,
			[]string{"p", "q", "y", "z", "any"}},
	}
	for _, test := range tests {
		text, attachments, err := encode(test.kind, test.namespace, test.id, test.args)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, a := range attachments {
			got = append(got, string(a))
		}
		if string(text) != test.want || !reflect.DeepEqual(got, test.attachments) {
			t.Errorf("%s:\n got %s %q\nwant %s %q", test.name, text, got, test.want, test.attachments)
		}
	}
	raw := []any{
		parser.Raw{Data: []byte(`[1, {"a":{"num":1,"_placeholder":true}}]`), Attachments: [][]byte{[]byte("x"), []byte("y")}},
		map[string]any{"nested": []any{parser.Raw{Data: []byte(`"<"`)}, parser.Raw{Data: []byte(`{"_placeholder":true,"num":0}`), Attachments: [][]byte{[]byte("z")}}}},
	}
	text, attachments, err := encode(parser.Ack, "/", 1, raw)
	const want = `62-1[[1, {"a":{"_placeholder":true,"num":0}}],{"nested":["<",{"_placeholder":true,"num":1}]}]`
	if err != nil || string(text) != want || len(attachments) != 2 || string(attachments[0])+string(attachments[1]) != "yz" {
		t.Errorf("raw arguments: %s %q, %v", text, attachments, err)
	}
	if _, _, err := encode(parser.Event, "/", parser.NoID, []any{"a", make(chan int)}); err == nil || !strings.Contains(err.Error(), "argument 1") {
		t.Errorf("a channel as argument: %v", err)
	}
	cycle := map[string]any{}
	cycle["self"] = cycle
	if _, _, err := encode(parser.Ack, "/", 1, []any{cycle}); err == nil {
		t.Error("a cycle was encoded")
	}
}

func TestUnmarshal(t *testing.T) {
	attachments := [][]byte{[]byte("zero"), []byte("one")}
	const ph0, ph1 = `{"_placeholder":true,"num":0}`, `{ "num" : 1, "_placeholder" : true }`

	var b []byte
	if err := parser.JSON.Unmarshal([]byte(ph1), attachments, &b); err != nil || string(b) != "one" {
		t.Errorf("[]byte: %q, %v", b, err)
	}
	var a any
	if err := parser.JSON.Unmarshal([]byte(`{"list":[`+ph0+`,{"x":`+ph1+`}],"n":1}`), attachments, &a); err != nil {
		t.Error(err)
	}
	want := map[string]any{"list": []any{[]byte("zero"), map[string]any{"x": []byte("one")}}, "n": 1.0}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("any: got %v, want %v", a, want)
	}
	var o outer
	if err := parser.JSON.Unmarshal([]byte(`{"picture":`+ph0+`,"list":[{"picture":`+ph1+`,"note":"\"{"}]}`), attachments, &o); err != nil {
		t.Error(err)
	}
	if string(o.Picture) != "zero" || len(o.List) != 1 || string(o.List[0].Picture) != "one" || o.List[0].Note != `"{` {
		t.Errorf("struct: %+v", o)
	}
}
