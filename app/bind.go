package app

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Bind decodes the body into the value that v points to, by its Content-Type: JSON (application/json and …+json), or
// a form (application/x-www-form-urlencoded, multipart/form-data). A request that has no body binds its query, if it has
// no Content-Type or is a GET, HEAD or DELETE.
//
// A form or a query fills the fields of a struct by their tag `form:"name"`, or `json:"name"`, or their name in either
// case: strings, numbers, booleans, what has UnmarshalText, pointers and slices of them, structs and maps for names with
// brackets (user[name]=Ana), and of multipart *multipart.FileHeader; or a url.Values, a map[string]string, or a Map. What
// was not filled in, age=, is zero for a number or a boolean, and nil for a pointer to one, to a time or another struct.
//
// Its errors are each an [HTTPError]: 413 for a body over the limit, 415 for a type or a charset that it does not read,
// 400 with the type "entity.parse.failed" for one that does not parse or fit. What the setting "validator" says of the
// value is a 422 error with the type "entity.invalid", unless it has a status of its own. That v is nothing which it can
// fill is the program's fault, and another error.
func (r *Request) Bind(v any) error {
	if p := reflect.ValueOf(v); p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("app: Bind(%T): pass a pointer to the value to fill", v)
	}
	contentType := r.Header.Get("Content-Type")
	media, _ := splitContentType(contentType)
	var err error
	switch {
	case r.ContentLength == 0 && (media == "" || slices.Contains(bodiless, r.Method)):
		err = r.bindQuery(v)
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		err = r.bindJSON(v)
	case media == "application/x-www-form-urlencoded":
		err = r.bindForm(v)
	case media == "multipart/form-data":
		err = r.bindUpload(v)
	default:
		err = &HTTPError{Status: 415, Type: "media.type.unsupported",
			Message: fmt.Sprintf("unsupported media type %q: send application/json, application/x-www-form-urlencoded or multipart/form-data", contentType)}
	}
	return r.validated(v, err)
}

// bodiless are the methods of requests that have no body as a rule, although some clients say what they would send.
var bodiless = []string{http.MethodGet, http.MethodHead, http.MethodDelete}

// BindQuery is [Request.Bind] for the query, whatever the body is. It reads brackets if the setting "query parser" does.
func (r *Request) BindQuery(v any) error {
	if p := reflect.ValueOf(v); p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("app: BindQuery(%T): pass a pointer to the value to fill", v)
	}
	return r.validated(v, r.bindQuery(v))
}

// validated asks the setting "validator" about a value that was bound without an error.
func (r *Request) validated(v any, err error) error {
	validate := r.x.app.options.validator
	if err != nil || validate == nil {
		return err
	}
	if err = validate(v); err == nil || errorStatus(err) != 0 {
		return err
	}
	return &HTTPError{Status: http.StatusUnprocessableEntity, Type: "entity.invalid", Err: err}
}

// unfit is the error of a body that parses but does not fit, or does not parse.
func unfit(err error) error {
	if err == nil || errorStatus(err) != 0 {
		return err
	}
	return &HTTPError{Status: http.StatusBadRequest, Type: "entity.parse.failed", Err: err}
}

func (r *Request) bindJSON(v any) error {
	if charset := r.charset(); r.body.kind != jsonBody && charset != "utf-8" {
		if !strings.HasPrefix(charset, "utf") {
			return unsupportedCharset(charset)
		}
		text, err := r.Text()
		if err != nil {
			return err
		}
		return unfit(decodeJSON([]byte(text), v))
	}
	body, err := r.Bytes()
	if err != nil {
		return err
	}
	return unfit(decodeJSON(body, v))
}

