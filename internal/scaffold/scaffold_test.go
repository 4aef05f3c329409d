package scaffold

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/zocalo-go/zocalo/internal/need"
)

var update = flag.Bool("update", false, "write needed/*.txt anew")

// here is the framework of this checkout.
func here(t *testing.T) Framework {
	t.Helper()
	f, err := Find(nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, a App) []string {
	t.Helper()
	files, err := a.Write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "hello")
	a := App{Name: "hello", Module: "example.com/towns/hello", Dir: dir, Framework: here(t)}
	names := write(t, a)
	for _, want := range []string{"main.go", "main_test.go", "README.md", ".gitignore", "go.mod", "go.sum", "views/index.handlebars", "views/layouts/main.handlebars", "public/plaza.js"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if len(names) > 20 {
		t.Errorf("%d files, want at most 20", len(names))
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
		}
		if source := string(text); strings.Contains(source, framework+"/views") || strings.Contains(source, framework+"/public") || strings.Contains(source, "{{module}}") {
			t.Errorf("%s still has the framework's paths", name)
		}
		if filepath.Ext(name) == ".go" {
			if formatted, err := format.Source(text); err != nil || string(formatted) != string(text) {
				t.Errorf("%s is not formatted: %v", name, err)
			}
		}
	}
	if got := ModulePath(dir); got != a.Module {
		t.Errorf("module %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	t.Run("into an empty directory", func(t *testing.T) {
		write(t, App{Name: "hello", Dir: t.TempDir(), Framework: here(t)})
	})
}

