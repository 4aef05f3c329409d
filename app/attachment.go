package app

import (
	"io/fs"
	"path"
	"strings"
	"unicode/utf16"
)

// Attachment tells the client to save the answer rather than to show it, under a file name if there is one, which
// also sets the Content-Type. Of a path the last element counts.
func (s *Response) Attachment(filename ...string) *Response {
	if s.invalid != nil {
		return s
	}
	if len(filename) == 0 {
		s.Header().Set("Content-Disposition", "attachment")
		return s
	}
	name := baseName(filename[0])
	if filename[0] != "" {
		s.Type(strings.TrimPrefix(extensionOf(name), "."))
	}
	s.Header().Set("Content-Disposition", contentDisposition(name))
	return s
}

// Download answers with a file on disk, as [Response.SendFile], for the client to save. The options name it for the
// client.
func (s *Response) Download(name string, options ...FileOptions) error {
	return s.SendFile(name, asDownload(name, options))
}

// DownloadFS is [Response.Download] for a file of fsys; the name may come from the outside, as for
// [Response.SendFileFS].
func (s *Response) DownloadFS(fsys fs.FS, name string, options ...FileOptions) error {
	return s.SendFileFS(fsys, name, asDownload(name, options))
}

func asDownload(name string, options []FileOptions) FileOptions {
	o := fileOptions("Download", options)
	if o.Filename == "" {
		o.Filename = name
	}
	return o
}

// baseName is the last element of a slash-separated path, "" for none.
func baseName(name string) string {
	if strings.Trim(name, "/") == "" {
		return ""
	}
	return path.Base(name)
}

// contentDisposition is the header for a file name (RFC 6266): what is not ASCII, or looks like an escape, goes into
// the extended parameter, with question marks in the plain one for old clients.
func contentDisposition(name string) string {
	plain, extended := true, false
	for i := range len(name) {
		c := name[i]
		plain = plain && ' ' <= c && c <= '~'
		extended = extended || c == '%' && i+2 < len(name) && isHex(name[i+1]) && isHex(name[i+2])
	}
	ascii := name
	if !plain {
		extended = true
		var b strings.Builder
		for _, r := range name {
			switch {
			case ' ' <= r && r <= '~':
				b.WriteRune(r)
			default: // one question mark for each unit of UTF-16
				b.WriteString("??"[:max(utf16.RuneLen(r), 1)])
			}
		}
		ascii = b.String()
	}
	if !isToken(ascii) {
		ascii = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(ascii) + `"`
	}
	header := "attachment; filename=" + ascii
	if extended {
		header += "; filename*=UTF-8''" + percentEncode(name, "-_.!~")
	}
	return header
}
