package syntax

// tree writes a program in the canonical form of the conformance data, ready for encoding/json.
func tree(p *Program) any {
	if p == nil {
		return nil
	}
	list := []any{}
	for _, s := range p.Body {
		switch s.Kind {
		case Comment:
		case Content:
			if s.Text == "" {
				continue
			}
			if n := len(list); n > 0 {
				if last := list[n-1].([]any); last[0] == "content" {
					last[1] = last[1].(string) + s.Text
					continue
				}
			}
			list = append(list, []any{"content", s.Text})
		case Mustache:
			list = append(list, append([]any{"mustache", bit(s.Escaped)}, callTree(s.Call)...))
		case Block:
			list = append(list, append(append([]any{"block"}, callTree(s.Call)...), tree(s.Program), tree(s.Inverse)))
		case Partial:
			list = append(list, append(append([]any{"partial"}, callTree(s.Call)...), s.Indent))
		case PartialBlock:
			list = append(list, append(append([]any{"partialBlock"}, callTree(s.Call)...), tree(s.Program)))
		case Decorator:
			list = append(list, append([]any{"decorator"}, callTree(s.Call)...))
		case DecoratorBlock:
			list = append(list, append(append([]any{"decoratorBlock"}, callTree(s.Call)...), tree(s.Program)))
		}
	}
	params := []any{}
	for _, name := range p.Params {
		params = append(params, name)
	}
	return []any{params, list}
}

func callTree(c Call) []any {
	params, hash := []any{}, []any{}
	for _, p := range c.Params {
		params = append(params, exprTree(p))
	}
	for _, p := range c.Hash {
		hash = append(hash, []any{p.Key, exprTree(p.Value)})
	}
	return []any{exprTree(c.Name), params, hash}
}

func exprTree(e Expr) any {
	switch e := e.(type) {
	case *Path:
		parts := []any{}
		for _, p := range e.Parts {
			parts = append(parts, p)
		}
		return []any{"path", bit(e.Data), e.Depth, parts, bit(e.Scoped)}
	case *Sub:
		return append([]any{"sexpr"}, callTree(e.Call)...)
	case *Literal:
		switch v := e.Value.(type) {
		case string:
			return []any{"string", v}
		case float64:
			return []any{"number", v}
		case bool:
			return []any{"boolean", v}
		}
		if e.Undefined {
			return []any{"undefined"}
		}
	}
	return []any{"null"}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
