package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// BodyOptions are the options of the body parsers. The zero value is Express's default.
type BodyOptions struct {
	Limit          int64                   // bytes, once inflated; 0 is the setting "body limit"
	Types          []string                // the media types to parse, as for [Request.Is]; nil is the parser's own
	Match          func(req *Request) bool // decides instead of Types
	NoInflate      bool                    // a compressed body is a 415 error
	DefaultCharset string                  // of a body that names none; "utf-8" when empty

	// Verify sees the bytes, inflated, before they are parsed. Its error is answered with 403, unless it has a status.
	Verify func(req *Request, res *Response, body []byte, charset string) error

	// AnyJSON takes every JSON value; without it a body is an object or a list. Of JSON only.
	AnyJSON bool

	Extended       bool // reads brackets: user[name]=Ana. Of URLEncoded only, as the rest.
	ParameterLimit int  // 0 is 1000

	// CharsetSentinel lets a parameter utf8=✓ say whether the form is UTF-8 or ISO 8859-1, NumericEntities decodes
	// &#955; in a form in ISO 8859-1, as browsers write what that does not have.
	CharsetSentinel bool
	NumericEntities bool

	Depth int // how many brackets Extended reads, more is a 400 error; 0 is 32, negative none
}

// A bodyKind says which parser has read the body.
type bodyKind uint8

const (
	noBody bodyKind = iota
	jsonBody
	formBody
	textBody
	rawBody
)

// JSON is middleware that reads bodies of JSON: express.json(). [Request.BodyValue] and [Request.Bind] have the result.
// What is no JSON, or too large, or in an encoding or a charset that is not known, is an [HTTPError] with Express's
// status, type and message.
func JSON(options ...BodyOptions) Handler {
	return bodyParser(jsonBody, "JSON", options, "application/json")
}

// URLEncoded is middleware that reads forms: express.urlencoded().
func URLEncoded(options ...BodyOptions) Handler {
	if len(options) == 1 {
		if c := strings.ToLower(options[0].DefaultCharset); c != "" && c != "utf-8" && c != "iso-8859-1" {
			panic(fmt.Sprintf(`app: URLEncoded: the DefaultCharset is "utf-8" or "iso-8859-1", not %q`, c))
		}
		if options[0].ParameterLimit < 0 {
			panic("app: URLEncoded: the ParameterLimit is a positive number, 0 is 1000")
		}
	}
	return bodyParser(formBody, "URLEncoded", options, "application/x-www-form-urlencoded")
}

// Text is middleware that reads bodies of text: express.text().
func Text(options ...BodyOptions) Handler { return bodyParser(textBody, "Text", options, "text/plain") }

// Raw is middleware that reads bodies as bytes: express.raw().
func Raw(options ...BodyOptions) Handler {
	return bodyParser(rawBody, "Raw", options, "application/octet-stream")
}

func bodyParser(kind bodyKind, name string, options []BodyOptions, typ string) Handler {
	if len(options) > 1 {
		panic("app: " + name + " takes one BodyOptions at most")
	}
	var o BodyOptions
	if len(options) == 1 {
		o = options[0]
	}
	if o.Limit < 0 {
		panic("app: " + name + ": the Limit is a number of bytes above 0; 0 is the setting \"body limit\"")
	}
	if o.Types == nil {
		o.Types = []string{typ}
	}
	if o.DefaultCharset == "" {
		o.DefaultCharset = "utf-8"
	}
	return func(req *Request, res *Response) error {
		if req.body.read || !req.HasBody() {
			return req.Next()
		}
		if o.Match != nil && !o.Match(req) || o.Match == nil && req.Is(o.Types...) == "" {
			return req.Next()
		}
		if err := req.parseBody(kind, &o); err != nil {
			return err
		}
		return req.Next()
	}
}

// parseBody reads and parses the body for a parser.
func (r *Request) parseBody(kind bodyKind, o *BodyOptions) error {
	charset := strings.ToLower(o.DefaultCharset)
	if kind == rawBody {
		charset = ""
	} else if named := r.charsetParam(); named != "" {
		charset = named
	}
	if kind == jsonBody && !strings.HasPrefix(charset, "utf-") || kind == formBody && charset != "utf-8" && charset != "iso-8859-1" {
		return unsupportedCharset(charset)
	}
	limit := o.Limit
	if limit == 0 {
		limit = r.x.app.options.bodyLimit
	}
	data, err := r.readBody(limit, !o.NoInflate, charset)
	if err != nil {
		return err
	}
	if o.Verify != nil {
		if err := o.Verify(r, &r.x.res, data, charset); err != nil {
			if errorStatus(err) != 0 {
				return err
			}
			return &HTTPError{Status: http.StatusForbidden, Type: "entity.verify.failed", Err: err}
		}
	}
	b := &r.body
	if kind == rawBody {
		b.kind = kind
		return nil
	}
	text, _ := decodeText(data, charset)
	if kind == textBody {
		b.text = text
	}
	if kind == jsonBody {
		if err := checkJSON(text, !o.AnyJSON); err != nil {
			return err
		}
		b.data = []byte(text)
	}
	if kind == formBody {
		if b.form, err = parseForm(text, o, charset == "iso-8859-1"); err != nil {
			return err
		}
	}
	b.kind = kind
	return nil
}

// checkJSON reports what is wrong with a body of JSON, in the words of JSON.parse. An empty body is an empty object.
func checkJSON(text string, strict bool) error {
	failed := func(message string) error {
		return &HTTPError{Status: http.StatusBadRequest, Type: "entity.parse.failed", Message: message}
	}
	if text == "" {
		return nil
	}
	if first := strings.TrimLeft(text, " \t\n\r"); strict && (first == "" || first[0] != '{' && first[0] != '[') {
		return failed(strictSyntax(text))
	}
	if json.Valid([]byte(text)) {
		return nil
	}
	if message := jsonSyntax(text); message != "" {
		return failed(message)
	}
	return failed("the JSON is nested too deeply")
}

// parseForm reads a form within the limits of the options.
func parseForm(text string, o *BodyOptions, latin1 bool) (*Object, error) {
	limit := o.ParameterLimit
	if limit == 0 {
		limit = 1000
	}
	count := strings.Count(text, "&") + 1
	if count > limit {
		return nil, &HTTPError{Status: http.StatusRequestEntityTooLarge, Type: "parameters.too.many", Message: "too many parameters"}
	}
	options := bracketOptions{strict: true, listLimit: count, parameters: limit, latin1: latin1,
		sentinel: o.CharsetSentinel, entities: o.NumericEntities}
	if o.Extended {
		options.depth, options.listLimit = 32, max(100, count)
		if o.Depth != 0 {
			options.depth = max(o.Depth, 0)
		}
	}
	form, err := parseBrackets(text, options)
	if errors.Is(err, errTooDeep) {
		return nil, &HTTPError{Status: http.StatusBadRequest, Type: "querystring.parse.rangeError", Message: "The input exceeded the depth"}
	}
	return form, err
}

// BodyValue is what a body parser has made of the body: req.body of Express. It is a JSON value as encoding/json has it,
// an *Object for a form, a string for text, a []byte for raw. Not ok when no parser has read the body.
func (r *Request) BodyValue() (value any, ok bool) {
	b := &r.body
	switch b.kind {
	case noBody:
		return nil, false
	case jsonBody:
		if len(b.data) == 0 {
			return Map{}, true
		}
		if b.value == nil {
			_ = json.Unmarshal(b.data, &b.value) // checkJSON has
		}
		return b.value, true
	case formBody:
		return b.form, true
	case textBody:
		return b.text, true
	}
	return b.data, true
}