func TestWriteLeavesNothingWhenItFails(t *testing.T) {
	parent := t.TempDir()
	empty := func() {
		t.Helper()
		if entries, _ := os.ReadDir(parent); len(entries) > 0 {
			t.Errorf("left behind: %v", entries)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := App{Name: "hello", Dir: filepath.Join(parent, "hello"), Framework: here(t)}
	if _, err := a.Write(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	empty()
	a.Framework = Framework{Dir: t.TempDir()}
	if _, err := a.Write(t.Context()); err == nil {
		t.Error("no error without a framework")
	}
	empty()
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	for i := range 12 {
		os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%02d", i)), nil, 0o644)
	}
	os.Mkdir(filepath.Join(dir, "aaa"), 0o755)
	_, err := App{Name: "hello", Dir: dir, Framework: here(t)}.Write(t.Context())
	var exists *ExistsError
	if !errors.As(err, &exists) || len(exists.Entries) != 13 {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"aaa/", "file00", "and 3 more"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"hello": true, "Hello-2_b": true, "my.app": true, "fmt": true,
		"": false, ".": false, "..": false, "-x": false, "2x": false, "a b": false, "a/b": false, "ñ": false, "x.": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for module, ok := range map[string]bool{
		"hello": true, "example.com/a/b-c": true, "example.com/~me/x.v2": true,
		"": false, "/a": false, "a/": false, "a//b": false, "a/../b": false, "a b": false, "a@v1": false, "https://example.com": false, "a/.b": false, "cmd/x": false,
		"main": false, "internal": false, "vendor": false, "std": false, "all": false, "fmt": false, "time/x": false, "go": false,
		"example.com/log": true, "logs": true, "con": false, "example.com/Aux.v2": false, "console": true, "~me": false,
	} {
		if err := CheckModule(module); (err == nil) != ok {
			t.Errorf("module %q: %v", module, err)
		}
	}
}

// A module that is called like a package of the standard library does not build.
func TestKeptNames(t *testing.T) {
	list, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(string(list)) {
		if CheckModule(pkg) == nil {
			t.Errorf("a module may be called %s", pkg)
		}
	}
}

// A release is found in the module cache, with all four lines of go.sum.
func TestRelease(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("GOMODCACHE", cache)
	mod := "module " + framework + "\n\ngo 1.26.0\n\nrequire (\n\texample.com/x v1.0.0\n)\n"
	info := &debug.BuildInfo{Main: debug.Module{Path: framework, Version: "v1.2.3-RC1", Sum: "h1:zip="}}

	_, err := Find(info)
	if err == nil || !strings.Contains(err.Error(), "go mod download "+framework+"@v1.2.3-RC1\n") {
		t.Errorf("without a cache: %v", err)
	}

	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(cache, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("cache/download/"+framework+"/@v/v1.2.3-!r!c1.mod", mod)
	source := here(t).Dir
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		put(framework+"@v1.2.3-!r!c1/"+name, string(text))
	}
	f, err := Find(info)
	if err != nil {
		t.Fatal(err)
	}
	if f.Version != "v1.2.3-RC1" || f.Sum != "h1:zip=" {
		t.Errorf("%+v", f)
	}
	dir := filepath.Join(t.TempDir(), "hello")
	write(t, App{Name: "hello", Dir: dir, Framework: f})
	text, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
	if !strings.Contains(string(text), framework+" v1.2.3-RC1\n") || strings.Contains(string(text), "replace") {
		t.Errorf("go.mod:\n%s", text)
	}
	text, _ = os.ReadFile(filepath.Join(dir, "go.sum"))
	for _, want := range []string{framework + " v1.2.3-RC1 h1:zip=\n", framework + " v1.2.3-RC1/go.mod " + hashMod([]byte(mod)) + "\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("go.sum has no %q:\n%s", want, text)
		}
	}
}

// The hash is the one that the go command has written for a module of ours.
func TestHashMod(t *testing.T) {
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(here(t).Dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for line := range strings.Lines(string(sums)) {
		words := strings.Fields(line)
		version, isMod := strings.CutSuffix(words[1], "/go.mod")
		if !isMod {
			continue
		}
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(cache)), "cache", "download", filepath.FromSlash(escaped(words[0])), "@v", escaped(version)+".mod"))
		if err != nil {
			continue
		}
		compared++
		if got := hashMod(text); got != words[2] {
			t.Errorf("%s %s: %s, want %s", words[0], version, got, words[2])
		}
	}
	if compared == 0 {
		need.Missing(t, "the module cache has no go.mod of go.sum")
	}
}

func TestParseMod(t *testing.T) {
	m := parseMod("module \"example.com/ab\" // name\n\ngo 1.26\n\nrequire example.com/x v1.0.0 // indirect\nrequire (\n\t\"example.com/y\" v2.0.0+incompatible\n)\nexclude (\n\texample.com/x v0.9.0\n)\nreplace example.com/y => ../y\n")
	if m.module != "example.com/ab" || m.goVersion != "1.26" || !maps.Equal(m.require, map[string]string{"example.com/x": "v1.0.0", "example.com/y": "v2.0.0+incompatible"}) {
		t.Errorf("%+v", m)
	}
}

func TestReplaceIsQuoted(t *testing.T) {
	for path, want := range map[string]string{"/a/b": "/a/b", "/a b/c": `"/a b/c"`, "/x(1)": `"/x(1)"`} {
		if got := quoted(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module x\n\ngo 1.26\n", "go.sum": "",
	} {
		os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755)
		os.WriteFile(filepath.Join(root, name), []byte(text), 0o644)
	}
	names, err := needed.ReadFile("needed/chat.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(strings.NewReplacer("// indirect", "", "// sum", "").Replace(string(names))) {
		f, _ := os.OpenFile(filepath.Join(root, "go.mod"), os.O_APPEND|os.O_WRONLY, 0)
		fmt.Fprintf(f, "require %s v1.0.0\n", line)
		f.Close()
	}
	a := App{Name: "hello", Module: "zz.example/hello", Template: "chat", Port: 3000, Framework: Framework{Dir: root}}
	files, err := a.files([]fs.FS{fstest.MapFS{"env.example": {Data: []byte("PORT={{port}}\n")}, "Dockerfile": {Data: []byte("FROM golang:{{go}}\n")}}, fstest.MapFS{
		"main.go":   {Data: []byte("package main\n\nimport (\n\t\"fmt\"\n\n\t\"" + framework + "/app\"\n\n\t\"" + framework + "/public\"\n\t\"" + framework + "/views\"\n)\n\nvar _ = fmt.Sprint(app.Files(\"public\", public.FS), app.Files(\"views\", views.FS))\n")},
		"README.md": {Data: []byte("# {{name}}\n\ngo run {{module}}\n")},
		"gitignore": {Data: []byte("*.log\n")},
	}}, map[string]fs.FS{"views": fstest.MapFS{"a.handlebars": {Data: []byte("{{name}}")}}, "public": fstest.MapFS{}})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{".env", ".env.example", ".gitignore", "Dockerfile", "README.md", "go.mod", "go.sum", "main.go", "views/a.handlebars"}) {
		t.Errorf("files %q", got)
	}
	for name, want := range map[string]string{
		".env":               "PORT=3000\n",
		".env.example":       "PORT=3000\n",
		"Dockerfile":         "FROM golang:1.26\n",
		"README.md":          "# hello\n\ngo run zz.example/hello\n",
		"views/a.handlebars": "{{name}}",
		"main.go": "package main\n\nimport (\n\t\"embed\"\n\t\"fmt\"\n\t\"io/fs\"\n\n\t\"" + framework + "/app\"\n)\n" +
			fmt.Sprintf(embedding, "public views") + "\nvar _ = fmt.Sprint(files(\"public\"), files(\"views\"))\n" + embedded,
	} {
		if got := string(files[name]); got != want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

// The generated apps are formatted, build, pass vet and their own tests, and are
// tidy, with no network and no change to their go.mod and go.sum.
func TestGeneratedApp(t *testing.T) {
	for _, template := range Templates() {
		t.Run(template, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "hello")
			names := write(t, App{Name: "hello", Dir: dir, Template: template, Framework: here(t)})
			if len(names) > 20 {
				t.Errorf("%d files, want at most 20", len(names))
			}
			for _, name := range names {
				text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
				if err != nil {
					t.Fatal(err)
				}
				if formatted, err := format.Source(text); filepath.Ext(name) == ".go" && (err != nil || string(formatted) != string(text)) {
					t.Errorf("%s is not formatted: %v", name, err)
				}
			}
			for _, args := range [][]string{{"build", "./..."}, {"vet", "./..."}, {"test", "./..."}} {
				run(t, dir, args...)
			}
		})
	}
}

