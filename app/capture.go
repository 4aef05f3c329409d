package app

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A capture is a parameter or a wildcard of a pattern.
type capture struct {
	name     string
	wildcard bool
	check    *regexp.Regexp // what the value must match
	without  string         // the value must not contain this text
	alone    bool           // but may be it
	fold     bool           // in either case
}

// take appends the parameter with a raw value, if the value is one that the capture takes.
func (c *capture) take(value string, dst []param) ([]param, bool, error) {
	if value == "" || c.without != "" && c.contains(value) {
		return dst, false, nil
	}
	decoded := value
	if strings.IndexByte(value, '%') >= 0 {
		var err error
		if decoded, err = url.PathUnescape(value); err != nil || !utf8.ValidString(decoded) {
			return dst, true, &HTTPError{Status: 400, Message: "Failed to decode param '" + c.undecodable(value) + "'"}
		}
	}
	if c.check != nil && !c.check.MatchString(decoded) {
		return dst, false, nil
	}
	if c.wildcard {
		decoded = value
	}
	return append(dst, param{name: c.name, value: decoded, wildcard: c.wildcard}), true, nil
}

// contains reports whether a raw value contains the text that it must not.
func (c *capture) contains(value string) bool {
	without := c.without
	if c.fold {
		value, without = foldASCII(value), foldASCII(without)
	}
	return strings.Contains(value, without) && !(c.alone && value == without)
}

// undecodable is the part of a raw value that cannot be decoded: of a wildcard's the first such segment.
func (c *capture) undecodable(value string) string {
	if c.wildcard {
		for segment := range strings.SplitSeq(value, "/") {
			if decoded, err := url.PathUnescape(segment); err != nil || !utf8.ValidString(decoded) {
				return segment
			}
		}
	}
	return value
}

// captureLimits decides what each capture of a pattern may take, so that there is one way for a path to match: a
// parameter not the text before it in its segment, a wildcard not the text between it and the wildcard before. These
// are the rules of path-to-regexp.
type captureLimits struct {
	tokens   []token
	since    string // the text since the last capture
	sinceAny string // the text after the last wildcard, up to the next capture
	param    bool   // there was a parameter in this segment
	wildcard bool   // there was a wildcard in this segment
	any      bool   // the last capture was a wildcard
}

func (l *captureLimits) text(text string) {
	l.since += text
	if l.any {
		l.sinceAny += text
	}
	if strings.Contains(text, "/") {
		l.param, l.wildcard = false, false
	}
}

// capture returns the regular expression of the capture at an index, and a text that its value must not contain, or
// contain with more.
func (l *captureLimits) capture(index int, wildcard bool) (expr, without string, alone bool) {
	switch {
	case wildcard && l.wildcard:
		expr, without = except("", l.since)
	case wildcard && l.sinceAny != "":
		if expr, without = except("", l.sinceAny); without == "" {
			expr += "|[^/]+"
		}
	case wildcard:
		expr = `(?s:.+)`
	case l.wildcard:
		expr, without = except("/", l.since)
	case l.wildcardFollows(index):
		expr, without = except("/", l.textAfter(index))
	case l.param:
		if expr, without = except("/", l.since); without == "" {
			expr += "|" + regexp.QuoteMeta(l.since)
		}
		alone = true
	default:
		expr = `[^/]+`
	}
	l.since = ""
	if wildcard {
		l.sinceAny, l.any, l.wildcard = "", true, true
	} else {
		l.any, l.param = false, true
	}
	return expr, without, alone
}

// except is the regular expression of anything without a text and without the bytes of others. A text of several
// characters is beyond it and is returned.
func except(others, text string) (expr, without string) {
	if len(text) == 1 {
		others += text
	} else {
		without = text
	}
	if others == "" {
		return `(?s:.+)`, without
	}
	expr = "[^"
	for i := range len(others) {
		expr += fmt.Sprintf(`\x%02x`, others[i])
	}
	return expr + "]+", without
}

// wildcardFollows reports whether there is a wildcard later in the segment of a token.
func (l *captureLimits) wildcardFollows(index int) bool {
	for _, t := range l.tokens[index+1:] {
		if t.kind == wildcardToken {
			return true
		}
		if t.kind == textToken && strings.Contains(t.text, "/") {
			return false
		}
	}
	return false
}

func (l *captureLimits) textAfter(index int) string {
	if index+1 < len(l.tokens) && l.tokens[index+1].kind == textToken {
		return escapeText(l.tokens[index+1].text)
	}
	return ""
}
