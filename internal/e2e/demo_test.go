package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestDemo has two pages meet on the demo, with the client that it serves and with the official one in its place.
func TestDemo(t *testing.T) {
	browser := newBrowser(t)
	binary := buildDemo(t)
	for _, client := range clients {
		t.Run(client, func(t *testing.T) {
			if client == "official" {
				modules(t)
			}
			demo := &demo{t: t, binary: binary}
			demo.start()
			ana, ben := newPage(t, browser, client), newPage(t, browser, client)
			ana.run(chromedp.EmulateViewport(1280, 800)) // a desktop
			ben.run(chromedp.EmulateViewport(390, 844))  // a phone
			for _, page := range []*page{ana, ben} {
				page.visit(demo.url())
				page.until(state("here"))
			}
			ana.rename("Ana")
			ben.run(chromedp.Click(chromedp.CSS("#people-toggle")))
			ben.rename("Benedetta")
			ben.run(chromedp.KeyEvent(kb.Escape))

			t.Run("a message", func(t *testing.T) {
				ana.t, ben.t = t, t
				text := `Hola <b>"plaza"</b> & 👋`
				ana.write(text)
				ben.until(`document.querySelector("#typing").textContent.includes("Ana")`)
				ana.send()
				ben.until(said("Ana", text))
				ana.until(said("Ana", text))
				if ben.evaluate(`document.querySelectorAll("#log .text *").length`) != "0" {
					t.Error("what a person wrote became HTML")
				}
				ben.write("Hola, Ana")
				ben.send()
				ana.until(said("Benedetta", "Hola, Ana"))
			})

			t.Run("a picture", func(t *testing.T) {
				ana.t, ben.t = t, t
				file := filepath.Join(t.TempDir(), "square.png")
				if err := os.WriteFile(file, redSquare(t), 0o600); err != nil {
					t.Fatal(err)
				}
				ana.run(chromedp.SetUploadFiles(chromedp.CSS("#picture"), []string{file}, chromedp.NodeReady))
				ana.until(`!document.querySelector("#preview").hidden`)
				ana.send()
				picture := `[...document.querySelectorAll("#log .picture img")].at(-1)`
				ben.until(picture + `?.naturalWidth > 0`)
				got := ben.evaluate(`(() => {
					const img = ` + picture + `;
					const paper = new OffscreenCanvas(img.naturalWidth, img.naturalHeight).getContext("2d");
					paper.drawImage(img, 0, 0);
					const [r, g, b] = paper.getImageData(10, 10, 1, 1).data;
					return [img.naturalWidth, img.naturalHeight, r > 200, g < 60, b < 60, img.alt].join(" ");
				})()`)
				if want := `"64 48 true true true Picture from Ana"`; got != want {
					t.Errorf("the picture is %s, want %s", got, want)
				}
			})

			t.Run("basics of accessibility", func(t *testing.T) {
				ana.t, ben.t = t, t
				for _, page := range []*page{ana, ben} {
					for fault := range strings.SplitSeq(strings.Trim(page.evaluate(accessibilityFaults), `"`), `\n`) {
						if fault != "" {
							t.Error(fault)
						}
					}
				}
			})

			// Up to here there was nothing to complain about; a server that is away makes requests fail.
			ana.t, ben.t = t, t
			ana.clean()
			ben.clean()

			t.Run("a restart", func(t *testing.T) {
				ana.t, ben.t, demo.t = t, t, t
				demo.stop()
				ana.until(state("away"))
				ben.until(state("away"))
				ben.write("said while away")
				ben.send()
				demo.start()
				ana.until(state("here"))
				ben.until(state("here"))
				ana.until(said("Benedetta", "said while away"))
			})
			ana.t, ben.t, demo.t = t, t, t
			ana.clean("net::ERR_", "status of 4", "WebSocket connection to")
			ben.clean("net::ERR_", "status of 4", "WebSocket connection to")
		})
	}
}

// state is true in a page whose connection is in that state, as it shows it to the person.
func state(name string) string {
	return fmt.Sprintf(`document.querySelector("#status").dataset.state === %q`, name)
}

