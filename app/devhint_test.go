package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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

// A mistake is an error as the view engine makes them.
type mistake struct {
	file         string
	line, column int
	said         string
}

func (m mistake) Error() string                { return fmt.Sprintf("%s:%d:%d: %s", m.file, m.line, m.column, m.said) }
func (m mistake) Position() (string, int, int) { return m.file, m.line, m.column }
func (m mistake) Excerpt() string              { return "" }

// In development the log, the page of the last requests and the answer as JSON say of a broken view what its error page
// says: the place where to mend it, in words.
func TestMistakesInWords(t *testing.T) {
	var log bytes.Buffer
	previous := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(previous)
	t.Setenv(devVariable, "127.0.0.1:1") // nobody asks it
	t.Chdir(t.TempDir())
	if err := os.WriteFile("view.handlebars", []byte("<ul>\n  {{#each rows}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	open := mistake{"view.handlebars", 3, 1, "Expecting 'INVERSE', 'OPEN_ENDBLOCK', got 'EOF'"}
	other := mistake{"view.handlebars", 1, 1, "there is no partial"}
	for _, test := range []struct {
		env  string
		err  error
		want string
	}{
		{"development", fmt.Errorf("page: %w", open), "view.handlebars:2:3: {{#each}} is not closed: {{/each}} is missing"},
		{"development", fmt.Errorf("page: %w", other), "page: view.handlebars:1:1: there is no partial"},
		{"production", open, open.Error()},
	} {
		t.Setenv("ZOCALO_ENV", test.env)
		server := New()
		server.Get("/", func(*Request, *Response) error { return test.err })
		log.Reset()
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", "application/json")
		server.ServeHTTP(w, r)
		if want := "error=" + fmt.Sprintf("%q", test.want); !strings.Contains(log.String(), want) {
			t.Errorf("%s: the log says %s, not %s", test.env, log.String(), want)
		}
		if test.env == "production" {
			continue
		}
		if requests, _ := server.dev.watch.since(0); len(requests) != 1 || requests[0].Error != test.want {
			t.Errorf("the last requests are %+v", requests)
		}
		var answer struct{ Error struct{ Message string } }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error.Message != test.want {
			t.Errorf("the answer is %s", w.Body)
		}
	}
}
