package dev

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/scanner"
	"go/token"
	"html/template"
	"net/http"
	"path"
	"path/filepath"
	"strings"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"paint": paint,
	"local": filepath.IsLocal, // the editor opens files of the app only
	"dir":   func(file string) string { d, _ := path.Split(file); return d },
	"base":  path.Base,
}).Parse(pageSource))

// writePage answers with the error page, or with plain text when the client
// does not ask for HTML. Without a problem there is nothing to show: 204.
func writePage(w http.ResponseWriter, r *http.Request, p *Problem, status int) {
	if p == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff") // whatever the compiler's words look like
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprint(w, p.Text())
		return
	}
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		http.Error(w, p.Text(), status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'self'; base-uri 'none'")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// A span is a piece of a line of Go and the class that colours it.
type span struct{ Class, Text string }

// paint splits a line of a file into coloured pieces; only Go has colours. A
// line is scanned by itself, so text inside a raw string that spans lines may
// be coloured as code.
func paint(file, line string) []span {
	if path.Ext(file) != ".go" {
		return []span{{"", line}}
	}
	var s scanner.Scanner
	source := []byte(line)
	set := token.NewFileSet()
	f := set.AddFile("", set.Base(), len(source))
	s.Init(f, source, func(token.Position, string) {}, scanner.ScanComments)
	var spans []span
	done := 0
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		class := ""
		switch {
		case tok == token.COMMENT:
			class = "c"
		case tok == token.STRING || tok == token.CHAR:
			class = "s"
		case tok.IsKeyword():
			class = "k"
		case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
			class = "n"
		}
		start := f.Offset(pos)
		end := min(start+len(literal), len(line))
		if class == "" || start < done {
			continue
		}
		spans = append(spans, span{"", line[done:start]}, span{class, line[start:end]})
		done = end
	}
	return append(spans, span{"", line[done:]})
}
