package syntax

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// FuzzParse: what check accepts is what raymond parses, and what it does not accept has a place. A tree that is printed
// and parsed is the same tree.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"{{#> p a=1}}{{/p}}", "{{#*inline \"x\"}}{{/inline}}", "{{* d}}", "{{{{r}}}}{{{{x}}}}{{{{/x}}}}{{{{/r}}}}", "{{a.0.b}}", "{{elsewhere}}",
		"{{[a\\]]}}", "{{~#if a~}}{{~else if b~}}{{~^~}}{{~/if~}}", "\\{{a}}\\\\{{b}}\\{{", "{{!-- c --}}{{!}}", "{{a.. . .}}{{..}}{{./a}}",
		"{{a (b (c d=1)) \"x\"'y' 1 true null as=@b.c}}", "{{#a as |b c|}}{{^}}{{/a}}{{^a as |b|}}{{else}}{{/a}}", "\ufeff{{\u00a0a\u2028}}",
		"{{{{r}}}}}{{{{/r}}}}", "{ {{~a}}\\{{{{b}}", "{{{a}}}{{&b}}{{^a as |x|}}1{{else}}2{{/a}}{{#> (a) b}}{{/undefined}}", "{{@../a.[b c] \"it's\" 'a\"b'}}\\\\{{b}}\\{{\\{{c}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 5000 {
			return
		}
		p, err := Parse(source, false)
		var mistake *Error
		if err != nil && (!errors.As(err, &mistake) || mistake.Offset < 0 || mistake.Offset > len(source)) {
			t.Fatalf("%q: %v", source, err)
		}
		if err != nil || strings.Contains(source, `\`) && strings.ContainsAny(source, `"'[`) {
			return // where a backslash ends a string or a segment, there is no other way to write it
		}
		printed := print(p)
		again, err := Parse(printed, true)
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", source, printed, err)
		}
		if want, got := asJSON(t, p), asJSON(t, again); want != got {
			t.Fatalf("%q is printed as %q\n got %s\nwant %s", source, printed, got, want)
		}
		if twice := print(again); twice != printed {
			t.Fatalf("%q is printed as %q, and that as %q", source, printed, twice)
		}
	})
}

// asJSON is the canonical tree, without the indentation of partials, which is that of the lines around them.
func asJSON(t *testing.T, p *Program) string {
	unindent(p)
	data, err := json.Marshal(tree(p))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func unindent(p *Program) {
	if p == nil {
		return
	}
	for _, s := range p.Body {
		s.Indent = ""
		unindent(s.Program)
		unindent(s.Inverse)
	}
}
