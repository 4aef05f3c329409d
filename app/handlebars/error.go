package handlebars

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// An Error is what went wrong with a template and where. Syntax errors are worded as handlebars.js words them.
// It implements app.Positioned; what a helper returned, or the error of the file system, is found by errors.Is and As.
type Error struct {
	File         string   // as in "views/partials/nav.handlebars"
	Line, Column int      // from 1, the column in characters; 0 is unknown
	Message      string   // without the place
	IncludedFrom []string // the places of the partials around, "file:line:column", innermost first

	excerpt string
	err     error
}

var _ error = (*Error)(nil)

// Error is "file:line:column: message", and where the partial was included from.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": " + e.Message)
	const shown = 5
	for i, place := range e.IncludedFrom {
		if i == shown {
			fmt.Fprintf(&b, " and %d more", len(e.IncludedFrom)-i)
			break
		}
		if i == 0 {
			b.WriteString(" (included from ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(place)
	}
	if len(e.IncludedFrom) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// Position is the place in the source. Line and column count from 1 and are 0 if the mistake is not in the text.
func (e *Error) Position() (file string, line, column int) { return e.File, e.Line, e.Column }

// Excerpt is the lines around the place with their numbers, and a caret below it, or "" if there is no place.
func (e *Error) Excerpt() string { return e.excerpt }

// Unwrap returns the cause: what a helper returned, or the error of the file system.
func (e *Error) Unwrap() error { return e.err }

// A site is a place in a template.
type site struct {
	template *Template
	offset   int
}

func (s *site) String() string {
	line, column := s.lineColumn()
	return fmt.Sprintf("%s:%d:%d", s.template.file, line, column)
}

// errorAt makes an error at a place. The cause may be nil.
func errorAt(s *site, message string, cause error) *Error {
	e := &Error{File: s.template.file, Message: message, err: cause}
	e.Line, e.Column = s.lineColumn()
	e.excerpt = excerpt(s.template.source, e.Line, e.Column)
	return e
}

// syntaxError gives a mistake its place.
func syntaxError(t *Template, err error) *Error {
	var mistake *syntax.Error
	if errors.As(err, &mistake) {
		return errorAt(&site{t, mistake.Offset}, mistake.Message, nil)
	}
	return &Error{File: t.file, Message: err.Error(), err: err}
}

// fileError is the error of reading a file.
func fileError(file string, err error) *Error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return &Error{File: file, Message: pathError.Err.Error(), err: err}
	}
	return &Error{File: file, Message: err.Error(), err: err}
}

func (s *site) lineColumn() (line, column int) {
	source := s.template.source
	before := source[:min(s.template.base+s.offset, len(source))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

// excerpt shows a line with two before and two after it, and points at a column.
func excerpt(source string, line, column int) string {
	const around, width = 2, 160
	lines := strings.Split(source, "\n")
	first, last := max(1, line-around), min(len(lines), line+around)
	digits := len(fmt.Sprint(last))
	var b strings.Builder
	for n := first; n <= last; n++ {
		text := []rune(strings.TrimSuffix(lines[n-1], "\r"))
		cut := 0 // a long line is shown around the place
		if n == line && column > width/2 {
			cut = column - width/2
		}
		shown := text[min(cut, len(text)):min(cut+width, len(text))]
		fmt.Fprintf(&b, "%*d | %s\n", digits, n, string(shown))
		if n != line {
			continue
		}
		pad := make([]rune, 0, column)
		for i := range column - 1 - cut {
			if i < len(shown) && shown[i] == '\t' {
				pad = append(pad, '\t')
			} else {
				pad = append(pad, ' ')
			}
		}
		fmt.Fprintf(&b, "%*s | %s^\n", digits, "", string(pad))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