func decodeJSON(body []byte, v any) error {
	if len(body) == 0 {
		return errors.New("the body is empty: send JSON")
	}
	if len(body) > 2 && body[0] == 0xef && body[1] == 0xbb && body[2] == 0xbf {
		body = body[3:] // a byte order mark
	}
	err := json.Unmarshal(body, v)
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

func (r *Request) bindQuery(v any) error { return bindValues(r.QueryObject(), nil, v) }

func (r *Request) bindForm(v any) error {
	charset := r.charset()
	if charset != "utf-8" && charset != "iso-8859-1" {
		return unsupportedCharset(charset)
	}
	body, err := r.Bytes()
	if err != nil {
		return err
	}
	text, _ := decodeText(body, charset)
	form, err := parseForm(text, &BodyOptions{Extended: nests(v)}, charset == "iso-8859-1")
	if err != nil {
		return err
	}
	return bindValues(form, nil, v)
}

// bindUpload reads the names and the values of an upload as those of another form.
func (r *Request) bindUpload(v any) error {
	upload, err := r.Upload(UploadLimits{})
	if err != nil {
		return err
	}
	text := url.Values{}
	for name, list := range upload.Value {
		for _, value := range list {
			text.Add(validUTF8([]byte(name)), validUTF8([]byte(value)))
		}
	}
	form, err := parseForm(text.Encode(), &BodyOptions{Extended: nests(v)}, false)
	if err != nil {
		return err
	}
	return bindValues(form, upload.File, v)
}

// nests reports whether v has places for names with brackets.
func nests(v any) bool {
	_, ok := v.(*Map)
	return ok || reflect.TypeOf(v).Elem().Kind() == reflect.Struct
}

// bindValues fills what v points to.
func bindValues(values *Object, files map[string][]*multipart.FileHeader, v any) error {
	switch t := v.(type) {
	case *url.Values:
		*t = url.Values{}
		for _, name := range values.names {
			(*t)[name] = values.List(name)
		}
		return nil
	case *map[string]string:
		*t = make(map[string]string, values.Len())
		for _, name := range values.names {
			(*t)[name] = values.Get(name)
		}
		return nil
	case *Map:
		*t = values.Map()
		return nil
	}
	target := reflect.ValueOf(v).Elem()
	if target.Kind() != reflect.Struct {
		return fmt.Errorf("app: a form does not fit into a %s: bind it to a struct, a url.Values, a map[string]string or a Map", target.Type())
	}
	return unfit(bindStruct(values, files, target))
}

// bindStruct fills a struct; names that it has no field for are left out, as for JSON.
func bindStruct(values *Object, files map[string][]*multipart.FileHeader, target reflect.Value) error {
	for _, field := range reflect.VisibleFields(target.Type()) {
		if !field.IsExported() || field.Anonymous {
			continue
		}
		name := formName(field, values, files)
		if name == "" {
			continue
		}
		f, ok := fieldAt(target, field.Index)
		if !ok {
			continue
		}
		switch f.Addr().Interface().(type) {
		case **multipart.FileHeader:
			if list := files[name]; len(list) > 0 {
				f.Set(reflect.ValueOf(list[0]))
			}
			continue
		case *[]*multipart.FileHeader:
			f.Set(reflect.ValueOf(files[name]))
			continue
		}
		if v := values.Value(name); v != nil {
			if err := setField(f, v); err != nil {
				return fmt.Errorf("form: %s: %w", field.Name, err)
			}
		}
	}
	return nil
}

// fieldAt is the field of a struct at an index. It fills embedded pointers on the way, as encoding/json does; not ok
// below one that it cannot set.
func fieldAt(target reflect.Value, index []int) (f reflect.Value, ok bool) {
	for i, n := range index {
		if i > 0 && target.Kind() == reflect.Pointer {
			if target.IsNil() && !target.CanSet() {
				return target, false
			}
			if target.IsNil() {
				target.Set(reflect.New(target.Type().Elem()))
			}
			target = target.Elem()
		}
		target = target.Field(n)
	}
	return target, true
}

// formName is the name under which a form has the value of a field, "" if it has none.
func formName(field reflect.StructField, values *Object, files map[string][]*multipart.FileHeader) string {
	has := func(name string) bool { return values.Value(name) != nil || files[name] != nil }
	for _, key := range []string{"form", "json"} {
		if name, _, _ := strings.Cut(field.Tag.Get(key), ","); name == "-" || name != "" && !has(name) {
			return ""
		} else if name != "" {
			return name
		}
	}
	if has(field.Name) {
		return field.Name
	}
	for _, name := range values.Names() {
		if strings.EqualFold(name, field.Name) {
			return name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.EqualFold(name, field.Name) {
			return name
		}
	}
	return ""
}

// setField sets a field to a value of a form: a string, a []any or an *Object.
func setField(f reflect.Value, v any) error {
	first := v
	if list, ok := v.([]any); ok && len(list) > 0 {
		first = list[0]
	}
	switch f.Kind() {
	case reflect.Pointer:
		if elem := f.Type().Elem().Kind(); first == "" && (isScalar(elem) || elem == reflect.Struct) {
			f.SetZero()
			return nil
		}
		p := reflect.New(f.Type().Elem())
		err := setField(p.Elem(), v)
		if err == nil {
			f.Set(p)
		}
		return err
	case reflect.Slice:
		if _, ok := f.Addr().Interface().(encoding.TextUnmarshaler); ok {
			break
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		all := reflect.MakeSlice(f.Type(), len(list), len(list))
		for i := range list {
			if err := setField(all.Index(i), list[i]); err != nil {
				return err
			}
		}
		f.Set(all)
		return nil
	case reflect.Interface:
		if f.NumMethod() == 0 {
			f.Set(reflect.ValueOf(plain(v)))
			return nil
		}
	}
	switch v := first.(type) {
	case string:
		return setText(f, v)
	case *Object:
		return setObject(f, v)
	}
	return fmt.Errorf("a form value does not fit into a %s", f.Type())
}

// isScalar reports whether a kind is that of a boolean or a number.
func isScalar(kind reflect.Kind) bool { return kind >= reflect.Bool && kind <= reflect.Float64 }

func setObject(f reflect.Value, o *Object) error {
	switch f.Kind() {
	case reflect.Struct:
		return bindStruct(o, nil, f)
	case reflect.Map:
		if f.Type().Key().Kind() != reflect.String {
			break
		}
		m := reflect.MakeMapWithSize(f.Type(), o.Len())
		for _, name := range o.Names() {
			item := reflect.New(f.Type().Elem()).Elem()
			if err := setField(item, o.values[name]); err != nil {
				return err
			}
			m.SetMapIndex(reflect.ValueOf(name).Convert(f.Type().Key()), item)
		}
		f.Set(m)
		return nil
	}
	return fmt.Errorf("an object does not fit into a %s", f.Type())
}

func setText(f reflect.Value, s string) error {
	if u, ok := f.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(s))
	}
	if s == "" && isScalar(f.Kind()) {
		f.SetZero()
		return nil
	}
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
	default:
		return fmt.Errorf("a form value does not fit into a %s", f.Type())
	}
	return err
}
