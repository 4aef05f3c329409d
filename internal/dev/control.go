package dev

import (
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// reloadScript is what the pages load; LOADED stands for the state's id, AGE
// for how old it is.
//
//go:embed reload.js
var reloadScript string

// morphScript is what reload.js imports when a view has changed.
//
//go:embed morph.js
var morphScript string

// buildHeader names the process behind an answer, for the probe.
const buildHeader = "X-Devserver-Build"

// A control is the server on loopback to which one process proxies /_dev/.
type control struct {
	addr   string // host:port
	ln     net.Listener
	server *http.Server
	served chan struct{}
}

// newControl listens for the named process.
func newControl(h *hub, name, host string) (*control, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("dev: control server: %w", err)
	}
	c := &control{addr: ln.Addr().String(), ln: ln, served: make(chan struct{})}
	c.server = &http.Server{
		Handler:           sameHost(host, devHandler(h, name)),
		ReadHeaderTimeout: 10 * time.Second,
	}
	// Each request proves anew through which process it came.
	c.server.SetKeepAlivesEnabled(false)
	go func() {
		defer close(c.served)
		c.server.Serve(ln)
	}()
	return c, nil
}

// refuse ends the accepting of requests; streams go on.
func (c *control) refuse() { c.ln.Close() }

// close ends everything and waits for it.
func (c *control) close() {
	c.server.Close()
	<-c.served
}

// devHandler serves /_dev/ on behalf of the named process, or of none.
func devHandler(h *hub, name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_dev/reload.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		id, age := h.state()
		fmt.Fprint(w, strings.NewReplacer("LOADED", strconv.Quote(id), "AGE <", strconv.FormatInt(age.Milliseconds(), 10)+" <").Replace(reloadScript))
	})
	mux.HandleFunc("GET /_dev/morph.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		fmt.Fprint(w, morphScript)
	})
	mux.HandleFunc("GET /_dev/alive", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(buildHeader, name)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_dev/error", func(w http.ResponseWriter, r *http.Request) {
		writePage(w, r, h.trouble(), http.StatusOK)
	})
	mux.HandleFunc("GET /_dev/events", h.events)
	near := func(f http.HandlerFunc) http.Handler { return h.near(name == "", f) }
	mux.Handle("GET /_dev/logs", near(h.logs.stream))
	mux.Handle("POST /_dev/open", onlyJSON(near(openPlace(h.dir))))
	// The app asks whether it may answer what it answers itself, below /_dev/app/.
	mux.Handle("GET /_dev/allowed", near(allow))
	mux.Handle("POST /_dev/allowed", onlyJSON(near(allow)))
	mux.Handle("GET /_dev/{$}", near(h.tools))
	mux.Handle("/_dev/node/{node}/app/", near(h.toNode))
	mux.HandleFunc("GET /_dev/tools.js", toolsFile("text/javascript", toolsScript))
	mux.HandleFunc("GET /_dev/tools.css", toolsFile("text/css", toolsStyle))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// onlyJSON refuses a body of another type, which another site's page could send
// without asking first.
func onlyJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
			http.Error(w, "send JSON, with Content-Type: application/json", http.StatusUnsupportedMediaType)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func allow(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// events streams what happens to one page until the page leaves or is cut off.
func (h *hub) events(w http.ResponseWriter, r *http.Request) {
	select {
	case <-h.settled():
	case <-r.Context().Done():
		return
	}
	page := h.join()
	defer h.leave(page)
	w.Header().Set("Content-Type", "text/event-stream")
	stream := http.NewResponseController(w)
	for {
		select {
		case <-r.Context().Done():
			return
		case e, ok := <-page:
			if !ok {
				return
			}
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.name, e.data)
			if stream.Flush() != nil {
				return
			}
		}
	}
}

// fallback answers on the public listener while no process can serve.
func fallback(h *hub, host string) http.Handler {
	dev := devHandler(h, "")
	return sameHost(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_dev/") {
			dev.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		writePage(w, r, h.trouble(), http.StatusInternalServerError)
	}))
}

// sameHost refuses requests that another site's page could have sent: a Host
// that is a foreign name (a name can be rebound to loopback, an address
// cannot), a foreign Origin, or what the browser itself calls cross-site. The
// answers show source code. host is one more name to accept, or empty.
func sameHost(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The app's proxy may have put its own target into Host.
		asked := r.Host
		if forwarded := r.Header.Get("X-Forwarded-Host"); forwarded != "" {
			asked = forwarded
		}
		if !ours(r.Host, host) || !ours(asked, host) {
			http.Error(w, fmt.Sprintf("devserver does not answer for the host %q; if it is this machine, start devserver with --host %[1]s", hostname(asked)), http.StatusForbidden)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			u, err := url.Parse(origin)
			if err != nil || !strings.EqualFold(u.Host, asked) && !loopback(u.Hostname()) {
				http.Error(w, "devserver answers its own pages only", http.StatusForbidden)
				return
			}
		}
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			http.Error(w, "devserver answers its own pages only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ours reports whether a Host header names this machine.
func ours(header, host string) bool {
	name := hostname(header)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return loopback(name) || host != "" && strings.EqualFold(name, host)
}

// loopback reports whether name is one that always means the machine itself.
func loopback(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.IsLoopback()
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// hostname is the host of a Host header, without port and brackets.
func hostname(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return host
	}
	return strings.Trim(header, "[]")
}
