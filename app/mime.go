package app

import (
	"fmt"
	"slices"
	"strings"
)

// contentType completes a Content-Type: an extension becomes its media type, text gets its charset. What it does not
// know stays as it is.
func contentType(s string) string {
	if !strings.Contains(s, "/") {
		if t, ok := mediaTypes[strings.ToLower(strings.TrimPrefix(s, "."))]; ok {
			s = t
		}
	}
	media, _, _ := strings.Cut(s, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if strings.Contains(strings.ToLower(s), "charset") {
		return s
	}
	if strings.HasPrefix(media, "text/") || media == "application/json" || media == "application/manifest+json" || media == "application/javascript" {
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
	return mediaTypes[strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])]
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
	for part := range splitQuoted(rest, ';') {
		key, value, ok := strings.Cut(part, "=")
		key, value = strings.ToLower(strings.Trim(key, " \t")), strings.Trim(value, " \t")
		if !ok || slices.ContainsFunc(params, func(p mediaParam) bool { return p.key == key }) {
			continue
		}
		if strings.HasPrefix(value, `"`) {
			unquoted, ok := unquote(value[1:])
			if !ok {
				continue
			}
			value = unquoted
		}
		params = append(params, mediaParam{key, value})
	}
	return strings.ToLower(strings.Trim(media, " \t")), params
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

// mediaTypes are the registered types of what websites serve. The system's own table is not asked: an application
// answers alike everywhere.
var mediaTypes = map[string]string{
	"html": "text/html", "htm": "text/html", "shtml": "text/html", "css": "text/css",
	"js": "text/javascript", "mjs": "text/javascript", "cjs": "application/node",
	"json": "application/json", "map": "application/json", "jsonld": "application/ld+json",
	"webmanifest": "application/manifest+json", "wasm": "application/wasm", "xhtml": "application/xhtml+xml",
	"txt": "text/plain", "text": "text/plain", "log": "text/plain", "conf": "text/plain", "ini": "text/plain",
	"md": "text/markdown", "markdown": "text/markdown", "csv": "text/csv", "tsv": "text/tab-separated-values",
	"ics": "text/calendar", "vtt": "text/vtt", "vcf": "text/x-vcard", "yaml": "text/yaml", "yml": "text/yaml",
	"xml": "application/xml", "xsl": "application/xml", "rdf": "application/rdf+xml", "rss": "application/rss+xml", "atom": "application/atom+xml",
	"png": "image/png", "apng": "image/apng", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
	"webp": "image/webp", "avif": "image/avif", "svg": "image/svg+xml", "ico": "image/vnd.microsoft.icon",
	"bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "heic": "image/heic", "jxl": "image/jxl",
	"woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
	"eot": "application/vnd.ms-fontobject",
	"mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/x-aac", "ogg": "audio/ogg", "oga": "audio/ogg",
	"opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/x-flac", "weba": "audio/webm", "mid": "audio/midi",
	"mp4": "video/mp4", "m4v": "video/x-m4v", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
	"avi": "video/x-msvideo", "mkv": "video/x-matroska", "mpeg": "video/mpeg", "ts": "video/mp2t",
	"m3u8": "application/vnd.apple.mpegurl",
	"pdf":  "application/pdf", "zip": "application/zip", "gz": "application/gzip", "tgz": "application/gzip",
	"tar": "application/x-tar", "bz2": "application/x-bzip2", "xz": "application/x-xz", "7z": "application/x-7z-compressed",
	"rar": "application/vnd.rar", "jar": "application/java-archive", "rtf": "text/rtf", "epub": "application/epub+zip",
	"doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
	"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"odt":  "application/vnd.oasis.opendocument.text", "bin": "application/octet-stream",
	"exe": "application/octet-stream", "dmg": "application/octet-stream", "iso": "application/octet-stream",
}
