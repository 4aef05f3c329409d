package syntax

// lower writes the skeleton of a template that check has accepted: the same number of bytes, every tag and every
// argument where it was, and of the language only what Handlebars 3 has and raymond reads right. All names are x (a
// path that starts with dots keeps them, which is what separates it from an x right before), text is a run of x, and
// raw blocks, partial blocks and decorators are plain blocks and mustaches. What they really are is in the notes.
func lower(size int, tokens []token, n *notes) string {
	out := make([]byte, size)
	for i := range out {
		out[i] = ' '
	}
	for i, t := range tokens {
		in := out[t.pos:t.end]
		switch t.kind {
		case tokContent:
			for i := range in {
				in[i] = 'x'
			}
		case tokComment:
			for i := range in {
				in[i] = 'x'
			}
			copy(in, "{{!")
			copy(in[len(in)-2:], "}}")
		case tokOpen, tokOpenUnescaped:
			copy(in, "{{")
		case tokOpenPartial:
			copy(in, "{{>")
		case tokOpenBlock, tokOpenPartialBlock, tokOpenRawBlock:
			copy(in, "{{#")
			if i+1 < len(tokens) && tokens[i+1].kind == tokOpenSexpr {
				in[3] = 'x' // what a block is called cannot be a sub-expression: that is its first argument then
			}
		case tokOpenInverse:
			copy(in, "{{^")
		case tokOpenInverseChain:
			copy(in, "{{else")
		case tokInverse:
			copy(in, "{{^")
			copy(in[len(in)-2:], "}}")
		case tokOpenEndBlock:
			copy(in, "{{/")
		case tokEndRawBlock:
			copy(in, "{{/x")
			copy(in[len(in)-2:], "}}")
		case tokClose, tokCloseUnescaped, tokCloseRawBlock:
			copy(in[len(in)-2:], "}}")
		case tokOpenBlockParams:
			copy(in, "as")
			in[len(in)-1] = '|'
		case tokOpenSexpr, tokCloseSexpr, tokEquals, tokCloseBlockParams:
			in[0] = t.text[0]
		case tokID, tokData, tokString, tokNumber, tokBoolean, tokUndefined, tokNull:
			copy(in, n.letters[t.pos])
		}
	}
	return string(out)
}
