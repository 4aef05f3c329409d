package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestDevScreen saves a stylesheet, a view and a Go file of a new app, again and again, and sees each in the page: the
// first two without loading it again, with what was typed, scrolled and focused; the third with its socket back.
// How long it takes is measured in bench/dev.
func TestDevScreen(t *testing.T) {
	browser := newBrowser(t)
	a := newDevApp(t, "minimal", func(a *devApp) {
		a.edit("main.go", `"title": "Hello"`, `"title": "Hello", "saved": "go 0"`)
		a.write("views/index.handlebars", a.read("views/index.handlebars")+`<p id="saved">view 0, {{saved}}</p>
<form><input id="message"></form>
<div id="scroller"><p>long</p></div>
`)
		a.write("public/main.js", a.read("public/main.js")+"globalThis.connected = () => socket.connected;\n")
		a.write("public/style.css", a.read("public/style.css")+`:root { --saved: 0; }
#scroller { width: 200px; height: 100px; overflow: scroll; }
#scroller p { height: 2000px; }
`)
	})
	page := newPage(t, browser, "ours")
	page.visit(a.url)
	page.until("globalThis.connected?.()")
	const saves = 5
	const same = `globalThis.mark === "same page" && document.querySelector("#message").value === "half a sentence" &&
		document.activeElement.id === "message" && document.querySelector("#message").selectionStart === 4 &&
		document.querySelector("#scroller").scrollTop === 500`
	for n := 1; n <= saves; n++ {
		page.until(`(() => {
			const message = document.querySelector("#message");
			globalThis.mark = "same page";
			message.value = "half a sentence";
			message.focus();
			message.setSelectionRange(4, 4);
			document.querySelector("#scroller").scrollTop = 500;
			return ` + same + `;
		})()`)
		a.edit("public/style.css", fmt.Sprintf("--saved: %d;", n-1), fmt.Sprintf("--saved: %d;", n))
		page.until(fmt.Sprintf(`getComputedStyle(document.documentElement).getPropertyValue("--saved").trim() === "%d" && `, n) + same)

		a.edit("views/index.handlebars", fmt.Sprintf("view %d,", n-1), fmt.Sprintf("view %d,", n))
		page.until(fmt.Sprintf(`document.querySelector("#saved").textContent === "view %d, go %d" && `, n, n-1) + same)

		a.edit("main.go", fmt.Sprintf(`"go %d"`, n-1), fmt.Sprintf(`"go %d"`, n))
		page.untilReloaded(fmt.Sprintf(`document.querySelector("#saved")?.textContent === "view %d, go %d" && globalThis.mark === undefined &&
			globalThis.connected?.()`, n, n))
	}
	page.clean("net::ERR_", "status of 4", "status of 502", "WebSocket connection to") // of the moments in which a process is replaced
}

// untilReloaded is until for what comes when the page is loaded again, which ends the document that was asked.
func (p *page) untilReloaded(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond)))
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			p.t.Fatalf("in the page: %v\nits console: %s", err, strings.Join(p.complaints(), "\n"))
		}
	}
}
