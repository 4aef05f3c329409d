package msgpack

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/internal/jsonrules"
)

// maxDepth bounds arguments, whose packet may have had a higher limit than the
// default. It is that of encoding/json.
const maxDepth = 10000

func (codec) Unmarshal(arg []byte, _ [][]byte, dst any) error {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return &json.InvalidUnmarshalError{Type: reflect.TypeOf(dst)}
	}
	if err := whole(arg, maxDepth); err != nil {
		return fmt.Errorf("msgpack: %w", err)
	}
	_, err := decode(arg, v.Elem())
	return err
}

var (
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decode decodes the value that b begins with into v, and returns what follows
// it. skip has checked b.
func decode(b []byte, v reflect.Value) (rest []byte, err error) {
	t, inner, _ := next(b)
	if t.kind == null && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v.SetZero()
		return inner, nil
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if t := v.Type(); t.Elem() != rawType && (t.Implements(unmarshalerType) || t.Implements(textUnmarshalerType)) {
			break
		}
		v = v.Elem()
	}
	if v.Type() == rawType {
		rest, _ := skip(b, maxDepth)
		end := len(b) - len(rest)
		v.Set(reflect.ValueOf(parser.Raw{Codec: Codec, Data: b[:end:end]}))
		return rest, nil
	}
	if done, rest, err := decodeItself(t, b, v); done {
		return rest, err
	}
	switch {
	case t.kind == null:
		if v.Kind() == reflect.Map || v.Kind() == reflect.Slice {
			v.SetZero()
		}
		return inner, nil
	case v.Kind() == reflect.Interface && v.NumMethod() == 0:
		value, rest := anything(b)
		v.Set(reflect.ValueOf(value))
		return rest, nil
	case t.kind == list && (v.Kind() == reflect.Slice || v.Kind() == reflect.Array):
		return decodeList(t.length, inner, v)
	case t.kind == object && v.Kind() == reflect.Map:
		return decodeMap(t.length, inner, v)
	case t.kind == object && v.Kind() == reflect.Struct:
		return decodeStruct(t.length, inner, v)
	case t.kind >= list || !decodeScalar(t, v):
		return nil, &json.UnmarshalTypeError{Value: t.kind.String(), Type: v.Type()}
	}
	return inner, nil
}

// decodeItself decodes into a value of a type that has a say in it, and reports
// whether it is one.
func decodeItself(t token, b []byte, v reflect.Value) (done bool, rest []byte, err error) {
	if v.Kind() != reflect.Pointer {
		if !v.CanAddr() {
			return false, nil, nil
		}
		v = v.Addr()
	}
	after := func() []byte { rest, _ := skip(b, math.MaxInt); return rest }
	if dst, ok := v.Interface().(*time.Time); ok && t.kind == date {
		*dst = t.time
		return true, after(), nil
	}
	if dst, ok := v.Interface().(json.Unmarshaler); ok {
		out, rest, err := appendJSON(nil, b)
		if err == nil {
			err = dst.UnmarshalJSON(out)
		}
		return true, rest, err
	}
	dst, ok := v.Interface().(encoding.TextUnmarshaler)
	if !ok || t.kind == null {
		return false, nil, nil
	}
	if t.kind != text && t.kind != date && t.kind != binaryData {
		return true, nil, &json.UnmarshalTypeError{Value: t.kind.String(), Type: v.Type().Elem()}
	}
	return true, after(), dst.UnmarshalText([]byte(stringOf(t)))
}

// stringOf returns a text, or the text that JSON would carry instead.
func stringOf(t token) string {
	switch t.kind {
	case date:
		return isoDate(t.time)
	case binaryData:
		return base64.StdEncoding.EncodeToString(t.bytes)
	}
	return validText(t.bytes)
}

