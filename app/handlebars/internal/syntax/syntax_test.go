package syntax

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/zocalo-go/zocalo/internal/need"
)

// conformance reads a file of the conformance data, which stands beside a checkout.
func conformance(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "..", "shared", "conformance", "handlebars", name))
	if err != nil {
		need.Missing(t, "the recorded behaviour of handlebars.js is not here: %v", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// report writes a mistake as handlebars.js does.
func report(src string, err *Error) string {
	before, after := utf16.Encode([]rune(src[:err.Offset])), utf16.Encode([]rune(src[err.Offset:]))
	line := strings.Count(src[:err.Offset], "\n") + 1
	start := ""
	if n := len(before); n > 20 {
		start, before = "...", before[n-20:]
	}
	if len(after) > 20 {
		after = after[:20]
	}
	oneLine := func(s []uint16) string { return strings.ReplaceAll(string(utf16.Decode(s)), "\n", "") }
	start += oneLine(before)
	where := start + oneLine(after) + "\n" + strings.Repeat("-", len(utf16.Encode([]rune(start)))) + "^"
	switch {
	case err.Message == "Unrecognized text":
		return "Lexical error on line " + itoa(line) + ". Unrecognized text.\n" + where
	case strings.HasPrefix(err.Message, "Expecting"):
		return "Parse error on line " + itoa(line) + ":\n" + where + "\n" + err.Message
	}
	if err.Message == "Unexpected inverse block on decorator" {
		return err.Message // handlebars.js gives no place
	}
	return err.Message + " - " + itoa(line) + ":" + itoa(len(utf16.Encode([]rune(src[strings.LastIndexByte(src[:err.Offset], '\n')+1:err.Offset]))))
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestTrees(t *testing.T) {
	var cases []struct {
		Template string
		AST      any
		Error    string
	}
	conformance(t, "trees.json", &cases)
	for _, c := range cases {
		p, err := Parse(c.Template, false)
		var mistake *Error
		switch {
		case errors.As(err, &mistake):
			if got := report(c.Template, mistake); got != c.Error {
				t.Errorf("%q\n got error %s\nwant error %s", c.Template, got, c.Error)
			}
			continue
		case err != nil:
			t.Errorf("%q: %v", c.Template, err)
			continue
		case c.Error != "":
			t.Errorf("%q: no error, want %s", c.Template, c.Error)
			continue
		}
		data, _ := json.Marshal(tree(p))
		var got any
		_ = json.Unmarshal(data, &got)
		if !reflect.DeepEqual(got, c.AST) {
			want, _ := json.Marshal(c.AST)
			t.Errorf("%q\n got %s\nwant %s", c.Template, data, want)
		}
	}
	t.Logf("%d trees", len(cases))
}

func TestNUL(t *testing.T) {
	for _, src := range []string{"a\x00", "\\{{a\x00}}", "\\{{a}}\x00{{b}}", "{{{{a}}}}x\x00{{{{/a}}}}"} {
		var mistake *Error
		if _, err := Parse(src, false); !errors.As(err, &mistake) || mistake.Message != "Unrecognized text" {
			t.Errorf("%q: got %v", src, err)
		}
	}
}
