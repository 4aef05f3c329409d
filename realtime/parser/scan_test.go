package parser_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// FuzzScan: a list of arguments is let through exactly when encoding/json finds
// it valid, and split as encoding/json splits it.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`[]`, ` [ ] `, `[1]`, `["a",{"b":[1,"c"]}, null ,true,false]`, "[\t1\n,\r2 ]", `[[],{},[[]],{"a":{}}]`, `[0,-0,1.5,-1e9,1E+2,2e-3,12]`,
		`["\"\\\/\b\f\n\r\t\u00e9\uD834\udd1e"]`, `["longer than eight bytes, with \" in it and é"]`, "[\"\xff\"]", `[{"a b":1,"":2}]`,
		``, ` `, `[`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1]]`, `[1] x`, `[1 2]`, `[{]}`, `[{"a"}]`, `[{"a":}]`, `[{"a":1,}]`, `[{1:2}]`, `[{"a" 1}]`, `["a`, `["\`,
		`["\x"]`, `["\u12g4"]`, `["\u123`, "[\"\x1f\"]", "[\"1234567\x00\"]", "[\"12345678\n\"]", `[01]`, `[-]`, `[1.]`, `[.5]`, `[1e]`, `[+1]`, `[tru]`, `[nulL]`, `[falsey]`,
		`[1]` + "\x00", "\u00a0[1]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 0 && (text[0] == '/' || text[0] >= '0' && text[0] <= '9') {
			return // of the packet's header
		}
		p, err := parser.JSON.NewDecoder(parser.Limits{}).Decode(append([]byte("3"), text...), false)
		if err != nil && strings.Contains(err.Error(), "deeper") {
			return
		}
		var want []json.RawMessage
		valid := json.Unmarshal(text, &want) == nil && bytes.TrimSpace(text)[0] == '['
		if valid != (err == nil) && len(text) > 0 {
			t.Fatalf("%q: %v, and encoding/json finds it valid: %v", text, err, valid)
		}
		if !valid {
			return
		}
		if len(p.Args) != len(want) {
			t.Fatalf("%q: %d elements, want %d", text, len(p.Args), len(want))
		}
		for i, arg := range p.Args {
			if !bytes.Equal(arg, want[i]) {
				t.Errorf("%q: element %d is %q, want %q", text, i, arg, want[i])
			}
		}
	})
}

func TestDepthIsOfTheWholeList(t *testing.T) {
	for text, fits := range map[string]bool{
		`3[]`: true, `3[[],[]]`: true, `3[{"a":1},["b"]]`: true, `3[[[]]]`: false, `3[{"a":[]}]`: false, `3["[[[[{{{{"]`: true, `0{"a":{}}`: true, `0{"a":{"b":{}}}`: false,
	} {
		if _, err := parser.JSON.NewDecoder(parser.Limits{MaxDepth: 2}).Decode([]byte(text), false); (err == nil) != fits {
			t.Errorf("%s: %v", text, err)
		}
	}
}
