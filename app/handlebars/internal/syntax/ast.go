// Package syntax reads Handlebars 4.7 templates: [Parse] turns a source into a [Program], with white-space control
// applied.
//
// A template passes through five steps, one a file. The lexer cuts it into the tokens of handlebars.l; check walks
// handlebars.yy over them, reports every error there is, and notes what stands at each position; lower writes the
// skeleton of the template, byte for byte in the same places, in the Handlebars 3 that raymond's parser reads; raymond
// parses it, and its tree is filled with what check noted; whitespace strips. Raymond therefore never sees anything
// that it refuses or misreads.
package syntax

// A Program is a list of statements, the whole template or one branch of a block.
type Program struct {
	Params []string // block parameters: as |item index|
	Body   []*Statement

	chained bool // the inverse made by {{else name …}}: Body is that one block
}

// A StatementKind says what a [Statement] is.
type StatementKind uint8

// The kinds of statements.
const (
	Content        StatementKind = iota // Text
	Comment                             // nothing is left of it
	Mustache                            // {{name …}}
	Block                               // {{#name …}}, {{^name …}}, {{{{name …}}}}
	Partial                             // {{> name …}}
	PartialBlock                        // {{#> name …}}
	Decorator                           // {{* name …}}
	DecoratorBlock                      // {{#* name …}}
)

// A Statement is one node of a program.
type Statement struct {
	Kind    StatementKind
	Pos     int // byte offset of the tag or the text
	Call        // all but Content and Comment
	Escaped bool
	Text    string   // Content
	Indent  string   // Partial: the white space before one that stands alone on its line
	Program *Program // blocks; nil if there is only an inverse
	Inverse *Program // Block

	open, inverse, close strip // a tag that is no block has only open
	original             string
	strippedLeft         bool
	strippedRight        bool
}

// strip tells which sides of a tag had a ~.
type strip struct{ before, after bool }

// A Call is a name with what is passed to it.
type Call struct {
	Name   Expr
	Params []Expr
	Hash   []Pair
}

// A Pair is one argument name=value.
type Pair struct {
	Key   string
	Value Expr
}

// An Expr is a *[Path], a *[Literal] or a *[Sub].
type Expr interface{ Offset() int }

// A Path names a value: a.b, ../a, this, @index.
type Path struct {
	Pos      int
	Original string // without brackets; what error messages call it
	Data     bool   // @name
	Depth    int    // how many ../
	Parts    []string
	Scoped   bool // starts with this, . or ..: never a helper
}

// A Literal is a string, float64 or bool, or nil for null and undefined.
type Literal struct {
	Pos       int
	Text      string // as written, strings without quotes
	Value     any
	Undefined bool
}

// A Sub is a sub-expression: (name …).
type Sub struct {
	Pos int
	Call
}

// Offset is the byte offset at which the path starts.
func (p *Path) Offset() int { return p.Pos }

// Offset is the byte offset at which the literal starts.
func (l *Literal) Offset() int { return l.Pos }

// Offset is the byte offset of the parenthesis.
func (s *Sub) Offset() int { return s.Pos }

// Parse reads a template. The error is an *[Error]. With ignoreStandalone, tags alone on their lines leave the lines.
func Parse(src string, ignoreStandalone bool) (*Program, error) {
	tokens := lex(src)
	notes, err := check(tokens)
	if err != nil {
		return nil, err
	}
	p, err := build(lower(len(src), tokens, notes), notes)
	if err != nil {
		return nil, err
	}
	(&whitespace{ignoreStandalone: ignoreStandalone}).root(p)
	return p, nil
}

// An Error is a mistake in a template, in the words of handlebars.js.
type Error struct {
	Offset  int // in bytes
	Message string
}

func (e *Error) Error() string { return e.Message }
