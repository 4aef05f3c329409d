package app

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// CookieOptions are the attributes of a cookie. The zero value is a cookie for the whole site and this session.
type CookieOptions struct {
	Path        string        // "/" when empty
	Domain      string        // this host when empty
	Expires     time.Time     // the end of the session when zero
	MaxAge      time.Duration // sets Expires too; negative is expired
	HTTPOnly    bool          // scripts do not see it
	Secure      bool          // https only
	SameSite    http.SameSite
	Partitioned bool
	Priority    string // "Low", "Medium" or "High"
}

// Cookie sets a cookie. The value is percent-encoded; [Request.CookieValue] reads it. It takes one CookieOptions at
// most. A name or an attribute that no cookie may have makes the call that answers fail.
func (s *Response) Cookie(name, value string, options ...CookieOptions) *Response {
	var o CookieOptions
	if len(options) > 0 {
		o = options[0]
	}
	if o.MaxAge != 0 {
		o.Expires = time.Now().Add(o.MaxAge)
	}
	if o.Path == "" {
		o.Path = "/"
	}
	if !isToken(name) {
		s.reject(fmt.Errorf("app: Cookie(%q): a name is letters, digits and !#$%%&'*+-.^_`|~", name))
		return s
	}
	for _, v := range []string{o.Path, o.Domain, o.Priority} {
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == ';' || r >= 0x7f }) {
			s.reject(fmt.Errorf("app: Cookie(%q): the attribute %q has a character that no cookie may have", name, v))
			return s
		}
	}
	var b strings.Builder
	b.WriteString(name + "=" + encodeURIComponent(value))
	attribute := func(name, value string) {
		if value != "" {
			b.WriteString("; " + name + "=" + value)
		}
	}
	if o.MaxAge != 0 {
		attribute("Max-Age", strconv.FormatInt(int64(max(o.MaxAge, 0)/time.Second), 10))
	}
	attribute("Domain", o.Domain)
	attribute("Path", o.Path)
	if !o.Expires.IsZero() {
		attribute("Expires", o.Expires.UTC().Format(http.TimeFormat))
	}
	if o.HTTPOnly {
		b.WriteString("; HttpOnly")
	}
	if o.Secure {
		b.WriteString("; Secure")
	}
	if o.Partitioned {
		b.WriteString("; Partitioned")
	}
	attribute("Priority", o.Priority)
	switch o.SameSite {
	case http.SameSiteLaxMode:
		attribute("SameSite", "Lax")
	case http.SameSiteStrictMode:
		attribute("SameSite", "Strict")
	case http.SameSiteNoneMode:
		attribute("SameSite", "None")
	}
	s.Header().Add("Set-Cookie", b.String())
	return s
}

// ClearCookie makes the client forget a cookie that was set with these options.
func (s *Response) ClearCookie(name string, options ...CookieOptions) *Response {
	var o CookieOptions
	if len(options) > 0 {
		o = options[0]
	}
	o.MaxAge, o.Expires = 0, time.Unix(0, 0)
	return s.Cookie(name, "", o)
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// encodeURIComponent is JavaScript's.
func encodeURIComponent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("-_.!~*'()", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
