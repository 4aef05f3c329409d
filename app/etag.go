package app

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// WeakETag is the ETag that Express gives a body by default: its length and a part of its SHA-1 hash.
func WeakETag(body []byte) string { return "W/" + StrongETag(body) }

// StrongETag is WeakETag without the mark that says weak.
func StrongETag(body []byte) string {
	sum := sha1.Sum(body)
	tag := make([]byte, 0, 48)
	tag = append(tag, '"')
	tag = strconv.AppendInt(tag, int64(len(body)), 16)
	tag = append(tag, '-')
	tag = append(base64.StdEncoding.AppendEncode(tag, sum[:])[:len(tag)+27], '"')
	return string(tag)
}

// Fresh reports whether the client has the answer already, by the validators of the request and those that are set.
func (r *Request) Fresh() bool { return r.x.res.fresh() }

// Stale is the opposite of Fresh.
func (r *Request) Stale() bool { return !r.Fresh() }

// fresh reports whether the client has the answer already (req.fresh of Express): its validators (RFC 9110, section
// 13.1) match the ETag and Last-Modified that are set.
func (s *Response) fresh() bool {
	r := &s.x.req
	if r.Header["If-None-Match"] == nil && r.Header["If-Modified-Since"] == nil {
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != "QUERY" || s.status != http.StatusNotModified && (s.status < 200 || s.status > 299) {
		return false
	}
	return isFresh(r.Header, s.Header())
}

func isFresh(request, response http.Header) bool {
	noneMatch, since := request.Get("If-None-Match"), request.Get("If-Modified-Since")
	if noneMatch == "" && since == "" {
		return false
	}
	for _, directive := range strings.Split(request.Get("Cache-Control"), ",") {
		if strings.TrimSpace(directive) == "no-cache" {
			return false
		}
	}
	if noneMatch != "" {
		return noneMatch == "*" || matchesETag(noneMatch, response.Get("ETag"))
	}
	modified, err := parseDate(response.Get("Last-Modified"))
	if err != nil {
		return false
	}
	limit, err := parseDate(since)
	return err == nil && !modified.After(limit)
}

// parseDate reads the date of a header as JavaScript's Date.parse does: in the three forms of HTTP, with the offset
// of a time zone or none, which is the server's own, or in ISO 8601.
func parseDate(s string) (time.Time, error) {
	if t, err := http.ParseTime(s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 -0700",
		time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"Mon, 2 Jan 2006 15:04:05", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.ParseInLocation("2006-01-02T15:04", s, time.Local)
}

// matchesETag reports whether a list of ETags names tag, weak or not.
func matchesETag(list, tag string) bool {
	if tag == "" {
		return false
	}
	for _, t := range strings.Split(list, ",") {
		if t = strings.TrimSpace(t); t == tag || t == "W/"+tag || "W/"+t == tag {
			return true
		}
	}
	return false
}
