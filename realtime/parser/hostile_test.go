package parser_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Packets of the advisories against Socket.IO parsers, and their relatives.
func TestHostile(t *testing.T) {
	placeholder := func(num string) string { return `51-["x",{"_placeholder":true,"num":` + num + `}]` }
	tests := []struct {
		name        string
		text        string
		attachments int
		refused     bool
	}{
		// CVE-2022-2421: the number of a placeholder is no index.
		{"num of an attachment", placeholder("0"), 1, false},
		{"num out of range", placeholder("1"), 1, true},
		{"num far out of range", placeholder("4294967296"), 1, true},
		{"num larger than any", placeholder(strings.Repeat("9", 400)), 1, true},
		{"num negative", placeholder("-1"), 1, true},
		{"num minus zero", placeholder("-0"), 1, true},
		{"num a float", placeholder("0.0"), 1, true},
		{"num an exponent", placeholder("0e0"), 1, true},
		{"num a text", placeholder(`"0"`), 1, true},
		{"num a name of Array", placeholder(`"push"`), 1, true},
		{"num __proto__", placeholder(`"__proto__"`), 1, true},
		{"num null", placeholder("null"), 1, true},
		{"num true", placeholder("true"), 1, true},
		{"num a list", placeholder("[0]"), 1, true},
		{"num an object", placeholder(`{"valueOf":0}`), 1, true},
		{"num missing", `51-["x",{"_placeholder":true}]`, 1, true},
		{"num twice, the last counts", `51-["x",{"_placeholder":true,"num":0,"num":7}]`, 1, true},
		{"names escaped", `51-["x",{"\u005fplaceholder":true,"n\u0075m":7}]`, 1, true},
		{"names escaped, an index", `51-["x",{"\u005fplaceholder":true,"n\u0075m":0}]`, 1, false},
		{"not marked", `51-["x",{"_placeholder":1,"num":7}]`, 1, false},
		{"deep in the arguments", `51-["x",[[{"a":[{"_placeholder":true,"num":7}]}]]]`, 1, true},
		{"for the name", `51-[{"_placeholder":true,"num":0}]`, 1, true},
		{"in a plain event", `2["x",{"_placeholder":true,"num":7}]`, 0, false},
		{"more than the attachments", `51-["x"` + strings.Repeat(`,{"_placeholder":true,"num":0}`, 21) + `]`, 1, true},

		// CVE-2026-33151: attachments without end.
		{"as many as allowed", `510-["x"]`, 10, false},
		{"one too many", `511-["x"]`, 0, true},
		{"a thousand million", `51000000000-["x"]`, 0, true},
		{"more than an int64", `5` + strings.Repeat("9", 30) + `-["x"]`, 0, true},
		{"a million digits", `5` + strings.Repeat("9", 1<<20) + `-["x"]`, 0, true},
		{"leading zeros", `50000000000000000000001-["x"]`, 1, false},
		{"negative", `5-1-["x"]`, 0, true},
		{"a float", `51.0-["x"]`, 0, true},
		{"an exponent", `51e9-["x"]`, 0, true},
		{"hexadecimal", `50x1-["x"]`, 0, true},
		{"infinity", `5Infinity-["x"]`, 0, true},
		{"no number", `5-["x"]`, 0, true},
		{"no dash", `51["x"]`, 0, true},
		{"a plus", `5+1-["x"]`, 0, true},
		{"another script's digit", "5\u0661-[\"x\"]", 0, true},

		// CVE-2026-69185: none, in a packet whose type announces some.
		{"zero", `50-["x"]`, 0, false},
		{"zero, many digits", `5000-["x"]`, 0, false},
		{"zero, a placeholder", `50-["x",{"_placeholder":true,"num":0}]`, 0, false},

		// CVE-2023-32695: names that are no names.
		{"a name that is an object", `2[{"toString":"x"}]`, 0, true},
		{"a name that is a list", `2[["x"]]`, 0, true},
		{"a name that is null", `2[null]`, 0, true},
		{"a name that is true", `2[true]`, 0, true},
		{"a name that is __proto__", `2["__proto__"]`, 0, false},
		{"the event error", `2["error"]`, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := parser.JSON.NewDecoder(parser.Limits{})
			p, err := d.Decode([]byte(test.text), false)
			for range test.attachments {
				if err == nil && p == nil {
					p, err = d.Decode([]byte("bytes"), true)
				}
			}
			switch {
			case test.refused && !errors.Is(err, parser.ErrInvalid):
				t.Errorf("got %+v, %v", p, err)
			case !test.refused && (err != nil || p == nil):
				t.Errorf("got %+v, %v", p, err)
			case p != nil:
				for _, arg := range p.Args { // and no panic
					var v any
					if err := parser.JSON.Unmarshal(arg, p.Attachments, &v); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// After a packet of no attachments the next one is a packet of its own, which
// the reference gets wrong.
func TestZeroAttachmentsEnd(t *testing.T) {
	d := parser.JSON.NewDecoder(parser.Limits{})
	for _, text := range []string{`50-["x"]`, `2["y"]`, `60-1[]`, `50-["z"]`} {
		if p, err := d.Decode([]byte(text), false); err != nil || p == nil {
			t.Fatalf("%s: %+v, %v", text, p, err)
		}
	}
	if _, err := d.Decode(nil, true); !errors.Is(err, parser.ErrInvalid) {
		t.Errorf("an attachment after all: %v", err)
	}
}

// An argument that no decoder has checked is an error, not a panic.
func TestUnchecked(t *testing.T) {
	for _, arg := range []string{`{"_placeholder":true,"num":3}`, `[{"_placeholder":true,"num":-1}]`, `{"a":{"_placeholder":true}}`} {
		attachments := [][]byte{[]byte("a")}
		var b []byte
		if err := parser.JSON.Unmarshal([]byte(arg), attachments, &b); err == nil {
			t.Errorf("%s became %q", arg, b)
		}
		if text, err := parser.JSON.JSON([]byte(arg), attachments); err == nil {
			t.Errorf("%s became %s", arg, text)
		}
		raw := parser.Raw{Data: []byte(arg), Attachments: attachments}
		if frames, err := parser.JSON.Encode(parser.Outgoing{Type: parser.Ack, Namespace: "/", ID: 1, Args: []any{raw}}); err == nil {
			t.Errorf("%s became %+v", arg, frames)
		}
	}
}

func TestDepth(t *testing.T) {
	nested := func(n int) []byte {
		return fmt.Appendf(nil, `2["x",%s%s]`, strings.Repeat("[", n), strings.Repeat("]", n))
	}
	if _, err := parser.JSON.NewDecoder(parser.Limits{}).Decode(nested(999), false); err != nil {
		t.Errorf("a thousand levels: %v", err)
	}
	for name, text := range map[string][]byte{
		"one too many":       nested(1000),
		"half a million":     nested(500_000),
		"brackets":           []byte("2" + strings.Repeat("[", 1_000_000)),
		"braces":             []byte("0" + strings.Repeat(`{"a":`, 200_000)),
		"objects in CONNECT": []byte("0" + strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parser.JSON.NewDecoder(parser.Limits{}).Decode(text, false)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, parser.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 4*uint64(len(text))+1<<17 {
			t.Errorf("%s: %d bytes cost %d", name, len(text), n)
		}
	}
	if _, err := parser.JSON.NewDecoder(parser.Limits{MaxDepth: 3}).Decode([]byte(`2["[[[[",[[]],{"a":{}}]`), false); err != nil {
		t.Errorf("three levels: %v", err)
	}
	if _, err := parser.JSON.NewDecoder(parser.Limits{MaxDepth: 2}).Decode([]byte(`2["[[[[",[[]],{"a":{}}]`), false); err == nil {
		t.Error("three levels, one too many")
	}
	defer func() {
		if v := fmt.Sprint(recover()); !strings.HasPrefix(v, "parser: ") {
			t.Errorf("a negative limit: %s", v)
		}
	}()
	parser.JSON.NewDecoder(parser.Limits{MaxAttachments: -1})
}
