package engineio

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// compressor compresses the answers to polls by the content codings gzip and
// deflate: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1. At the fastest
// level, as with [Deflate]. All methods may be called concurrently.
type compressor struct {
	threshold    int       // bytes of a payload from which it is compressed; 0 or less is never
	gzips, zlibs sync.Pool // of *compression
}

// compression is what compressing a payload takes, about 1 MB; it is only held
// while that is done, not while it is sent.
type compression struct {
	writer interface {
		io.WriteCloser
		Reset(io.Writer)
	}
	out bytes.Buffer
}

func newCompressor(threshold int) *compressor {
	return &compressor{
		threshold: threshold,
		gzips: sync.Pool{New: func() any {
			w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails only for a level that is none
			return &compression{writer: w}
		}},
		zlibs: sync.Pool{New: func() any {
			w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
			return &compression{writer: w}
		}},
	}
}

// apply returns the payload as the client that sent r takes it, with the name of
// the coding if it is compressed; then it uses what capacity the payload has
// left.
func (c *compressor) apply(payload []byte, r *http.Request) (body []byte, coding string) {
	if c.threshold <= 0 || len(payload) < c.threshold {
		return payload, ""
	}
	pool := &c.gzips
	switch coding = preferredCoding(r.Header.Values("Accept-Encoding")); coding {
	case "":
		return payload, ""
	case "deflate":
		pool = &c.zlibs
	}
	w := pool.Get().(*compression)
	defer pool.Put(w)
	w.out.Reset()
	w.writer.Reset(&w.out)
	w.writer.Write(payload) // to memory: neither fails
	w.writer.Close()
	if w.out.Len() >= len(payload) {
		return payload, ""
	}
	body = append(payload, w.out.Bytes()...)[len(payload):]
	if w.out.Cap() > maxPooled {
		w.out = bytes.Buffer{}
	}
	return body, coding
}

// preferredCoding returns the coding, gzip or deflate, that a client with these
// values of Accept-Encoding likes best, or "" if it takes neither:
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3.
func preferredCoding(accept []string) string {
	gzip, deflate, other := -1.0, -1.0, -1.0 // how much it likes them; -1 is not said
	for _, value := range accept {
		for part := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(part, ";")
			q := 1.0
			if weight, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
				var err error
				if q, err = strconv.ParseFloat(weight, 64); err != nil {
					q = 0
				}
			}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip":
				gzip = q
			case "deflate":
				deflate = q
			case "*":
				other = q
			}
		}
	}
	if gzip < 0 {
		gzip = other
	}
	if deflate < 0 {
		deflate = other
	}
	switch {
	case gzip > 0 && gzip >= deflate:
		return "gzip"
	case deflate > 0:
		return "deflate"
	}
	return ""
}
