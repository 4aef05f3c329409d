package app

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// This file collects what the pages of development show: for an error, and for a path without a route. They need nothing
// from outside.

type devPageData struct {
	Status     int
	StatusText string
	Title      string // what went wrong, in a few words
	Message    string
	Causes     []devCause
	Source     *devSource // the place of the error in a file
	Handler    *devSource // the handler that failed
	Frames     []devFrame // of a panic: the program's own
	Others     []devFrame // Go's and the libraries'
	NotFound   bool       // no route, rather than an error
	Routes     []devRoute // with NotFound
	Near       bool       // Routes are the nearest, not all
	Method     string
	URL        string
	Route      string
	Facts      []devFact
	Headers    []devFact
}

type devCause struct{ Type, Message string }

type devSource struct {
	Name  string // of the handler
	Place string // file:line:column
	Lines []devLine
}

type devLine struct {
	Gutter string // the number; "" when the text has its own
	Text   string
	Here   bool
	Caret  bool
}

type devFrame struct {
	Function, Place string
	Source          []devLine
}

type devRoute struct{ Method, Path, Link string }

type devFact struct{ Name, Value string }

func (x *exchange) devError(status int, err error) {
	d := x.devData(status)
	d.Title, d.Message = errorTitle(err), err.Error()
	d.Causes = causes(err)
	if len(d.Causes) == 1 && strings.HasSuffix(d.Message, d.Causes[0].Message) {
		d.Causes = nil
	}
	var positioned Positioned
	if errors.As(err, &positioned) {
		d.Source = positionSource(positioned)
		if _, message, found := strings.Cut(d.Message, d.Source.Place+": "); found { // the place is shown below
			d.Message = message
		}
		d.hint(positioned)
	}
	if stack := stackOf(err); stack != nil {
		d.Frames, d.Others = devFrames(stack)
	} else if x.failing != nil {
		d.Handler = handlerSource(x.failing)
	}
	x.sendDevPage(d, errorHeader(err))
}

