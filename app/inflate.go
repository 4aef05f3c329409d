package app

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"

	"github.com/andybalholm/brotli"
)

func canInflate(encoding string) bool {
	return encoding == "gzip" || encoding == "deflate" || encoding == "br"
}

// inflater unpacks a body in a content coding that canInflate. A body that is broken is an [HTTPError] with the status 400, in the
// words of zlib. What follows the end of the compressed data is left aside, but for another member of a gzip file, as in Node.
func inflater(body io.Reader, encoding string) (io.ReadCloser, error) {
	switch encoding {
	case "gzip":
		g := &inflatingGzip{body: bufio.NewReader(body)}
		if err := g.member(); err != nil {
			return nil, err
		}
		return g, nil
	case "deflate":
		r, err := zlib.NewReader(body)
		if err != nil {
			return nil, brokenBody(err)
		}
		return inflating{r}, nil
	}
	return inflatingBrotli{io.NopCloser(brotli.NewReader(bufio.NewReader(body)))}, nil
}

// inflatingGzip reads the members of a gzip file, which may be padded with zeros.
type inflatingGzip struct {
	gzip.Reader
	body *bufio.Reader
}

// member begins the next member.
func (g *inflatingGzip) member() error {
	if magic, _ := g.body.Peek(2); len(magic) == 2 && (magic[0] != 0x1f || magic[1] != 0x8b) {
		return brokenBody(gzip.ErrHeader) // before it asks for the rest of a header
	}
	if err := g.Reset(g.body); err != nil {
		return brokenBody(err)
	}
	g.Multistream(false)
	return nil
}

func (g *inflatingGzip) Read(b []byte) (int, error) {
	n, err := g.Reader.Read(b)
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, brokenBody(err)
	}
	next, err := g.body.Peek(1)
	switch {
	case err == io.EOF || err == nil && next[0] == 0:
		return n, io.EOF
	case err != nil:
		return n, brokenBody(err)
	}
	return n, g.member()
}

// inflating is an inflater whose errors are the client's fault.
type inflating struct{ io.ReadCloser }

func (i inflating) Read(b []byte) (int, error) {
	n, err := i.ReadCloser.Read(b)
	if err != nil && err != io.EOF {
		err = brokenBody(err)
	}
	return n, err
}

type inflatingBrotli struct{ io.ReadCloser }

func (i inflatingBrotli) Read(b []byte) (int, error) {
	n, err := i.ReadCloser.Read(b)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, brokenBody(err)
	case err.Error() == "brotli: excessive input": // it has no name
		return n, io.EOF
	}
	return n, &HTTPError{Status: http.StatusBadRequest, Type: "entity.inflate.failed", Message: "Decompression failed"}
}

func brokenBody(err error) error {
	message := "invalid compressed data"
	switch {
	case errors.Is(err, gzip.ErrHeader) || errors.Is(err, zlib.ErrHeader):
		message = "incorrect header check"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		message = "unexpected end of file"
	case errors.Is(err, gzip.ErrChecksum) || errors.Is(err, zlib.ErrChecksum):
		message = "incorrect data check"
	}
	return &HTTPError{Status: http.StatusBadRequest, Type: "entity.inflate.failed", Message: message}
}
