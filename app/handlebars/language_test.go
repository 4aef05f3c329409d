package handlebars_test

import (
	"bytes"
	"fmt"
	"html/template"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aymerick/raymond"

	"github.com/zocalo-go/zocalo/app/handlebars"
)

func renderString(config handlebars.Config, source string, data any) (string, error) {
	t, err := handlebars.New(config).Compile("test", source)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = t.Render(&out, data)
	return out.String(), err
}

type base struct{ Created time.Time }

type user struct {
	base
	ID       int
	UserName string
	URL      string
	Email    string `json:"mail,omitempty"`
	Secret   string `handlebars:"-"`
	Renamed  string `handlebars:"alias" json:"other"`
	Boss     *user
	Tags     []string
	hidden   string
}

func (user) Method() string { return "called" }

type money int

func (m money) String() string { return fmt.Sprintf("$%d<", int(m)) }

func TestData(t *testing.T) {
	u := &user{
		base: base{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		ID:   7, UserName: "ana", URL: "/a?b", Email: "a@b", Secret: "s", Renamed: "r",
		Boss: &user{UserName: "eva"}, Tags: []string{"x", "y"}, hidden: "h",
	}
	var nobody *user
	for source, want := range map[string]string{
		"{{u.id}} {{u.ID}} {{u.userName}} {{u.username}} {{u.url}}":                       "7 7 ana ana /a?b",
		"{{u.mail}} {{u.Email}} {{u.alias}} {{u.other}} {{u.renamed}}":                    "a@b a@b r r r",
		"[{{u.secret}}{{u.Secret}}{{u.hidden}}{{u.method}}{{u.Method}}]":                  "[]",
		"{{u.boss.userName}}[{{u.boss.boss.userName}}]":                                   "eva[]",
		"{{u.tags}} {{u.tags.length}} {{u.tags.[1]}} {{lookup u.tags 0}}[{{u.tags.[7]}}]": "x,y 2 y x[]",
		"{{u.created}}":                   "2026-01-02 03:04:05 +0000 UTC",
		"{{#with u.boss}}{{id}}{{/with}}": "0",
		"{{#with nobody}}x{{else}}none{{/with}}{{nobody}}{{nobody.id}}":                                      "none",
		"{{#each users}}{{userName}}{{@index}}{{#unless @last}},{{/unless}}{{/each}}":                        "ana0,eva1",
		"{{#each byID}}{{@key}}={{this}};{{/each}}{{byID.[2]}}":                                              "2=b;10=a;b",
		"{{#each names}}{{@key}}={{this}}{{#if @last}}.{{/if}}{{/each}}":                                     "a=1b=2.",
		"{{#each point}}{{@key}}={{this}};{{/each}}":                                                         "X=1;why=2;",
		"{{#each seq}}{{this}}{{@index}}{{@first}}{{@last}} {{/each}}":                                       "a0truefalse b1falsetrue ",
		"{{#each seq2 as |v k|}}{{k}}:{{v}} {{/each}}":                                                       "0:a 1:b ",
		"{{#each none}}x{{else}}empty{{/each}}{{#each array}}{{this}}{{/each}}":                              "empty12",
		"{{price}} {{{price}}} {{#each prices}}{{this}}{{/each}}":                                            "$3&lt; $3< $4&lt;",
		"{{f}} {{big}} {{small}} {{neg}} {{u8}} {{f32}} {{nan}}":                                             "1.5 1e+21 1e-7 -1 200 0.1 NaN",
		"{{safe}} {{raymond}} {{tmpl}} {{struct.safe}} {{list}}":                                             "<b> <b> <b> <b> &lt;b&gt;,&lt;i&gt;",
		"{{greet}} {{#if yes}}y{{/if}} {{add 1 2}} {{{bytes}}}":                                              "hi y 3 <x>",
		"{{#if zero}}T{{else}}F{{/if}}{{#if zero includeZero=true}}T{{/if}}{{#with zero}}W{{/with}}":         "FTW",
		"{{#if emptyMap}}T{{else}}F{{/if}}{{#if nilMap}}T{{else}}F{{/if}}{{#if emptyList}}T{{else}}F{{/if}}": "TFF",
		"{{cyclic}}": ",x,",
	} {
		cyclic := []any{nil, "x", nil}
		cyclic[0], cyclic[2] = cyclic, cyclic
		got, err := renderString(handlebars.Config{}, source, map[string]any{
			"u": u, "nobody": nobody, "users": []user{*u, *u.Boss},
			"byID": map[int]string{10: "a", 2: "b"}, "names": map[string]int{"b": 2, "a": 1},
			"point": struct {
				X int
				Y int `json:"why"`
				z int
			}{1, 2, 3},
			"seq": slices.Values([]string{"a", "b"}), "seq2": slices.All([]string{"a", "b"}),
			"none": []int{}, "array": [2]int{1, 2}, "price": money(3), "prices": []money{4},
			"f": 1.5, "big": 1e21, "small": 1e-7, "neg": -1, "u8": uint8(200), "f32": float32(0.1), "nan": nan(),
			"safe": handlebars.SafeString("<b>"), "raymond": raymond.SafeString("<b>"), "tmpl": template.HTML("<b>"),
			"struct": struct{ Safe handlebars.SafeString }{"<b>"}, "list": []any{"<b>", handlebars.SafeString("<i>")},
			"greet": func() string { return "hi" }, "yes": func() bool { return true },
			"add": func(a, b int) int { return a + b }, "bytes": []byte("<x>"), "zero": 0,
			"emptyMap": map[string]any{}, "nilMap": map[string]int(nil), "emptyList": []string{}, "cyclic": cyclic,
		})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
}

func nan() float64 { var zero float64; return zero / zero }

// ordered is an Object: a map with an order.
type ordered []struct {
	name  string
	value any
}

func (o ordered) Property(name string) (any, bool) {
	for _, p := range o {
		if p.name == name {
			return p.value, true
		}
	}
	return nil, false
}

func (o ordered) Properties() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, p := range o {
			if !yield(p.name, p.value) {
				return
			}
		}
	}
}

