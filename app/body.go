package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// requestBody is the body once it was read, so that Bytes, Text and Bind can be called in any order.
type requestBody struct {
	data []byte
	read bool
	err  error
}

// Bytes reads the body, up to the setting "body limit". More is an [HTTPError] with the status 413 and the type
// "entity.too.large". It can be called again, after Text and Bind too.
func (r *Request) Bytes() ([]byte, error) {
	if r.body.read {
		return r.body.data, r.body.err
	}
	r.body.read = true
	limit := r.x.app.options.bodyLimit
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		r.body.err = &HTTPError{Status: 415, Type: "encoding.unsupported", Message: fmt.Sprintf("unsupported content encoding %q", strings.ToLower(encoding))}
		return nil, r.body.err
	}
	if r.ContentLength > limit {
		r.body.err = tooLarge(limit)
		return nil, r.body.err
	}
	data, err := io.ReadAll(http.MaxBytesReader(r.x.res.ResponseWriter, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		r.body.err = tooLarge(limit)
	case err != nil:
		r.body.err = &HTTPError{Status: 400, Type: "request.aborted", Message: "request aborted", Err: err}
	default:
		r.body.data = data
	}
	return r.body.data, r.body.err
}

func tooLarge(limit int64) error {
	return &HTTPError{Status: 413, Type: "entity.too.large", Message: fmt.Sprintf("request entity too large: the limit is %d bytes", limit)}
}

// Text reads the body as Bytes does. What is no UTF-8 is an [HTTPError] with the status 415 and the type
// "charset.unsupported".
func (r *Request) Text() (string, error) {
	b, err := r.Bytes()
	if err != nil {
		return "", err
	}
	if charset := r.charset(); charset != "utf-8" || !utf8.Valid(b) {
		return "", unsupportedCharset(charset)
	}
	return string(b), nil
}

func (r *Request) charset() string {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := strings.ToLower(params["charset"]); err == nil && charset != "" && charset != "us-ascii" && charset != "utf8" {
		return charset
	}
	return "utf-8"
}

func unsupportedCharset(charset string) error {
	return &HTTPError{Status: 415, Type: "charset.unsupported", Message: fmt.Sprintf("unsupported charset %q", strings.ToUpper(charset))}
}

// Bind decodes the body into the value that v points to, by its Content-Type: JSON (application/json and …+json), or
// a form (application/x-www-form-urlencoded). A form fills the fields of a struct by their tag `form:"name"`, or
// `json:"name"`, or their name in either case: strings, numbers, booleans, what has UnmarshalText, and slices of
// them; or a url.Values, or a map[string]string.
//
// Its errors are each an [HTTPError]: 413 for a body over the limit, 415 for a type or a charset that it does not
// read, 400 with the type "entity.parse.failed" for one that does not parse or fit.
func (r *Request) Bind(v any) error {
	if p := reflect.ValueOf(v); p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("app: Bind(%T): pass a pointer to the value to fill", v)
	}
	contentType := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(contentType)
	isJSON := media == "application/json" || strings.HasSuffix(media, "+json")
	if err != nil || !isJSON && media != "application/x-www-form-urlencoded" {
		return &HTTPError{Status: 415, Type: "media.type.unsupported", Message: fmt.Sprintf("unsupported media type %q: send application/json or application/x-www-form-urlencoded", contentType)}
	}
	if charset := r.charset(); charset != "utf-8" {
		return unsupportedCharset(charset)
	}
	body, err := r.Bytes()
	if err != nil {
		return err
	}
	if isJSON {
		err = bindJSON(body, v)
	} else {
		var values url.Values
		if values, err = url.ParseQuery(string(body)); err == nil {
			err = bindForm(values, reflect.ValueOf(v).Elem())
		}
	}
	if err != nil {
		return &HTTPError{Status: 400, Type: "entity.parse.failed", Err: err}
	}
	return nil
}

func bindJSON(body []byte, v any) error {
	if len(body) == 0 {
		return errors.New("the body is empty: send JSON")
	}
	err := json.Unmarshal([]byte(strings.TrimPrefix(string(body), "\ufeff")), v)
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("JSON: %w, at byte %d", err, syntax.Offset)
	case errors.As(err, &mismatch) && mismatch.Field != "":
		return fmt.Errorf("JSON: %s is a %s, not a %s", mismatch.Field, mismatch.Value, mismatch.Type)
	case err != nil:
		return fmt.Errorf("JSON: %w", err)
	}
	return nil
}

// bindForm fills target from values; names that it has no field for are left out, as for JSON.
func bindForm(values url.Values, target reflect.Value) error {
	switch t := target.Addr().Interface().(type) {
	case *url.Values:
		*t = values
		return nil
	case *map[string]string:
		*t = make(map[string]string, len(values))
		for name := range values {
			(*t)[name] = values.Get(name)
		}
		return nil
	}
	if target.Kind() != reflect.Struct {
		return fmt.Errorf("a form does not fit into a %s: bind it to a struct, a url.Values or a map[string]string", target.Type())
	}
	for _, field := range reflect.VisibleFields(target.Type()) {
		if !field.IsExported() || field.Anonymous {
			continue
		}
		list := formValues(values, field)
		if len(list) == 0 {
			continue
		}
		f, err := target.FieldByIndexErr(field.Index)
		if err != nil {
			continue // in an embedded pointer that is nil
		}
		if err := setField(f, list); err != nil {
			return fmt.Errorf("form: %s: %w", field.Name, err)
		}
	}
	return nil
}

func formValues(values url.Values, field reflect.StructField) []string {
	for _, key := range []string{"form", "json"} {
		if name, _, _ := strings.Cut(field.Tag.Get(key), ","); name == "-" {
			return nil
		} else if name != "" {
			return values[name]
		}
	}
	if list, ok := values[field.Name]; ok {
		return list
	}
	for name, list := range values {
		if strings.EqualFold(name, field.Name) {
			return list
		}
	}
	return nil
}

func setField(f reflect.Value, list []string) error {
	if u, ok := f.Addr().Interface().(interface{ UnmarshalText([]byte) error }); ok {
		return u.UnmarshalText([]byte(list[0]))
	}
	s := list[0]
	var err error
	switch f.Kind() {
	case reflect.String:
		f.SetString(s)
	case reflect.Bool:
		on := s == "on"
		if !on {
			on, err = strconv.ParseBool(s)
		}
		f.SetBool(on)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var n int64
		if n, err = strconv.ParseInt(s, 10, f.Type().Bits()); err == nil {
			f.SetInt(n)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n uint64
		if n, err = strconv.ParseUint(s, 10, f.Type().Bits()); err == nil {
			f.SetUint(n)
		}
	case reflect.Float32, reflect.Float64:
		var n float64
		if n, err = strconv.ParseFloat(s, f.Type().Bits()); err == nil {
			f.SetFloat(n)
		}
	case reflect.Pointer:
		p := reflect.New(f.Type().Elem())
		if err = setField(p.Elem(), list); err == nil {
			f.Set(p)
		}
	case reflect.Slice:
		all := reflect.MakeSlice(f.Type(), len(list), len(list))
		for i := range list {
			if err = setField(all.Index(i), list[i:i+1]); err != nil {
				return err
			}
		}
		f.Set(all)
	default:
		return fmt.Errorf("a form value does not fit into a %s", f.Type())
	}
	return err
}
