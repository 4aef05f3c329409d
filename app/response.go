package app

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
)

// A Response is an http.ResponseWriter with what Express adds to it. The methods that return *Response can be
// chained; the ones that answer return an error, for the handler to return:
//
//	return res.Status(201).Set("Location", "/books/7").JSON(book)
//
// It is valid until the handlers of the request have returned.
type Response struct {
	http.ResponseWriter

	// Locals are the data of the pages rendered for this request, over App.Locals.
	Locals Map

	x       *exchange
	status  int
	sent    bool  // the header
	done    bool  // a whole answer
	invalid error // of a chained call, for the call that answers
}

func (s *Response) begin(w http.ResponseWriter) {
	s.ResponseWriter, s.status = w, http.StatusOK
	if s.Locals == nil {
		s.Locals = Map{}
	}
}

// end forgets the request. A map that was used is not used again: somebody may have kept it.
func (s *Response) end() {
	s.ResponseWriter = nil
	s.sent, s.done, s.invalid = false, false, nil
	if len(s.Locals) > 0 {
		s.Locals = nil
	}
}

// App is the application whose handler runs.
func (s *Response) App() *App { return s.x.app }

// Request is the request that is answered.
func (s *Response) Request() *Request { return &s.x.req }

// HeadersSent reports whether the header went out: too late to set a status or a header.
func (s *Response) HeadersSent() bool { return s.sent || s.x.wire.wrote.Load() }

// Status sets the status of the answer. One outside 100 to 999 makes the call that answers fail.
func (s *Response) Status(code int) *Response {
	if s.invalid != nil {
		return s
	}
	if code < 100 || code > 999 {
		s.reject(fmt.Errorf("app: Status(%d): a status is 100 to 999", code))
		return s
	}
	s.status = code
	return s
}

// StatusCode is the status that was set, 200 if none was.
func (s *Response) StatusCode() int { return s.status }

// reject notes what a chained call cannot do. The calls behind it in the chain do nothing, as if it had thrown.
func (s *Response) reject(err error) { s.invalid = err }

// rejected is the error for the call that answers. It is told once: an error handler starts afresh.
func (s *Response) rejected() error {
	err := s.invalid
	s.invalid = nil
	return err
}

// Get is the first value of a header of the answer, "" if there is none.
func (s *Response) Get(header string) string { return s.Header().Get(header) }

// Set sets a header to a value, or to several. A name or a value that no header may have, one with a line break for one,
// makes the call that answers fail. A Content-Type may be an extension ("json") and gets the charset that
// belongs to it; what is neither leaves it unset.
func (s *Response) Set(header string, values ...string) *Response {
	if s.invalid != nil {
		return s
	}
	if http.CanonicalHeaderKey(header) == "Content-Type" {
		if len(values) != 1 {
			s.reject(fmt.Errorf("app: Set(%q): it has exactly one value", header))
			return s
		}
		value := contentType(values[0])
		if !strings.Contains(value, "/") {
			s.Header().Del("Content-Type")
			return s
		}
		values = []string{value}
	}
	if s.unsendable("Set", header, values) {
		return s
	}
	s.Header()[http.CanonicalHeaderKey(header)] = slices.Clone(values)
	return s
}

// unsendable rejects what Node rejects: a name that is no token, a value with a line break or another control character
// but the tab. net/http would leave the one out and write spaces for the other.
func (s *Response) unsendable(call, header string, values []string) bool {
	if !isToken(header) {
		s.reject(fmt.Errorf("app: %s(%q): the name of a header is letters, digits and !#$%%&'*+-.^_`|~", call, header))
		return true
	}
	for _, v := range values {
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			s.reject(fmt.Errorf("app: %s(%q): the value %q has a line break or another control character; encode it", call, header, v))
			return true
		}
	}
	return false
}