func TestObject(t *testing.T) {
	o := ordered{{"z", 1}, {"a", 2}}
	for name, data := range map[string]any{
		"value": map[string]any{"o": o}, "pointer": map[string]any{"o": &o}, "field": struct{ O ordered }{o}, "field of a pointer": &struct{ O *ordered }{&o},
	} {
		got, err := renderString(handlebars.Config{}, "{{#each o}}{{@key}}{{this}}{{/each}}{{o.a}}{{#with o}}{{z}}{{/with}}", data)
		if err != nil || got != "z1a221" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestHelpers(t *testing.T) {
	type point struct{ X, Y int }
	config := handlebars.Config{Helpers: handlebars.Helpers{
		"upper":  strings.ToUpper,
		"repeat": strings.Repeat,
		"join":   func(sep string, items ...string) string { return strings.Join(items, sep) },
		"sum": func(numbers ...float64) (total float64) {
			for _, n := range numbers {
				total += n
			}
			return total
		},
		"eq": func(a, b any) bool { return a == b },
		"bold": func(s string) handlebars.SafeString {
			return handlebars.SafeString("<b>" + handlebars.Escape(s) + "</b>")
		},
		"x":     func(p point) int { return p.X },
		"px":    func(p *point) int { return p.X },
		"texts": func(list []string) int { return len(list) },
		"ints":  func(list []int) int { return len(list) },
		"quiet": func() {},
		"list": func(items []any, o *handlebars.Options) string {
			var b strings.Builder
			for i, item := range items {
				b.WriteString(o.FnData(item, map[string]any{"index": i}, item, i))
			}
			if len(items) == 0 {
				return o.Inverse()
			}
			return b.String()
		},
		"link": func(o *handlebars.Options) handlebars.SafeString {
			keys := slices.Sorted(maps.Keys(o.Hash()))
			return handlebars.SafeString(fmt.Sprint(o.Name(), keys, o.HashStr("n"), o.Params(), o.IsBlock(), o.Value("name"), o.Data("root") != nil))
		},
		"raw":     func(o *handlebars.Options) string { return o.Fn() },
		"twice":   func(o *handlebars.Options) string { return o.Fn() + o.Fn() },
		"rescue":  func(o *handlebars.Options) (s string) { defer func() { _ = recover() }(); return o.Fn() },
		"this":    func(o *handlebars.Options) string { return fmt.Sprint(o.Ctx()) },
		"params":  func(o *handlebars.Options) int { return o.BlockParams() },
		"panics":  func() string { panic("x") },
		"unless":  func(o *handlebars.Options) string { return "mine" },
		"nothing": func() any { return nil },
	}}
	data := map[string]any{
		"name": "ana", "one": 1, "words": []string{"a", "b"}, "any": []any{"c", 2}, "p": point{3, 4}, "pp": &point{5, 6}, "empty": []any{},
		"nums": []float64{1, 2},
	}
	for source, want := range map[string]string{
		"{{upper name}}{{upper}}{{upper 1}}":                                                      "ANA1",
		`{{repeat "ab" 2}}{{repeat "x" "3"}}`:                                                     "ababxxx",
		`{{join "-" "a" 1 name}} {{join}} {{sum 1 2.5 "3"}}`:                                      "a-1-ana  6.5",
		`{{#if (eq name "ana")}}y{{/if}}{{eq one 1}}`:                                             "ytrue",
		"{{bold '<'}}{{{bold name}}}":                                                             "<b>&lt;</b><b>ana</b>",
		"{{x p}}{{x pp}}{{px pp}}{{texts words}}{{texts any}}{{ints nums}}":                       "355222",
		"[{{quiet}}{{nothing}}]":                                                                  "[]",
		"{{#list any as |item i|}}{{i}}{{item}}{{this}}{{@index}} {{else}}none{{/list}}":          "0cc0 1221 ",
		"{{#list empty}}x{{else}}none{{/list}}":                                                   "none",
		`{{link a=1 n="q" 2}}`:                                                                    "",
		`{{link 1 name n="q" z=2}}`:                                                               "link[n z]q[1 ana] falseanatrue",
		"{{{{raw}}}} {{x}} {{{{/raw}}}}":                                                          " {{x}} ",
		"{{#twice}}{{name}}{{/twice}}":                                                            "anaana",
		"{{#rescue}}{{#each words}}{{#with ../p}}{{panics}}{{/with}}{{/each}}{{/rescue}}{{name}}": "ana",
		"{{#with p}}{{this}}{{/with}}{{#with p}}{{#this}}x{{/this}}{{/with}}":                     "[object Object]x",
		"{{#params as |a b c|}}{{/params}}{{#params}}{{/params}}":                                 "30",
		"{{#unless true}}x{{/unless}}":                                                            "mine",
		"{{#upper name}}ignored{{/upper}}":                                                        "ANA",
		"{{#each words}}{{upper .}}{{upper ../name}}{{/each}}":                                    "AANABANA",
		"{{> (upper 'p')}}":                                                                       "the partial",
		"{{lookup words one}}{{lookup p 'y'}}{{lookup nothing 1}}":                                "b4",
	} {
		config.Partials = map[string]string{"P": "the partial"}
		got, err := renderString(config, source, data)
		if source == `{{link a=1 n="q" 2}}` {
			if err == nil {
				t.Error("an argument after named ones was accepted")
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
}

func TestStrictCompat(t *testing.T) {
	config := handlebars.Config{Strict: true, Compat: true}
	data := map[string]any{"name": "root", "none": nil, "items": []any{map[string]any{}, map[string]any{"name": nil}, map[string]any{"name": "own"}}}
	got, err := renderString(config, "{{#each items}}[{{name}}]{{/each}}{{none}}", data)
	if want := "[root][][own]"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	_, err = renderString(config, "{{#each items}}\n{{nobody}}{{/each}}", data)
	wantError(t, err, `test:2:3: "nobody" not defined in undefined`)
}

func TestOptionsAfterTheCall(t *testing.T) {
	var kept *handlebars.Options
	_, err := renderString(handlebars.Config{Helpers: handlebars.Helpers{
		"keep": func(o *handlebars.Options) string { kept = o; return "" },
	}}, "{{#keep}}x{{/keep}}", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Options worked after the helper had returned")
		}
	}()
	kept.Fn()
}

func TestDeep(t *testing.T) {
	blocks := func(n int) string { return strings.Repeat("{{#a}}", n) + "x" + strings.Repeat("{{/a}}", n) }
	for name, c := range map[string]struct{ source, want, err string }{
		"blocks":           {blocks(900), "x", ""},
		"too many blocks":  {blocks(20_000), "", "more than 1000 blocks inside each other"},
		"too many elses":   {"{{#if b}}" + strings.Repeat("{{else if b}}", 20_000) + "{{/if}}", "", "more than 1000 blocks"},
		"sub-expressions":  {"{{lookup a " + strings.Repeat("(lookup a ", 20_000) + "1", "", "more than 1000 sub-expressions"},
		"braces":           {strings.Repeat("{{", 500_000), "", "Expecting"},
		"long text":        {strings.Repeat("text ", 10_000), strings.Repeat("text ", 10_000), ""},
		"long comment":     {"{{!-- " + strings.Repeat(" ", 30_000) + "--}}", "", ""},
		"escaped tags":     {strings.Repeat(`\{{`, 30_000), strings.Repeat("{{", 30_000), ""},
		"raw blocks":       {"{{{{r}}}}" + strings.Repeat("{{{{a}}}}", 10_000) + strings.Repeat("{{{{/a}}}}", 10_000) + "{{{{/r}}}}", "", ""},
		"long white space": {"{{#if a}}" + strings.Repeat(" ", 30_000) + "{{/if}}", strings.Repeat(" ", 30_000), ""},
	} {
		got, err := renderString(handlebars.Config{}, c.source, map[string]any{"a": true})
		if c.err != "" {
			wantError(t, err, c.err)
		} else if err != nil || got != c.want {
			t.Errorf("%s: got %.20q, %v", name, got, err)
		}
	}
}

func TestDeepData(t *testing.T) {
	config := handlebars.Config{Partials: map[string]string{"node": "{{name}}{{#each children}}({{> node}}){{/each}}"}}
	type node map[string]any
	tree := node{"name": "leaf"}
	for range 200 {
		tree = node{"name": "n", "children": []node{tree}}
	}
	got, err := renderString(config, "{{> node}}", tree)
	if want := strings.Repeat("n(", 200) + "leaf" + strings.Repeat(")", 200); err != nil || got != want {
		t.Errorf("got %.40q, %v", got, err)
	}
	tree["children"] = []node{tree}
	_, err = renderString(config, "{{> node}}", tree)
	wantError(t, err, "the partial node is included more than 1000 levels deep")
}

func TestEscape(t *testing.T) {
	if got := handlebars.Escape("&<>\"'`=é"); got != "&amp;&lt;&gt;&quot;&#x27;&#x60;&#x3D;é" {
		t.Error(got)
	}
}

// TestPartialScopes are cases that handlebars.js 4.7.10 answered.
func TestPartialScopes(t *testing.T) {
	data := map[string]any{"name": "N", "o": map[string]any{"name": "on"}, "list": []any{"a", "b"}}
	partials := map[string]string{
		"q":      "{{#> @partial-block}}none{{/@partial-block}}",
		"layout": "<{{> title}}|{{> @partial-block}}>",
		"name":   "{{name}}",
	}
	for source, want := range map[string]string{
		`{{> p k=1}}{{#*inline "p"}}[{{../name}}{{name}}]{{/inline}}`:                                                    "[N]",
		`{{#with o}}{{#*inline "p"}}[{{../name}}{{name}}]{{/inline}}{{> p}}{{> p k=1}}{{/with}}`:                         "[Non][Non]",
		`{{#each list}}{{#*inline "p"}}{{this}}{{@index}}{{/inline}}{{> p}}{{/each}}`:                                    "a0b1",
		`{{#*inline "a"}}A{{> b}}{{/inline}}{{#if o}}{{#*inline "b"}}B{{/inline}}{{> a}}{{/if}}`:                         "AB",
		`{{#> zz}}{{#*inline "zz"}}in{{/inline}}out{{/zz}}`:                                                              "out",
		`{{#> layout}}{{#*inline "title"}}T{{name}}{{/inline}}body{{/layout}}`:                                           "<TN|body>",
		`{{#> q}}{{#> q}}{{name}}{{/q}}{{/q}}{{> q}}`:                                                                    "Nnone",
		`{{#each list as |v i|}}{{#> q}}{{v}}{{i}}{{@index}}{{../name}}{{/q}}{{/each}}`:                                  "a00Nb11N",
		`{{#with o}}{{> name}}{{> name name="x"}}{{> name ..}}{{/with}}{{> (lookup . "o.name")}}`:                        "",
		`{{#*inline "p"}}1{{/inline}}{{#*inline "p"}}2{{/inline}}{{> p}}`:                                                "2",
		`{{#> q o}}{{name}}{{../name}}{{/q}}`:                                                                            "onN",
		`{{#*inline "row"}}{{#each list}}{{this}}{{> @partial-block}}{{/each}}{{/inline}}{{#> row}},{{@index}};{{/row}}`: "a,0;b,1;",
	} {
		got, err := renderString(handlebars.Config{Partials: partials}, source, data)
		if strings.Contains(source, "lookup") {
			wantError(t, err, "The partial undefined could not be found")
		} else if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
}
