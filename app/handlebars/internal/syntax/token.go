package syntax

import "strings"

// A kind is a terminal of Handlebars' grammar. They stand in the order in which handlebars.js names the ones that it
// expected, so that a set of them prints as it prints there.
type kind uint8

const (
	tokEOF kind = iota
	tokComment
	tokContent
	tokEndRawBlock
	tokOpenRawBlock
	tokCloseRawBlock
	tokOpenBlock
	tokClose
	tokOpenInverse
	tokOpenInverseChain
	tokInverse
	tokOpenEndBlock
	tokOpen
	tokOpenUnescaped
	tokCloseUnescaped
	tokOpenPartial
	tokOpenPartialBlock
	tokOpenSexpr
	tokCloseSexpr
	tokID
	tokEquals
	tokOpenBlockParams
	tokCloseBlockParams
	tokString
	tokNumber
	tokBoolean
	tokUndefined
	tokNull
	tokData
	tokSep
	tokInvalid
	tokUnrecognized // no token of the grammar: the lexer could not go on
)

var kindNames = [...]string{
	"EOF", "COMMENT", "CONTENT", "END_RAW_BLOCK", "OPEN_RAW_BLOCK", "CLOSE_RAW_BLOCK", "OPEN_BLOCK", "CLOSE",
	"OPEN_INVERSE", "OPEN_INVERSE_CHAIN", "INVERSE", "OPEN_ENDBLOCK", "OPEN", "OPEN_UNESCAPED", "CLOSE_UNESCAPED",
	"OPEN_PARTIAL", "OPEN_PARTIAL_BLOCK", "OPEN_SEXPR", "CLOSE_SEXPR", "ID", "EQUALS", "OPEN_BLOCK_PARAMS",
	"CLOSE_BLOCK_PARAMS", "STRING", "NUMBER", "BOOLEAN", "UNDEFINED", "NULL", "DATA", "SEP", "INVALID", "",
}

// A token is a piece of a template: src[pos:end], and what it says where that differs.
type token struct {
	kind     kind
	pos, end int
	text     string
}

// A set is a set of kinds.
type set uint32

func setOf(kinds ...kind) set {
	var s set
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

func (s set) has(k kind) bool { return s&(1<<k) != 0 }

func (s set) String() string {
	var names []string
	for k := tokEOF; k <= tokInvalid; k++ {
		if s.has(k) {
			names = append(names, "'"+kindNames[k]+"'")
		}
	}
	return strings.Join(names, ", ")
}
