package app

import (
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Dotfiles says what happens to files whose name, or the name of a directory above them, starts with a dot.
type Dotfiles string

// The values of Dotfiles. Empty is DotfilesIgnore.
const (
	DotfilesIgnore Dotfiles = "ignore" // as if they were not there
	DotfilesAllow  Dotfiles = "allow"  // served
	DotfilesDeny   Dotfiles = "deny"   // 403
)

// FileOptions are the options of [Static], [Response.SendFile] and [Response.Download]. The zero value is Express's
// default.
type FileOptions struct {
	MaxAge         time.Duration // of Cache-Control, a year at most
	Immutable      bool          // of Cache-Control, with MaxAge
	NoCacheControl bool
	NoETag         bool
	NoLastModified bool
	NoRanges       bool // neither Accept-Ranges nor answers to ranges
	Dotfiles       Dotfiles

	Headers  map[string]string // set when the file is sent. Of SendFile and Download only
	Filename string            // what the client saves it as; the file's own name when empty. Of Download only

	Index         []string // what a directory is, the first that exists; nil is index.html. Of Static, as the rest
	NoIndex       bool     // a directory is nothing
	Extensions    []string // tried, in order, after a name without an extension of which there is no file: "html"
	NoFallthrough bool     // what is not served is an error, rather than the next handler's
	NoRedirect    bool     // a directory without a slash at the end is nothing

	// SetHeaders sets headers before a file is sent; name is its path in the directory.
	SetHeaders func(res *Response, name string, info fs.FileInfo)
}

// fileOptions checks the options of a call.
func fileOptions(call string, options []FileOptions) FileOptions {
	if len(options) > 1 {
		panic("app: " + call + " takes one FileOptions at most")
	}
	var o FileOptions
	if len(options) == 1 {
		o = options[0]
	}
	switch o.Dotfiles {
	case "", DotfilesIgnore, DotfilesAllow, DotfilesDeny:
	default:
		panic(fmt.Sprintf("app: %s: Dotfiles is app.DotfilesIgnore, DotfilesAllow or DotfilesDeny, not %q", call, o.Dotfiles))
	}
	if o.Index == nil {
		o.Index = []string{"index.html"}
	}
	if o.NoIndex {
		o.Index = nil
	}
	return o
}

func (o *FileOptions) cacheControl() string {
	const year = 365 * 24 * time.Hour
	if o.MaxAge == 0 && !o.Immutable {
		return "public, max-age=0"
	}
	value := fmt.Sprintf("public, max-age=%d", int64(max(0, min(o.MaxAge, year))/time.Second))
	if o.Immutable {
		value += ", immutable"
	}
	return value
}

// dotfile reports whether a part of a cleaned path starts with a dot.
func dotfile(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > 1 && part[0] == '.' {
			return true
		}
	}
	return false
}