// With an adapter an app is as clean; alone it asks for no engine, so its tests
// pass. Its go.mod has the engine's client, that of an app without has not.
func TestAdapters(t *testing.T) {
	client := map[string]string{"nats": "github.com/nats-io/nats.go", "postgres": "github.com/jackc/pgx/v5", "redis": "github.com/redis/go-redis/v9"}
	for _, template := range Templates() {
		for _, adapter := range Adapters() {
			t.Run(template+" "+adapter, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "hello")
				names := write(t, App{Name: "hello", Dir: dir, Template: template, Adapter: adapter, Framework: here(t)})
				mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
				if err != nil {
					t.Fatal(err)
				}
				for name, module := range client {
					if has := strings.Contains(string(mod), module+" v"); has != (name == adapter) {
						t.Errorf("go.mod of %s:\n%s", adapter, mod)
					}
				}
				if adapter == "none" {
					return
				}
				for _, want := range []string{"cluster.go", "compose.yaml"} {
					if !slices.Contains(names, want) {
						t.Errorf("%s is missing", want)
					}
				}
				env, err := os.ReadFile(filepath.Join(dir, ".env.example"))
				if err != nil || !strings.Contains(string(env), "PORT=8080\n") || !strings.Contains(string(env), "_URL=") {
					t.Errorf(".env.example: %v\n%s", err, env)
				}
				run(t, dir, "vet", "./...")
				if template == "minimal" {
					run(t, dir, "test", "./...")
				}
			})
		}
	}
	if err := CheckAdapter("kafka"); err == nil || !strings.Contains(err.Error(), "there are none, nats, postgres, redis") {
		t.Error(err)
	}
}

func TestNeeded(t *testing.T) {
	for _, template := range Templates() {
		for _, adapter := range Adapters() {
			t.Run(template+" "+adapter, func(t *testing.T) { testNeeded(t, template, adapter) })
		}
	}
}

func testNeeded(t *testing.T, template, adapter string) {
	dir := filepath.Join(t.TempDir(), "hello")
	f := here(t)
	app := App{Name: "hello", Dir: dir, Template: template, Adapter: adapter, Framework: f}
	write(t, app)
	before := map[string]string{}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, _ := os.ReadFile(filepath.Join(dir, name))
		before[name] = string(text)
	}
	if *update {
		// Every version of the framework, so that tidy only has to choose.
		for _, name := range []string{"go.mod", "go.sum"} {
			text, err := os.ReadFile(filepath.Join(f.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			after := string(text)
			if name == "go.mod" {
				after = strings.Replace(after, "module "+framework, "module hello", 1) + "\nrequire " + framework + " v0.0.0\n\nreplace " + framework + " => " + quoted(f.Dir) + "\n"
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(after), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	tidy := func(env ...string) ([]byte, error) {
		cmd := exec.Command("go", "mod", "tidy")
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), "GOFLAGS=-mod=mod", "PWD="+dir), env...)
		return cmd.CombinedOutput()
	}
	if out, err := tidy("GOPROXY=off"); err != nil {
		if !strings.Contains(string(out), "GOPROXY=off") {
			t.Fatalf("go mod tidy: %v\n%s", err, out)
		}
		// It reads the tests of every package, too, which nothing else has brought into the module cache.
		if more, err := tidy(); err != nil {
			need.Missing(t, "the module cache lacks what go mod tidy reads: %s%s", out, more)
		}
	}
	after := map[string]string{}
	for name := range before {
		text, _ := os.ReadFile(filepath.Join(dir, name))
		after[name] = string(text)
	}
	if *update {
		if err := os.WriteFile(filepath.Join("needed", app.list()), []byte(deriveNeeded(after["go.mod"], after["go.sum"])), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if before["go.mod"] != after["go.mod"] {
		t.Errorf("go.mod is not tidy; go test ./internal/scaffold -run TestNeeded -update mends it\nwritten:\n%s\ntidy:\n%s", before["go.mod"], after["go.mod"])
	}
	for line := range strings.Lines(after["go.sum"]) {
		if !strings.Contains(before["go.sum"], line) {
			t.Errorf("go.sum lacks %s", line)
		}
	}
}

// deriveNeeded derives a file of needed from the files that go mod tidy wrote.
func deriveNeeded(mod, sum string) string {
	lines := map[string]string{}
	for line := range strings.Lines(sum) {
		name, _, _ := strings.Cut(line, " ")
		lines[name] = name + " // sum\n"
	}
	for name := range parseMod(mod).require {
		lines[name] = name + "\n"
		if strings.Contains(mod, name+" "+parseMod(mod).require[name]+" // indirect") {
			lines[name] = name + " // indirect\n"
		}
	}
	delete(lines, framework)
	return strings.Join(slices.Sorted(maps.Values(lines)), "")
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "PWD="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "module lookup disabled by GOPROXY=off") {
			need.Missing(t, "the module cache lacks a dependency: %s", out)
		}
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
