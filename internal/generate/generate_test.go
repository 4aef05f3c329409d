package generate

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hello is an app as somebody may have changed it.
const hello = `package main

import (
	web "github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/realtime"
)

func newServer() *web.App {
	site := web.New()
	site.Use(web.Static("public"))
	io := realtime.NewServer(realtime.Config{})
	io.On("connection", func(socket *realtime.Socket) {
		socket.On("wave", func() {})
	})
	site.Mount("/live/", io)

	// Routes.
	site.Route("/book").Get(nil)
	site.OnError(nil)
	return site
}

func main() { newServer().Listen("") }
`

// scratch is a directory with files, name and text in turn.
func scratch(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func text(t *testing.T, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func apply(t *testing.T, r Request) *Plan {
	t.Helper()
	plan, err := r.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Apply(); err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestEdits(t *testing.T) {
	dir := scratch(t, "main.go", hello)
	page := apply(t, Request{Dir: dir, Kind: "page", Name: "docs/about-us"})
	if want := []string{"docs_about_us_page.go", "docs_about_us_page.html", "docs_about_us_page_test.go"}; !slices.Equal(page.Files, want) || page.Add != "" {
		t.Errorf("%+v", page)
	}
	apply(t, Request{Dir: dir, Kind: "event", Name: "note created"})
	apply(t, Request{Dir: dir, Kind: "resource", Name: "city"})
	want := strings.Replace(hello, "\tsite.Route", "\tsite.Group(\"/cities\", new(cityStore).routes)\n\tsite.Get(\"/docs/about-us\", docsAboutUsPage)\n\tsite.Route", 1)
	want = strings.Replace(want, "\t})\n", "\t})\n\tio.On(\"connection\", onNoteCreated)\n", 1)
	if got := text(t, dir, "main.go"); got != want {
		t.Errorf("main.go became\n%s", got)
	}
	if got := text(t, dir, "note_created_event_test.go"); !strings.Contains(got, `"/live/?EIO=4`) || !strings.Contains(got, `421["note created",{"text":"Hola"}]`) {
		t.Errorf("the test does not ask where the sockets are:\n%s", got)
	}

	// A second time, by force: the files anew, the line once.
	again := Request{Dir: dir, Kind: "resource", Name: "city"}
	var exists *ExistsError
	if _, err := again.Plan(); !errors.As(err, &exists) || len(exists.Files) != 2 {
		t.Errorf("a second city: %v", err)
	}
	again.Force = true
	if plan := apply(t, again); plan.Edited != "" || plan.Add != "" {
		t.Errorf("%+v", plan)
	}
	if got := text(t, dir, "main.go"); got != want {
		t.Errorf("main.go became\n%s", got)
	}
}

// Files that are not formatted, or have Windows' ends of lines, keep their form.
func TestEditsKeepTheForm(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"not formatted": func(s string) string { return strings.ReplaceAll(s, "site.Use(", "site . Use( ") },
		"CRLF":          func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	} {
		dir := scratch(t, "main.go", change(hello))
		apply(t, Request{Dir: dir, Kind: "resource", Name: "city"})
		want := change(strings.Replace(hello, "\tsite.Route", "\tsite.Group(\"/cities\", new(cityStore).routes)\n\tsite.Route", 1))
		if got := text(t, dir, "main.go"); got != want {
			t.Errorf("%s: main.go became\n%q", name, got)
		}
	}
}

// What has no place in the app is for the user to add.
func TestPrintsTheLine(t *testing.T) {
	dir := scratch(t, "main.go", "package main\n\nimport \"github.com/zocalo-go/zocalo/app\"\n\nfunc newServer() *app.App {\n\tserver := app.New()\n\tserver.Engine(\"handlebars\", nil)\n\treturn server\n}\n")
	plan := apply(t, Request{Dir: dir, Kind: "event", Name: "ping"})
	if plan.Edited != "" || plan.Add == "" || plan.Line != `sockets.On("connection", onPing)` {
		t.Errorf("%+v", plan)
	}
	plan = apply(t, Request{Dir: dir, Kind: "page", Name: "about"})
	if plan.Edited != "main.go" || !slices.Contains(plan.Files, "views/about.handlebars") {
		t.Errorf("%+v", plan)
	}
	if got := text(t, dir, "main.go"); !strings.Contains(got, "\tserver.Get(\"/about\", aboutPage)\n\treturn server\n") {
		t.Errorf("main.go became\n%s", got)
	}
}

func TestRefusals(t *testing.T) {
	twice := strings.Replace(hello, "func main", "func other() *web.App {\n\ts := web.New()\n\treturn s\n}\n\nfunc main", 1)
	for name, test := range map[string]struct {
		dir  string
		want string
	}{
		"no Go":            {t.TempDir(), "there are no Go files here"},
		"does not parse":   {scratch(t, "main.go", "package main\n\nfunc {"), "has to parse"},
		"no constructor":   {scratch(t, "main.go", "package main\n\nfunc main() {}\n"), "func newServer() *app.App"},
		"two constructors": {scratch(t, "main.go", twice), "both newServer and other make an app"},
		"a name is taken":  {scratch(t, "main.go", hello, "x_test.go", "package main\n\ntype City int\n"), "would declare City, which x_test.go does already"},
		"a file is there":  {scratch(t, "main.go", hello, "city_resource_test.go", "package main\n"), "city_resource_test.go\nwith --force"},
	} {
		before, _ := os.ReadDir(test.dir)
		_, err := Request{Dir: test.dir, Kind: "resource", Name: "city"}.Plan()
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadDir(test.dir); len(after) != len(before) {
			t.Errorf("%s: files were written", name)
		}
	}
}

// When the last file cannot be written, none is left.
func TestApplyLeavesNothing(t *testing.T) {
	dir := scratch(t, "main.go", strings.Replace(hello, "site.Use(", "site.Engine(\"x\", nil)\n\tsite.Use(", 1))
	plan, err := Request{Dir: dir, Kind: "page", Name: "about"}.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "views"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := plan.Apply(); err == nil {
		t.Error("views is a file, and has a view in it")
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
	if strings.Contains(text(t, dir, "main.go"), "about") {
		t.Error("main.go was edited")
	}
}

func TestCheckName(t *testing.T) {
	for _, test := range []struct {
		kind, good, bad string
	}{
		{"page", "about|about-us|docs/start|a1|x-linux|test", "|/|About|about_us|-a|a-|a//b|../a|a b|socket.io|a.b|é"},
		{"event", "ping|note created|note:created|a.b|Ping|note_created", "|connect|connection|disconnect|disconnecting|connect_error|newListener| a|a  b|a\"b|a\n|é|1a"},
		{"resource", "article|blog-post|x9", "|Article|a/b|a_b|a.b|9x|../x"},
	} {
		for name := range strings.SplitSeq(test.good, "|") {
			if err := CheckName(test.kind, name); err != nil {
				t.Error(err)
			}
		}
		for name := range strings.SplitSeq(test.bad, "|") {
			if CheckName(test.kind, name) == nil {
				t.Errorf("%s %q is allowed", test.kind, name)
			}
		}
		if CheckName(test.kind, strings.Repeat("a", 61)) == nil {
			t.Errorf("%s: a very long name is allowed", test.kind)
		}
	}
	if CheckName("model", "x") == nil {
		t.Error("a model is allowed")
	}
}

func TestPlural(t *testing.T) {
	for one, many := range map[string]string{"article": "articles", "city": "cities", "day": "days", "box": "boxes", "match": "matches", "bus": "buses"} {
		if got := plural(one); got != many {
			t.Errorf("%s: %s", one, got)
		}
	}
}
