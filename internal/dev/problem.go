package dev

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A Problem is what keeps the newest version of the app from serving.
type Problem struct {
	ID     string  // differs between any two problems of a session
	Build  bool    // the build failed; otherwise the app ended
	Title  string  // "Build failed"
	Detail string  // one sentence
	Errors []Error // in the order the tool gave them; may be empty
	Output string  // what the tool or the app printed last, without colours
}

// An Error is one mistake at a place in a file.
type Error struct {
	File    string // relative to the app's directory when inside it
	Line    int    // from 1
	Column  int    // in bytes, from 1; 0 when unknown
	Message string // may have several lines
	Frame   []Line // the lines around it; empty when the file cannot be read
}

// A Line is one line of the code frame around an [Error].
type Line struct {
	Number int
	Text   string
	Marked bool   // this is the line of the error
	Caret  string // what to print under a marked line to point at the column
}

// Text is the problem as plain text, for terminals and clients that do not
// ask for HTML.
func (p *Problem) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", p.Title, p.Detail)
	if p.Output != "" {
		b.WriteString("\n" + p.Output + "\n")
	}
	return b.String()
}

// frameLines is how many lines of code stand before and after the mistake.
const frameLines = 3

// newError reads the code around file:line; dir is what file is relative to.
func newError(dir, file string, line, column int, message string) Error {
	e := Error{File: file, Line: line, Column: column, Message: message}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		e.File = filepath.ToSlash(rel)
	}
	f, err := os.Open(path)
	if err != nil {
		return e
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; n <= line+frameLines && lines.Scan(); n++ {
		if n < line-frameLines {
			continue
		}
		l := Line{Number: n, Text: lines.Text(), Marked: n == line}
		if l.Marked && column > 0 {
			l.Caret = caret(l.Text, column)
		}
		e.Frame = append(e.Frame, l)
	}
	return e
}

// caret keeps the tabs of the text, so that both lines indent alike.
func caret(text string, column int) string {
	if column-1 < len(text) {
		text = text[:column-1]
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, text)
	return pad + "^"
}

// exited describes a process that ended although nobody asked it to. A panic
// gets the code frames of the app's own files on the way to it, nearest first.
func exited(dir string, err error, output string, ready bool) *Problem {
	p := &Problem{Title: "The app stopped", Detail: "It ended by itself; its last words are below.", Output: output}
	if err != nil {
		p.Detail = fmt.Sprintf("It ended with %s.", err)
	}
	if !ready {
		p.Title = "The app did not start"
	}
	_, trace, panicked := strings.Cut("\n"+output, "\npanic: ")
	if !panicked {
		return p
	}
	message, trace, _ := strings.Cut(trace, "\n")
	p.Title = "The app panicked"
	seen := map[string]bool{}
	for _, m := range traceLine.FindAllStringSubmatch(trace, -1) {
		rel, err := filepath.Rel(dir, m[1])
		if err != nil || !filepath.IsLocal(rel) || seen[m[0]] || len(p.Errors) == 5 {
			continue
		}
		seen[m[0]] = true
		line, _ := strconv.Atoi(m[2])
		text := "called from here"
		if len(p.Errors) == 0 {
			text = "panic: " + message
		}
		p.Errors = append(p.Errors, newError(dir, m[1], line, 0, text))
	}
	return p
}

var traceLine = regexp.MustCompile(`(?m)^\t(.+\.go):(\d+)(?: \+0x[0-9a-f]+)?$`)
