package handlebars_test

import (
	"fmt"
	"testing"

	"github.com/zocalo-go/zocalo/app/handlebars"
)

// Every answer here is that of handlebars.js 4.7.10.
func TestNames(t *testing.T) {
	config := handlebars.Config{Helpers: handlebars.Helpers{
		"first": func() string { return "helper" },
		"join":  func(o *handlebars.Options) string { return fmt.Sprintf("%v%v", o.Params(), o.HashKeys()) },
	}}
	data := map[string]any{
		"a": map[string]any{"b": 5}, "no": false, "zero": 0, "list": []any{"x", "y"}, "yes": true, ".": "dot",
	}
	for source, want := range map[string]string{
		// {{@name}} is a helper or a block parameter of that name before it is a variable.
		"{{@first}}{{#@first}}x{{/@first}}{{#each list}}{{@first}}{{@last}}{{/each}}": "helperhelperhelperfalsehelpertrue",
		"{{#each list as |first|}}{{@first}}{{/each}}":                                "xy",
		"{{#with a}}{{@this.b}}{{join @this}}{{join @..}}{{/with}}":                   "[map[b:5]][][map[.:dot a:map[b:5] list:[x y] no:false yes:true zero:0]][]",
		// A path that starts with the name of a helper of Handlebars is that helper if it has arguments.
		`{{./lookup a "b"}}{{lookup.x a "b"}}{{@lookup a "b"}}{{#./if yes}}y{{/./if}}`: "555y",
		// A block parameter takes no arguments.
		"{{#each list as |item|}}{{join item (item)}}{{item (none)}}{{#item 1}}{{this}}{{/item}}{{/each}}": "[x x][]xx[y y][]yy",
		// A path of data ends at what JavaScript takes for false.
		"[{{@root.no.x}}|{{no.x}}|{{@root.zero.x}}|{{#if @root.zero.x}}y{{/if}}]": "[false||0|]",
		// A list is true to JavaScript, also an empty one.
		`{{#if zero includeZero=list}}y{{/if}}{{#if zero includeZero=""}}y{{else}}n{{/if}}`: "yn",
		// A block that is given no values for its parameters leaves those around it.
		"{{#each list as |x|}}{{#if this as |y|}}{{x}}{{/if}}{{#this as |y|}}{{x}}{{/this}}{{#each no as |y|}}{{else}}{{x}}{{/each}}{{/each}}": "xxxyyy",
		"{{#each list as |x|}}{{#unless @root.no as |y|}}{{x}}{{/unless}}{{#@root.yes as |y|}}{{x}}{{/@root.yes}}{{/each}}":                    "xxyy",
		// A lone dot may be the name of an argument.
		`{{join "t" list.=a}}`: "[t [x y]][.]",
		`{{"."}}`:              "dot",
		// A partial whose name comes to nothing is called undefined, and so may an inline partial be.
		`{{#*inline none}}in {{a.b}}{{/inline}}{{> (lookup . "none")}}`: "in 5",
	} {
		got, err := renderString(config, source, data)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
}

// The arguments with a name of a helper of Handlebars are evaluated even where it does not know them.
func TestMistakesInArguments(t *testing.T) {
	data := map[string]any{"a": map[string]any{"b": 5}, "empty": ""}
	for _, source := range []string{
		"{{#each a x=(wrong 1)}}{{/each}}", "{{#with a x=(wrong 1)}}{{/with}}", "{{#if a x=(wrong 1)}}{{/if}}",
		`{{lookup a "b" x=(wrong 1)}}`, "{{lookup empty x=(wrong 1)}}", "{{log a x=(wrong 1)}}",
		"{{> (wrong 1) x=(other 1)}}", "{{> (lookup a (wrong 1)) x=(other 1)}}",
	} {
		_, err := renderString(handlebars.Config{}, source, data)
		wantError(t, err, `Missing helper: "wrong"`)
	}
}

func TestKnownHelpersOnlyPaths(t *testing.T) {
	for source, name := range map[string]string{
		"{{@up 1}}": "up", "{{a.b 1}}": "a", "{{this 1}}": "undefined", "{{if (a.b) x=1}}": "a", "{{log x=1 y=(up)}}": "up",
		"{{#each (none)}}{{other 1}}{{/each}}": "other",
	} {
		_, err := renderString(handlebars.Config{KnownHelpersOnly: true}, source, nil)
		wantError(t, err, "used the unknown helper "+name)
	}
}

func TestHelperMissing(t *testing.T) {
	config := handlebars.Config{Helpers: handlebars.Helpers{
		"helperMissing": func(o *handlebars.Options) string { return fmt.Sprint("no ", o.Name(), o.Params()) },
	}}
	for source, want := range map[string]string{
		"{{a}} {{b 1}} {{c}} {{#c}}x{{/c}}":                "no a[] no b[1] 3 x",
		"{{#a}}<{{this}}>{{/a}}{{^a}}x{{/a}} {{@a}} {{.}}": "<no a[]> no a[] [object Object]",
		`{{"a"}} [{{"."}}] {{#a.b}}x{{/a.b}}`:              "no a[] [] ",
	} {
		got, err := renderString(config, source, map[string]any{"c": 3})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
	config.Helpers["blockHelperMissing"] = func(v any, o *handlebars.Options) string { return fmt.Sprint(v) + o.Fn() }
	got, err := renderString(config, "{{#c}}x{{/c}} {{#a}}x{{/a}}", map[string]any{"c": 3})
	if want := "3x no a[]x"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
