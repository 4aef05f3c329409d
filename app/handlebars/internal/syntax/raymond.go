package syntax

import (
	"fmt"

	"github.com/aymerick/raymond/ast"
	"github.com/aymerick/raymond/parser"
)

// build parses a skeleton with raymond's parser and makes the tree of the template from it. This file is the only one
// that knows raymond.
func build(skeleton string, n *notes) (*Program, error) {
	root, err := parser.Parse(skeleton)
	if err != nil {
		return nil, fmt.Errorf("handlebars: the parser refused a template that was checked: %w", err)
	}
	return (*builder)(n).program(root), nil
}

// A builder turns raymond's nodes into ours: the structure is theirs, what stands at a position is in the notes.
type builder notes

func (b *builder) program(p *ast.Program) *Program {
	if p == nil {
		return nil
	}
	out := &Program{chained: p.Chained}
	for _, node := range p.Body {
		if text, ok := node.(*ast.ContentStatement); ok {
			for _, piece := range b.texts[text.Pos] {
				out.Body = append(out.Body, &Statement{Kind: Content, Pos: text.Pos, Text: piece, original: piece})
			}
			continue
		}
		out.Body = append(out.Body, b.statement(node))
	}
	return out
}

func (b *builder) statement(node ast.Node) *Statement {
	pos := node.Location().Pos
	g := b.tags[pos]
	s := &Statement{Kind: g.kind, Pos: pos, Escaped: g.escaped, open: g.open, inverse: g.inverse, close: g.close}
	switch node := node.(type) {
	case *ast.MustacheStatement:
		s.Call = b.call(node.Expression)
	case *ast.PartialStatement:
		s.Call = Call{b.expr(node.Name), b.exprList(node.Params), b.hash(node.Hash)}
	case *ast.BlockStatement:
		s.Call = b.call(node.Expression)
		s.Program, s.Inverse = b.program(node.Program), b.program(node.Inverse)
		if node.Program != nil && node.Program.BlockParams != nil {
			s.Program.Params = g.params
		} else if node.Inverse != nil && node.Inverse.BlockParams != nil {
			s.Inverse.Params = g.params
		}
	}
	return s
}

func (b *builder) call(e *ast.Expression) Call {
	c := Call{b.expr(e.Path), b.exprList(e.Params), b.hash(e.Hash)}
	if c.Name == nil { // {{#> (name) …}}: see lower
		c.Name, c.Params = c.Params[0], c.Params[1:]
	}
	return c
}

func (b *builder) expr(node ast.Node) Expr {
	if sub, ok := node.(*ast.SubExpression); ok {
		return &Sub{sub.Pos, b.call(sub.Expression)}
	}
	return b.exprs[node.Location().Pos]
}

func (b *builder) exprList(nodes []ast.Node) []Expr {
	var list []Expr
	for _, node := range nodes {
		list = append(list, b.expr(node))
	}
	return list
}

func (b *builder) hash(h *ast.Hash) []Pair {
	if h == nil {
		return nil
	}
	var pairs []Pair
	for _, p := range h.Pairs {
		pairs = append(pairs, Pair{b.keys[p.Pos], b.expr(p.Val)})
	}
	return pairs
}
