package app

import (
	"bytes"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// buffers hold bodies while they are made, so that an error leaves the answer untouched.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func freeBuffer(b *bytes.Buffer) {
	if b.Cap() <= 1<<20 {
		b.Reset()
		buffers.Put(b)
	}
}

// Send answers with a body: a string as HTML, a []byte as application/octet-stream, unless a Content-Type is set;
// nil as nothing; anything else as JSON. It sets ETag and Content-Length, answers 304 to a client that has the body
// already, and sends no body where there is none (HEAD, 204, 205, 304).
func (s *Response) Send(body any) error {
	if s.invalid != nil {
		return s.rejected()
	}
	switch b := body.(type) {
	case nil:
		return s.send(nil)
	case string:
		if err := s.textType(htmlType); err != nil {
			return err
		}
		return s.sendText(b)
	case []byte:
		if s.Header().Get("Content-Type") == "" {
			s.Header().Set("Content-Type", "application/octet-stream")
		}
		return s.send(b)
	}
	return s.JSON(body)
}

var (
	htmlType = []string{"text/html; charset=utf-8"}
	jsonType = []string{"application/json; charset=utf-8"}
)

// textType is the Content-Type of text: the one that was set, in UTF-8, or another.
func (s *Response) textType(otherwise []string) error {
	h := s.Header()
	if len(h["Content-Type"]) == 0 || h["Content-Type"][0] == "" {
		h["Content-Type"] = otherwise
		return nil
	}
	typ, err := withCharset(h["Content-Type"][0], "utf-8")
	if err == nil {
		h["Content-Type"] = []string{typ}
	}
	return err
}

// sendText sends text; in development a page gets the script that reloads it.
func (s *Response) sendText(text string) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer freeBuffer(buf)
	buf.WriteString(text)
	return s.sendBuffer(buf)
}

func (s *Response) sendBuffer(buf *bytes.Buffer) error {
	if dev := s.x.root.dev; dev != nil && strings.HasPrefix(s.Header().Get("Content-Type"), "text/html") {
		return s.send(dev.inject(buf.Bytes()))
	}
	return s.send(buf.Bytes())
}

// End answers with the status, the headers that were set and the text as it is, if there is any, without a Content-Type
// or an ETag of its own; or it ends, with that text, an answer that was begun with Write: res.end() of Node. After an
// answer it does nothing, and text is then ErrHeadersSent.
func (s *Response) End(text ...string) error {
	body := strings.Join(text, "")
	switch {
	case s.done && body != "":
		return ErrHeadersSent
	case s.HeadersSent():
		s.done = true
	default:
		if err := s.rejected(); err != nil {
			return err
		}
		s.done = true
		if s.x.req.Method == http.MethodHead || s.status == http.StatusNoContent || s.status == http.StatusNotModified {
			body = "" // and no Content-Length: how long the answer to a GET request is, this one does not tell
		} else {
			h := s.Header()
			if h.Get("Content-Type") == "" {
				h["Content-Type"] = nil // net/http guesses none
			}
			h["Content-Length"] = lengthValue(len(body))
		}
		s.WriteHeader(s.status)
	}
	if body == "" {
		return nil
	}
	_, err := io.WriteString(s.ResponseWriter, body)
	return err
}

// SendStatus answers with a status and its text as the body.
func (s *Response) SendStatus(code int) error {
	s.Status(code).Set("Content-Type", "text/plain")
	return s.send([]byte(statusText(code)))
}

// Redirect answers with 302, or with the status that was set if it is a redirection, and the Location. A text says
// where to go, as HTML or plain as the client likes. It does not check where that is: a URL that comes from the
// outside may lead to anywhere.
func (s *Response) Redirect(url string) error {
	if s.invalid != nil {
		return s.rejected()
	}
	if s.status < 300 || s.status > 399 {
		s.status = http.StatusFound
	}
	s.Location(url).Vary("Accept")
	url = s.Header().Get("Location")
	body := ""
	switch s.x.req.Accepts("text", "html") {
	case "text":
		s.Type("text")
		body = statusText(s.status) + ". Redirecting to " + url
	case "html":
		s.Type("html")
		body = "<!DOCTYPE html><head><title>" + statusText(s.status) + "</title></head><body><p>" +
			statusText(s.status) + ". Redirecting to " + html.EscapeString(url) + "</p></body>"
	}
	return s.finish([]byte(body))
}

// send sends a body with its ETag, or 304.
func (s *Response) send(body []byte) error {
	if s.invalid != nil || s.HeadersSent() {
		return s.finish(body)
	}
	h := s.Header()
	if etag := s.x.app.options.etag; etag != nil && (len(h["Etag"]) == 0 || h["Etag"][0] == "") {
		if tag := etag(body); tag != "" {
			h["Etag"] = []string{tag}
		}
	}
	if s.fresh() {
		s.status = http.StatusNotModified
	}
	return s.finish(body)
}

// finish sends a body as the status and the method allow it.
func (s *Response) finish(body []byte) error {
	if err := s.rejected(); err != nil {
		return err
	}
	if s.HeadersSent() {
		return ErrHeadersSent
	}
	h := s.Header()
	switch s.status {
	case http.StatusNoContent, http.StatusNotModified:
		h.Del("Content-Type")
		h.Del("Content-Length")
		h.Del("Transfer-Encoding")
		body = nil
	case http.StatusResetContent:
		h.Del("Transfer-Encoding")
		h.Set("Content-Length", "0")
		body = nil
	default:
		h["Content-Length"] = lengthValue(len(body))
	}
	s.done = true
	s.WriteHeader(s.status)
	if s.x.req.Method == http.MethodHead || len(body) == 0 {
		return nil
	}
	_, err := s.ResponseWriter.Write(body)
	return err
}

// shortLengths are the values of Content-Length for short bodies: 0, 1, 2 and so on. Like htmlType they are shared, and
// full, so that one who appends to a header's values gets a copy.
var shortLengths = func() (list [1 << 10]string) {
	for n := range list {
		list[n] = strconv.Itoa(n)
	}
	return list
}()

func lengthValue(n int) []string {
	if n < len(shortLengths) {
		return shortLengths[n : n+1 : n+1]
	}
	return []string{strconv.Itoa(n)}
}

// statusText is the text of a status, or its number.
func statusText(status int) string {
	switch status {
	case http.StatusTeapot:
		return "I'm a Teapot"
	case http.StatusRequestEntityTooLarge:
		return "Payload Too Large"
	case http.StatusRequestedRangeNotSatisfiable:
		return "Range Not Satisfiable"
	case http.StatusRequestURITooLong:
		return "URI Too Long"
	case 509:
		return "Bandwidth Limit Exceeded"
	}
	if text := http.StatusText(status); text != "" {
		return text
	}
	return strconv.Itoa(status)
}

// encodeURL percent-encodes what may not stand in a URL and leaves the rest, escapes included, as it is.
func encodeURL(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '%':
			if i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
				b.WriteByte('%')
			} else {
				b.WriteString("%25")
			}
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>`{}", c) >= 0:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
