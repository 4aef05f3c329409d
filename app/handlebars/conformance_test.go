package handlebars_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app/handlebars"
	"github.com/zocalo-go/zocalo/internal/need"
)

// notMet are the cases that are answered differently, each with the reason.
var notMet = map[string]string{}

type conformanceCase struct {
	ID             string
	Template       string
	Input          json.RawMessage
	Partials       map[string]any
	CompileOptions map[string]any
	RuntimeOptions struct {
		Data                      json.RawMessage
		AllowCallsToHelperMissing bool
	}
	Expected *string
	Error    *struct {
		Type, Message, Match string
		Line, Column         int
	}
	Log []struct {
		Level any
		Args  []string
	}
}

// conformance reads a file of the conformance data, which stands beside a checkout.
func conformance(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "conformance", "handlebars", name))
	if err != nil {
		need.Missing(t, "the recorded behaviour of handlebars.js is not here: %v", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	var cases []conformanceCase
	conformance(t, "cases.json", &cases)
	met := 0
	for _, c := range cases {
		problem := c.run(t)
		reason, excused := notMet[c.ID]
		switch {
		case problem != "" && !excused:
			t.Errorf("%s %q: %s", c.ID, c.Template, problem)
		case problem == "" && excused:
			t.Errorf("%s is met now, although %s", c.ID, reason)
		case problem == "":
			met++
		}
	}
	t.Logf("%d of %d cases met", met, len(cases))
}

// run returns what is wrong, or "".
func (c *conformanceCase) run(t *testing.T) string {
	var logged records
	config := handlebars.Config{Partials: map[string]string{}, Logger: slog.New(&logged)}
	for name, p := range c.Partials {
		if compiled, ok := p.(map[string]any); ok {
			p = compiled["$compiled"].(map[string]any)["template"]
		}
		config.Partials[name] = p.(string)
	}
	on := func(name string) bool { return c.CompileOptions[name] == true }
	config.NoEscape, config.Strict, config.AssumeObjects = on("noEscape"), on("strict"), on("assumeObjects")
	config.Compat, config.KnownHelpersOnly = on("compat"), on("knownHelpersOnly")
	config.PreventIndent, config.IgnoreStandalone = on("preventIndent"), on("ignoreStandalone")
	config.ExplicitPartialContext = on("explicitPartialContext")
	config.NoData = c.CompileOptions["data"] == false
	config.AllowCallsToHelperMissing = c.RuntimeOptions.AllowCallsToHelperMissing

	var variables map[string]any
	if o, ok := decode(t, c.RuntimeOptions.Data).(*object); ok {
		variables = o.values
	}
	var out bytes.Buffer
	tmpl, err := handlebars.New(config).Compile("case", c.Template)
	if err == nil {
		err = tmpl.RenderContext(t.Context(), &out, decode(t, c.Input), variables)
	}
	if c.Error != nil {
		return c.checkError(err)
	}
	if err != nil {
		return err.Error()
	}
	if out.String() != *c.Expected {
		return fmt.Sprintf("got %q, want %q", out.String(), *c.Expected)
	}
	return c.checkLog(logged)
}

func (c *conformanceCase) checkError(err error) string {
	var e *handlebars.Error
	if !errors.As(err, &e) {
		return fmt.Sprintf("no *Error but %v", err)
	}
	if e.Line == 0 || e.Excerpt() == "" {
		return "no place: " + e.Error()
	}
	want := c.Error
	place := fmt.Sprintf(" - %d:%d", e.Line, e.Column-1)
	switch {
	case want.Type == "TypeError": // of the JavaScript engine
	case strings.HasPrefix(want.Message, "Lexical error"):
		if e.Message != "Unrecognized text" {
			return e.Message
		}
	case strings.HasPrefix(want.Message, "Parse error"):
		if !strings.HasSuffix(want.Message, "\n"+e.Message) {
			return fmt.Sprintf("got %q, want %q", e.Message, want.Message)
		}
	case want.Message != "" && e.Message != want.Message && e.Message+place != want.Message:
		return fmt.Sprintf("got %q, want %q", e.Message+place, want.Message)
	}
	if want.Match != "" && !regexp.MustCompile(want.Match).MatchString(e.Message) {
		return fmt.Sprintf("got %q, want /%s/", e.Message, want.Match)
	}
	if want.Line != 0 && (e.Line != want.Line || e.Column-1 != want.Column) {
		return fmt.Sprintf("got %s, want %d:%d", place, want.Line, want.Column)
	}
	return ""
}

func (c *conformanceCase) checkLog(logged records) string {
	var want []string
	for _, l := range c.Log {
		if l.Level == nil {
			continue // what the console sees, which follows
		}
		level := map[string]string{"0": "DEBUG", "1": "INFO", "3": "ERROR", "03": "ERROR", "error": "ERROR"}[fmt.Sprint(l.Level)]
		want = append(want, level+" "+strings.Join(l.Args, " "))
	}
	if !slices.Equal(want, []string(logged)) {
		return fmt.Sprintf("logged %q, want %q", logged, want)
	}
	return ""
}

// records is a slog.Handler that keeps levels and messages.
type records []string

func (r *records) Handle(_ context.Context, rec slog.Record) error {
	*r = append(*r, rec.Level.String()+" "+rec.Message)
	return nil
}
func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }

