package dev

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/internal/need"
)

// What Config.Env has gives way to the environment and to .env, as far as those say
// anything.
func TestEnviron(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("ZOCALO_TEST_FILE=file\nZOCALO_TEST_BLANK=\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZOCALO_TEST_SET", "set")
	t.Setenv("ZOCALO_TEST_EMPTY", "")
	var names []string
	for _, what := range []string{"SET", "EMPTY", "FILE", "BLANK", "NEW"} {
		names = append(names, "ZOCALO_TEST_"+what+"=ours")
	}
	got := map[string]string{}
	for _, entry := range environ(Config{Dir: dir, Env: names}) {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "ZOCALO_TEST_") {
			got[strings.TrimPrefix(name, "ZOCALO_TEST_")] = value // the last one counts
		}
	}
	want := map[string]string{"SET": "set", "EMPTY": "ours", "FILE": "file", "BLANK": "ours", "NEW": "ours"}
	if !maps.Equal(got, want) {
		t.Errorf("the app finds %v, want %v", got, want)
	}
}

// Who runs out of watches is told what helps on their system.
func TestWatchesUsedUp(t *testing.T) {
	for goos, cure := range map[string]string{"linux": "sysctl fs.inotify.max_user_watches=", "darwin": "ulimit -n ", "freebsd": "ulimit -n "} {
		if text := watchesUsedUp(goos); !strings.Contains(text, cure) {
			t.Errorf("%s: %s", goos, text)
		}
	}
}

