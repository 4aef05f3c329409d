package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
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
	Priority    string                    // "Low", "Medium" or "High"
	Encode      func(value string) string // percent-encodes when nil
	Signed      bool                      // with the setting "cookie secret": [Request.SignedCookie] notices a change
}

// Cookie sets a cookie. A value that is no string, number or bool is written as JSON, after "j:". The value is
// percent-encoded; [Request.CookieValue] reads it. It takes one CookieOptions at most. A name or an attribute that no
// cookie may have makes the call that answers fail.
func (s *Response) Cookie(name string, value any, options ...CookieOptions) *Response {
	if s.invalid != nil {
		return s
	}
	text, err := cookieText(value)
	if err != nil {
		s.reject(fmt.Errorf("app: Cookie(%q): %w", name, err))
		return s
	}
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
	switch {
	case strings.ContainsFunc(o.Path, func(r rune) bool { return r < ' ' || r == ';' || r == '<' || r >= 0x7f }):
		s.reject(fmt.Errorf("app: Cookie(%q): the path %q has a character that no cookie may have", name, o.Path))
		return s
	case o.Domain != "" && !isDomain(o.Domain):
		s.reject(fmt.Errorf("app: Cookie(%q): %q is no domain", name, o.Domain))
		return s
	}
	priority := ""
	switch strings.ToLower(o.Priority) {
	case "":
	case "low", "medium", "high":
		priority = strings.ToUpper(o.Priority[:1]) + strings.ToLower(o.Priority[1:])
	default:
		s.reject(fmt.Errorf("app: Cookie(%q): the priority is Low, Medium or High, not %q", name, o.Priority))
		return s
	}
	if o.Signed {
		secrets := s.x.app.options.cookieSecrets
		if len(secrets) == 0 {
			s.reject(fmt.Errorf(`app: Cookie(%q): a signed cookie needs the setting "cookie secret"`, name))
			return s
		}
		text = "s:" + sign(text, secrets[0])
	}
	encode := encodeURIComponent
	if o.Encode != nil {
		encode = o.Encode
	}
	if text = encode(text); !isCookieValue(text) {
		s.reject(fmt.Errorf("app: Cookie(%q): Encode has left a character that no cookie may have in %q", name, text))
		return s
	}
	var b strings.Builder
	b.WriteString(name + "=" + text)
	attribute := func(name, value string) {
		if value != "" {
			b.WriteString("; " + name + "=" + value)
		}
	}
	if o.MaxAge != 0 {
		attribute("Max-Age", strconv.FormatInt(int64(math.Floor(o.MaxAge.Seconds())), 10))
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
	attribute("Priority", priority)
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

// CookieValue is the decoded value of a cookie, "" if there is none; of several with the name the first. It takes what
// npm's cookie takes. The Cookie and Cookies of net/http are there too, with the value as it was sent, and without
// values that RFC 6265 does not allow.
func (r *Request) CookieValue(name string) string {
	for _, header := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(header, ";") {
			key, value, ok := strings.Cut(pair, "=")
			if !ok || strings.Trim(key, " \t") != name {
				continue
			}
			value = strings.Trim(value, " \t")
			if strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`) {
				value = value[1:max(1, len(value)-1)]
			}
			if decoded, ok := decodeComponent(value); ok {
				return decoded
			}
			return value
		}
	}
	return ""
}

// SignedCookie is the value of a cookie that was set with Signed, here or by Express with the same secret; not ok if
// there is none or somebody has changed it.
func (r *Request) SignedCookie(name string) (value string, ok bool) {
	signed, found := strings.CutPrefix(r.CookieValue(name), "s:")
	i := strings.LastIndexByte(signed, '.')
	if !found || i < 0 {
		return "", false
	}
	for _, secret := range r.x.app.options.cookieSecrets {
		if hmac.Equal([]byte(sign(signed[:i], secret)), []byte(signed)) {
			return signed[:i], true
		}
	}
	return "", false
}

// CookieJSON reads the value of a cookie, signed or not, that [Response.Cookie] or Express has written as JSON into v. The
// error is http.ErrNoCookie if there is none, or none of JSON, or a signed one that somebody has changed.
func (r *Request) CookieJSON(name string, v any) error {
	value := r.CookieValue(name)
	if strings.HasPrefix(value, "s:") {
		value, _ = r.SignedCookie(name)
	}
	text, ok := strings.CutPrefix(value, "j:")
	if !ok {
		return fmt.Errorf("app: cookie %q: %w", name, http.ErrNoCookie)
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return Errorf(http.StatusBadRequest, "app: cookie %q: %w", name, err)
	}
	return nil
}

// sign appends npm cookie-signature's signature to a value.
func sign(value, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(value))
	return value + "." + base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}

// cookieText is the value of a cookie as text.
func cookieText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64:
		return fmt.Sprint(v), nil
	}
	b, err := json.Marshal(value)
	return "j:" + string(b), err
}

// isCookieValue reports whether s may be the value of a cookie (RFC 6265, section 4.1.1).
func isCookieValue(s string) bool {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`",;\`, r) })
}

// isDomain reports whether s is a host name, with a dot before it or not.
func isDomain(s string) bool {
	for label := range strings.SplitSeq(strings.TrimPrefix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return r != '-' && (r >= 0x80 || !isWordByte(byte(r)) || r == '_') }) {
			return false
		}
	}
	return true
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// encodeURIComponent is JavaScript's.
func encodeURIComponent(s string) string { return percentEncode(s, "-_.!~*'()") }

// percentEncode leaves letters, digits and the ASCII characters of keep as they are.
func percentEncode(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