// An object is an object of JavaScript: its properties have an order, numbers first.
type object struct {
	names  []string
	values map[string]any
}

func (o *object) Property(name string) (any, bool) { v, ok := o.values[name]; return v, ok }

func (o *object) Properties() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, name := range o.names {
			if !yield(name, o.values[name]) {
				return
			}
		}
	}
}

// decode reads a value as the conformance data encode it.
func decode(t *testing.T, data json.RawMessage) any {
	if len(data) == 0 {
		return nil
	}
	var root *object
	var read func(data json.RawMessage) any
	read = func(data json.RawMessage) any {
		switch data = bytes.TrimSpace(data); data[0] {
		case '[':
			var raw []json.RawMessage
			if err := json.Unmarshal(data, &raw); err != nil {
				t.Fatal(err)
			}
			list := make([]any, len(raw))
			for i := range raw {
				list[i] = read(raw[i])
			}
			return list
		case '{':
		default:
			var v any
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
		names, raw := properties(t, data)
		switch {
		case raw["$undef"] != nil:
			return nil
		case raw["$ref"] != nil:
			return root
		case raw["$boxed"] != nil:
			return read(raw["$boxed"])
		case raw["$safe"] != nil:
			return handlebars.SafeString(read(raw["$safe"]).(string))
		case raw["$object"] != nil:
			return read(raw["$object"])
		case raw["$iterable"] != nil:
			return slices.Values(read(raw["items"]).([]any))
		case raw["$array"] != nil:
			return read(raw["entries"])
		}
		o := &object{names, map[string]any{}}
		if root == nil {
			root = o
		}
		for _, name := range names {
			o.values[name] = read(raw[name])
		}
		return o
	}
	return read(data)
}

// properties reads an object with the order of its properties.
func properties(t *testing.T, data json.RawMessage) ([]string, map[string]json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(data))
	raw := map[string]json.RawMessage{}
	var numbers []int
	var names []string
	_, err := d.Token()
	for err == nil && d.More() {
		var key json.Token
		if key, err = d.Token(); err != nil {
			break
		}
		var v json.RawMessage
		err = d.Decode(&v)
		name := key.(string)
		if n, err := strconv.Atoi(name); err == nil && n >= 0 && strconv.Itoa(n) == name {
			numbers = append(numbers, n)
		} else {
			names = append(names, name)
		}
		raw[name] = v
	}
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(numbers)
	first := slices.Collect(func(yield func(string) bool) {
		for _, n := range numbers {
			if !yield(strconv.Itoa(n)) {
				return
			}
		}
	})
	return append(first, names...), maps.Clone(raw)
}
