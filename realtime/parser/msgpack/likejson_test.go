package msgpack_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// byPointer marshals itself only where it can be addressed.
type byPointer struct{ N int }

func (b *byPointer) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `{"n":[%d]}`, b.N), nil }

func (b *byPointer) UnmarshalJSON(text []byte) error {
	var v struct{ N []int }
	if err := json.Unmarshal(text, &v); err != nil || len(v.N) == 0 {
		return err
	}
	b.N = v.N[0]
	return nil
}

type named []byte

type options struct {
	Empty   string         `json:",omitempty"`
	Zero    time.Time      `json:",omitzero"`
	Pointer *int           `json:"pointer,omitempty"`
	List    []int          `json:"list,omitempty"`
	Map     map[string]int `json:"map,omitempty"`
	Array   [0]int         `json:"array,omitempty"`
	Struct  struct{}       `json:"struct,omitempty"`
	ZeroAny any            `json:"zeroAny,omitzero"`
	ID      uint64         `json:"id,string"`
	On      *bool          `json:"on,string"`
	Word    string         `json:"word,string"`
	Bytes   []byte         `json:"bytes"`
	Named   named          `json:"named"`
	Any     any            `json:"any"`
}

// A value is written by both codecs as encoding/json writes it, but for its
// bytes, and those are its base64.
func TestWritesAsJSON(t *testing.T) {
	yes, n := true, 5
	address := netip.MustParseAddr("::1")
	values := []any{
		nil, true, 1, int8(-1), uint16(7), uint64(math.MaxUint64), int64(math.MinInt64), float32(0.5), 1e21, -1e-7, "", "<é\u2028\x00\">", "\xff",
		[]int(nil), []int{}, [2]string{"a", "b"}, make([]bool, 20), make([][]int, 70000), map[string]int(nil), map[int]string{2: "b", -1: "a"},
		map[netip.Addr]int{address: 1}, map[level]bool{1: true}, &n, (*int)(nil), (*byPointer)(nil), (*options)(nil), address, &address, big.NewInt(1 << 40),
		byPointer{1}, &byPointer{2}, []byPointer{{3}}, []*byPointer{{4}, nil}, map[string]byPointer{"a": {5}}, struct{ B byPointer }{byPointer{6}}, &struct{ B byPointer }{byPointer{7}},
		json.RawMessage(`{"z":[1,-2.5,1e400,true,null,"x"],"a":{"b":[` + strings.Repeat("0,", 70000) + `0]}}`), json.Number("12"), json.Number("1.50"), json.Number(""),
		options{}, &options{Empty: "e", Zero: time.UnixMilli(123).UTC(), Pointer: &n, List: []int{1}, Map: map[string]int{"a": 1}, ZeroAny: 1, ID: 1 << 60, On: &yes, Word: "w"},
		options{Bytes: []byte("b"), Named: named("n"), Any: []any{[]byte("deep"), named{}, map[string]any{"x": []byte{1}}}},
		[]any{[]byte("x"), &options{Bytes: []byte{}}, (*options)(nil), nil, []byte(nil)}, map[string][]byte{"a": {1}, "b": nil},
		parser.Raw{Data: []byte(`{"a":1}`)}, []any{parser.Raw{Data: []byte(`"x"`)}}, fmt.Errorf("an error"), struct{ Err error }{fmt.Errorf("another")},
	}
	for _, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%T: %v", value, err)
		}
		text = []byte(strings.ReplaceAll(string(text), "1e400", "null")) // which no float64 holds
		for name, codec := range map[string]parser.Codec{"JSON": parser.JSON, "MessagePack": msgpack.Codec} {
			got, err := codec.JSON(throughCodec(t, codec, value))
			got = []byte(strings.ReplaceAll(string(got), "1e400", "null"))
			if err != nil || !reflect.DeepEqual(tree(t, got), tree(t, text)) {
				t.Errorf("%s of %T:\n got %.300s (%v)\nwant %.300s", name, value, got, err, text)
			}
		}
	}
}

// throughCodec encodes a value, decodes the packet, and returns the argument.
func throughCodec(t *testing.T, codec parser.Codec, value any) ([]byte, [][]byte) {
	t.Helper()
	frames, err := codec.Encode(parser.Outgoing{Type: parser.Ack, Namespace: "/", ID: 1, Args: []any{value}})
	if err != nil {
		t.Fatalf("%T: %v", value, err)
	}
	d := codec.NewDecoder(parser.Limits{})
	for _, frame := range frames {
		p, err := d.Decode(frame.Data, frame.Binary)
		if err != nil {
			t.Fatalf("%T: %v", value, err)
		}
		if p != nil {
			return p.Args[0], p.Attachments
		}
	}
	t.Fatalf("%T: the packet is not complete", value)
	return nil, nil
}

func tree(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%.300s: %v", text, err)
	}
	return v
}

// What JSON's decoder makes of a text, MessagePack's makes of the same values.
func TestReadsAsJSON(t *testing.T) {
	texts := []string{
		"null", "true", "0", "-1", "200", "70000", "5000000000", "18446744073709551615", "1.5", `""`, `"x"`, `"7"`, `"AQI="`, `"::1"`, `"2026-01-02T03:04:05.000000006+01:00"`,
		"[]", "[1,2,3]", `["a"]`, "[null]", "[[1],[2]]", "{}", `{"A":1}`, `{"a":1}`, `{"1":true}`, `{"-5":1}`, `{"::1":2}`, `{"n":[3]}`,
		`{"id":"12","on":"true","word":"\"w\"","pointer":4,"list":[1],"bytes":"AQ==","NAMED":"Ag==","any":{"x":[1,"y",null]},"unknown":[{}]}`,
		`{"id":"x"}`, `{"on":null,"pointer":null,"list":null,"map":null,"bytes":null}`, `{"Inner":{"A":2},"a":3,"Link":"l"}`, `{"map":{"a":1,"b":2}}`, `{"list":[1,"x"]}`,
	}
	type embedding struct {
		*Linked
		Inner *struct{ A int }
		A     int8
	}
	targets := []any{
		new(bool), new(int), new(int8), new(uint8), new(uint64), new(float64), new(float32), new(string), new(*int), new(**string),
		new([]byte), new(named), new([]int), new([2]int), new([]*int), new([]string), new([][]int), new(map[string]int), new(map[int]bool), new(map[int8]any), new(map[netip.Addr]int),
		new(netip.Addr), new(*netip.Addr), new(time.Time), new(*time.Time), new(byPointer), new(*byPointer), new(json.RawMessage), new(struct{ A int }), new(options), new(*options), new(embedding), new(*big.Int),
	}
	for _, text := range texts {
		data := pack(t, parser.Raw{Data: []byte(text)})
		for _, target := range targets {
			byJSON, ours := reflect.New(reflect.TypeOf(target).Elem()), reflect.New(reflect.TypeOf(target).Elem())
			want := json.Unmarshal([]byte(text), byJSON.Interface())
			got := msgpack.Codec.Unmarshal(data, nil, ours.Interface())
			if (got == nil) != (want == nil) {
				t.Errorf("%s into %T: %v; JSON: %v", text, target, got, want)
				continue
			}
			if want != nil {
				continue
			}
			if a, b := fmt.Sprintf("%+v", mustJSON(t, ours)), fmt.Sprintf("%+v", mustJSON(t, byJSON)); a != b {
				t.Errorf("%s into %T: %s; JSON: %s", text, target, a, b)
			}
		}
	}
}

func mustJSON(t *testing.T, v reflect.Value) string {
	t.Helper()
	text, err := json.Marshal(v.Interface())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
