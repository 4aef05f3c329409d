package syntax

import (
	"fmt"
	"strconv"
	"strings"
)

// maxNesting bounds how deep blocks, else chains and sub-expressions nest, so that nothing that walks a tree runs out
// of stack.
const maxNesting = 1000

// What may come where. These are the states of the parser that jison makes of handlebars.yy; an error names the set of
// its state.
var (
	names = setOf(tokID, tokString, tokNumber, tokBoolean, tokUndefined, tokNull, tokData)
	param = names | setOf(tokOpenSexpr)

	afterParam = param | setOf(tokCloseRawBlock, tokClose, tokCloseUnescaped, tokCloseSexpr, tokOpenBlockParams)
	afterPair  = setOf(tokCloseRawBlock, tokClose, tokCloseUnescaped, tokCloseSexpr, tokID, tokOpenBlockParams)

	statements = setOf(tokComment, tokContent, tokOpenRawBlock, tokOpenBlock, tokOpenInverse, tokOpen, tokOpenUnescaped,
		tokOpenPartial, tokOpenPartialBlock)
	inTemplate = statements | setOf(tokEOF)
	inLast     = statements | setOf(tokOpenEndBlock)
	inInverse  = inLast | setOf(tokInverse)
	inBlock    = inInverse | setOf(tokOpenInverseChain)
)

// notes are what check found out about a template, by byte offset.
type notes struct {
	tags    map[int]*tag
	exprs   map[int]Expr     // paths and literals
	keys    map[int]string   // of hash arguments
	texts   map[int][]string // the pieces of a run of text, at its start
	letters map[int]string   // what lower writes for a path, a literal, a key or a block parameter
}

// A tag is what the tokens of a statement's tags say beyond their structure.
type tag struct {
	kind                 StatementKind
	escaped              bool
	params               []string
	open, inverse, close strip
}

// checker walks the grammar of handlebars.yy over the tokens of a template.
type checker struct {
	notes
	tokens []token
	i      int
	blocks []*openBlock // the first is the template
	depth  int          // of sub-expressions
	run    int          // where the run of text starts that is being read
}

// An openBlock is a block, or a link of an else chain, whose end has not come yet.
type openBlock struct {
	*tag
	name    name
	chained bool
	within  set  // what may come now
	filled  bool // something stands in it

	misplaced *Error // the inverse that a decorator cannot have: its end is checked first
}

// A name is what a block is called, for comparing with its end.
type name struct {
	text   string
	number bool
	offset int
}

// check returns the notes on a template, or its first mistake.
func check(tokens []token) (*notes, error) {
	c := &checker{tokens: tokens, notes: notes{
		tags: map[int]*tag{}, exprs: map[int]Expr{}, keys: map[int]string{}, texts: map[int][]string{},
		letters: map[int]string{},
	}}
	c.blocks = []*openBlock{{within: inTemplate}}
	for {
		b := c.blocks[len(c.blocks)-1]
		t, err := c.take(b.within)
		if err != nil && b.filled {
			_, err = c.expect(t, b.within&^statements)
		}
		if err != nil {
			return nil, err
		}
		if t.kind == tokEOF {
			return &c.notes, nil
		}
		b.filled = statements.has(t.kind)
		if err := c.statement(t); err != nil {
			return nil, err
		}
		if len(c.blocks) > maxNesting {
			return nil, &Error{t.pos, fmt.Sprintf("more than %d blocks inside each other", maxNesting)}
		}
	}
}

// peek returns the next token if it is one of s.
func (c *checker) peek(s set) (token, error) { return c.expect(c.tokens[c.i], s) }

func (c *checker) expect(t token, s set) (token, error) {
	switch {
	case s.has(t.kind) && t.kind != tokUnrecognized:
		return t, nil
	case t.kind == tokUnrecognized:
		return t, &Error{t.pos, "Unrecognized text"}
	}
	return t, &Error{t.pos, fmt.Sprintf("Expecting %s, got '%s'", s, kindNames[t.kind])}
}

// take is peek, and goes on behind the token.
func (c *checker) take(s set) (token, error) {
	t, err := c.peek(s)
	c.i++
	return t, err
}

// statement reads the statement, or the part of one, that starts with t.
func (c *checker) statement(t token) error {
	switch t.kind {
	case tokContent:
		c.text(t)
		return nil
	case tokComment:
		c.tags[t.pos] = &tag{kind: Comment, open: c.stripOf(t, t)}
		return nil
	case tokOpen:
		return c.single(t, names, tokClose)
	case tokOpenUnescaped:
		return c.single(t, names, tokCloseUnescaped)
	case tokOpenPartial:
		return c.single(t, param, tokClose)
	case tokOpenRawBlock:
		return c.rawBlock(t)
	case tokOpenBlock:
		return c.block(t, names, inBlock)
	case tokOpenInverse:
		return c.block(t, names, inInverse)
	case tokOpenPartialBlock:
		return c.block(t, param, inLast)
	case tokOpenInverseChain:
		return c.block(t, names, inBlock)
	case tokInverse:
		return c.inverse(t)
	}
	return c.endBlock(t)
}

