package app_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/zocalo-go/zocalo/app"
)

// chunks sends a body in chunks of some bytes, with what stands behind each size and behind the last chunk.
func chunks(body string, size int, extension, trailer string) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x%s\r\n%s\r\n", n, extension, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n" + trailer + "\r\n"
}

// The answers to bodies as they come over the wire are those of Express with the same parsers.
func TestBodiesOnTheWire(t *testing.T) {
	var packed, brotlied bytes.Buffer
	z, br := gzip.NewWriter(&packed), brotli.NewWriter(&brotlied)
	for _, w := range []io.WriteCloser{z, br} {
		io.WriteString(w, `{"a":1}`)
		w.Close()
	}
	gz := packed.String()
	const (
		js      = "Content-Type: application/json\r\n"
		form    = "Content-Type: application/x-www-form-urlencoded\r\n"
		plain   = "Content-Type: text/plain\r\n"
		chunked = "Transfer-Encoding: chunked\r\n"
		gzipped = "Content-Encoding: gzip\r\n" + js
		inBr    = "Content-Encoding: br\r\n" + js
	)
	sized := func(header, body string) string {
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
	}
	server := app.New()
	o := app.BodyOptions{Limit: 40}
	server.Use(app.JSON(o), app.URLEncoded(o), app.Text(o))
	server.Post("/", func(req *app.Request, res *app.Response) error {
		v, _ := req.BodyValue()
		return res.JSON(v)
	})
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		var e *app.HTTPError
		if !errors.As(err, &e) {
			return err
		}
		return res.Status(e.Status).Send("caught " + e.Message)
	})
	l := httptest.NewServer(server)
	defer l.Close()
	for _, test := range []struct {
		name, rest string // of the request
		status     int
		want       string
	}{
		{"chunks", js + chunked + "\r\n" + chunks(`{"a":"é"}`, 1, "", ""), 200, `{"a":"é"}`},
		{"a form in chunks", form + chunked + "\r\n" + chunks("a=1&b=%C3%A9&a=2", 5, "", ""), 200, `{"a":["1","2"],"b":"é"}`},
		{"extensions of chunks", js + chunked + "\r\n" + chunks(`[1,2]`, 2, `;x="a;b"`, ""), 200, `[1,2]`},
		{"a trailer", js + chunked + "Trailer: X-T\r\n\r\n" + chunks(`[1]`, 9, "", "X-T: 1\r\nContent-Type: text/html\r\n"), 200, `[1]`},
		{"no chunk", js + chunked + "\r\n" + chunks("", 1, "", ""), 200, `{}`},
		{"leading zeros", js + chunked + "\r\n0005\r\n[1,2]\r\n00\r\n\r\n", 200, `[1,2]`},
		{"chunks over the limit", plain + chunked + "\r\n" + chunks(strings.Repeat("x", 41), 7, "", ""), 413, "caught request entity too large"},
		{"chunks at the limit", plain + chunked + "\r\n" + chunks(strings.Repeat("x", 40), 7, "", ""), 200, `"` + strings.Repeat("x", 40) + `"`},
		{"expectation", "Expect: 100-continue\r\n" + sized(js, "[1]"), 200, "[1]"},
		{"another expectation", "Expect: 200-ok\r\n" + sized(js, "[1]"), 417, ""},
		{"expectation over the limit", "Expect: 100-continue\r\n" + sized(js, "["+strings.Repeat(" ", 1000)+"]"), 413, "caught request entity too large"},
		{"less than its length", sized(js, "[1]")[:len(sized(js, "[1]"))-1], 400, ""},
		{"half a chunk", js + chunked + "\r\n5\r\n[1", 400, ""},
		{"no last chunk", js + chunked + "\r\n3\r\n[1]\r\n", 400, ""},
		{"no size", js + chunked + "\r\nzz\r\n", 400, ""},
		{"a length that is none", js + "Content-Length: 3x\r\n\r\n[1]", 400, ""},
		{"two lengths", js + "Content-Length: 3\r\nContent-Length: 2\r\n\r\n[1]", 400, ""},
		{"gzip in chunks", gzipped + chunked + "\r\n" + chunks(gz, 3, "", ""), 200, `{"a":1}`},
		{"two members", sized(gzipped, gz+gz), 400, "caught Unexpected non-whitespace character after JSON at position 7"},
		{"padded with zeros", sized(gzipped, gz+"\x00\x00\x00"), 200, `{"a":1}`},
		{"padded with something else", sized(gzipped, gz+"padded"), 400, "caught incorrect header check"},
		{"half a gzip in chunks", gzipped + chunked + "\r\n" + chunks(gz[:20], 3, "", ""), 400, "caught unexpected end of file"},
		{"brotli in chunks", inBr + chunked + "\r\n" + chunks(brotlied.String(), 2, "", ""), 200, `{"a":1}`},
		{"brotli, and more", sized(inBr, brotlied.String()+"more"), 200, `{"a":1}`},
		{"brotli, and more in chunks", inBr + chunked + "\r\n" + chunks(brotlied.String()+"more", 1, "", ""), 200, `{"a":1}`},
		{"no gzip", sized(gzipped, "[1]"), 400, "caught incorrect header check"},
		{"an encoding that is not known", sized("Content-Encoding: gzip, br\r\n"+js, "[1]"), 415, `caught unsupported content encoding "gzip, br"`},
		{"UTF-16 in chunks", "Content-Type: application/json; charset=utf-16le\r\n" + chunked + "\r\n" + chunks("[\x001\x00]\x00", 1, "", ""), 200, "[1]"},
		{"a charset in quotes", sized("Content-Type: application/json; charset=\"UTF-8\"\r\n", "[1]"), 200, "[1]"},
		{"a charset that is not known", sized("Content-Type: text/plain; charset=bogus\r\n", "x"), 415, `caught unsupported charset "BOGUS"`},
		{"a charset of a form", sized("Content-Type: application/x-www-form-urlencoded; charset=us-ascii\r\n", "x"), 415, `caught unsupported charset "US-ASCII"`},
	} {
		conn, err := net.Dial("tcp", l.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+test.rest)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		status, body := finalAnswer(t, conn)
		conn.Close()
		if status != test.status || test.want != "" && body != test.want {
			t.Errorf("%s: got %d %q, want %d %q", test.name, status, body, test.status, test.want)
		}
	}
}

// finalAnswer reads the answer that follows a 100.
func finalAnswer(t *testing.T, conn net.Conn) (status int, body string) {
	t.Helper()
	for r := bufio.NewReader(conn); ; {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == http.StatusContinue {
			continue
		}
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
}