// Where a process cannot be given the listener, the page that stands in for it
// answers before and after each process that listens by itself.
func TestPublicLetsGo(t *testing.T) {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := newPublic(ln, http.NotFoundHandler())
	defer p.stop()
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 20 {
		if err := p.reopen(); err != nil {
			t.Fatal(err)
		}
		if err := p.answer(); err != nil {
			t.Fatal(err)
		}
		res, err := client.Get("http://" + p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		p.yield()
		if err := p.release(); err != nil {
			t.Fatal(err)
		}
		other, err := net.Listen("tcp", p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		other.Close()
		if err := p.release(); err != nil { // for the next one
			t.Fatal(err)
		}
	}
}

func TestClassify(t *testing.T) {
	for name, want := range map[string]kind{
		"main.go": source, "a/b.go": source, "go.mod": source, "go.sum": source, ".env": source, "go.work": source,
		"public/a.css": style, "a.css": style,
		"views/index.handlebars": view, "views/notes.md": view, "x.html": view, "public/robots.txt": asset, "web/app.js": asset,
		"x.PNG": ignored, "logo.png": image, "views/logo.svg": image,
		"main_test.go": ignored, "README.md": ignored, "app.log": ignored, "data.db": ignored, "x.json": ignored,
		".main.go.swp": ignored, "main.go~": ignored, "#main.go#": ignored, ".#main.go": ignored, "4913": ignored, "main.go.tmp": ignored,
		"public/.DS_Store": ignored, "views/.index.handlebars.swp": ignored,
	} {
		if got := classify(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

func TestBuildProblem(t *testing.T) {
	b := &builder{dir: t.TempDir()}
	p := b.problem([]byte("# example.test/app\n./main.go:12:5: undefined: x\nroom/room.go:3: syntax error\n\thave (number)\n\twant ()\n/elsewhere/x.go:1:2: y\n"))
	want := []Error{
		{File: "main.go", Line: 12, Column: 5, Message: "undefined: x"},
		{File: "room/room.go", Line: 3, Message: "syntax error\nhave (number)\nwant ()"},
		{File: "/elsewhere/x.go", Line: 1, Column: 2, Message: "y"},
	}
	if fmt.Sprint(p.Errors) != fmt.Sprint(want) || p.Detail != "3 mistakes in 3 files." {
		t.Errorf("%s\n%v", p.Detail, p.Errors)
	}
	p = b.problem([]byte("go: errors parsing go.mod:\ngo.mod:3: unknown directive: requre\n"))
	if len(p.Errors) != 1 || p.Errors[0].File != "go.mod" || p.Errors[0].Line != 3 {
		t.Errorf("%v", p.Errors)
	}
	p = b.problem([]byte("pattern ./...: directory prefix . does not contain main module\n"))
	if len(p.Errors) != 0 || p.Output == "" {
		t.Errorf("%+v", p)
	}
}

// The compiler gives up after ten mistakes; the page must show all of them.
func TestAllMistakes(t *testing.T) {
	dir := t.TempDir()
	var main strings.Builder
	main.WriteString("package main\n\nfunc main() {\n")
	for i := range 25 {
		fmt.Fprintf(&main, "\tx%d()\n", i)
	}
	main.WriteString("}\n")
	for name, text := range map[string]string{"go.mod": "module x\n\ngo 1.26\n", "main.go": main.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b := &builder{dir: dir, pkg: ".", out: t.TempDir()}
	r, err := b.build(t.Context(), 1)
	if err != nil || r.problem == nil || len(r.problem.Errors) != 25 {
		t.Errorf("%+v %v", r.problem, err)
	}
}

func TestCaret(t *testing.T) {
	for _, test := range []struct {
		text   string
		column int
		want   string
	}{
		{"\tx := 1", 2, "\t^"}, {"abc", 1, "^"}, {"ñandú x", 9, "      ^"}, {"abc", 99, "   ^"}, {"", 1, "^"},
	} {
		if got := caret(test.text, test.column); got != test.want {
			t.Errorf("caret(%q, %d) = %q, want %q", test.text, test.column, got, test.want)
		}
	}
}

func TestTail(t *testing.T) {
	var out tail
	fmt.Fprint(&out, "\x1b[31mred\x1b[0m\n")
	if got := out.String(); got != "red" {
		t.Errorf("%q", got)
	}
	for range 100 {
		out.Write(bytes.Repeat([]byte("a line of the app\n"), 100))
	}
	if got := out.String(); len(got) > tailSize || !strings.HasPrefix(got, "a line of the app\n") {
		t.Errorf("%d bytes, starts with %.20q", len(got), got)
	}
}

// Whatever the line is, its coloured pieces are the line.
func FuzzPaint(f *testing.F) {
	for _, line := range []string{"", "\tif x := \"a\"; x != `b { // c", "'\\''", "/* open", "\x00\xff", "x\r"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\n") {
			return // a line has no line break
		}
		var b strings.Builder
		for _, s := range paint("x.go", line) {
			b.WriteString(s.Text)
		}
		if b.String() != line {
			t.Errorf("%q became %q", line, b.String())
		}
	})
}

func TestHubCutsWhoLags(t *testing.T) {
	h := newHub()
	page := h.join()
	for range pageBacklog + 5 {
		h.reload()
	}
	n := 0
	for range page { // ends, because the hub closed it
		n++
	}
	if n != pageBacklog {
		t.Errorf("%d events, want %d", n, pageBacklog)
	}
	h.leave(page)
	again := h.join()
	if e := <-again; e.name != "hello" || e.data != h.id() {
		t.Errorf("%+v", e)
	}
	h.close()
}

// The hostile tree: a loop of symbolic links, many files, a nested module, and
// directories that are never entered.
func TestWatchTree(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"public", "nested", ".git", "node_modules/x"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, filepath.Join(dir, "public", "loop")); err != nil {
		need.Missing(t, "no symbolic links here: %v", err)
	}
	put := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("nested/go.mod")
	for i := range 10_000 {
		put(fmt.Sprintf("public/%d.svg", i))
	}
	if err := os.WriteFile(filepath.Join(dir, "same.svg"), []byte("saved~"), 0o644); err != nil {
		t.Fatal(err)
	}
	w, err := newWatcher(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	changes, done := make(chan change), make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, changes, func(err error) { t.Error(err) })
	}()
	put("nested/x.go")
	put(".git/x.go")
	put("node_modules/x/x.js")
	for range 50 {
		put("saved~")
		if err := os.Rename(filepath.Join(dir, "saved~"), filepath.Join(dir, "same.svg")); err != nil { // whole at any time
			t.Fatal(err)
		}
		put("main.go")
	}
	if c := <-changes; fmt.Sprint(c) != "{[main.go] [] [] [] []}" {
		t.Errorf("%+v", c)
	}
	cancel()
	<-done
}

// A watcher that polls reports what is new, what has changed and what has gone,
// and none of it twice.
func TestPoll(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("main.go", "one")
	put("same.css", "one")
	put("gone.svg", "one")
	w, err := newWatcher(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	for round, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "{[] [] [] [] []}"},
		{func() { put("main.go", "three") }, "{[main.go] [] [] [] []}"},
		{func() {}, "{[] [] [] [] []}"},
		{func() { put("new.js", "x"); put("app.log", "x"); os.Remove(filepath.Join(dir, "gone.svg")) }, "{[] [] [gone.svg] [] [new.js]}"},
		{func() { os.Chtimes(filepath.Join(dir, "same.css"), time.Time{}, time.Unix(1, 0)) }, "{[] [] [] [] []}"},
		{func() { put("same.css", "two") }, "{[] [same.css] [] [] []}"},
		{func() {}, "{[] [] [] [] []}"},
	} {
		step.do()
		if err := w.look(round + 1); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(w.changes()); got != step.want {
			t.Errorf("round %d: %s, want %s", round+1, got, step.want)
		}
	}
}

func TestDialable(t *testing.T) {
	for text, want := range map[string]string{"127.0.0.1:80": "127.0.0.1:80", "0.0.0.0:80": "localhost:80", "[::]:80": "localhost:80", "[::1]:80": "[::1]:80"} {
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(text))
		if got := dialable(addr); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