// text notes a piece of text, in the run of the ones right before it.
func (c *checker) text(t token) {
	if c.i < 2 || c.tokens[c.i-2].kind != tokContent {
		c.run = t.pos
	}
	c.texts[c.run] = append(c.texts[c.run], t.text)
}

// open notes the tag that starts with t.
func (c *checker) open(t token) *tag {
	g := &tag{}
	switch src := t.text; t.kind {
	case tokOpen:
		g.kind, g.escaped = Mustache, !strings.HasSuffix(src, "&")
		if strings.HasSuffix(src, "*") {
			g.kind = Decorator
		}
	case tokOpenUnescaped:
		g.kind = Mustache
	case tokOpenPartial:
		g.kind = Partial
	case tokOpenPartialBlock:
		g.kind = PartialBlock
	default:
		g.kind = Block
		if strings.HasSuffix(src, "*") {
			g.kind = DecoratorBlock
		}
	}
	c.tags[t.pos] = g
	return g
}

// single reads the rest of a tag that is a statement by itself.
func (c *checker) single(t token, first set, end kind) error {
	g := c.open(t)
	if _, err := c.call(first, setOf(end)); err != nil {
		return err
	}
	last, err := c.take(setOf(end))
	g.open = c.stripOf(t, last)
	return err
}

// block reads the rest of a tag that opens a block or a link of an else chain.
func (c *checker) block(t token, first, within set) error {
	g := c.open(t)
	ends := setOf(tokClose, tokOpenBlockParams)
	if t.kind == tokOpenPartialBlock {
		ends = setOf(tokClose)
	}
	name, err := c.call(first, ends)
	if err != nil {
		return err
	}
	end, err := c.take(ends)
	if err == nil && end.kind == tokOpenBlockParams {
		end, err = c.blockParams(g)
	}
	if err != nil {
		return err
	}
	g.open = c.stripOf(t, end)
	chained := t.kind == tokOpenInverseChain
	if chained {
		if err := c.startInverse(t, g.open); err != nil {
			return err
		}
		g.close = g.open
	}
	c.blocks = append(c.blocks, &openBlock{tag: g, name: name, chained: chained, within: within})
	return nil
}

// blockParams reads the names up to the second bar, and the end of the tag.
func (c *checker) blockParams(g *tag) (end token, err error) {
	for expected := setOf(tokID); ; expected = setOf(tokID, tokCloseBlockParams) {
		t, err := c.take(expected)
		if err != nil {
			return t, err
		}
		if t.kind == tokCloseBlockParams {
			return c.take(setOf(tokClose))
		}
		g.params = append(g.params, segment(t.text))
		c.letters[t.pos] = "x"
	}
}

func (c *checker) inverse(t token) error {
	if err := c.startInverse(t, c.stripOf(t, t)); err != nil {
		return err
	}
	c.blocks[len(c.blocks)-1].within = inLast
	return nil
}

// startInverse notes in the innermost block that its inverse starts at t.
func (c *checker) startInverse(t token, s strip) error {
	b := c.blocks[len(c.blocks)-1]
	if b.kind == DecoratorBlock && b.misplaced == nil {
		b.misplaced = &Error{t.pos, "Unexpected inverse block on decorator"}
	}
	b.inverse = s
	return nil
}

// endBlock reads the rest of {{/name}}. A link of an else chain ends where the next link starts, the first where the
// block does.
func (c *checker) endBlock(t token) error {
	name, err := c.name(names)
	if err != nil {
		return err
	}
	end, err := c.take(setOf(tokClose))
	if err != nil {
		return err
	}
	n := len(c.blocks) - 1
	for c.blocks[n].chained {
		n--
	}
	b := c.blocks[n]
	b.close = c.stripOf(t, end)
	if n+1 < len(c.blocks) {
		c.blocks[n+1].close = b.close
	}
	c.blocks = c.blocks[:n]
	if err := match(b.name, name); err != nil || b.misplaced == nil {
		return err
	}
	return b.misplaced
}

func match(open, end name) error {
	if open.text == end.text && open.number == end.number {
		return nil
	}
	return &Error{open.offset, fmt.Sprintf("%s doesn't match %s", open.text, end.text)}
}

func (c *checker) rawBlock(t token) error {
	c.open(t)
	open, err := c.call(names, setOf(tokCloseRawBlock))
	if err != nil {
		return err
	}
	for expected := setOf(tokCloseRawBlock); ; expected = setOf(tokContent, tokEndRawBlock) {
		t, err := c.take(expected)
		switch {
		case err != nil:
			return err
		case t.kind == tokContent:
			c.text(t)
		case t.kind == tokEndRawBlock:
			return match(open, name{text: t.text})
		}
	}
}