// decodeScalar decodes all but lists and maps, and reports whether it fits.
func decodeScalar(t token, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Bool:
		if t.kind != boolean {
			return false
		}
		v.SetBool(t.i == 1)
		return true
	case reflect.String:
		if t.kind != text && t.kind != date && t.kind != binaryData {
			if _, number := v.Interface().(json.Number); number {
				return decodeNumber(t, v)
			}
			return false
		}
		v.SetString(stringOf(t))
		return true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := t.i, t.kind == integer
		if t.kind == float && t.f == math.Trunc(t.f) && t.f >= math.MinInt64 && t.f < math.MaxInt64 {
			n, ok = int64(t.f), true
		}
		if !ok || v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
		return true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		n, ok := uint64(t.i), t.kind == integer && t.i >= 0 || t.kind == unsigned
		if t.kind == float && t.f == math.Trunc(t.f) && t.f >= 0 && t.f < math.MaxUint64 {
			n, ok = uint64(t.f), true
		}
		if !ok || v.OverflowUint(n) {
			return false
		}
		v.SetUint(n)
		return true
	case reflect.Float32, reflect.Float64:
		return decodeFloat(t, v)
	case reflect.Slice, reflect.Array:
		return decodeBytes(t, v)
	}
	return false
}

func decodeFloat(t token, v reflect.Value) bool {
	f := t.f
	switch t.kind {
	case integer:
		f = float64(t.i)
	case unsigned:
		f = float64(t.u)
	case float:
	default:
		return false
	}
	if v.OverflowFloat(f) && !math.IsInf(f, 0) {
		return false
	}
	v.SetFloat(f)
	return true
}

// decodeNumber decodes into a json.Number.
func decodeNumber(t token, v reflect.Value) bool {
	switch t.kind {
	case integer:
		v.SetString(strconv.FormatInt(t.i, 10))
	case unsigned:
		v.SetString(strconv.FormatUint(t.u, 10))
	case float:
		if math.IsNaN(t.f) || math.IsInf(t.f, 0) {
			return false
		}
		v.SetString(string(appendFloat(nil, t.f)))
	default:
		return false
	}
	return true
}

// decodeBytes decodes binary data, or the base64 that JSON would carry instead,
// into a slice or an array of bytes.
func decodeBytes(t token, v reflect.Value) bool {
	if v.Type().Elem().Kind() != reflect.Uint8 {
		return false
	}
	data := t.bytes
	switch t.kind {
	case binaryData:
	case text:
		if v.Kind() == reflect.Array {
			return false
		}
		decoded, err := base64.StdEncoding.AppendDecode([]byte{}, t.bytes)
		if err != nil {
			return false
		}
		data = decoded
	default:
		return false
	}
	if v.Kind() == reflect.Slice {
		v.SetBytes(data[:len(data):len(data)])
		return true
	}
	v.SetZero()
	for i := range min(len(data), v.Len()) {
		v.Index(i).SetUint(uint64(data[i]))
	}
	return true
}

