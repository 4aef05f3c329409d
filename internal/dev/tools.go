package dev

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
)

// The page at /_dev/: what the app does, live. Its script asks the app, through
// /_dev/app/, and the logs of devserver.
var (
	//go:embed tools.html
	toolsSource string
	//go:embed tools.js
	toolsScript string
	//go:embed tools.css
	toolsStyle string

	toolsPage = template.Must(template.New("tools").Parse(toolsSource))
)

func (h *hub) tools(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := toolsPage.Execute(&b, struct {
		Name, Session string
		Nodes         int
	}{h.name, h.session, len(h.nodes)}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "+
		"frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	w.Write(b.Bytes())
}

// toNode asks one of several nodes what a request that any of them got is to
// find out: /_dev/node/2/app/… is /_dev/app/… of node 2.
func (h *hub) toNode(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("node"))
	if err != nil || number < 1 || number > len(h.nodes) {
		http.NotFound(w, r)
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", h.nodes[number-1]
			p.Out.URL.Path = strings.Replace(p.In.URL.Path, "/node/"+r.PathValue("node"), "", 1)
			p.Out.Host = p.In.Host
		},
		FlushInterval: -1,
		Transport:     &http.Transport{DisableKeepAlives: true},
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	defer func() {
		// How the proxy gives up on a stream, which ends as others do.
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			panic(v)
		}
	}()
	proxy.ServeHTTP(w, r)
}

// toolsFile serves a file of the page.
func toolsFile(kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		io.WriteString(w, text)
	}
}
