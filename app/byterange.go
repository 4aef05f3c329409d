package app

import (
	"errors"
	"slices"
	"strings"
)

// A ByteRange is a part of a body, from its first to its last byte, both included.
type ByteRange struct{ Start, End int64 }

// Ranges are what a Range header asks for.
type Ranges struct {
	Unit string // "bytes"
	List []ByteRange
}

// The errors of [Request.Range].
var (
	ErrRangeMalformed     = errors.New("app: the Range header is malformed")
	ErrRangeUnsatisfiable = errors.New("app: no range of the Range header overlaps the body")
)

// Range reads the Range header for a body of size bytes (RFC 9110, section 14.2). It is nil without the header. A
// malformed one, which is to be left out of account, is ErrRangeMalformed; one of which nothing overlaps the body, which
// is answered with 416, is ErrRangeUnsatisfiable.
func (r *Request) Range(size int64) (*Ranges, error) {
	header := r.Header.Get("Range")
	if header == "" {
		return nil, nil
	}
	return parseRanges(header, size)
}

// Combined returns the ranges with those that overlap or touch made one, in the order in which they are first asked for.
func (r *Ranges) Combined() *Ranges {
	type indexed struct {
		ByteRange
		index int
	}
	var list []indexed
	for i, br := range r.List {
		list = append(list, indexed{br, i})
	}
	slices.SortStableFunc(list, func(a, b indexed) int { return compareInt64(a.Start, b.Start) })
	out := list[:0]
	for _, br := range list {
		if n := len(out); n > 0 && br.Start <= out[n-1].End+1 {
			if last := &out[n-1]; br.End > last.End {
				last.End, last.index = br.End, min(last.index, br.index)
			}
			continue
		}
		out = append(out, br)
	}
	slices.SortFunc(out, func(a, b indexed) int { return a.index - b.index })
	combined := &Ranges{Unit: r.Unit}
	for _, br := range out {
		combined.List = append(combined.List, br.ByteRange)
	}
	return combined
}

func compareInt64(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func parseRanges(header string, size int64) (*Ranges, error) {
	unit, list, ok := strings.Cut(header, "=")
	if !ok {
		return nil, ErrRangeMalformed
	}
	ranges := &Ranges{Unit: unit}
	for list, more := list, true; more; {
		var spec string
		spec, list, more = strings.Cut(list, ",")
		from, to, ok := strings.Cut(spec, "-")
		if !ok {
			return nil, ErrRangeMalformed
		}
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		start, startOK := parsePosition(from)
		end, endOK := parsePosition(to)
		switch {
		case from == "":
			if !endOK {
				return nil, ErrRangeMalformed
			}
			start, end = size-end, size-1 // the last bytes; more than there are overlap nothing
		case to == "":
			end, endOK = size-1, true
			fallthrough
		default:
			if !startOK || !endOK {
				return nil, ErrRangeMalformed
			}
		}
		if end = min(end, size-1); start >= 0 && start <= end {
			ranges.List = append(ranges.List, ByteRange{start, end})
		}
	}
	if ranges.List == nil {
		return nil, ErrRangeUnsatisfiable
	}
	return ranges, nil
}

// parsePosition reads a number of digits; one that is too large is as large as can be.
func parsePosition(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if n < 1<<62/10 {
			n = n*10 + int64(s[i]-'0')
		} else {
			n = 1 << 62
		}
	}
	return n, true
}
