package dev_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/zocalo-go/zocalo/internal/dev"
	"github.com/zocalo-go/zocalo/internal/need"
)

// A real page keeps in step: a style sheet and a picture are swapped in place, a
// view changes what it has to and nothing else, a mistake lies over the page
// until it is mended, a new build and a script load the page again.
func TestBrowser(t *testing.T) {
	s := run(t, nil)
	s.await(dev.Ready)

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(need.Chromium(t)), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	do := func(what string, action chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, action); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	// until waits for a script to become true, also across a reload, which ends
	// the document that the question was put to.
	until := func(what, script string) {
		t.Helper()
		for {
			_, err := chromedp.Run(ctx, chromedp.Poll[bool]("!!("+script+")", chromedp.WithPollingTimeout(20*time.Second)))
			if err == nil {
				return
			}
			if ctx.Err() != nil || errors.Is(err, chromedp.ErrPollingTimeout) {
				state, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState + " " + document.hidden + " " + globalThis.mark + "\n" + document.documentElement.outerHTML`))
				t.Fatalf("%s: %v; the page is %s\nthe app printed:\n%s", what, err, state, s.output)
			}
		}
	}

	do("open", chromedp.Navigate(s.url+"/page"))
	until("style", `getComputedStyle(document.querySelector("p")).color === "rgb(255, 0, 0)"`)
	until("script", `performance.getEntriesByType("resource").some((e) => e.name.endsWith("/_dev/reload.js"))`)
	until("mark", `globalThis.mark = "same page"`)

	s.edit("public/style.css", "red", "blue")
	until("css", `getComputedStyle(document.querySelector("p")).color === "rgb(0, 0, 255)" && document.querySelectorAll("link[rel=stylesheet]").length === 1`)

	s.edit("public/dot.svg", `width="10"`, `width="30"`)
	until("picture", `document.getElementById("dot").naturalWidth === 30 && globalThis.mark === "same page"`)
	until("background", `getComputedStyle(document.getElementById("tall")).backgroundImage.includes("dot.svg?v=")`)

	// What scripts and people have done to the page stays.
	until("typed", `field.focus(), field.value = "typed", choice.selectedIndex = 1, scrollTo(0, 1000), field.setSelectionRange(2, 3), scrollY === 1000`)
	s.write("views/index.html", strings.NewReplacer(
		"<title>app", "<title>app 2", ">view<", " class=\"big\">vista<", "<li>b</li>", "<li>b</li><li>c</li>", "<ul ", "<h2>new</h2><ul ",
		"<i>row</i>", "<b>row</b>", "value=\"start\"", "value=\"other\" placeholder=\"here\"").Replace(s.read("views/index.html")))
	until("view", `document.querySelector("p").textContent === "vista"`)
	until("the rest of the view", `document.title === "app 2" && document.querySelector("p.big + div + h2 + ul") && row.innerHTML === "<b>row</b>" && field.placeholder === "here"`)
	until("same page", `globalThis.mark === "same page" && scrollY > 900 && document.activeElement === field && field.selectionStart === 2`)
	until("form", `field.value === "typed" && choice.selectedIndex === 1`)
	until("scripts", `document.getElementById("status").textContent === "connected" && list.innerHTML === "<li>a</li><li>b</li><li>c</li><li></li>"`)
	s.edit("views/index.html", `<li>a</li>`, "")
	until("second view", `globalThis.mark === "same page" && list.innerHTML === "<li>b</li><li>c</li><li></li>"`)
	// What scripts have made and the server has come to send, too, is there once.
	until("made", `list.lastChild.dataset.name = "Ana", list.lastChild.append("Ana, you"), true`)
	s.edit("views/index.html", `<li>c</li>`, `<li>c</li><li data-name="Ana">Ana</li><li data-name="Ben">Ben</li>`)
	until("third", `list.children.length === 4 && globalThis.mark === "same page" && list.children[2].textContent === "Ana, you" && list.children[3].textContent === "Ben"`)
	s.edit("views/index.html", `<h2>new</h2>`, "<script>globalThis.inline = 1</script>")
	until("new script", `globalThis.inline === 1 && !globalThis.mark`)
	s.edit("views/index.html", "vista", "view")
	until("third view", `document.querySelector("p").textContent === "view" && (globalThis.mark = "same page")`)

	s.edit("main.go", "const greeting = ", "const greeting int = ")
	until("overlay", `document.querySelector("iframe")?.contentDocument?.querySelector("h1")?.textContent === "Build failed"`)
	const button = `document.querySelector("iframe").contentDocument.querySelector("[data-dismiss]")`
	until("button", `getComputedStyle(`+button+`).display === "block"`)
	until("click", button+`.click() ?? true`)
	until("dismissed", `!document.querySelector("iframe") && globalThis.mark === "same page"`)

	s.edit("main.go", "const greeting int = ", "const greeting = ")
	until("fixed", `!globalThis.mark && document.querySelector("p")?.textContent === "view"`)

	s.edit("views/index.html", "view", "vista")
	until("view", `document.querySelector("p")?.textContent === "vista"`)

	if _, _, err := s.try("/crash"); err == nil {
		t.Error("the crash was answered")
	}
	until("crash", `document.querySelector("iframe")?.contentDocument?.querySelector("h1")?.textContent === "The app stopped"`)
	do("error page", chromedp.Navigate(s.url+"/page"))
	until("error page", `document.querySelector("h1")?.textContent === "The app stopped"`)
	s.edit("main.go", `"one"`, `"two"`)
	until("back", `document.querySelector("p")?.textContent === "vista"`)
}
