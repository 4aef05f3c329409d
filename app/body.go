package app

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
)

// requestBody is the body once it was read, so that Bytes, Text, Bind and the body parsers can be called in any order.
type requestBody struct {
	data []byte
	read bool
	err  error

	kind  bodyKind // the parser that has read it
	text  string   // of Text
	form  *Object  // of URLEncoded
	value any      // of JSON, when asked for

	upload    *multipart.Form
	uploadErr error
}

// Bytes reads the body, inflated, up to the setting "body limit". More is an [HTTPError] with the status 413 and the
// type "entity.too.large". It can be called again, after Text and Bind too.
func (r *Request) Bytes() ([]byte, error) { return r.readBody(r.x.app.options.bodyLimit, true, "") }

// readBody reads the body if it was not read before. It does not when the charset, if there is one, is not known.
func (r *Request) readBody(limit int64, inflate bool, charset string) ([]byte, error) {
	if r.body.read {
		return r.body.data, r.body.err
	}
	r.body.read = true
	r.body.data, r.body.err = r.readOnce(limit, inflate, charset)
	return r.body.data, r.body.err
}

func (r *Request) readOnce(limit int64, inflate bool, charset string) ([]byte, error) {
	encoding := strings.ToLower(r.Header.Get("Content-Encoding"))
	body := io.Reader(r.Body)
	compressed := encoding != "" && encoding != "identity"
	switch {
	case !compressed && r.ContentLength > limit:
		return nil, tooLarge()
	case compressed && !inflate:
		return nil, &HTTPError{Status: 415, Type: "encoding.unsupported", Message: "content encoding unsupported"}
	case compressed && !canInflate(encoding):
		return nil, &HTTPError{Status: 415, Type: "encoding.unsupported", Message: fmt.Sprintf("unsupported content encoding %q", encoding)}
	}
	if charset != "" && charset != "utf-8" {
		if _, ok := decodeText(nil, charset); !ok {
			return nil, unsupportedCharset(charset)
		}
	}
	data, err := readLimited(r, body, limit, encoding, compressed)
	err = r.x.wire.body.settle(err)
	var broken *HTTPError
	var over *http.MaxBytesError
	switch {
	case int64(len(data)) > limit || errors.As(err, &over):
		return nil, tooLarge()
	case errors.As(err, &broken):
		return nil, broken
	case err != nil:
		return nil, &HTTPError{Status: 400, Type: "request.aborted", Message: "request aborted", Err: err}
	}
	return data, nil
}

// maxExpected is the length of a body up to which the client is believed, and memory is there before the body is.
const maxExpected = 1 << 20

// readLimited reads one byte more than limit at most.
func readLimited(r *Request, body io.Reader, limit int64, encoding string, compressed bool) (data []byte, err error) {
	if compressed {
		inflated, err := inflater(body, encoding)
		if err != nil {
			return nil, err
		}
		defer inflated.Close()
		body = inflated
	}
	if n := r.ContentLength; n > 0 && n <= min(limit, maxExpected) && !compressed {
		data = make([]byte, n)
		_, err = io.ReadFull(body, data)
		return data, err
	}
	return io.ReadAll(io.LimitReader(body, limit+1))
}

func tooLarge() error {
	return &HTTPError{Status: 413, Type: "entity.too.large", Message: "request entity too large"}
}

// Text reads the body as Bytes does and decodes it. A charset that is not known is an [HTTPError] with the status 415
// and the type "charset.unsupported".
func (r *Request) Text() (string, error) {
	b, err := r.Bytes()
	if err != nil {
		return "", err
	}
	charset := r.charset()
	text, ok := decodeText(b, charset)
	if !ok {
		return "", unsupportedCharset(charset)
	}
	return text, nil
}

func (r *Request) charset() string {
	if charset := r.charsetParam(); charset != "" {
		return charset
	}
	return "utf-8"
}

// charsetParam is the charset that the Content-Type names, in lower case, "" if none.
func (r *Request) charsetParam() string {
	_, params := splitContentType(r.Header.Get("Content-Type"))
	for _, p := range params {
		if p.key == "charset" {
			return strings.ToLower(p.value)
		}
	}
	return ""
}
