package app

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strconv"
)

// This file is the HTML of the pages of development. It is not a template of html/template, which calls methods by name
// and so would keep every exported method in the binary of every application.

//go:embed devpage.css
var devPageStyle string

// notFoundStyle makes the page of a path without a route less alarming than that of an error.
const notFoundStyle = ":root { --accent: light-dark(#0b6e5f, #5fd8c2); --accent-soft: light-dark(#e3f4f1, #12332e); }\n"

// A devWriter collects HTML.
type devWriter struct{ bytes.Buffer }

// add writes HTML, the format, in which each %s is one of the texts, escaped.
func (w *devWriter) add(format string, texts ...string) {
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = html.EscapeString(text)
	}
	fmt.Fprintf(w, format, values...)
}

// section writes a part of the page with a heading, if show is true.
func (w *devWriter) section(show bool, id, heading, note string, content func()) {
	if !show {
		return
	}
	w.add("<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s", id, id, heading)
	if note != "" {
		w.add(" <small>%s</small>", note)
	}
	w.add("</h2>\n")
	content()
	w.add("</section>\n")
}

// page writes all of it.
func (w *devWriter) page(d *devPageData) {
	w.add(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>%s %s</title>
<style>
`, strconv.Itoa(d.Status), d.Message)
	w.WriteString(devPageStyle)
	if d.NotFound {
		w.WriteString(notFoundStyle)
	}
	w.add("</style>\n</head>\n<body>\n<main>\n")
	w.header(d)
	if s := d.Source; s != nil {
		w.section(true, "source", "Where", "", func() { w.source("", s) })
	}
	w.section(len(d.Causes) > 0, "causes", "Caused by", "", func() {
		w.add("<ol class=\"causes\">\n")
		for _, c := range d.Causes {
			w.add("<li>%s<code>%s</code></li>\n", c.Message, c.Type)
		}
		w.add("</ol>\n")
	})
	if s := d.Handler; s != nil {
		w.section(true, "handler", "The handler", "", func() { w.source(s.Name, s) })
	}
	w.section(len(d.Frames) > 0, "frames", "Your code", "most recent call first", func() {
		for _, f := range d.Frames {
			w.frame(f, true)
		}
	})
	if len(d.Others) > 0 {
		w.add("<details class=\"card\"><summary>Go and libraries <small>%s more calls</small></summary>\n", strconv.Itoa(len(d.Others)))
		for _, f := range d.Others {
			w.frame(f, false)
		}
		w.add("</details>\n")
	}
	heading := "What answers"
	if d.Near {
		heading = "Did you mean"
	}
	w.section(d.NotFound, "routes", heading, "", func() { w.routes(d) })
	w.section(true, "request", "The request", "", func() { w.facts(d.Facts) })
	w.add("<details class=\"card\"><summary>Headers <small>%s</small></summary>\n", strconv.Itoa(len(d.Headers)))
	w.facts(d.Headers)
	w.add("</details>\n</main>\n<footer>This page is for development. With ZOCALO_ENV=production the client sees only the status.</footer>\n</body>\n</html>\n")
}

func (w *devWriter) header(d *devPageData) {
	status, class := strconv.Itoa(d.Status), "message"
	if d.StatusText != "" {
		status += " " + d.StatusText
	}
	if len(d.Message) > 120 {
		class += " long"
	}
	w.add("<header>\n<p class=\"request\"><span class=\"status\">%s</span> <span>%s %s</span></p>\n", status, d.Method, d.URL)
	w.add("<h1>%s</h1>\n<p class=\"%s\">%s</p>\n</header>\n", d.Title, class, d.Message)
}

// source writes a place in a file, whose name comes first, and its lines.
func (w *devWriter) source(name string, s *devSource) {
	if name != "" {
		w.add("<p class=\"place\"><b>%s</b> ", name)
		w.place(s.Place)
		w.add("</p>\n")
	} else {
		w.add("<p class=\"place\"><b>")
		w.place(s.Place)
		w.add("</b></p>\n")
	}
	w.lines(s.Lines)
}

func (w *devWriter) frame(f devFrame, own bool) {
	w.add("<div class=\"frame\"><h3>%s</h3><p class=\"place\">", f.Function)
	if own {
		w.place(f.Place)
	} else {
		w.add("%s", f.Place)
	}
	w.add("</p>")
	w.lines(f.Source)
	w.add("</div>\n")
}

// place writes a place, as a button that opens the editor if a development server is there to do so and the place is in
// the application's directory.
func (w *devWriter) place(place string) {
	if os.Getenv(devVariable) != "" && filepath.IsLocal(place) {
		w.add(`<button type="button" data-devserver-open="%s" title="Open in the editor">%s</button>`, place, place)
		return
	}
	w.add("%s", place)
}

func (w *devWriter) lines(lines []devLine) {
	if len(lines) == 0 {
		return
	}
	w.add(`<pre tabindex="0" aria-label="Source code"><code>`)
	for _, l := range lines {
		class := ""
		switch {
		case l.Here:
			class = ` class="here"`
		case l.Caret:
			class = ` class="caret"`
		}
		w.WriteString("<span" + class + ">")
		if l.Gutter != "" {
			w.add("<i>%s</i>", l.Gutter)
		}
		w.add("%s\n</span>", l.Text)
	}
	w.add("</code></pre>\n")
}

func (w *devWriter) routes(d *devPageData) {
	if len(d.Routes) == 0 {
		w.add("<p class=\"empty\">There is no route yet. Add the first one with <code>server.Get(&#34;%s&#34;, …)</code>.</p>\n", d.URL)
		return
	}
	w.add("<ul class=\"routes\">\n")
	for _, r := range d.Routes {
		if r.Link != "" {
			w.add(`<li><a href="%s"><b class="method %s">%s</b><span>%s</span></a></li>`+"\n", r.Link, r.Method, r.Method, r.Path)
			continue
		}
		w.add(`<li><div><b class="method %s">%s</b><span>%s</span></div></li>`+"\n", r.Method, r.Method, r.Path)
	}
	w.add("</ul>\n")
}

func (w *devWriter) facts(facts []devFact) {
	w.add("<div class=\"scroll\"><table>\n")
	for _, f := range facts {
		w.add("<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n", f.Name, f.Value)
	}
	w.add("</table></div>\n")
}
