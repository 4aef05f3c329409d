package syntax

import (
	"errors"
	"testing"
)

// FuzzParse: what check accepts is what raymond parses, and what it does not accept has a place.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"{{#> p a=1}}{{/p}}", "{{#*inline \"x\"}}{{/inline}}", "{{* d}}", "{{{{r}}}}{{{{x}}}}{{{{/x}}}}{{{{/r}}}}", "{{a.0.b}}", "{{elsewhere}}",
		"{{[a\\]]}}", "{{~#if a~}}{{~else if b~}}{{~^~}}{{~/if~}}", "\\{{a}}\\\\{{b}}\\{{", "{{!-- c --}}{{!}}", "{{a.. . .}}{{..}}{{./a}}",
		"{{a (b (c d=1)) \"x\"'y' 1 true null as=@b.c}}", "{{#a as |b c|}}{{^}}{{/a}}{{^a as |b|}}{{else}}{{/a}}", "\ufeff{{\u00a0a\u2028}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 5000 {
			return
		}
		_, err := Parse(source, false)
		var mistake *Error
		if err != nil && (!errors.As(err, &mistake) || mistake.Offset < 0 || mistake.Offset > len(source)) {
			t.Fatalf("%q: %v", source, err)
		}
	})
}
