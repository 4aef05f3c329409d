package app

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// fileOptionsOf reads the options of send and serve-static.
func fileOptionsOf(raw json.RawMessage) FileOptions {
	if len(raw) == 0 || string(raw) == "null" {
		return FileOptions{}
	}
	v := decode[struct {
		MaxAge, Index, Extensions                                                        any
		CacheControl, ETag, LastModified, AcceptRanges, Immutable, Fallthrough, Redirect *bool
		Dotfiles                                                                         Dotfiles
		Headers                                                                          map[string]string
	}](raw)
	off := func(b *bool) bool { return b != nil && !*b }
	o := FileOptions{Dotfiles: v.Dotfiles, Headers: v.Headers, Immutable: v.Immutable != nil && *v.Immutable,
		NoCacheControl: off(v.CacheControl), NoETag: off(v.ETag), NoLastModified: off(v.LastModified), NoRanges: off(v.AcceptRanges),
		NoFallthrough: off(v.Fallthrough), NoRedirect: off(v.Redirect)}
	switch age := v.MaxAge.(type) {
	case float64:
		o.MaxAge = time.Duration(age) * time.Millisecond
	case string:
		o.MaxAge = milliseconds(age)
	}
	list := func(v any) (out []string) {
		switch v := v.(type) {
		case string:
			out = []string{v}
		case []any:
			for _, item := range v {
				out = append(out, item.(string))
			}
		}
		return out
	}
	o.Index, o.Extensions = list(v.Index), list(v.Extensions)
	o.NoIndex = v.Index != nil && o.Index == nil
	return o
}

// milliseconds reads "1d", "2 hours" or a number of milliseconds, as npm's ms does.
func milliseconds(s string) time.Duration {
	number := strings.TrimRight(s, " abcdefghijklmnopqrstuvwxyz")
	unit := map[string]time.Duration{"": time.Millisecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "y": 31557600 * time.Second}[strings.TrimSpace(s[len(number):])]
	n, _ := strconv.ParseFloat(number, 64)
	return time.Duration(n * float64(unit))
}

// bodyOptionsOf reads the options of body-parser.
func bodyOptionsOf(raw json.RawMessage) BodyOptions {
	if len(raw) == 0 {
		return BodyOptions{}
	}
	v := decode[struct {
		Limit, Type           any
		Inflate, Strict       *bool
		DefaultCharset        string
		Extended              bool
		CharsetSentinel       bool
		Entities              bool `json:"interpretNumericEntities"`
		ParameterLimit, Depth *int
	}](raw)
	o := BodyOptions{NoInflate: v.Inflate != nil && !*v.Inflate, AnyJSON: v.Strict != nil && !*v.Strict, DefaultCharset: v.DefaultCharset, Extended: v.Extended,
		CharsetSentinel: v.CharsetSentinel, NumericEntities: v.Entities}
	switch limit := v.Limit.(type) {
	case float64:
		o.Limit = int64(limit)
	case string:
		o.Limit, _ = byteCount(limit)
	}
	switch t := v.Type.(type) {
	case string:
		o.Types = []string{t}
	case []any:
		for _, item := range t {
			o.Types = append(o.Types, item.(string))
		}
	}
	if v.ParameterLimit != nil {
		o.ParameterLimit = *v.ParameterLimit
	}
	if v.Depth != nil {
		if o.Depth = *v.Depth; o.Depth == 0 {
			o.Depth = -1
		}
	}
	return o
}