func (x *exchange) devNotFound() error {
	d := x.devData(http.StatusNotFound)
	d.NotFound, d.Title = true, "Nothing answers here"
	d.Message = "Cannot " + x.req.Method + " " + x.full
	all := x.root.Routes()
	near := nearestRoutes(all, x.req.Method, x.full, 6)
	d.Near = len(near) < len(all)
	for _, rt := range near {
		r := devRoute{Method: rt.Method, Path: rt.Pattern}
		if r.Method == "" {
			r.Method = "ALL"
		}
		if r.Method == http.MethodGet && !strings.ContainsAny(rt.Pattern, `:*{}\`) {
			r.Link = rt.Pattern
		}
		d.Routes = append(d.Routes, r)
	}
	x.sendDevPage(d, nil)
	return nil
}

func (x *exchange) sendDevPage(d *devPageData, header http.Header) {
	var w devWriter
	w.page(d)
	h := x.finalHeader(d.Status, header)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-store")
	h["Content-Type"] = htmlType
	page := w.Bytes()
	if x.root.dev != nil {
		page = x.root.dev.inject(page)
	}
	_ = x.res.finish(page)
}

func (x *exchange) devData(status int) *devPageData {
	r := &x.req
	d := &devPageData{Status: status, StatusText: http.StatusText(status), Method: r.Method, URL: r.OriginalURL()}
	fact := func(name, value string) {
		if value != "" {
			d.Facts = append(d.Facts, devFact{name, value})
		}
	}
	at := x.place
	if x.failing != nil {
		at = x.failed
	}
	if at.route != nil {
		fact("Route", strings.Join(at.route.paths, ", "))
	}
	for _, p := range at.params {
		fact("Parameter "+p.name, p.text())
	}
	query := r.URL.Query()
	for _, name := range sortedKeys(query) {
		fact("Query "+name, strings.Join(query[name], ", "))
	}
	fact("From", r.RemoteAddr)
	fact("Protocol", r.Proto)
	d.Headers = append(d.Headers, devFact{"Host", r.Host})
	for _, name := range sortedKeys(r.Header) {
		value := strings.Join(r.Header[name], ", ")
		if name == "Authorization" || name == "Cookie" || name == "Proxy-Authorization" {
			value = fmt.Sprintf("(%d bytes, not shown)", len(value))
		}
		d.Headers = append(d.Headers, devFact{name, value})
	}
	return d
}

func sortedKeys(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// errorTitle says what kind of error it is: the type of the innermost cause that has a name of its own.
func errorTitle(err error) string {
	title := "The handler returned an error"
	if stackOf(err) != nil {
		title = "The handler panicked"
	}
	var positioned Positioned
	if errors.As(err, &positioned) {
		title = "The view could not be rendered"
	}
	return title
}

// causes are what err wraps, outermost first, without those that say the same again.
func causes(err error) []devCause {
	var list []devCause
	last := err.Error()
	var walk func(err error)
	walk = func(err error) {
		if err == nil || len(list) > 20 {
			return
		}
		if text := err.Error(); text != last {
			last = text
			list = append(list, devCause{strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), text})
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, cause := range e.Unwrap() {
				walk(cause)
			}
		}
	}
	walk(err)
	return list
}

// hint puts what a person understands above what the parser of views said.
func (d *devPageData) hint(err Positioned) {
	file, line, column := err.Position()
	hint, ok := hintFor(d.Message, file, line, column)
	if !ok {
		return
	}
	d.Causes = append([]devCause{{"what the parser of views says", d.Message}}, d.Causes...)
	d.Message = hint.message
	if hint.line > 0 {
		d.Source = &devSource{Place: place3(file, hint.line, hint.column), Lines: sourceLines(file, hint.line, hint.column)}
	}
}

// positionSource shows the excerpt of an error as it is, with its line of carets marked, or with a caret below the
// column of a single line.
func positionSource(err Positioned) *devSource {
	file, line, column := err.Position()
	s := &devSource{Place: place3(file, line, column)}
	excerpt := strings.TrimRight(err.Excerpt(), "\n")
	if excerpt == "" {
		s.Lines = sourceLines(file, line, column)
		return s
	}
	for _, text := range strings.Split(excerpt, "\n") {
		caret := strings.Contains(text, "^") && strings.Trim(text, " \t0123456789|│^~") == ""
		if n := len(s.Lines); caret && n > 0 {
			s.Lines[n-1].Here = true
		}
		s.Lines = append(s.Lines, devLine{Text: expandTabs(text), Caret: caret})
	}
	if len(s.Lines) == 1 && column > 0 {
		s.Lines[0].Here = true
		s.Lines = append(s.Lines, caretLine(excerpt, column))
	}
	return s
}

func place3(file string, line, column int) string {
	place := shortFile(file)
	if line > 0 {
		place += fmt.Sprintf(":%d", line)
	}
	if line > 0 && column > 0 {
		place += fmt.Sprintf(":%d", column)
	}
	return place
}

func handlerSource(h Handler) *devSource {
	f := runtime.FuncForPC(reflect.ValueOf(h).Pointer())
	if f == nil || isOwnPackage(f.Name()) {
		return nil
	}
	file, line := f.FileLine(f.Entry())
	if name, method := strings.CutSuffix(f.Name(), "-fm"); method { // a method's value has no place in a file
		return &devSource{Name: shortFunction(name)}
	}
	return &devSource{Name: shortFunction(f.Name()), Place: place3(file, line, 0), Lines: sourceLines(file, line, 0)}
}

// devFrames parts a stack into the program's own calls, with their source, and the others.
func devFrames(stack []runtime.Frame) (own, others []devFrame) {
	for _, f := range stack {
		frame := devFrame{Function: shortFunction(f.Function), Place: place3(f.File, f.Line, 0)}
		if isForeign(f) {
			others = append(others, frame)
			continue
		}
		if len(own) < 5 {
			frame.Source = sourceLines(f.File, f.Line, 0)
		}
		own = append(own, frame)
	}
	return own, others
}

// isForeign reports whether a call is not the program's: Go's library, a module, or this package.
func isForeign(f runtime.Frame) bool {
	return isOwnPackage(f.Function) || strings.HasPrefix(f.Function, "runtime.") || strings.HasPrefix(f.Function, "net/http.") ||
		strings.Contains(f.File, "/pkg/mod/") || strings.HasPrefix(f.File, standardLibrary)
}

// standardLibrary is the directory that holds net/http, as far as file names in this binary tell.
var standardLibrary = func() string {
	f := runtime.FuncForPC(reflect.ValueOf(http.Error).Pointer())
	file, _ := f.FileLine(f.Entry())
	if dir := strings.TrimSuffix(file, "net/http/server.go"); dir != "" && dir != file {
		return dir
	}
	return "(unknown)" // built with -trimpath
}()

// isOwnPackage reports whether a function is of this package, those below it, or its sister realtime.
func isOwnPackage(function string) bool {
	rest, ok := strings.CutPrefix(function, modulePath+"/")
	return ok && (strings.HasPrefix(rest, "app.") || strings.HasPrefix(rest, "app/") || strings.HasPrefix(rest, "realtime"))
}

var modulePath = path.Dir(reflect.TypeFor[App]().PkgPath())

func shortFunction(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// shortFile is a file relative to the working directory, if it is in it.
func shortFile(file string) string {
	if dir, err := os.Getwd(); err == nil && filepath.IsAbs(file) {
		if rel, err := filepath.Rel(dir, file); err == nil && !strings.HasPrefix(rel, "..") {
			return rel
		}
	}
	return file
}

// sourceLines reads the lines around one, if the file is still there.
func sourceLines(file string, line, column int) []devLine {
	source, err := os.ReadFile(file)
	if err != nil || line < 1 {
		return nil
	}
	all := strings.Split(string(source), "\n")
	var lines []devLine
	for n := max(line-3, 1); n <= min(line+4, len(all)); n++ {
		lines = append(lines, devLine{Gutter: strconv.Itoa(n), Text: expandTabs(all[n-1]), Here: n == line})
		if n == line && column > 0 {
			caret := caretLine(all[n-1], column)
			caret.Gutter = " "
			lines = append(lines, caret)
		}
	}
	return lines
}

func caretLine(text string, column int) devLine {
	return devLine{Text: strings.Repeat(" ", len([]rune(expandTabs(text[:min(column-1, len(text))])))) + "^", Caret: true}
}

func expandTabs(s string) string { return strings.ReplaceAll(s, "\t", "    ") }
