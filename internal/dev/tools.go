package dev

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"net/http"
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
	if err := toolsPage.Execute(&b, struct{ Name, Session string }{h.name, h.session}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "+
		"frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	w.Write(b.Bytes())
}

// toolsFile serves a file of the page.
func toolsFile(kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		io.WriteString(w, text)
	}
}
