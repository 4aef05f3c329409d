package app

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// A devHint says in a person's words what a parser of Handlebars says in its own, and where to look for it.
type devHint struct {
	message string
	line    int // of the view, from 1; 0 is where the parser stopped
	column  int
}

var (
	blockTag  = regexp.MustCompile(`(?s)\{\{!--.*?--\}\}|\{\{![^}]*\}\}|\{\{~?([#^/])[#>*]?\s*([^\s}~|()]*)`)
	mismatch  = regexp.MustCompile(`(\S+) doesn't match (\S+)$`)
	unwelcome = regexp.MustCompile(`Expecting (.*), got '([A-Z_]+)'$`)
)

// inWords is what an error says, with the place and the words of the hint if there is one: "views/index.handlebars:3:5:
// {{#each}} is not closed: {{/each}} is missing".
func inWords(err error) string {
	message := err.Error()
	var positioned Positioned
	if !errors.As(err, &positioned) {
		return message
	}
	file, line, column := positioned.Position()
	_, said, _ := strings.Cut(message, place3(file, line, column)+": ")
	hint, ok := hintFor(said, file, line, column)
	if !ok {
		return message
	}
	if hint.line > 0 {
		line, column = hint.line, hint.column
	}
	return place3(file, line, column) + ": " + hint.message
}

// hintFor reads the view, of which the parser said message at a place.
func hintFor(message, file string, line, column int) (hint devHint, ok bool) {
	if m := mismatch.FindStringSubmatch(message); m != nil {
		return devHint{message: fmt.Sprintf("{{#%s}} is closed by {{/%s}}", m[1], m[2])}, true
	}
	m := unwelcome.FindStringSubmatch(message)
	if m == nil {
		return devHint{}, false
	}
	source, err := os.ReadFile(file)
	if err != nil {
		return devHint{}, false
	}
	switch expected, got := m[1], m[2]; {
	case got == "EOF" && strings.Contains(expected, "'OPEN_ENDBLOCK'"):
		return unclosed(string(source))
	case got == "OPEN_ENDBLOCK" && strings.Contains(expected, "'EOF'"):
		lines := strings.Split(string(source), "\n")
		if line < 1 || line > len(lines) {
			return devHint{}, false
		}
		rest := lines[line-1][min(max(column-1, 0), len(lines[line-1])):]
		name := ""
		if tag := blockTag.FindStringSubmatch(rest); tag != nil {
			name = tag[2]
		}
		return devHint{message: fmt.Sprintf("{{/%s}} closes nothing: there is no {{#%[1]s}} open before it", name)}, true
	case got == "INVERSE" && strings.Contains(expected, "'EOF'"):
		return devHint{message: "{{else}} stands outside of a block"}, true
	case got == "CLOSE" && strings.Contains(expected, "'CLOSE_UNESCAPED'"):
		return devHint{message: "{{{ is closed by }} instead of }}}"}, true
	case got == "CLOSE_UNESCAPED" && strings.Contains(expected, "'CLOSE'"):
		return devHint{message: "{{ is closed by }}} instead of }}"}, true
	}
	return devHint{}, false
}

// unclosed finds the innermost block that the end of the view leaves open.
func unclosed(source string) (devHint, bool) {
	type block struct {
		name string
		at   int
	}
	var open []block
	for _, at := range blockTag.FindAllStringSubmatchIndex(source, -1) {
		if at[2] < 0 {
			continue // a comment
		}
		name := source[at[4]:at[5]]
		switch source[at[2]] {
		case '/':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		default:
			if name != "" { // {{^}} is an else
				open = append(open, block{name, at[0]})
			}
		}
	}
	if len(open) == 0 {
		return devHint{}, false
	}
	last := open[len(open)-1]
	before := source[:last.at]
	return devHint{
		message: fmt.Sprintf("{{#%s}} is not closed: {{/%[1]s}} is missing", last.name),
		line:    strings.Count(before, "\n") + 1,
		column:  last.at - strings.LastIndexByte(before, '\n'),
	}, true
}
