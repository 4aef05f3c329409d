package handlebars_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
)

// TestHostileTemplates: each is an error with a place, or the right page.
func TestHostileTemplates(t *testing.T) {
	many := func(s string, n int) string {
		if raceEnabled {
			n /= 10 // everything takes longer then
		}
		return strings.Repeat(s, n)
	}
	for name, source := range map[string]string{
		"a megabyte of braces":       many("{{", 512<<10),
		"a megabyte of open comment": "{{!--" + many("-", 1<<20),
		"a megabyte of open string":  `{{a "` + many("x", 1<<20),
		"a megabyte of dots":         "{{a" + many(".a", 512<<10) + "}}",
		"a megabyte of climbing":     "{{" + many("../", 300<<10) + "a}}",
		"nested blocks":              many("{{#if a}}", 100_000) + many("{{/if}}", 100_000),
		"nested partial blocks":      many("{{#> p}}", 100_000) + many("{{/p}}", 100_000),
		"nested inline partials":     many("{{#*inline 'p'}}", 100_000) + many("{{/inline}}", 100_000),
		"nested raw blocks":          "{{{{r}}}}" + many("{{{{a}}}}", 100_000),
		"nested sub-expressions":     "{{a " + many("(a ", 100_000) + many(")", 100_000) + "}}",
		"a chain of elses":           "{{#if a}}" + many("{{else if a}}", 100_000) + "{{/if}}",
		"one # missing":              "{{#if a}}{{if a}}{{/if}}",
		"arguments":                  "{{lookup" + many(" a", 300<<10) + "}}",
		"named arguments":            "{{a" + many(" x=1", 200<<10) + "}}",
		"block parameters":           "{{#each a as |" + many("x ", 300<<10) + "|}}{{/each}}",
		"bytes that are no text":     "\x00\xff{{\xfe}}",
	} {
		_, err := renderString(handlebars.Config{Partials: map[string]string{"p": ""}}, source, map[string]any{"a": true})
		if err == nil {
			continue
		}
		var e *handlebars.Error
		if !errors.As(err, &e) || e.Line == 0 || e.Excerpt() == "" {
			t.Errorf("%s: no place: %.200v", name, err)
		}
		if len(err.Error()) > 4<<20 || strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: %.200v", name, err)
		}
	}
}

// TestIndexFromRequest: whatever a request asks for of a list, a text or a map, it gets an item or nothing.
func TestIndexFromRequest(t *testing.T) {
	data := map[string]any{"list": []string{"a", "b"}, "array": [1]int{7}, "text": "é!", "ids": map[int]string{3: "c"}, "small": map[uint8]string{3: "d"}}
	for index, want := range map[string]string{
		"0": "a7éX", "1": "b!X", "3": "Xcd", "-1": "X", "2": "X", "01": "X", "+1": "X", "1.0": "X", "1e0": "X", "999999999999999999999999": "X",
		"-9223372036854775808": "X", "9223372036854775807": "X", "259": "X", "": "X", "length": "212X", "__proto__": "X", "constructor": "X",
		"toString": "X", "NaN": "X", "0x1": "X", " 1": "X",
	} {
		data["i"] = index
		got, err := renderString(handlebars.Config{}, "{{lookup list i}}{{lookup array i}}{{lookup text i}}X{{lookup ids i}}{{lookup small i}}", data)
		if err != nil || got != want && want+"X" != got {
			t.Errorf("%q: got %q, %v; want %q", index, got, err, want)
		}
	}
}

// TestTreeOfPartials: a finite tree through a partial that includes itself is rendered, an endless one is an error.
func TestTreeOfPartials(t *testing.T) {
	type node map[string]any
	config := handlebars.Config{Partials: map[string]string{
		"node": "{{name}}{{#each children}}({{> node}}){{/each}}",
		"ping": "{{> pong}}", "pong": "{{> ping}}{{> ping}}",
	}}
	tree := node{"name": "leaf"}
	for range 900 {
		tree = node{"name": "n", "children": []node{tree}}
	}
	got, err := renderString(config, "{{> node}}", tree)
	if want := strings.Repeat("n(", 900) + "leaf" + strings.Repeat(")", 900); err != nil || got != want {
		t.Errorf("got %.40q, %v", got, err)
	}
	wide := node{"name": "w"}
	for depth := range 5 {
		children := make([]node, 6)
		for i := range children {
			children[i] = wide
		}
		wide = node{"name": fmt.Sprint(depth), "children": children}
	}
	if got, err := renderString(config, "{{> node}}", wide); err != nil || strings.Count(got, "w") != 6*6*6*6*6 {
		t.Errorf("got %d leaves, %v", strings.Count(got, "w"), err)
	}
	tree["children"] = []node{tree}
	_, err = renderString(config, "{{> node}}", tree)
	wantError(t, err, "the partial node is included more than 1000 levels deep")
	_, err = renderString(config, "{{> ping}}", nil)
	wantError(t, err, "levels deep: ")
}

// TestCyclicData: what leads back to itself is written once, walked as far as the template says, and given to helpers.
func TestCyclicData(t *testing.T) {
	m := map[string]any{"name": "m"}
	m["self"], m["list"] = m, []any{m, m}
	type person struct {
		Name string
		Boss *person
		All  []*person
	}
	boss := &person{Name: "boss"}
	boss.Boss, boss.All = boss, []*person{boss}
	m["boss"] = boss
	got, err := renderString(handlebars.Config{Helpers: handlebars.Helpers{"same": func(v any) any { return v }}},
		"{{self.self.self.name}} {{list}} {{#each self}}{{@key}} {{/each}}{{#with boss.boss}}{{name}}{{#each all}}{{boss.name}}{{/each}}{{/with}} {{same boss}}", m)
	want := "m [object Object],[object Object] boss list name self bossboss [object Object]"
	if err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// TestNeverEnds: a page whose request is over ends with an error, and leaves no goroutine.
func TestNeverEnds(t *testing.T) {
	helpers := handlebars.Helpers{
		"wait":  func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() },
		"sleep": func(ctx context.Context) string { <-ctx.Done(); return "slept" },
		"again": func(o *handlebars.Options) string {
			for {
				o.Fn()
				time.Sleep(time.Millisecond)
			}
		},
	}
	endless := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
			time.Sleep(time.Millisecond)
		}
	}
	for name, source := range map[string]string{
		"a helper that waits":           "{{wait}}",
		"a helper that swallows it":     "{{#each list}}{{sleep}}{{/each}}",
		"a block helper without an end": "{{#again}}x{{/again}}",
		"an endless iterator":           "{{#each endless}}x{{/each}}",
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			e := handlebars.New(handlebars.Config{Helpers: helpers})
			var out bytes.Buffer
			err := e.Render(&out, app.View{
				Context: ctx, FS: views("index", source), Name: "index.handlebars",
				Data: app.Map{"list": []int{1, 2}, "endless": iter.Seq[int](endless)},
			})
			if e := wantError(t, err, "deadline exceeded"); !errors.Is(err, context.DeadlineExceeded) || e.Line != 1 || out.Len() > 0 {
				t.Errorf("%s: %v, %q", name, err, out.String())
			}
		})
	}
}

// TestManyRows: a list of 100,000 rows is rendered whole.
func TestManyRows(t *testing.T) {
	tmpl, err := handlebars.New(handlebars.Config{}).Compile("list", listSource)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tmpl.Render(io.Writer(&out), map[string]any{"rows": rows(100_000)}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "<li "); n != 100_000 || !strings.Contains(out.String(), "99999. name") {
		t.Errorf("%d rows", n)
	}
}
