package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The page at /_dev/ shows a square's sockets, events, requests, routes and log while it runs and after it was built
// again; what clients and the app write stays text.
func TestDevPage(t *testing.T) {
	browser := newBrowser(t)
	const hostile = `</script><img src=x onerror=alert(1)>`
	a := newDevApp(t, "minimal", func(a *devApp) {
		a.edit("main.go", `socket.On("wave"`, "socket.On(\"say\", func(text string) string { log.Print(text); return text })\n\t\tsocket.On(\"wave\"")
		a.edit("main.go", `server.Get("/",`, `server.Get("/boom", func(*app.Request, *app.Response) error { return errors.New("`+hostile+`") })
	server.Get("/",`)
	})
	client := newPage(t, browser, "ours")
	client.visit(a.url + "/?log")
	client.until(`typeof io === "function" && (globalThis.mine ??= io()).connected`)
	client.until(`(globalThis.heard ??= (mine.on("test", (text, done) => { globalThis.got = text; done("thanks"); }), true))`)

	dev := newPage(t, browser, "ours")
	dev.run(chromedp.EmulateViewport(360, 740)) // a phone
	dev.visit(a.url + "/_dev/")
	dev.until(`document.querySelector("#state").dataset.state === "up"`)
	dev.until(`document.querySelectorAll("#people button").length === 1 + Number(document.querySelector("#tab-sockets b").textContent)`)
	client.until(`(globalThis.said ??= (mine.emit("say", ` + "`" + strings.ReplaceAll(hostile, "</", `<\/`) + "`" + `, (text) => { globalThis.answered = text; }), true)) && globalThis.answered?.includes("onerror")`)
	dev.until(`[...document.querySelectorAll("#events .row")].some((row) => row.textContent.includes("ack to") && row.textContent.includes("say") && row.textContent.includes("<img"))`)
	dev.until(`!document.querySelector("#events img, #lines img")`)
	dev.until(`document.querySelector("#lines").textContent.includes("onerror")`)
	if y := dev.evaluate("scrollY"); y != "0" {
		t.Errorf("the page begins at %s px, not at its top", y)
	}

	// A test event, and its answer.
	id := strings.Trim(client.evaluate("mine.id"), `"`)
	dev.until(`document.querySelector('#people button[title="` + id + `"]').click() ?? document.querySelector("#facts").textContent.includes("` + id + `")`)
	dev.until(`(globalThis.submitted ??= ((f) => { f.event.value = "test"; f.args.value = '"<b>hi"'; f.ack.checked = true; f.requestSubmit(); return true; })(document.querySelector("#send")))`)
	dev.until(`document.querySelector("#sent").textContent.includes('Answered') && document.querySelector("#sent").textContent.includes("thanks")`)
	client.until(`globalThis.got === "<b>hi"`)

	// Requests, with what went wrong, and routes.
	client.until(`(globalThis.asked ??= fetch("/boom")) && true`)
	dev.until(`[...document.querySelectorAll("#asked .row")].some((row) => row.textContent.includes("/boom") && row.textContent.includes("500"))`)
	dev.until(`[...document.querySelectorAll("#answers button.open")].some((b) => /^main\.go:\d+$/.test(b.textContent))`)
	dev.until(`!document.querySelector("#asked img")`)

	// The app is built again: the page goes on.
	a.edit("main.go", `"title": "Hello"`, `"title": "Hola"`)
	dev.until(`document.querySelector("#events .break") && document.querySelector("#state").dataset.state === "up"`)
	dev.clean("Failed to load", "status of 5", "net::ERR_")
}
