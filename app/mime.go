package app

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// contentType completes a Content-Type: an extension becomes its media type, text gets its charset. What it does not
// know stays as it is.
func contentType(s string) string {
	if !strings.Contains(s, "/") {
		if t := lookupType(s); t != "" {
			s = t
		}
	}
	media, _, _ := strings.Cut(s, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if strings.Contains(strings.ToLower(s), "charset") {
		return s
	}
	switch media {
	case "application/json", "application/javascript", "application/manifest+json", "application/vnd.wap.wbxml":
		return s + "; charset=utf-8"
	}
	if strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "application/vnd.syncml") {
		return s + "; charset=utf-8"
	}
	return s
}

// typeByExtension is the Content-Type of files with an extension (with or without the dot), or of a file name.
func typeByExtension(name string) string {
	if t := lookupType(name); t != "" {
		return contentType(t)
	}
	return "application/octet-stream"
}

// lookupType is the media type of an extension or a file name, "" if it is not known.
func lookupType(name string) string {
	return mediaTypes()[strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])]
}

// extensionOf is the extension of a file name with its dot; a dotfile without another dot has none.
func extensionOf(name string) string {
	name = name[strings.LastIndexByte(name, '/')+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[i:]
	}
	return ""
}

// withCharset sets the charset of a Content-Type, in its place or at the end. It fails when there is no media type.
func withCharset(contentType, charset string) (string, error) {
	media, params := splitContentType(contentType)
	kind, sub, ok := strings.Cut(media, "/")
	if !ok || !isToken(kind) || !isToken(sub) {
		return "", fmt.Errorf("app: the Content-Type %q is no media type", contentType)
	}
	out, done := media, false
	for _, p := range params {
		value := p.value
		if p.key == "charset" {
			value, done = charset, true
		}
		if !isToken(value) {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		out += "; " + p.key + "=" + value
	}
	if !done {
		out += "; charset=" + charset
	}
	return out, nil
}

// splitContentType reads a Content-Type forgivingly: of what it cannot read it takes what is there. The first of
// several parameters with one name counts.
func splitContentType(s string) (media string, params []mediaParam) {
	media, rest, _ := strings.Cut(s, ";")
	return strings.ToLower(strings.Trim(media, " \t")), splitParams(rest)
}

func splitParams(s string) (params []mediaParam) {
	if s == "" {
		return nil
	}
	for part := range splitQuoted(s, ';') {
		key, value, ok := strings.Cut(part, "=")
		key, value = strings.ToLower(strings.Trim(key, " \t")), strings.Trim(value, " \t")
		if !ok || slices.ContainsFunc(params, func(p mediaParam) bool { return p.key == key }) {
			continue
		}
		if strings.HasPrefix(value, `"`) {
			if value, ok = unquote(value[1:]); !ok {
				continue
			}
		}
		params = append(params, mediaParam{key, value})
	}
	return params
}

// unquote reads a quoted string up to its closing quote.
func unquote(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), true
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", false
}

//go:embed mediatypes.txt
var mediaTypesText string

// mediaTypes are the media types of extensions: a line of mediatypes.txt is a type and its extensions. The system's own
// table is not asked: an application answers alike everywhere.
var mediaTypes = sync.OnceValue(func() map[string]string {
	types := map[string]string{}
	for line := range strings.Lines(mediaTypesText) {
		media, extensions, _ := strings.Cut(strings.TrimSpace(line), " ")
		for extension := range strings.SplitSeq(extensions, " ") {
			types[extension] = media
		}
	}
	return types
})
