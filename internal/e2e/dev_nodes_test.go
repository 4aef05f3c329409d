package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Three processes of one app are one square: a page, whose requests go to one after the other, talks with pages at the
// other nodes, also after a save has replaced all of them, and /_dev/ shows each.
// What joins them is devserver itself.
func TestDevNodes(t *testing.T) {
	browser := newBrowser(t)
	a := newDevApp(t, "minimal", func(a *devApp) {
		a.args = []string{"--nodes", "3"}
		a.edit("main.go", `"title": "Hello"`, `"title": "Hello", "pid": os.Getpid()`)
		a.write("views/index.handlebars", a.read("views/index.handlebars")+"<p id=\"pid\">{{pid}}</p>\n")
		a.write("public/main.js", a.read("public/main.js")+"globalThis.connected = () => socket.connected;\n")
	}, "--adapter", "nats")
	for n := 1; n <= 3; n++ {
		if line := fmt.Sprintf("%d | ", n); !strings.Contains(a.output.String(), line) {
			t.Errorf("no line begins with %q", line)
		}
	}

	// Each connection goes to the next node.
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	processes := func() map[string]bool {
		t.Helper()
		seen := map[string]bool{}
		for range 6 {
			page, err := get(fresh, a.url+"/")
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(page, `<p id="pid">`)
			pid, _, _ := strings.Cut(rest, "<")
			seen[pid] = true
		}
		return seen
	}
	before := processes()
	if len(before) != 3 {
		t.Errorf("the processes are %v", before)
	}

	first, second := newPage(t, browser, "ours"), newPage(t, browser, "ours")
	talk := func() {
		t.Helper()
		for _, p := range []*page{first, second} {
			p.untilReloaded(`globalThis.connected?.()`)
		}
		for _, way := range [][2]*page{{first, second}, {second, first}} {
			way[1].until(`(document.querySelector("#waves").textContent = "none", true)`)
			way[0].until(`document.querySelector("#wave").click() ?? true`)
			way[1].until(`Number(document.querySelector("#waves").textContent) > 0`)
		}
	}
	first.visit(a.url)
	second.visit(a.url)
	talk()

	dev := newPage(t, browser, "ours")
	dev.visit(a.url + "/_dev/?node=2")
	dev.until(`document.querySelector("#state").dataset.state === "up"`)
	dev.until(`document.querySelectorAll("#nodes a").length === 3 && document.querySelector("#nodes [aria-current]").textContent === "Node 2"`)
	dev.until(`(location.hash = "#log", document.querySelector("#tab-log").getAttribute("aria-selected") === "true")`)
	dev.until(`["node 1", "node 2", "node 3"].every((node) => document.querySelector("#lines").textContent.includes(node))`)

	a.edit("main.go", `"title": "Hello"`, `"title": "Hola"`)
	for _, p := range []*page{first, second} {
		p.untilReloaded(`document.querySelector("h1")?.textContent === "Hola"`)
	}
	talk()
	for pid := range processes() {
		if before[pid] {
			t.Errorf("process %s is still there", pid)
		}
	}
	dev.until(`document.querySelector("#state").dataset.state === "up"`)

	// A mistake is explained whichever node is asked.
	a.edit("main.go", "func main() {", "func main() {\n\tprintln(\"last words\")\n\tos.Exit(3)")
	first.untilReloaded(`(document.querySelector("iframe")?.contentDocument ?? document).querySelector("main")?.innerText.includes("The app did not start")`)
	a.edit("main.go", "\tprintln(\"last words\")\n\tos.Exit(3)", "")
	talk()
}
