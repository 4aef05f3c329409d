package app

import (
	"os"
	"path/filepath"
	"testing"
)

const outside = "Expecting 'EOF', 'COMMENT', 'CONTENT', 'OPEN_BLOCK', got "

// What the parser says of a view that is broken is said in words, where it is one of the usual mistakes.
func TestDevHint(t *testing.T) {
	for _, test := range []struct {
		source, says string
		line, column int
		want         devHint
	}{
		{"<ul>\n  {{#each rows}}\n<li>{{name}}</li>\n", "Expecting 'INVERSE', 'OPEN_ENDBLOCK', got 'EOF'", 4, 1, devHint{"{{#each}} is not closed: {{/each}} is missing", 2, 3}},
		{"{{#if a}}{{#each b}}{{/each}}{{else}}", "Expecting 'OPEN_ENDBLOCK', got 'EOF'", 1, 38, devHint{"{{#if}} is not closed: {{/if}} is missing", 1, 1}},
		{"{{!-- {{/if}} --}}{{~#if a}}{{^}}{{! {{/if}}", "Expecting 'OPEN_ENDBLOCK', got 'EOF'", 1, 1, devHint{"{{#if}} is not closed: {{/if}} is missing", 1, 19}},
		{"{{#> box}}", "Expecting 'OPEN_ENDBLOCK', got 'EOF'", 1, 11, devHint{"{{#box}} is not closed: {{/box}} is missing", 1, 1}},
		{"x\ny {{/each}}", outside + "'OPEN_ENDBLOCK'", 2, 3, devHint{"{{/each}} closes nothing: there is no {{#each}} open before it", 0, 0}},
		{"{{else}}", outside + "'INVERSE'", 1, 1, devHint{"{{else}} stands outside of a block", 0, 0}},
		{"{{{name}}", "Expecting 'CLOSE_UNESCAPED', 'ID', got 'CLOSE'", 1, 8, devHint{"{{{ is closed by }} instead of }}}", 0, 0}},
		{"", "if doesn't match each", 1, 15, devHint{"{{#if}} is closed by {{/each}}", 0, 0}},
		{"{{name", "Expecting 'ID', 'STRING', got 'INVALID'", 1, 3, devHint{}},
		{"x", outside + "'OPEN_ENDBLOCK'", 9, 9, devHint{}},
		{"x", "Expecting 'OPEN_ENDBLOCK', got 'EOF'", 1, 1, devHint{}},
		{"x", "there is no partial", 1, 1, devHint{}},
	} {
		file := filepath.Join(t.TempDir(), "view.handlebars")
		if err := os.WriteFile(file, []byte(test.source), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, ok := hintFor(test.says, file, test.line, test.column); got != test.want || ok != (test.want != devHint{}) {
			t.Errorf("%q: %+v %t, want %+v", test.source, got, ok, test.want)
		}
	}
	if _, ok := hintFor("Expecting 'OPEN_ENDBLOCK', got 'EOF'", "nowhere.handlebars", 1, 1); ok {
		t.Error("a view that cannot be read has a hint")
	}
}
