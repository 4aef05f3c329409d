package realtime

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Handshake is what is known of a client from the request it connected with. It
// is a copy, and shared: do not change it. It is made when somebody asks for it,
// and forgotten when nobody has it any more.
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

// UnmarshalJSON reads what MarshalJSON writes, or what the reference does.
func (h *Handshake) UnmarshalJSON(text []byte) error {
	var told struct {
		Headers map[string]any  `json:"headers"`
		Time    string          `json:"time"`
		Address string          `json:"address"`
		Secure  bool            `json:"secure"`
		Issued  int64           `json:"issued"`
		URL     string          `json:"url"`
		Query   map[string]any  `json:"query"`
		Auth    json.RawMessage `json:"auth"`
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return err
	}
	*h = Handshake{Auth: told.Auth, Address: told.Address, URL: told.URL, Secure: told.Secure, Time: time.UnixMilli(told.Issued),
		Headers: make(http.Header, len(told.Headers)), Query: make(map[string]string, len(told.Query))}
	if len(h.Auth) == 0 {
		h.Auth = emptyObject
	}
	for name, value := range told.Headers {
		for _, text := range textsOf(value) {
			h.Headers.Add(name, text)
		}
	}
	for key, value := range told.Query {
		if texts := textsOf(value); len(texts) > 0 {
			h.Query[key] = texts[len(texts)-1]
		}
	}
	return nil
}

// textsOf returns the texts that a value is: a string, or an array of them.
func textsOf(value any) (texts []string) {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		for _, v := range value {
			texts = append(texts, textsOf(v)...)
		}
	}
	return texts
}

// valuesOfQuery returns the values of a client's first request. Most clients have
// the same, and share them.
func valuesOfQuery(query string) map[string]string {
	if query == usualQuery {
		return usualValues()
	}
	values, _ := url.ParseQuery(query) // as far as it can be understood
	return lastValues(values)
}

// usualQuery is that of an official client that connects by WebSocket.
const usualQuery = "EIO=4&transport=websocket"

var usualValues = sync.OnceValue(func() map[string]string {
	return map[string]string{"EIO": "4", "transport": "websocket"}
})

// lastValues returns the last value of every key.
func lastValues(query url.Values) map[string]string {
	last := make(map[string]string, len(query))
	for key, values := range query {
		last[key] = values[len(values)-1]
	}
	return last
}

var emptyObject = json.RawMessage("{}")