func decodeList(length int, b []byte, v reflect.Value) (rest []byte, err error) {
	switch v.Kind() {
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), length, length))
	case reflect.Array:
		v.SetZero()
	}
	for i := range length {
		if i >= v.Len() { // of an array; encoding/json drops the rest, too
			b, _ = skip(b, math.MaxInt)
			continue
		}
		if b, err = decode(b, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func decodeMap(length int, b []byte, v reflect.Value) (rest []byte, err error) {
	t := v.Type()
	if v.IsNil() {
		v.Set(reflect.MakeMap(t))
	}
	for range length {
		var name token
		name, b, _ = next(b)
		key := reflect.New(t.Key()).Elem()
		if err := decodeKey(keyText(name), key); err != nil {
			return nil, err
		}
		element := reflect.New(t.Elem()).Elem()
		if b, err = decode(b, element); err != nil {
			return nil, err
		}
		v.SetMapIndex(key, element)
	}
	return b, nil
}

// decodeKey decodes the text of a key into a map's key, by the rules of
// encoding/json.
func decodeKey(name string, key reflect.Value) error {
	misfit := &json.UnmarshalTypeError{Value: "string " + strconv.Quote(name), Type: key.Type()}
	if reflect.PointerTo(key.Type()).Implements(textUnmarshalerType) {
		return key.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(name))
	}
	switch {
	case key.Kind() == reflect.String:
		key.SetString(name)
	case key.CanInt():
		n, err := strconv.ParseInt(name, 10, 64)
		if err != nil || key.OverflowInt(n) {
			return misfit
		}
		key.SetInt(n)
	case key.CanUint():
		n, err := strconv.ParseUint(name, 10, 64)
		if err != nil || key.OverflowUint(n) {
			return misfit
		}
		key.SetUint(n)
	default:
		return misfit
	}
	return nil
}

func decodeStruct(length int, b []byte, v reflect.Value) (rest []byte, err error) {
	fields := jsonrules.Fields(v.Type())
	for range length {
		var name token
		name, b, _ = next(b)
		field := find(fields, name)
		if field == nil {
			b, _ = skip(b, math.MaxInt)
			continue
		}
		member, ok := reach(v, field.Index)
		if !ok {
			return nil, fmt.Errorf("msgpack: cannot set %s: it is in an embedded pointer to an unexported struct", field.Name)
		}
		if field.String {
			b, err = decodeQuoted(b, member)
		} else {
			b, err = decode(b, member)
		}
		if err != nil {
			return nil, inField(err, v.Type(), field.Name)
		}
	}
	return b, nil
}

// find returns the field of a member, its letter case aside when there is none
// that is written the same.
func find(fields []jsonrules.Field, name token) *jsonrules.Field {
	key := keyText(name)
	for i := range fields {
		if fields[i].Name == key {
			return &fields[i]
		}
	}
	for i := range fields {
		if strings.EqualFold(fields[i].Name, key) {
			return &fields[i]
		}
	}
	return nil
}

// reach returns the field of v with that index, and makes the embedded structs on
// the way that are nil. It reports false when one cannot be made.
func reach(v reflect.Value, index []int) (reflect.Value, bool) {
	for i, n := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, false
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, true
}

// decodeQuoted decodes a string into a field whose tag has the option string.
func decodeQuoted(b []byte, v reflect.Value) (rest []byte, err error) {
	t, rest, _ := next(b)
	if t.kind != text {
		return decode(b, v)
	}
	if err := json.Unmarshal(t.bytes, v.Addr().Interface()); err != nil {
		return nil, &json.UnmarshalTypeError{Value: "string " + strconv.Quote(validText(t.bytes)), Type: v.Type()}
	}
	return rest, nil
}

// inField says in an error where in a struct it belongs.
func inField(err error, t reflect.Type, name string) error {
	misfit, ok := err.(*json.UnmarshalTypeError)
	if !ok {
		return err
	}
	misfit.Struct = t.Name()
	if misfit.Field != "" {
		name += "." + misfit.Field
	}
	misfit.Field = name
	return misfit
}

// anything returns the value that b begins with, and what follows it. skip has
// checked b.
func anything(b []byte) (value any, rest []byte) {
	t, b, _ := next(b)
	switch t.kind {
	case boolean:
		return t.i == 1, b
	case integer:
		return t.i, b
	case unsigned:
		return t.u, b
	case float:
		return t.f, b
	case text:
		return validText(t.bytes), b
	case binaryData:
		return t.bytes[:len(t.bytes):len(t.bytes)], b
	case date:
		return t.time, b
	case extension:
		return []any{t.i, t.bytes}, b
	case list:
		all := make([]any, t.length)
		for i := range all {
			all[i], b = anything(b)
		}
		return all, b
	case object:
		// A member may overwrite another, so there may be fewer than announced.
		all := make(map[string]any, min(t.length, 64))
		for range t.length {
			var key token
			key, b, _ = next(b)
			all[keyText(key)], b = anything(b)
		}
		return all, b
	}
	return nil, b
}