// said is true in a page that shows that somebody said something, and exactly once.
func said(name, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#log > li")].filter((item) =>
		item.dataset.name === %q && item.querySelector(".text")?.textContent === %q).length === 1`, name, text)
}

func (p *page) write(text string) {
	p.t.Helper()
	p.run(chromedp.SendKeys(chromedp.CSS("#message"), text))
}

func (p *page) send() {
	p.t.Helper()
	p.run(chromedp.Click(chromedp.CSS("#send")))
}

func (p *page) rename(name string) {
	p.t.Helper()
	p.run(chromedp.SetValue(chromedp.CSS("#name"), name), chromedp.Click(chromedp.CSS("#name-save")))
	p.until(fmt.Sprintf(`[...document.querySelectorAll("#people [data-name]")].some((item) =>
		item.dataset.name === %q && item.querySelector(".you"))`, name))
}

// evaluate returns the value of a JavaScript expression as JSON.
func (p *page) evaluate(expression string) string {
	p.t.Helper()
	var out string
	p.run(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		var err error
		out, err = chromedp.Evaluate[string]("JSON.stringify("+expression+")")(ctx, target)
		return chromedp.Void{}, err
	})
	return out
}

// accessibilityFaults names, a line each, what a person with a keyboard or a screen reader would stumble over.
const accessibilityFaults = `(() => {
	const all = (selector) => [...document.querySelectorAll(selector)];
	const faults = [];
	const fault = (what, element) => faults.push(what + (element ? ": " + element.outerHTML.slice(0, 120) : ""));
	if (!document.documentElement.lang) fault("the page says no language");
	if (!document.title.trim()) fault("the page has no title");
	if (!document.querySelector("meta[name=viewport]")) fault("the page says no viewport");
	if (all("h1").length !== 1) fault("the page has " + all("h1").length + " h1");
	if (all("main, [role=main]").length !== 1) fault("the page has no single main part");
	for (const role of ["log", "status"]) if (!document.querySelector("[role=" + role + "], [aria-live]")) fault("nothing is announced as " + role);
	const ids = all("[id]").map((element) => element.id);
	for (const id of ids) if (ids.filter((other) => other === id).length > 1) fault("id " + id + " is not unique");
	for (const img of all("img")) if (!img.hasAttribute("alt")) fault("a picture without alt", img);
	for (const control of all("input:not([type=hidden]), textarea, select"))
		if (!control.labels?.length && !control.getAttribute("aria-label") && !control.getAttribute("aria-labelledby")) fault("a field without a label", control);
	for (const button of all("button, a[href], [role=button]"))
		if (!button.textContent.trim() && !button.getAttribute("aria-label") && !button.title && !button.querySelector("img[alt]:not([alt=''])")) fault("a control without a name", button);
	for (const element of all("[tabindex]")) if (element.tabIndex > 0) fault("an order of its own for the Tab key", element);
	for (const element of all("[aria-controls], [aria-labelledby], [aria-describedby]"))
		for (const name of ["aria-controls", "aria-labelledby", "aria-describedby"])
			for (const id of (element.getAttribute(name) ?? "").split(" ").filter(Boolean))
				if (!document.getElementById(id)) fault(name + " names nothing", element);
	if (document.documentElement.scrollWidth > innerWidth) fault("the page scrolls sideways");
	return faults.join("\n");
})()`

// redSquare is a PNG of 64 by 48 red pixels.
func redSquare(t *testing.T) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 64, 48))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.RGBA{R: 230, G: 20, B: 20, A: 255}), image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func buildDemo(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.Command("go", "build", "-o", binary, "../../templates/chat").CombinedOutput(); err != nil {
		t.Fatalf("building the demo: %v\n%s", err, out)
	}
	return binary
}

// A demo is the demo's process, behind a listener that is the test's own: it keeps its port from one process to the
// next, and what connects in between waits.
type demo struct {
	t        *testing.T
	binary   string
	listener *net.TCPListener
	cmd      *exec.Cmd
	output   bytes.Buffer
}

func (d *demo) url() string { return "http://" + d.listener.Addr().String() + "/" }

func (d *demo) start() {
	d.t.Helper()
	if d.listener == nil {
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			d.t.Fatal(err)
		}
		d.listener = listener
		t := d.t
		t.Cleanup(func() {
			d.stop()
			listener.Close()
			if t.Failed() {
				t.Logf("the demo printed:\n%s", d.output.Bytes())
			}
		})
	}
	file, err := d.listener.File()
	if err != nil {
		d.t.Fatal(err)
	}
	defer file.Close()
	d.cmd = exec.Command(d.binary)
	d.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "ZOCALO_") || strings.HasPrefix(entry, "LISTEN_PID=")
	}), "LISTEN_FDS=1")
	d.cmd.ExtraFiles = []*os.File{file}
	d.cmd.Stdout, d.cmd.Stderr = &d.output, &d.output
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
}

// stop ends the process as a deployment does, and waits for it.
func (d *demo) stop() {
	if d.cmd == nil {
		return
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(20*time.Second, func() { d.cmd.Process.Kill() })
	defer kill.Stop()
	if err := d.cmd.Wait(); err != nil && d.cmd.ProcessState.ExitCode() < 0 {
		d.t.Errorf("the demo did not stop by itself: %v", err)
	}
	d.cmd = nil
}
