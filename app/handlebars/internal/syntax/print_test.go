package syntax

import "strings"

// print writes a program as a template: the tags bare of ~, every name in brackets. Parsed without the rules for tags
// that stand alone, it is the same tree again.
func print(p *Program) string {
	w := &printer{}
	w.program(p)
	return w.String()
}

type printer struct{ strings.Builder }

func (w *printer) program(p *Program) {
	if p == nil {
		return
	}
	text := ""
	for _, s := range p.Body {
		switch s.Kind {
		case Comment:
			continue
		case Content:
			text += s.Text
			continue
		}
		w.text(text)
		text = ""
		w.statement(s)
	}
	w.text(text)
}

// text writes what is text although it may look like a tag, or run into the tag behind it.
func (w *printer) text(text string) {
	if strings.HasPrefix(text, "}") {
		w.WriteString("{{!}}")
	}
	for {
		before, after, found := strings.Cut(text, "{{")
		w.WriteString(before)
		if strings.HasSuffix(before, `\`) {
			w.WriteString(`\{{!}}`)
		} else if strings.HasSuffix(before, "{") {
			w.WriteString(" {{~!}}")
		}
		if !found {
			return
		}
		w.WriteString(`\{{`)
		if text = after; text == "" {
			w.WriteString("{{!}}")
			return
		}
	}
}

func (w *printer) statement(s *Statement) {
	switch s.Kind {
	case Mustache:
		open, end := "{{", "}}"
		if !s.Escaped {
			open, end = "{{{", "}}}"
		}
		w.WriteString(open + w.call(s.Call) + end)
	case Decorator:
		w.WriteString("{{* " + w.call(s.Call) + "}}")
	case Partial:
		w.WriteString("{{> " + w.call(s.Call) + "}}")
	case PartialBlock, DecoratorBlock:
		sign := map[StatementKind]string{PartialBlock: ">", DecoratorBlock: "*"}[s.Kind]
		w.WriteString("{{#" + sign + " " + w.call(s.Call) + params(s.Program) + "}}")
		w.program(s.Program)
		w.end(s)
	case Block:
		first, second, sign := s.Program, s.Inverse, "#"
		if first == nil || second != nil && len(second.Params) > 0 && !second.chained {
			first, second, sign = second, first, "^"
		}
		w.WriteString("{{" + sign + w.call(s.Call) + params(first) + "}}")
		w.program(first)
		if second != nil {
			w.WriteString("{{else}}")
			w.program(second)
		}
		w.end(s)
	}
}

func (w *printer) end(s *Statement) {
	name := "undefined" // what a sub-expression is called
	if _, ok := s.Name.(*Sub); !ok {
		name = w.expr(s.Name)
	}
	w.WriteString("{{/" + name + "}}")
}

func params(p *Program) string {
	if p == nil || len(p.Params) == 0 {
		return ""
	}
	var names []string
	for _, name := range p.Params {
		names = append(names, bracket(name))
	}
	return " as |" + strings.Join(names, " ") + "|"
}

func (w *printer) call(c Call) string {
	words := []string{w.expr(c.Name)}
	for _, p := range c.Params {
		words = append(words, w.expr(p))
	}
	for _, p := range c.Hash {
		words = append(words, bracket(p.Key)+"="+w.expr(p.Value))
	}
	return strings.Join(words, " ")
}

func (w *printer) expr(e Expr) string {
	switch e := e.(type) {
	case *Sub:
		return "(" + w.call(e.Call) + ")"
	case *Literal:
		s, ok := e.Value.(string)
		switch {
		case !ok:
			return e.Text
		case strings.Contains(s, `"`):
			return "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
		}
		return `"` + s + `"`
	}
	p := e.(*Path)
	var parts []string
	for _, part := range p.Parts {
		parts = append(parts, bracket(part))
	}
	path := strings.Repeat("../", p.Depth) + strings.Join(parts, ".")
	switch {
	case p.Data && path == "":
		return "@this"
	case p.Data:
		return "@" + strings.TrimSuffix(path, "/")
	case path == "":
		return "this"
	case p.Scoped && p.Depth == 0:
		return "./" + path
	}
	return strings.TrimSuffix(path, "/")
}

// bracket writes a segment. One with a line break keeps the brackets that it was written with.
func bracket(name string) string {
	if strings.HasPrefix(name, "[") && strings.ContainsAny(name, "\n\r\u2028\u2029") {
		return name
	}
	return "[" + strings.ReplaceAll(name, "]", `\]`) + "]"
}
