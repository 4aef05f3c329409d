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
// words of zlib.
func inflater(body io.Reader, encoding string) (io.ReadCloser, error) {
	switch encoding {
	case "gzip":
		buffered := bufio.NewReader(body)
		if magic, _ := buffered.Peek(2); len(magic) == 2 && (magic[0] != 0x1f || magic[1] != 0x8b) {
			return nil, brokenBody(gzip.ErrHeader) // before it asks for the rest of a header
		}
		r, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, brokenBody(err)
		}
		return inflating{r}, nil
	case "deflate":
		r, err := zlib.NewReader(body)
		if err != nil {
			return nil, brokenBody(err)
		}
		return inflating{r}, nil
	}
	return inflatingBrotli{io.NopCloser(brotli.NewReader(bufio.NewReader(body)))}, nil
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
	if err != nil && err != io.EOF {
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			return n, &HTTPError{Status: http.StatusBadRequest, Type: "entity.inflate.failed", Message: "Decompression failed"}
		}
		err = brokenBody(err)
	}
	return n, err
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
