package webtransport_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/zocalo-go/zocalo/internal/need"
	"github.com/zocalo-go/zocalo/realtime"
)

// officialClient is the bundle that npm installs for the tests of the whole.
const officialClient = "../../internal/e2e/node/node_modules/socket.io-client/dist/socket.io.js"

// page connects, exchanges an event of text and bytes, and is disconnected.
const page = `<!doctype html><title>webtransport</title>
<script src="/client.js"></script>
<script>
const transports = new URL(location).searchParams.get("transports").split(" ")
const report = {transports: [], upgrades: 0}
const socket = io({transports, reconnection: false, transportOptions: {webtransport: {
	serverCertificateHashes: [{algorithm: "sha-256", value: new Uint8Array(%s)}]}}})
const send = () => fetch("/report", {method: "POST", body: JSON.stringify(report)})
const fail = error => { report.error = String(error.description || error); send() }
socket.on("connect_error", fail)
socket.on("connect", async () => {
	const engine = socket.io.engine
	report.transports.push(engine.transport.name)
	if (engine.transport.name !== "webtransport") {
		await new Promise(resolve => engine.once("upgrade", resolve))
		report.transports.push(engine.transport.name)
	}
	const big = "é".repeat(50000)
	const [text, bytes, empty] = await new Promise(resolve =>
		socket.emit("echo", big, new Uint8Array([1, 2, 3]), new Uint8Array(0), (...args) => resolve(args)))
	report.text = text === big
	report.bytes = [...new Uint8Array(bytes)].join()
	report.empty = empty.byteLength
	socket.on("bye", () => report.bye = true)
	socket.on("disconnect", reason => { report.reason = reason; send() })
	socket.emit("leave")
})
</script>`

// report is what the page found.
type report struct {
	Transports []string
	Text       bool
	Bytes      string
	Empty      int
	Bye        bool
	Reason     string
	Error      string
}

// TestBrowser sends the official client in Chromium through WebTransport.
func TestBrowser(t *testing.T) {
	if _, err := os.Stat(officialClient); err != nil {
		need.Missing(t, "the official client is not installed: npm ci --prefix internal/e2e/node")
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(need.Chromium(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("ignore-certificate-errors", true), // over TCP; WebTransport goes by the hash
	)...)
	defer stop()
	browser, end := chromedp.NewContext(allocator)
	defer end()

	for _, transports := range []string{"webtransport", "polling webtransport", "polling websocket webtransport"} {
		t.Run(transports, func(t *testing.T) {
			reports := make(chan report, 1)
			mux := http.NewServeMux()
			p := newPlace(t, realtime.Config{}, mux)
			hash, err := json.Marshal(ints(p.hash[:]))
			if err != nil {
				t.Fatal(err)
			}
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, page, hash) })
			mux.HandleFunc("GET /client.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, officialClient) })
			mux.HandleFunc("POST /report", func(w http.ResponseWriter, r *http.Request) {
				var got report
				if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
					t.Error(err)
				}
				reports <- got
			})
			tab, closeTab := chromedp.NewContext(browser)
			defer closeTab()
			address := "https://" + p.addr + "/?transports=" + transports
			if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-reports:
				want := report{[]string{"polling", "webtransport"}, true, "1,2,3", 0, true, "io server disconnect", ""}
				if transports == "webtransport" {
					want.Transports = want.Transports[1:]
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("the page reports %+v, want %+v", got, want)
				}
			case <-time.After(time.Minute):
				t.Fatal("the page went silent")
			}
		})
	}
}

func ints(b []byte) (n []int) {
	for _, x := range b {
		n = append(n, int(x))
	}
	return n
}
