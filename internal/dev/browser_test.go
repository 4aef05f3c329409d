package dev_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/zocalo-go/zocalo/internal/dev"
)

// A real page keeps in step: a style sheet is swapped in place, a mistake lies
// over the page until it is mended, a view and a new build load the page again.
func TestBrowser(t *testing.T) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		if os.Getenv("ZOCALO_REQUIRE_ALL") == "1" {
			t.Fatal("Chromium is not installed")
		}
		t.Skip("Chromium is not installed")
	}
	s := run(t, nil)
	s.await(dev.Ready)

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
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
			_, err := chromedp.Run(ctx, chromedp.Poll[bool]("!!("+script+")", chromedp.WithPollingTimeout(time.Minute)))
			if err == nil {
				return
			}
			if ctx.Err() != nil || errors.Is(err, chromedp.ErrPollingTimeout) {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}

	do("open", chromedp.Navigate(s.url+"/page"))
	until("style", `getComputedStyle(document.querySelector("p")).color === "rgb(255, 0, 0)"`)
	until("script", `performance.getEntriesByType("resource").some((e) => e.name.endsWith("/_dev/reload.js"))`)
	until("mark", `globalThis.mark = "same page"`)

	s.edit("public/style.css", "red", "blue")
	until("css", `getComputedStyle(document.querySelector("p")).color === "rgb(0, 0, 255)" && document.querySelectorAll("link[rel=stylesheet]").length === 1`)

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
