package app

import "strings"

// HasBody reports whether the request has a body, be it an empty one.
func (r *Request) HasBody() bool {
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return true
	}
	_, ok := r.Header["Content-Length"]
	return ok
}

// Is returns which of the types the body has, by its Content-Type, or "" if it has none of them or there is no body.
// A type is a media type, an extension, or a pattern: "json", "text/*", "application/*+json", "+json", "urlencoded",
// "multipart". For a pattern and without types it returns the media type itself.
func (r *Request) Is(types ...string) string {
	if !r.HasBody() {
		return ""
	}
	return matchType(r.Header.Get("Content-Type"), types)
}

func matchType(contentType string, types []string) string {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.Trim(media, " \t"))
	if !isMediaType(media) {
		return ""
	}
	if len(types) == 0 {
		return media
	}
	for _, t := range types {
		if !mediaMatches(expandType(t), media) {
			continue
		}
		if strings.HasPrefix(t, "+") || strings.Contains(t, "*") {
			return media
		}
		return t
	}
	return ""
}

// expandType makes a pattern of type/subtype out of a short form; "" if it stands for nothing.
func expandType(t string) string {
	switch {
	case t == "urlencoded":
		return "application/x-www-form-urlencoded"
	case t == "multipart":
		return "multipart/*"
	case strings.HasPrefix(t, "+"):
		return "*/*" + t
	case !strings.Contains(t, "/"):
		return lookupType(t)
	}
	return t
}

// mediaMatches compares a media type with a pattern, in which * stands for a part and *+json for any with the suffix.
func mediaMatches(pattern, media string) bool {
	wantKind, wantSub, ok := strings.Cut(pattern, "/")
	kind, sub, _ := strings.Cut(media, "/")
	switch {
	case !ok || strings.Contains(wantSub, "/"):
		return false
	case wantKind != "*" && wantKind != kind:
		return false
	case strings.HasPrefix(wantSub, "*+"):
		return strings.HasSuffix(sub, wantSub[1:])
	}
	return wantSub == "*" || wantSub == sub
}

// isMediaType reports whether s is type/subtype as registered names are spelled (RFC 6838, section 4.2).
func isMediaType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	return ok && isRestrictedName(kind, "!#$&^_-") && isRestrictedName(sub, "!#$&^_.+-")
}

func isRestrictedName(s, special string) bool {
	if s == "" || len(s) > 127 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || i > 0 && strings.IndexByte(special, c) >= 0 {
			continue
		}
		return false
	}
	return true
}
