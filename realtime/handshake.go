package realtime

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Handshake is what is known of a client from the request it connected with. It
// is a copy, and shared: do not change it.
// https://socket.io/docs/v4/server-socket-instance/#sockethandshake
type Handshake struct {
	Auth    json.RawMessage   // what the client gave as auth, "{}" by default
	Query   map[string]string // the request's query; of a repeated key the last value
	Headers http.Header
	Address string // the peer's network address, without the port
	URL     string
	Secure  bool // over TLS
	Time    time.Time

	Attached any // what Config.Attach returned, nil without it
}

// DecodeAuth decodes the client's auth object into the value dst points to.
func (h *Handshake) DecodeAuth(dst any) error { return json.Unmarshal(h.Auth, dst) }

// MarshalJSON writes h with the names of the reference.
func (h *Handshake) MarshalJSON() ([]byte, error) {
	headers := make(map[string]string, len(h.Headers))
	for name, values := range h.Headers {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return json.Marshal(struct {
		Headers map[string]string `json:"headers"`
		Time    string            `json:"time"`
		Address string            `json:"address"`
		XDomain bool              `json:"xdomain"`
		Secure  bool              `json:"secure"`
		Issued  int64             `json:"issued"` // ms since 1970
		URL     string            `json:"url"`
		Query   map[string]string `json:"query"`
		Auth    json.RawMessage   `json:"auth"`
	}{
		headers, h.Time.Format(time.RFC1123Z), h.Address, h.Headers.Get("Origin") != "", h.Secure,
		h.Time.UnixMilli(), h.URL, h.Query, h.Auth,
	})
}

// newHandshake copies what a client's first request tells.
func (c *Config) newHandshake(r *http.Request) *Handshake {
	headers := r.Header.Clone()
	headers.Set("Host", r.Host)
	address := r.RemoteAddr
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		address = strings.Trim(address[:i], "[]")
	}
	var attached any
	if c.Attach != nil {
		attached = c.Attach(r)
	}
	return &Handshake{
		Auth:    emptyObject,
		Query:   lastValues(r.URL.Query()),
		Headers: headers,
		Address: address,
		URL:     r.URL.RequestURI(),
		Secure:  r.TLS != nil,
		Time:    time.Now(),

		Attached: attached,
	}
}

// lastValues returns the last value of every key.
func lastValues(query url.Values) map[string]string {
	last := make(map[string]string, len(query))
	for key, values := range query {
		last[key] = values[len(values)-1]
	}
	return last
}

var emptyObject = json.RawMessage("{}")

// with returns a copy of h for a socket that connected with auth now.
func (h *Handshake) with(auth []byte) *Handshake {
	c := *h
	c.Time = time.Now()
	if len(auth) > 0 {
		c.Auth = auth
	}
	return &c
}
