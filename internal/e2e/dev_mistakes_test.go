package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Each kind of mistake is explained in an open page, at its place in the source, without anybody loading it, and the
// explanation goes when the mistake is mended.
func TestDevMistakes(t *testing.T) {
	browser := newBrowser(t)
	a := newDevApp(t, "minimal", func(*devApp) {})
	page := newPage(t, browser, "ours")
	page.visit(a.url)
	const sound = `document.querySelector("main > h1")?.textContent === "Hello" && !document.querySelector("iframe")`
	page.untilReloaded(sound)

	// over is the text of the explanation, whether it lies over the page or is there in its place.
	const over = `(document.querySelector("iframe")?.contentDocument ?? document).querySelector("main")?.innerText`
	for _, mistake := range []struct {
		what, file, old, now string
		shows                []string
	}{
		{"a compile error", "main.go", "server := app.New()", "server := app.New(1)",
			[]string{"Build failed", "too many arguments", "main.go:35:20", "app.New(1)"}},
		{"two of them", "main.go", "return server\n", "return serve, </script>\n",
			[]string{"Build failed", "main.go:", "return serve, </script>"}},
		{"a template error", "views/index.handlebars", "{{waves}}", "{{> nobody}}",
			[]string{"The view could not be rendered", "views/index.handlebars:3:", "{{> nobody}}"}},
		{"a template that cannot be read", "views/index.handlebars", "{{waves}}", "{{#each waves}}",
			[]string{"The view could not be rendered", "{{#each}} is not closed: {{/each}} is missing", "views/index.handlebars:3:", "{{#each waves}}"}},
		{"a panic", "main.go", `return res.Render("index"`, "var m map[string]int\n\t\tm[\"wave\"]++\n\t\treturn res.Render(\"index\"",
			[]string{"The handler panicked", "assignment to entry in nil map", "main.go:", `m["wave"]++`, "Your code"}},
		{"an app that dies at its start", "main.go", "run := func() error {", "println(\"last words\")\n\tos.Exit(3)\n\trun := func() error {",
			[]string{"The app did not start", "exit status 3", "last words"}},
		{"an app that panics at its start", "main.go", "server := app.New()", "var m map[string]int\n\tm[\"start\"]++\n\tserver := app.New()",
			[]string{"The app panicked", "assignment to entry in nil map", "main.go:36", `m["start"]++`}},
	} {
		t.Log(mistake.what)
		a.edit(mistake.file, mistake.old, mistake.now)
		for _, text := range mistake.shows {
			page.untilReloaded(over + "?.includes(" + quote(text) + ")")
		}
		a.edit(mistake.file, mistake.now, mistake.old)
		page.untilReloaded(sound)
	}

	// One mistake takes the place of another.
	a.edit("main.go", "server := app.New()", "server := app.New(1)")
	page.untilReloaded(over + `?.includes("too many arguments")`)
	a.edit("main.go", "app.New(1)", "app.Now()")
	page.untilReloaded(over + `?.includes("undefined: app.Now")`)
	a.edit("main.go", "app.Now()", "app.New()")
	page.untilReloaded(sound)
}

// quote makes a text a string of a script.
func quote(text string) string {
	return "`" + strings.NewReplacer("`", "\\`", "\\", `\\`, "${", `\${`).Replace(text) + "`"
}

// What the app logs is in the console of a page that asks for it, by its level and once, also across a restart.
func TestDevConsole(t *testing.T) {
	browser := newBrowser(t)
	a := newDevApp(t, "minimal", func(a *devApp) {
		a.edit("main.go", `"io/fs"`, "\"io/fs\"\n\t\"log/slog\"")
		a.edit("main.go", `server.Get("/",`, `server.Get("/log", func(req *app.Request, res *app.Response) error {
		text := req.Query("text")
		slog.Info("told", "version", "one", "text", text)
		slog.Warn("warned", "text", text)
		slog.Error("failed", "text", text)
		return res.SendStatus(204)
	})
	server.Get("/",`)
	})
	type line struct{ kind, text string }
	page := newPage(t, browser, "ours")
	lines := make(chan line, 1000)
	if err := chromedp.Listen(page.ctx, func(event any) {
		if e, ok := event.(*runtime.EventConsoleAPICalled); ok {
			if words := texts(e.Args); len(words) == 3 && strings.Contains(words[0], "server") {
				l := line{kind: string(e.Type)}
				if err := json.Unmarshal([]byte(words[2]), &l.text); err != nil {
					l.text = words[2]
				}
				lines <- l
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	// ask has the app log, and compares what the console shows of that.
	ask := func(text, version string) {
		t.Helper()
		page.until(`globalThis.asked === ` + quote(text) + ` || (globalThis.asked = ` + quote(text) + `, fetch("/log?text=" + encodeURIComponent(asked)), true)`)
		end := time.After(time.Minute)
		var got []line
		for len(got) < 3 {
			select {
			case l := <-lines:
				if _, rest, found := strings.Cut(l.text, "text="+text); found && rest == "" {
					got = append(got, l)
				}
			case <-end:
				t.Fatalf("the console shows no more than %q", got)
			}
		}
		for i, want := range []line{{"info", "INFO told version=" + version}, {"warning", "WARN warned"}, {"error", "ERROR failed"}} {
			if got[i].kind != want.kind || !strings.HasSuffix(got[i].text, want.text+" text="+text) {
				t.Errorf("the console has %q, want %q", got[i], want)
			}
		}
	}

	page.visit(a.url + "/?log")
	page.until(`sessionStorage.getItem("devserver:line") || !fetch("/log?text=probe")`)
	ask("%cfirst", "one")
	a.edit("main.go", `"version", "one"`, `"version", "two"`)
	page.untilReloaded(`globalThis.asked === undefined && document.readyState === "complete"`)
	ask("second", "two")

	// Who does not ask for it is not told.
	page.visit(a.url + "/?log=off")
	page.until(`fetch("/log?text=third").then((res) => res.ok)`)
	a.await("the log", func() bool { return strings.Contains(a.output.String(), "ERROR failed text=third") })
	page.until(`(globalThis.last ??= console.log("%c server", "", "last"), true)`)
	for l := range lines {
		if l.text == "last" {
			break
		}
		if strings.Contains(l.text, "third") {
			t.Errorf("the console has %q", l)
		}
	}
}
