package syntax

import "strings"

// whitespace applies ~ and takes away the lines of tags that stand alone on them, as whitespace-control.js does. Each
// program is done after the programs inside it, and a text is stripped at most once on each side by its lines.
type whitespace struct{ ignoreStandalone bool }

// An effect is what a statement does to the text around it.
type effect struct {
	strip              // ~ on its outer sides
	opens, closes bool // its first, its last tag may stand alone, if the text outside allows it
	inline        bool // it may stand alone as a whole
}

func (w *whitespace) root(p *Program) { w.program(p, true) }

func (w *whitespace) program(p *Program, root bool) {
	if p == nil {
		return
	}
	body := p.Body
	for i, s := range body {
		e, ok := w.statement(s)
		if !ok {
			continue
		}
		lineBefore, lineAfter := startsLine(body, i, root), endsLine(body, i, root)
		if e.after {
			stripRight(body, i)
		}
		if e.before {
			stripLeft(body, i)
		}
		if w.ignoreStandalone {
			continue
		}
		if e.inline && lineBefore && lineAfter {
			cutRight(body, i)
			if cutLeft(body, i) && s.Kind == Partial {
				text := body[i-1].original
				s.Indent = text[len(strings.TrimRight(text, " \t")):]
			}
		}
		if e.opens && lineBefore {
			cutRight(firstOf(s.Program, s.Inverse).Body, -1)
			cutLeft(body, i)
		}
		if e.closes && lineAfter {
			cutRight(body, i)
			last := firstOf(s.Inverse, s.Program).Body
			cutLeft(last, len(last))
		}
	}
}

func (w *whitespace) statement(s *Statement) (effect, bool) {
	switch s.Kind {
	case Content:
		return effect{}, false
	case Mustache, Decorator:
		return effect{strip: s.open}, true
	case Partial, Comment:
		return effect{strip: s.open, inline: true}, true
	}
	return w.block(s), true
}

// block strips inside a block: after its first tag, around {{else}} and before its last tag.
func (w *whitespace) block(s *Statement) effect {
	w.program(s.Program, false)
	w.program(s.Inverse, false)

	program, inverse := s.Program, s.Inverse
	if program == nil {
		program, inverse = inverse, nil
	}
	// In an else chain the inverse is a program that holds the next block: its text is in there.
	first, last := inverse, inverse
	if inverse != nil && inverse.chained {
		first = inverse.Body[0].Program
		for last.chained {
			last = last.Body[len(last.Body)-1].Program
		}
	}
	end := firstOf(first, program).Body
	e := effect{
		strip:  strip{s.open.before, s.close.after},
		opens:  endsLine(program.Body, -1, false),
		closes: startsLine(end, len(end), false),
	}
	if s.open.after {
		stripRight(program.Body, -1)
	}
	if inverse == nil {
		if s.close.before {
			stripLeft(program.Body, len(program.Body))
		}
		return e
	}
	if s.inverse.before {
		stripLeft(program.Body, len(program.Body))
	}
	if s.inverse.after {
		stripRight(first.Body, -1)
	}
	if s.close.before {
		stripLeft(last.Body, len(last.Body))
	}
	if !w.ignoreStandalone && startsLine(program.Body, len(program.Body), false) && endsLine(first.Body, -1, false) {
		cutLeft(program.Body, len(program.Body))
		cutRight(first.Body, -1)
	}
	return e
}

func firstOf(a, b *Program) *Program {
	if a != nil {
		return a
	}
	return b
}

// contentAt returns body[i] if it is text.
func contentAt(body []*Statement, i int) *Statement {
	if i < 0 || i >= len(body) || body[i].Kind != Content {
		return nil
	}
	return body[i]
}

// startsLine reports whether only white space stands before body[i] on its line.
func startsLine(body []*Statement, i int, root bool) bool {
	if i == 0 {
		return root
	}
	text := contentAt(body, i-1)
	if text == nil {
		return false
	}
	rest := trimSpaceRight(text.original)
	return strings.Contains(text.original[len(rest):], "\n") || i == 1 && root && rest == ""
}

// endsLine reports whether only white space stands after body[i] on its line.
func endsLine(body []*Statement, i int, root bool) bool {
	if i == len(body)-1 {
		return root
	}
	text := contentAt(body, i+1)
	if text == nil {
		return false
	}
	rest := trimSpaceLeft(text.original)
	return strings.Contains(text.original[:len(text.original)-len(rest)], "\n") || i == len(body)-2 && root && rest == ""
}

// stripRight takes all white space after body[i] away, stripLeft all before it.
func stripRight(body []*Statement, i int) {
	if text := contentAt(body, i+1); text != nil {
		text.setRight(trimSpaceLeft(text.Text))
	}
}

func stripLeft(body []*Statement, i int) {
	if text := contentAt(body, i-1); text != nil {
		text.setLeft(trimSpaceRight(text.Text))
	}
}

// cutRight takes the rest of the line after body[i] away, cutLeft the indentation before it; that reports whether
// there was one.
func cutRight(body []*Statement, i int) {
	text := contentAt(body, i+1)
	if text == nil || text.strippedRight {
		return
	}
	rest := strings.TrimLeft(text.Text, " \t")
	rest = strings.TrimPrefix(rest, "\r")
	text.setRight(strings.TrimPrefix(rest, "\n"))
}

func cutLeft(body []*Statement, i int) bool {
	text := contentAt(body, i-1)
	if text == nil || text.strippedLeft {
		return false
	}
	text.setLeft(strings.TrimRight(text.Text, " \t"))
	return text.strippedLeft
}

func (s *Statement) setRight(text string) {
	s.strippedRight = text != s.Text
	s.Text = text
}

func (s *Statement) setLeft(text string) {
	s.strippedLeft = text != s.Text
	s.Text = text
}
