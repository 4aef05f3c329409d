package realtime

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
	"weak"
)

// origin is what is kept of the request that a client connected with, as long as
// it is connected. Most of that nobody ever asks for, so that all texts are one:
// as a map the headers take three times the memory, and the garbage collector
// looks through it again and again.
type origin struct {
	texts    texts // address, URL, number of headers, and of each its name, the number of its values, and those
	secure   bool
	time     time.Time
	attached any
}

// newOrigin copies what a client's first request tells.
func (c *Config) newOrigin(r *http.Request) *origin {
	o := &origin{secure: r.TLS != nil, time: time.Now()}
	if c.Attach != nil {
		o.attached = c.Attach(r)
	}
	address := r.RemoteAddr
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		address = strings.Trim(address[:i], "[]")
	}
	scratch := newScratch()
	defer scratch.release()
	b := appendText(appendText(scratch.text[:0], address), r.URL.RequestURI())
	_, twice := r.Header["Host"] // net/http has moved it
	headers := len(r.Header) + 1
	if twice {
		headers--
	}
	b = binary.AppendUvarint(b, uint64(headers))
	b = appendText(binary.AppendUvarint(appendText(b, "Host"), 1), r.Host)
	for name, values := range r.Header {
		if name == "Host" {
			continue
		}
		b = binary.AppendUvarint(appendText(b, name), uint64(len(values)))
		for _, value := range values {
			b = appendText(b, value)
		}
	}
	o.texts, scratch.text = texts(b), b
	return o
}

// address returns the peer's network address, without the port.
func (o *origin) address() string {
	t := o.texts
	return t.text()
}

// header returns the first value of a header, or "".
func (o *origin) header(name string) string {
	t := o.texts
	t.text()
	t.text()
	for range t.number() {
		found := t.text() == name
		for i := range t.number() {
			if value := t.text(); found && i == 0 {
				return value
			}
		}
	}
	return ""
}

// handshake returns what o tells, in the form that users have it.
func (o *origin) handshake() *Handshake {
	t := o.texts
	h := &Handshake{Auth: emptyObject, Address: t.text(), URL: t.text(), Secure: o.secure, Time: o.time, Attached: o.attached}
	_, query, _ := strings.Cut(h.URL, "?")
	h.Query = valuesOfQuery(query)
	headers := t.number()
	h.Headers = make(http.Header, headers)
	for range headers {
		name := t.text()
		values := make([]string, t.number())
		for i := range values {
			values[i] = t.text()
		}
		h.Headers[name] = values
	}
	return h
}

// texts are numbers and texts one after the other, to be read in that order.
type texts string

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// number reads a number.
func (t *texts) number() int {
	n, size := binary.Uvarint([]byte((*t)[:min(len(*t), binary.MaxVarintLen64)]))
	*t = (*t)[size:]
	return int(n)
}

// text reads a text.
func (t *texts) text() string {
	n := t.number()
	text := (*t)[:n]
	*t = (*t)[n:]
	return string(text)
}

// introduction is what a client has said to connect, or a socket of it. The
// [Handshake] is made when somebody asks for it, and is gone when nobody has it
// any more.
type introduction struct {
	from *origin
	auth json.RawMessage // nil for none
	time time.Time       // of its own, or that of the origin

	mu   sync.Mutex // guards the rest
	made weak.Pointer[Handshake]
}

// handshake returns the Handshake, the same for all who have it at a time.
func (i *introduction) handshake() *Handshake {
	i.mu.Lock()
	defer i.mu.Unlock()
	if h := i.made.Value(); h != nil {
		return h
	}
	h := i.from.handshake()
	h.Time = i.time
	if len(i.auth) > 0 {
		h.Auth = i.auth
	}
	i.made = weak.Make(h)
	return h
}