// Append adds values to a header; an empty one before them goes. A Content-Type has exactly one, as for Set.
func (s *Response) Append(header string, values ...string) *Response {
	if s.invalid != nil {
		return s
	}
	if http.CanonicalHeaderKey(header) == "Content-Type" {
		return s.Set(header, append(slices.Clone(s.Header()["Content-Type"]), values...)...)
	}
	if s.unsendable("Append", header, values) {
		return s
	}
	if before := s.Header()[http.CanonicalHeaderKey(header)]; len(before) == 1 && before[0] == "" {
		s.Header().Del(header)
	}
	for _, v := range values {
		s.Header().Add(header, v)
	}
	return s
}

// Type sets the Content-Type, given as a media type or as an extension: "html", ".png", "application/json". An
// unknown extension is application/octet-stream.
func (s *Response) Type(typ string) *Response {
	if !strings.Contains(typ, "/") {
		typ = typeByExtension(typ)
	}
	return s.Set("Content-Type", typ)
}

// Vary adds the names of request headers to the Vary header, once each.
func (s *Response) Vary(headers ...string) *Response {
	if s.invalid != nil {
		return s
	}
	if len(headers) == 0 {
		return s
	}
	list := []string{}
	for _, v := range s.Header().Values("Vary") {
		for _, name := range strings.Split(v, ",") {
			list = append(list, strings.TrimSpace(name))
		}
	}
	for h := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		if h = strings.TrimSpace(h); !isToken(h) {
			s.reject(fmt.Errorf("app: Vary(%q): it is no name of a header", h))
			return s
		}
		if !slices.ContainsFunc(list, func(name string) bool { return name == "*" || strings.EqualFold(name, h) }) {
			list = append(list, h)
		}
	}
	if slices.Contains(list, "*") {
		list = []string{"*"}
	}
	if len(list) > 0 {
		s.Header().Set("Vary", strings.Join(list, ", "))
	}
	return s
}

// Location sets the Location header, percent-encoded where it has to be.
func (s *Response) Location(url string) *Response {
	if s.invalid != nil {
		return s
	}
	s.Header().Set("Location", encodeURL(url))
	return s
}

// A Link is what a page is related to (RFC 8288): the next one, the last, all of them.
type Link struct {
	Rel  string
	URLs []string
}

// Links adds links to the Link header, one for each URL.
func (s *Response) Links(links ...Link) *Response {
	if s.invalid != nil {
		return s
	}
	list := []string{}
	if before := s.Header().Values("Link"); len(before) > 0 {
		list = append(list, strings.Join(before, ","))
	}
	for _, l := range links {
		for _, url := range l.URLs {
			list = append(list, "<"+url+`>; rel="`+l.Rel+`"`)
		}
	}
	return s.Set("Link", strings.Join(list, ", "))
}

// The methods of an http.ResponseWriter and its optional interfaces. The first Write sends the header with the status
// that was set.

// WriteHeader sends the header with a status, as of http.ResponseWriter.
func (s *Response) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		s.sent, s.status = true, status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (s *Response) Write(b []byte) (int, error) {
	s.sendHeader()
	return s.ResponseWriter.Write(b)
}

// ReadFrom sends a part of the body, a file by sendfile where the system has it.
func (s *Response) ReadFrom(src io.Reader) (int64, error) {
	s.sendHeader()
	return readFrom(s.ResponseWriter, src)
}

// Flush sends what was written so far to the client.
func (s *Response) Flush() { _ = s.FlushError() }

// FlushError is Flush for http.ResponseController.
func (s *Response) FlushError() error {
	s.sendHeader()
	return http.NewResponseController(s.ResponseWriter).Flush()
}

// Hijack takes the connection over, where the protocol allows it.
func (s *Response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err == nil {
		s.sent, s.done = true, true
	}
	return conn, rw, err
}

// Unwrap returns the ResponseWriter that this one writes to, for http.ResponseController.
func (s *Response) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *Response) sendHeader() {
	if !s.sent {
		s.WriteHeader(s.status)
	}
}
