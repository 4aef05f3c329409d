package e2e

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/zocalo-go/zocalo/internal/need"
)

// clients are what a page may load as /socket.io/socket.io.js.
var clients = []string{"ours", "official"}

// TestBrowser sends the client that the server serves, and the official one in its place, through every scenario in
// Chromium.
func TestBrowser(t *testing.T) {
	browser := newBrowser(t)
	for _, client := range clients {
		t.Run(client, func(t *testing.T) {
			if client == "official" {
				modules(t)
			}
			for _, mode := range modes {
				t.Run(mode, func(t *testing.T) {
					// Chromium opens six connections to a host, and a polling client needs one and a half.
					place := newPlace(t, mode, 3)
					page := newPage(t, browser, client)
					where, err := json.Marshal(place)
					if err != nil {
						t.Fatal(err)
					}
					page.visit(place.URL + "/#" + url.PathEscape(string(where)))
					count := 0
					for ; ; count++ {
						select {
						case got := <-place.reports:
							if got.Name == "end" {
								if count == 0 {
									t.Error("no scenario was run")
								}
								page.clean("net::ERR_", "status of 4", "response code: 403")
								return
							}
							got.check(t)
						case <-time.After(2 * time.Minute):
							t.Fatalf("the page went silent after %d scenarios:\n%s", count, strings.Join(page.complaints(), "\n"))
						}
					}
				})
			}
		})
	}
}

// newBrowser starts one Chromium with a profile of its own, or skips the test.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	path := need.Chromium(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	return browser
}

// A page is a tab, in a profile of its own, that remembers what its console complained about.
type page struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	errors []string
}

// newPage opens a tab. With the client "official" it loads that one where the page asks for ours.
func newPage(t *testing.T, browser context.Context, client string) *page {
	t.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	p := &page{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatalf("opening a page: %v", err)
	}
	p.run(command(log.Enable, cdp.Empty{}))
	if client == "official" {
		p.replace("*/socket.io/socket.io*.js*", officialBundle)
	}
	return p
}

// command makes an action of a command of the browser's protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
}

// replace answers what the page requests under a pattern of URLs with a script of ours.
func (p *page) replace(pattern, script string) {
	p.t.Helper()
	source, err := os.ReadFile(script)
	if err != nil {
		p.t.Fatal(err)
	}
	paused := chromedp.Events(p.ctx, fetch.RequestPaused)
	p.run(command(fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: pattern}}}))
	go func() {
		for request, err := range paused {
			if err != nil {
				return // the page is gone
			}
			chromedp.Call(p.ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{
				RequestID:       request.RequestID,
				ResponseCode:    200,
				ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: "text/javascript"}},
				Body:            source,
			})
		}
	}()
}

// listen remembers what the console shows as an error.
func (p *page) listen(event any) {
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		text := event.ExceptionDetails.Text
		if exception := event.ExceptionDetails.Exception; exception != nil {
			text += " " + exception.Description
		}
		p.complain(text)
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeWarning {
			p.complain(strings.Join(texts(event.Args), " "))
		}
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError {
			p.complain(event.Entry.Text + " " + event.Entry.URL)
		}
	}
}

func texts(values []*runtime.RemoteObject) []string {
	var out []string
	for _, value := range values {
		if value.Value != nil {
			out = append(out, string(value.Value))
		} else {
			out = append(out, value.Description)
		}
	}
	return out
}

func (p *page) complain(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errors = append(p.errors, text)
}

// complaints returns what the console complained about so far.
func (p *page) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.errors...)
}

// clean fails the test for each complaint that has none of the allowed texts in it.
func (p *page) clean(allowed ...string) {
	p.t.Helper()
complaint:
	for _, text := range p.complaints() {
		for _, part := range allowed {
			if strings.Contains(text, part) {
				continue complaint
			}
		}
		p.t.Errorf("the console says: %s", text)
	}
}

// run performs actions, within a minute, or ends the test.
func (p *page) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("in the page: %v\nits console: %s", err, strings.Join(p.complaints(), "\n"))
	}
}

func (p *page) visit(address string) {
	p.t.Helper()
	p.run(chromedp.Navigate(address))
}

// until waits until a JavaScript expression is true in the page.
func (p *page) until(expression string) {
	p.t.Helper()
	p.run(chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(20*time.Millisecond)))
}
