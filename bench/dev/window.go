package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// stopwatch runs in every document before its own scripts. It looks once a frame at what the page shows and, when that
// is new, tells so as soon as the frame has been painted. The time is the system's, which is ours, too.
const stopwatch = `(() => {
	const painted = new MessageChannel();
	painted.port1.onmessage = (e) => console.debug("shows", e.data, String(Date.now()));
	let last = "";
	const look = () => {
		requestAnimationFrame(look);
		if (!document.body) return;
		const style = getComputedStyle(document.documentElement).getPropertyValue("--saved").trim();
		const text = document.getElementById("saved")?.textContent.trim() ?? "";
		const state = document.getElementById("status")?.dataset.state ?? "";
		const now = "css=" + style + " text=" + text + " state=" + state + " ";
		if (now !== last) painted.port2.postMessage((last = now));
	};
	requestAnimationFrame(look);
})()`

// A window is one tab of Chromium that tells what it shows.
type window struct {
	ctx    context.Context
	close  func()
	frames chan frame
	last   frame // that until returned
}

// A frame is something new on the screen.
type frame struct {
	shows string
	at    time.Time
}

// patience is how long anything may take at most.
const patience = time.Minute

func openWindow(ctx context.Context, scratch string) (*window, error) {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		return nil, errors.New("there is no chromium in the PATH; install it, for example with: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(filepath.Join(scratch, "profile")))
	allocator, stop := chromedp.NewExecAllocator(ctx, options...)
	tab, end := chromedp.NewContext(allocator)
	w := &window{ctx: tab, close: func() { end(); stop() }, frames: make(chan frame, 1000)}
	if err := chromedp.Listen(tab, w.hear); err != nil {
		w.close()
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	if _, err := chromedp.Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: stopwatch}); err != nil {
		w.close()
		return nil, err
	}
	return w, chromedp.Do(tab, chromedp.EmulateViewport(1280, 800))
}

// hear takes what the stopwatch says.
func (w *window) hear(event any) {
	e, ok := event.(*runtime.EventConsoleAPICalled)
	if !ok || e.Type != runtime.ConsoleAPICalledTypeDebug || len(e.Args) != 3 || string(e.Args[0].Value) != `"shows"` {
		return
	}
	var at int64
	if _, err := fmt.Sscan(strings.Trim(string(e.Args[2].Value), `"`), &at); err != nil {
		return
	}
	w.frames <- frame{strings.Trim(string(e.Args[1].Value), `"`), time.UnixMilli(at)}
}

// visit opens an address without waiting for the answer.
func (w *window) visit(address string) error {
	_, err := chromedp.Call(w.ctx, page.Navigate, page.NavigateParams{URL: address})
	return err
}

// untilAlso is until for what the last frame may have shown already.
func (w *window) untilAlso(part string) (time.Time, error) {
	if strings.Contains(w.last.shows, part) {
		return w.last.at, nil
	}
	return w.until(part)
}

// until waits for the first frame that shows all the parts, and returns when it was painted.
func (w *window) until(parts ...string) (time.Time, error) {
	timeout := time.After(patience)
	var last string
next:
	for {
		select {
		case <-w.ctx.Done():
			return time.Time{}, context.Cause(w.ctx)
		case <-timeout:
			return time.Time{}, fmt.Errorf("no frame shows %q within %v; the last was %q", parts, patience, last)
		case f := <-w.frames:
			last = f.shows
			for _, part := range parts {
				if !strings.Contains(f.shows, part) {
					continue next
				}
			}
			w.last = f
			return f.at, nil
		}
	}
}