// call reads a name and what is passed to it, up to one of ends, which it leaves.
func (c *checker) call(first, ends set) (name, error) {
	name, err := c.name(first)
	if err != nil {
		return name, err
	}
	for {
		t, err := c.peek(param | ends)
		if err != nil || ends.has(t.kind) {
			return name, err
		}
		if t.kind == tokID {
			if c.tokens[c.i+1].kind == tokEquals {
				return name, c.hash(ends)
			}
			if _, err := c.path(afterParam | setOf(tokSep, tokEquals)); err != nil {
				return name, err
			}
		} else if _, err := c.name(param); err != nil {
			return name, err
		}
	}
}

// hash reads the arguments with a name, up to one of ends, which it leaves.
func (c *checker) hash(ends set) error {
	for {
		key, err := c.take(setOf(tokID))
		if err != nil {
			return err
		}
		if _, err := c.take(setOf(tokEquals)); err != nil {
			return err
		}
		c.keys[key.pos] = segment(key.text)
		c.letters[key.pos] = letters(key)
		if _, err := c.name(param); err != nil {
			return err
		}
		t, err := c.peek(afterPair)
		if err != nil {
			return err
		}
		if t.kind != tokID {
			_, err := c.peek(ends)
			return err
		}
	}
}

// name reads a path, a literal or, if it is in s, a sub-expression.
func (c *checker) name(s set) (name, error) {
	t, err := c.peek(s)
	if err != nil {
		return name{}, err
	}
	switch t.kind {
	case tokID, tokData:
		return c.path(afterParam | setOf(tokSep))
	case tokOpenSexpr:
		return name{text: "undefined", offset: t.pos}, c.subexpression()
	}
	c.i++
	l := &Literal{Pos: t.pos, Text: t.text}
	n := name{text: t.text, offset: t.pos}
	switch t.kind {
	case tokString:
		l.Value = t.text
	case tokNumber:
		f, _ := strconv.ParseFloat(t.text, 64)
		l.Value = f
		n.text, n.number = strconv.FormatFloat(f, 'g', -1, 64), true
	case tokBoolean:
		l.Value = t.text == "true"
	case tokUndefined:
		l.Undefined = true
	}
	c.exprs[t.pos], c.letters[t.pos] = l, "x"
	_, err = c.peek(afterParam)
	return n, err
}

func (c *checker) subexpression() error {
	if c.depth++; c.depth > maxNesting {
		return &Error{c.tokens[c.i].pos, fmt.Sprintf("more than %d sub-expressions inside each other", maxNesting)}
	}
	c.i++
	if _, err := c.call(names, setOf(tokCloseSexpr)); err != nil {
		return err
	}
	if _, err := c.take(setOf(tokCloseSexpr)); err != nil {
		return err
	}
	c.depth--
	_, err := c.peek(afterParam)
	return err
}

// path reads a path; after is what may follow its first segment.
func (c *checker) path(after set) (name, error) {
	t, _ := c.take(setOf(tokID, tokData))
	p := &Path{Pos: t.pos}
	var original strings.Builder
	c.letters[t.pos] = letters(t)
	if t.kind == tokData {
		p.Data = true
		original.WriteByte('@')
		var err error
		if t, err = c.take(setOf(tokID)); err != nil {
			return name{}, err
		}
	}
	for {
		part := segment(t.text)
		original.WriteString(part)
		if len(part) == len(t.text) && (part == ".." || part == "." || part == "this") {
			if len(p.Parts) > 0 {
				return name{}, &Error{p.Pos, "Invalid path: " + original.String()}
			}
			if part == ".." {
				p.Depth++
			}
		} else {
			p.Parts = append(p.Parts, part)
		}
		sep, err := c.peek(after)
		if err != nil {
			return name{}, err
		}
		if sep.kind != tokSep {
			break
		}
		c.i++
		if t, err = c.take(setOf(tokID)); err != nil {
			return name{}, err
		}
		original.WriteString(sep.text)
		after = afterParam | setOf(tokSep)
	}
	p.Original = original.String()
	p.Scoped = Scoped(p.Original)
	c.exprs[p.Pos] = p
	return name{text: p.Original, offset: p.Pos}, nil
}

// letters are what lower writes for a name.
func letters(t token) string {
	if t.text[0] == '.' {
		return t.text
	}
	return "x"
}

// Scoped is /^\.|this\b/ of handlebars.js.
func Scoped(original string) bool {
	if strings.HasPrefix(original, ".") {
		return true
	}
	for s := original; ; {
		_, after, found := strings.Cut(s, "this")
		if !found {
			return false
		}
		if after == "" || !isWord(after[0]) {
			return true
		}
		s = after
	}
}

// segment takes the brackets off [name].
func segment(s string) string {
	if strings.HasPrefix(s, "[") && !strings.ContainsAny(s, "\n\r\u2028\u2029") {
		return s[1 : len(s)-1]
	}
	return s
}

// stripOf reads the tildes of a tag from its first and its last token.
func (c *checker) stripOf(first, last token) strip {
	return strip{strings.HasPrefix(first.text, "{{~"), strings.HasSuffix(last.text, "~}}")}
}
