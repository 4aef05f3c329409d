package realtime

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"
	"weak"
)

// origin is what is kept of the request that a client connected with, as long as
// it is connected. Most of that nobody ever asks for, so that its texts are in one
// piece: as a map the headers take three times the memory, and the garbage
// collector looks through it again and again. What its browser and its page make
// of them is the same for thousands of clients, and kept once.
type origin struct {
	common   unique.Handle[texts] // headers, as appendHeaders writes them
	own      texts                // whether it came by TLS, address, URL, and headers
	time     int64                // of Unix, in nanoseconds
	attached any
}

// personal are the headers that hardly two clients have in common.
var personal = []string{
	"Authorization", "Cf-Connecting-Ip", "Cf-Ray", "Cookie", "Forwarded", "Sec-Websocket-Key", "Traceparent", "Tracestate",
	"X-Amzn-Trace-Id", "X-Correlation-Id", "X-Forwarded-For", "X-Real-Ip", "X-Request-Id",
}

// newOrigin copies what a client's first request tells.
func (c *Config) newOrigin(r *http.Request) *origin {
	o := &origin{time: time.Now().UnixNano()}
	if c.Attach != nil {
		o.attached = c.Attach(r)
	}
	address := r.RemoteAddr
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		address = strings.Trim(address[:i], "[]")
	}
	var room [2][16]string
	common, own := append(room[0][:0], "Host"), room[1][:0] // net/http has moved that one
	for name := range r.Header {
		switch {
		case name == "Host":
		case slices.Contains(personal, name):
			own = append(own, name)
		default:
			common = append(common, name)
		}
	}
	slices.Sort(common) // as a map they have no order
	scratch := newScratch()
	defer scratch.release()
	b := appendHeaders(scratch.text[:0], r, common)
	o.common = unique.Make(texts(b))
	secure := uint64(0)
	if r.TLS != nil {
		secure = 1
	}
	b = appendText(appendText(binary.AppendUvarint(b[:0], secure), address), r.URL.RequestURI())
	b = appendHeaders(b, r, own)
	o.own, scratch.text = texts(b), b
	return o
}

// appendHeaders appends how many headers there are, and of each its name, the
// number of its values, and those.
func appendHeaders(b []byte, r *http.Request, names []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, name := range names {
		values := r.Header[name]
		if name == "Host" {
			values = []string{r.Host}
		}
		b = binary.AppendUvarint(appendText(b, name), uint64(len(values)))
		for _, value := range values {
			b = appendText(b, value)
		}
	}
	return b
}

// open reads what o begins with, and returns its headers of both kinds.
func (o *origin) open() (secure bool, address, url string, headers [2]texts) {
	own := o.own
	secure, address, url = own.number() == 1, own.text(), own.text()
	return secure, address, url, [2]texts{o.common.Value(), own}
}

// address returns the peer's network address, without the port.
func (o *origin) address() string {
	_, address, _, _ := o.open()
	return address
}

// header returns the first value of a header, or "".
func (o *origin) header(name string) (first string) {
	_, _, _, headers := o.open()
	for _, t := range headers {
		for range t.number() {
			found := t.text() == name
			for i := range t.number() {
				if value := t.text(); found && i == 0 {
					return value
				}
			}
		}
	}
	return ""
}

// handshake returns what o tells, in the form that users have it.
func (o *origin) handshake() *Handshake {
	secure, address, url, headers := o.open()
	h := &Handshake{Auth: emptyObject, Address: address, URL: url, Secure: secure, Time: time.Unix(0, o.time), Attached: o.attached,
		Headers: make(http.Header)}
	_, query, _ := strings.Cut(url, "?")
	h.Query = valuesOfQuery(query)
	for _, t := range headers {
		for range t.number() {
			name := t.text()
			values := make([]string, t.number())
			for i := range values {
				values[i] = t.text()
			}
			h.Headers[name] = values
		}
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
	time int64           // of its own, or that of the origin

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
	h.Time = time.Unix(0, i.time)
	if len(i.auth) > 0 {
		h.Auth = i.auth
	}
	i.made = weak.Make(h)
	return h
}
