package msgpack_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// packed writes bytes as hexadecimal digits and 'text' in quotes.
func packed(t testing.TB, s string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		out = append(out, b...)
	}
	return out
}

func decode(data []byte) (*parser.Packet, error) {
	return msgpack.Codec.NewDecoder(parser.Limits{}).Decode(data, true)
}

func TestDecode(t *testing.T) {
	tests := []struct {
		name, data string
		want       parser.Packet
	}{
		{"CONNECT as npm sends it", "83 a4'type'00 a4'data'd40000 a3'nsp'a1'/'", parser.Packet{Type: parser.Connect, Namespace: "/", ID: -1}},
		{"CONNECT with data and options", "84 a4'type'00 a4'data'81a1'a'01 a7'options'81a8'compress'c3 a3'nsp'a2'/n'",
			parser.Packet{Type: parser.Connect, Namespace: "/n", ID: -1, Data: packed(t, "81a1'a'01")}},
		{"DISCONNECT", "82 a4'type'01 a3'nsp'a1'/'", parser.Packet{Type: parser.Disconnect, Namespace: "/", ID: -1}},
		{"event", "84 a4'type'02 a4'data'93a1'e'01c4 01 ff a2'id'cc80 a3'nsp'a1'/'",
			parser.Packet{Type: parser.Event, Namespace: "/", ID: 128, Event: "e", Args: [][]byte{{1}, {0xc4, 1, 0xff}}}},
		{"floats for integers", "84 a4'type'cb4000000000000000 a4'data'91a1'e' a2'id'cb4000000000000000 a3'nsp'a1'/'",
			parser.Packet{Type: parser.Event, Namespace: "/", ID: 2, Event: "e", Args: [][]byte{}}},
		{"undefined id, huge id last", "85 a4'type'03 a4'data'90 a2'id'd40000 a2'id'cfffffffffffffffff a3'nsp'a1'/'",
			parser.Packet{Type: parser.Ack, Namespace: "/", ID: math.MaxInt64, Args: [][]byte{}}},
		{"numeric name", "83 a4'type'02 a4'data'91fb a3'nsp'a1'/'", parser.Packet{Type: parser.Event, Namespace: "/", ID: -1, Event: "-5", Args: [][]byte{}}},
		{"CONNECT_ERROR", "83 a4'type'04 a4'data'a1'x' a3'nsp'a1'/'", parser.Packet{Type: parser.ConnectError, Namespace: "/", ID: -1, Data: packed(t, "a1'x'")}},
		{"other keys, and text that is not UTF-8", "84 a4'type'01 a3'nsp'a1 ff 05 c0 a9'__proto__'80", parser.Packet{Type: parser.Disconnect, Namespace: "\uFFFD", ID: -1}},
	}
	for _, test := range tests {
		p, err := decode(packed(t, test.data))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if !reflect.DeepEqual(*p, test.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.name, *p, test.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	const nsp = "a3'nsp'a1'/'"
	tests := map[string]string{
		"nothing":              "",
		"no map":               "93010203",
		"no type":              "81" + nsp,
		"type 5":               "82a4'type'05" + nsp,
		"type -1":              "82a4'type'ff" + nsp,
		"type 0.5":             "82a4'type'cb3fe0000000000000" + nsp,
		"type NaN":             "82a4'type'cb7ff8000000000000" + nsp,
		"type in text":         "82a4'type'a1'0'" + nsp,
		"no namespace":         "81a4'type'00",
		"namespace 1":          "82a4'type'00a3'nsp'01",
		"namespace undefined":  "82a4'type'00a3'nsp'd40000",
		"CONNECT, null":        "83a4'type'00a4'data'c0" + nsp,
		"CONNECT, list":        "83a4'type'00a4'data'90" + nsp,
		"CONNECT, Date":        "83a4'type'00a4'data'd7000000000000000000" + nsp,
		"DISCONNECT, data":     "83a4'type'01a4'data'c0" + nsp,
		"CONNECT_ERROR, none":  "82a4'type'04" + nsp,
		"CONNECT_ERROR, 1":     "83a4'type'04a4'data'01" + nsp,
		"event without data":   "82a4'type'02" + nsp,
		"event, map":           "83a4'type'02a4'data'80" + nsp,
		"event without name":   "83a4'type'02a4'data'90" + nsp,
		"event, name null":     "83a4'type'02a4'data'91c0" + nsp,
		"event, name map":      "83a4'type'02a4'data'9180" + nsp,
		"event, reserved name": "83a4'type'02a4'data'91ad'connect_error'" + nsp,
		"event, reserved too":  "83a4'type'02a4'data'91ab'newListener'" + nsp,
		"ack, text":            "84a4'type'03a4'data'a1'x'a2'id'01" + nsp,
		"id null":              "84a4'type'02a4'data'91a1'e'a2'id'c0" + nsp,
		"id in text":           "84a4'type'02a4'data'91a1'e'a2'id'a1'1'" + nsp,
		"id negative":          "84a4'type'02a4'data'91a1'e'a2'id'ff" + nsp,
		"id infinite":          "84a4'type'02a4'data'91a1'e'a2'id'cb7ff0000000000000" + nsp,
		"trailing data":        "82a4'type'01" + nsp + "c0",
		"cut off":              "82a4'type'01a3'nsp'a2'/'",
		"byte c1":              "83a4'type'01" + nsp + "a1'x'c1",
		"huge text":            "83a4'type'01" + nsp + "a1'x'dbffffffff",
		"huge binary":          "83a4'type'01" + nsp + "a1'x'c6ffffffff",
		"huge extension":       "83a4'type'01" + nsp + "a1'x'c9ffffffff00",
		"huge list":            "83a4'type'02a4'data'ddffffffff" + nsp,
		"huge map":             "dfffffffff",
		"a map as key":         "83a4'type'01" + nsp + "80c0",
		"too deep":             "83a4'type'02" + nsp + "a4'data'92a1'e'" + strings.Repeat("91", 1000) + "c0",
	}
	for name, data := range tests {
		if p, err := decode(packed(t, data)); !errors.Is(err, parser.ErrInvalid) || p != nil {
			t.Errorf("%s: got %+v, %v", name, p, err)
		}
	}
	if _, err := msgpack.Codec.NewDecoder(parser.Limits{}).Decode([]byte(`2["a"]`), false); !errors.Is(err, parser.ErrInvalid) {
		t.Errorf("text: %v", err)
	}
	deep := packed(t, "83a4'type'02a3'nsp'a1'/'a4'data'92a1'e'"+strings.Repeat("91", 999)+"c0")
	if _, err := decode(deep); err != nil {
		t.Errorf("a thousand levels: %v", err)
	}
	if _, err := msgpack.Codec.NewDecoder(parser.Limits{MaxDepth: 999}).Decode(deep, true); err == nil {
		t.Error("a thousand levels, one too many")
	}
}

func TestEncode(t *testing.T) {
	tests := []struct {
		p    parser.Outgoing
		want string
	}{
		{parser.Outgoing{Type: parser.Connect, Namespace: "/", ID: parser.NoID, Data: map[string]any{"sid": "x"}}, "83a4'type'00a3'nsp'a1'/'a4'data'81a3'sid'a1'x'"},
		{parser.Outgoing{Type: parser.Disconnect, Namespace: "/n", ID: parser.NoID}, "82a4'type'01a3'nsp'a2'/n'"},
		{parser.Outgoing{Type: parser.Event, Namespace: "/", ID: 7, Event: "e", Args: []any{nil, true}}, "84a4'type'02a3'nsp'a1'/'a2'id'07a4'data'93a1'e'c0c3"},
		{parser.Outgoing{Type: parser.Ack, Namespace: "/", ID: 0}, "84a4'type'03a3'nsp'a1'/'a2'id'00a4'data'90"},
	}
	for _, test := range tests {
		frames, err := msgpack.Codec.Encode(test.p)
		if err != nil || len(frames) != 1 || !frames[0].Binary || string(frames[0].Data) != string(packed(t, test.want)) {
			t.Errorf("%+v: %+v, %v", test.p, frames, err)
		}
	}
	cycle := map[string]any{}
	cycle["self"] = cycle
	for _, arg := range []any{make(chan int), func() {}, complex(1, 1), map[float64]int{1: 1}, cycle, failing{}} {
		_, err := msgpack.Codec.Encode(parser.Outgoing{Type: parser.Event, ID: parser.NoID, Event: "e", Args: []any{arg}})
		if err == nil || !strings.Contains(err.Error(), "argument 1") {
			t.Errorf("%T: %v", arg, err)
		}
	}
	if _, err := msgpack.Codec.Encode(parser.Outgoing{Type: parser.BinaryEvent}); err == nil {
		t.Error("a binary event was encoded")
	}
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

// pack encodes one value.
func pack(t testing.TB, v any) []byte {
	t.Helper()
	frames, err := msgpack.Codec.Encode(parser.Outgoing{Type: parser.Ack, Namespace: "/", ID: 1, Args: []any{v}})
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	p, err := decode(frames[0].Data)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return p.Args[0]
}

type inner struct {
	Picture []byte `json:"picture"`
	Note    string `json:"note,omitempty"`
}

type outer struct {
	inner
	*Linked
	Name    string
	Hidden  []byte         `json:"-"`
	When    time.Time      `json:"when"`
	List    []*inner       `json:"list"`
	ByID    map[int][]byte `json:"byID"`
	Big     *big.Int       `json:"big"`
	Level   level          `json:"level"`
	Quoted  int64          `json:",string"`
	Any     any            `json:"any"`
	Raw     json.RawMessage
	Float   float32
	Unset   *int
	Numbers [3]uint16
	Number  json.Number
}

type Linked struct{ Link string }

// level is written as text.
type level int

func (l level) MarshalText() ([]byte, error) { return []byte{'A' + byte(l)}, nil }
func (l *level) UnmarshalText(b []byte) error {
	*l = level(b[0] - 'A')
	return nil
}

// A struct comes back as it was, and JSON reads it as its own.
func TestStruct(t *testing.T) {
	in := outer{
		inner: inner{Picture: []byte{1, 2}}, Linked: &Linked{"l"}, Name: "é", Hidden: []byte("h"),
		When: time.UnixMilli(1700000000123).UTC(), List: []*inner{{Note: "n"}, nil}, ByID: map[int][]byte{-1: {}, 2: {3}},
		Big: big.NewInt(12345), Level: 2, Quoted: 1 << 60, Any: []any{int64(1), 1.5, "x", []byte("y"), nil, map[string]any{"k": true}},
		Raw: json.RawMessage(`{"z":1,"a":[2.5,9223372036854775807,18446744073709551615]}`), Float: 0.5, Numbers: [3]uint16{1, 2, 65535}, Number: "-3",
	}
	data := pack(t, &in)
	var out outer
	if err := msgpack.Codec.Unmarshal(data, nil, &out); err != nil {
		t.Fatal(err)
	}
	in.Hidden = nil
	if !reflect.DeepEqual(out, in) {
		t.Errorf("\n got %+v\nwant %+v", out, in)
	}
	asJSON, err := msgpack.Codec.JSON(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	out = outer{}
	if err := json.Unmarshal(asJSON, &out); err != nil {
		t.Fatalf("%s: %v", asJSON, err)
	}
	out.Any, in.Any = nil, nil
	if !reflect.DeepEqual(out, in) {
		t.Errorf("by JSON:\n got %+v\nwant %+v", out, in)
	}
}

func TestJSON(t *testing.T) {
	when := time.UnixMilli(-1).UTC()
	for _, test := range []struct {
		data, want string
	}{
		{"c0", "null"}, {"d40000", "null"}, {"c2", "false"}, {"d0ff", "-1"}, {"cfffffffffffffffff", "18446744073709551615"},
		{"cb3ff8000000000000", "1.5"}, {"cb7ff8000000000000", "null"}, {"a2'<\"'", `"<\""`}, {"a1ff", `"\ufffd"`},
		{"c403010203", `"AQID"`}, {"c7080000 01020304050607", `"AAECAwQFBgc="`}, {"c7010001", `"AQ=="`},
		{"d700ffffffffffffffff", `"1969-12-31T23:59:59.999Z"`}, {"d50507 08", `[5,"Bwg="]`},
		{"82a1'a'9201c0 05 80", `{"a":[1,null],"5":{}}`},
	} {
		got, err := msgpack.Codec.JSON(packed(t, test.data), nil)
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v; want %s", test.data, got, err, test.want)
		}
	}
	if got := pack(t, when); string(got) != string(packed(t, "d700ffffffffffffffff")) {
		t.Errorf("%v is %x", when, got)
	}
	if _, err := msgpack.Codec.JSON([]byte{0x91}, nil); err == nil {
		t.Error("JSON of a list that is cut off")
	}
}

func TestUnmarshal(t *testing.T) {
	utc := func(s int64, ns int64) time.Time { return time.Unix(s, ns).UTC() }
	tests := []struct {
		data string
		dst  any // a pointer to the zero value
		want any
	}{
		{"05", new(any), int64(5)}, {"cfffffffffffffffff", new(any), uint64(math.MaxUint64)}, {"cf0000000000000001", new(any), int64(1)},
		{"ca3fc00000", new(any), 1.5}, {"c0", new(any), nil}, {"d40000", new(any), nil}, {"c401ff", new(any), []byte{255}},
		{"c7010005", new(any), []byte{5}}, {"c8000100 05", new(any), []byte{5}}, {"c9000000010005", new(any), []byte{5}},
		{"d70000000000000003e8", new(any), utc(1, 0)}, {"d6ff00000001", new(any), utc(1, 0)},
		{"d7ff0000000400000001", new(any), utc(1, 1)}, {"c70cff00000001ffffffffffffffff", new(any), utc(-1, 1)},
		{"d7ffffffffff00000001", new(any), []any{int64(-1), []byte{255, 255, 255, 255, 0, 0, 0, 1}}},
		{"d50102 03", new(any), []any{int64(1), []byte{2, 3}}},
		{"82a1'a'01a1'a'02", new(any), map[string]any{"a": int64(2)}}, {"8101c3", new(any), map[string]any{"1": true}},
		{"cb4000000000000000", new(int8), int8(2)}, {"02", new(float64), 2.0}, {"cc80", new(uint8), uint8(128)},
		{"cfffffffffffffffff", new(uint64), uint64(math.MaxUint64)}, {"cb4000000000000000", new(uint), uint(2)},
		{"a4'AQI='", new([]byte), []byte{1, 2}}, {"c4020102", new(string), "AQI="}, {"d7000000000000000000", new(string), "1970-01-01T00:00:00.000Z"},
		{"c4020102", new([3]byte), [3]byte{1, 2, 0}}, {"920102", new([]byte), []byte{1, 2}}, {"920102", new([1]int), [1]int{1}},
		{"d70000000000000003e8", new(time.Time), utc(1, 0)}, {"b4'1970-01-01T00:00:01Z'", new(time.Time), utc(1, 0)},
		{"d70000000000000003e8", new(json.RawMessage), json.RawMessage(`"1970-01-01T00:00:01.000Z"`)},
		{"c0", new(json.RawMessage), json.RawMessage("null")}, {"c0", new(int), 0}, {"c0", new(*int), (*int)(nil)}, {"c0", new([]int), []int(nil)},
		{"a1'C'", new(level), level(2)}, {"81a1'C'01", new(map[level]int), map[level]int{2: 1}}, {"81a2'-1'01", new(map[int8]int), map[int8]int{-1: 1}},
		{"8105c3", new(map[uint]bool), map[uint]bool{5: true}}, {"05", new(json.Number), json.Number("5")}, {"c3", new(bool), true},
		{"82a4'NOTE'a1'n' a5'other'9180", new(inner), inner{Note: "n"}},
	}
	for _, test := range tests {
		if err := msgpack.Codec.Unmarshal(packed(t, test.data), nil, test.dst); err != nil {
			t.Errorf("%s into %T: %v", test.data, test.dst, err)
		} else if got := reflect.ValueOf(test.dst).Elem().Interface(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s into %T: got %#v, want %#v", test.data, test.dst, got, test.want)
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for _, test := range []struct {
		data string
		dst  any
	}{
		{"a1'x'", new(int)}, {"01", new(string)}, {"cd0100", new(uint8)}, {"ff", new(uint)}, {"cfffffffffffffffff", new(int64)},
		{"cb3fe0000000000000", new(int)}, {"cb7ff0000000000000", new(int)}, {"cb43e0000000000000", new(int64)}, {"01", new(bool)},
		{"cb7e37e43c8800759c", new(float32)}, {"c3", new(float64)}, {"a1'!'", new([]byte)}, {"90", new(map[string]int)}, {"80", new([]int)},
		{"81a1'x'01", new(map[int]int)}, {"80", new(int)}, {"d70000000000000003e8", new(int)}, {"01", new(time.Time)},
		{"c3", new(json.Number)}, {"01", new([]byte)}, {"81a1'x'01", new(map[bool]int)},
	} {
		var misfit *json.UnmarshalTypeError
		if err := msgpack.Codec.Unmarshal(packed(t, test.data), nil, test.dst); err == nil {
			t.Errorf("%s fits %T", test.data, test.dst)
		} else if _, clock := test.dst.(*time.Time); !clock && !errors.As(err, &misfit) {
			t.Errorf("%s into %T: %v", test.data, test.dst, err)
		}
	}
	var o outer
	err := msgpack.Codec.Unmarshal(packed(t, "81a4'list'9181a4'note'05"), nil, &o)
	var misfit *json.UnmarshalTypeError
	if !errors.As(err, &misfit) || misfit.Field != "list.note" {
		t.Errorf("in a field: %v", err)
	}
	for _, dst := range []any{nil, 1, (*int)(nil)} {
		if err := msgpack.Codec.Unmarshal([]byte{1}, nil, dst); err == nil {
			t.Errorf("decoded into %#v", dst)
		}
	}
	for _, data := range []string{"", "91", "0101", "c1", "ddffffffff", "dfffffffff"} {
		var v any
		if err := msgpack.Codec.Unmarshal(packed(t, data), nil, &v); err == nil {
			t.Errorf("%s: %v", data, v)
		}
	}
}

// What came in through one codec goes out through the other.
func TestRaw(t *testing.T) {
	in := map[string]any{"b": []byte("bytes"), "n": []any{1.5, "x", nil}}
	frames, err := parser.JSON.Encode(parser.Outgoing{Type: parser.Ack, Namespace: "/", ID: 1, Args: []any{in, map[string]int64{"z": 1 << 62}}})
	if err != nil {
		t.Fatal(err)
	}
	d := parser.JSON.NewDecoder(parser.Limits{})
	d.Decode(frames[0].Data, false)
	p, err := d.Decode(frames[1].Data, true)
	if err != nil {
		t.Fatal(err)
	}
	mixed := pack(t, parser.Raw{Codec: parser.JSON, Data: p.Args[0], Attachments: p.Attachments})
	var v any
	if err := msgpack.Codec.Unmarshal(mixed, nil, &v); err != nil || !reflect.DeepEqual(v, in) {
		t.Errorf("JSON to MessagePack: %v, %v", v, err)
	}
	exact := pack(t, parser.Raw{Data: p.Args[1]})
	if want := packed(t, "81a1'z'd34000000000000000"); string(exact) != string(want) {
		t.Errorf("JSON to MessagePack: %x, want %x", exact, want)
	}
	if same := pack(t, []any{parser.Raw{Codec: msgpack.Codec, Data: mixed}}); string(same[1:]) != string(mixed) {
		t.Errorf("unchanged: %x became %x", mixed, same[1:])
	}

	frames, err = parser.JSON.Encode(parser.Outgoing{Type: parser.Ack, Namespace: "/", ID: 1, Args: []any{[]any{parser.Raw{Codec: msgpack.Codec, Data: mixed}}}})
	const want = `61-1[[{"b":{"_placeholder":true,"num":0},"n":[1.5,"x",null]}]]`
	if err != nil || string(frames[0].Data) != want || string(frames[1].Data) != "bytes" {
		t.Errorf("MessagePack to JSON: %+v, %v", frames, err)
	}
	for _, data := range []string{`{"a":`, `1 2`, `]`, ""} {
		if _, err := msgpack.Codec.Encode(parser.Outgoing{Type: parser.Ack, Args: []any{parser.Raw{Data: []byte(data)}}}); err == nil {
			t.Errorf("%s was taken for JSON", data)
		}
	}
}

func BenchmarkCodec(b *testing.B) {
	p := parser.Outgoing{Type: parser.Event, Namespace: "/", ID: parser.NoID, Event: "message", Args: []any{struct {
		User    string `json:"user"`
		Text    string `json:"text"`
		N       int    `json:"n"`
		Picture []byte `json:"picture"`
	}{"a", "hello world", 3, make([]byte, 100)}}}
	frames, err := msgpack.Codec.Encode(p)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			msgpack.Codec.Encode(p)
		}
	})
	b.Run("Decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decode(frames[0].Data)
		}
	})
	b.Run("Unmarshal", func(b *testing.B) {
		p, _ := decode(frames[0].Data)
		var v struct {
			User, Text string
			N          int
			Picture    []byte
		}
		b.ReportAllocs()
		for b.Loop() {
			msgpack.Codec.Unmarshal(p.Args[0], nil, &v)
		}
	})
}

// A Raw keeps a value as it is, also behind a pointer.
func TestRawPointer(t *testing.T) {
	b, err := msgpack.Marshal(map[string]any{"a": []byte{1, 2}, "b": 1})
	if err != nil {
		t.Fatal(err)
	}
	var dst struct {
		A *parser.Raw `json:"a"`
	}
	if err := msgpack.Codec.Unmarshal(b, nil, &dst); err != nil {
		t.Fatal(err)
	}
	if got := string(dst.A.Data); dst.A.Codec != msgpack.Codec || got != "\xc4\x02\x01\x02" {
		t.Errorf("got %q of %v", got, dst.A.Codec)
	}
}
