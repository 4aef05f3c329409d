package msgpack

import (
	"encoding"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/internal/jsonrules"
)

func (codec) Encode(p parser.Outgoing) ([]parser.Frame, error) {
	e := encoder{b: make([]byte, 0, 64+len(p.Namespace))}
	members, withID, withList := uint32(2), p.ID != parser.NoID, p.Type == parser.Event || p.Type == parser.Ack
	if withID {
		members++
	}
	if withList || p.Data != nil {
		members++
	}
	e.b = msgp.AppendMapHeader(e.b, members)
	e.b = msgp.AppendInt(msgp.AppendString(e.b, "type"), int(p.Type))
	e.string("nsp")
	e.string(p.Namespace)
	if withID {
		e.b = msgp.AppendInt64(msgp.AppendString(e.b, "id"), p.ID)
	}
	switch {
	case p.Type > parser.ConnectError:
		return nil, fmt.Errorf("%v is no type of a packet to encode", p.Type)
	case withList:
		if err := e.payload(p); err != nil {
			return nil, err
		}
	case p.Data != nil:
		e.string("data")
		if err := e.value(p.Data, 0); err != nil {
			return nil, err
		}
	}
	return []parser.Frame{{Data: e.b, Binary: true}}, nil
}

// Marshal returns a value as an argument of a packet is encoded, for
// Codec.Unmarshal to decode.
func Marshal(v any) ([]byte, error) {
	var e encoder
	if err := e.value(v, 0); err != nil {
		return nil, err
	}
	return e.b, nil
}

func (e *encoder) payload(p parser.Outgoing) error {
	e.string("data")
	if p.Type == parser.Event {
		e.b = msgp.AppendArrayHeader(e.b, uint32(1+len(p.Args)))
		e.string(p.Event)
	} else {
		e.b = msgp.AppendArrayHeader(e.b, uint32(len(p.Args)))
	}
	for i, arg := range p.Args {
		if err := e.value(arg, 0); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return nil
}

// encoder appends values to b.
type encoder struct{ b []byte }

// value writes one value, which is depth deep in others.
func (e *encoder) value(v any, depth int) error {
	switch v := v.(type) {
	case nil:
		e.b = msgp.AppendNil(e.b)
	case string:
		e.string(v)
	case bool:
		e.b = msgp.AppendBool(e.b, v)
	case int:
		e.b = msgp.AppendInt(e.b, v)
	case int64:
		e.b = msgp.AppendInt64(e.b, v)
	case float64:
		e.b = msgp.AppendFloat64(e.b, v)
	case []byte:
		e.binary(v)
	case time.Time:
		e.date(v)
	case *parser.Raw:
		return e.raw(*v, depth)
	case parser.Raw:
		return e.raw(v, depth)
	default:
		return e.reflected(reflect.ValueOf(v), depth)
	}
	return nil
}

func (e *encoder) string(s string) {
	if !utf8.ValidString(s) { // which decoders in browsers refuse
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	e.b = msgp.AppendString(e.b, s)
}

func (e *encoder) binary(data []byte) {
	if data == nil {
		e.b = msgp.AppendNil(e.b)
		return
	}
	e.b = msgp.AppendBytes(e.b, data)
}

// date writes a JavaScript Date: fixext 8 of type 0, milliseconds since 1970.
func (e *encoder) date(t time.Time) {
	e.b = binary.BigEndian.AppendUint64(append(e.b, 0xd7, 0), uint64(t.UnixMilli()))
}

// raw writes an argument that came in, through whatever codec.
func (e *encoder) raw(r parser.Raw, depth int) error {
	switch {
	case r.Codec == parser.Codec(Codec):
		e.b = append(e.b, r.Data...)
		return nil
	case (r.Codec == nil || r.Codec == parser.Codec(parser.JSON)) && len(r.Attachments) == 0:
		return e.json(r.Data, depth)
	}
	var v any
	if err := r.Unmarshal(&v); err != nil {
		return err
	}
	return e.value(v, depth)
}

var (
	rawType           = reflect.TypeFor[parser.Raw]()
	timeType          = reflect.TypeFor[time.Time]()
	marshalerType     = reflect.TypeFor[json.Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
)

// reflected writes a value of any type.
func (e *encoder) reflected(v reflect.Value, depth int) error {
	if !v.IsValid() {
		e.b = msgp.AppendNil(e.b)
		return nil
	}
	if depth > jsonrules.MaxDepth {
		return errors.New("a value that is too deep, or part of itself")
	}
	switch v.Type() {
	case rawType, timeType:
		return e.value(v.Interface(), depth)
	}
	if done, err := e.itself(v, depth); done {
		return err
	}
	switch v.Kind() {
	case reflect.Bool:
		e.b = msgp.AppendBool(e.b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.b = msgp.AppendInt64(e.b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		e.b = msgp.AppendUint64(e.b, v.Uint())
	case reflect.Float32:
		e.b = msgp.AppendFloat32(e.b, float32(v.Float()))
	case reflect.Float64:
		e.b = msgp.AppendFloat64(e.b, v.Float())
	case reflect.String:
		if n, ok := v.Interface().(json.Number); ok {
			return e.number(string(n))
		}
		e.string(v.String())
	case reflect.Pointer, reflect.Interface:
		return e.reflected(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		return e.list(v, depth)
	case reflect.Map:
		return e.mapping(v, depth)
	case reflect.Struct:
		return e.structure(v, depth)
	default:
		return &json.UnsupportedTypeError{Type: v.Type()}
	}
	return nil
}

// itself writes a value that marshals itself, and reports whether it is one.
func (e *encoder) itself(v reflect.Value, depth int) (done bool, err error) {
	t := v.Type()
	if t.Kind() != reflect.Pointer && v.CanAddr() && !t.Implements(marshalerType) && !t.Implements(textMarshalerType) {
		v, t = v.Addr(), reflect.PointerTo(t)
	}
	asJSON := t.Implements(marshalerType)
	if !asJSON && !t.Implements(textMarshalerType) || !v.CanInterface() {
		return false, nil
	}
	switch {
	case (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil():
		e.b = msgp.AppendNil(e.b)
		return true, nil
	case v.Kind() == reflect.Interface:
		return false, nil // what it holds may have a better form
	case v.Kind() == reflect.Pointer && (t.Elem() == timeType || t.Elem() == rawType):
		return false, nil
	}
	if asJSON {
		marshalled, err := v.Interface().(json.Marshaler).MarshalJSON()
		if err != nil {
			return true, &json.MarshalerError{Type: t, Err: err}
		}
		return true, e.json(marshalled, depth)
	}
	marshalled, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return true, &json.MarshalerError{Type: t, Err: err}
	}
	e.string(string(marshalled))
	return true, nil
}

func (e *encoder) list(v reflect.Value, depth int) error {
	if v.Kind() == reflect.Slice {
		switch {
		case v.IsNil():
			e.b = msgp.AppendNil(e.b)
			return nil
		case jsonrules.IsBinary(v.Type()):
			e.binary(v.Bytes())
			return nil
		}
	}
	e.b = msgp.AppendArrayHeader(e.b, uint32(v.Len()))
	for i := range v.Len() {
		if err := e.reflected(v.Index(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// mapping writes a map, sorted by its keys.
func (e *encoder) mapping(v reflect.Value, depth int) error {
	if v.IsNil() {
		e.b = msgp.AppendNil(e.b)
		return nil
	}
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := jsonrules.Key(it.Key())
		if err != nil {
			return err
		}
		entries = append(entries, entry{key, it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	e.b = msgp.AppendMapHeader(e.b, uint32(len(entries)))
	for _, entry := range entries {
		e.string(entry.key)
		if err := e.reflected(entry.value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) structure(v reflect.Value, depth int) error {
	start, n := e.open(object), 0
	for _, f := range jsonrules.Fields(v.Type()) {
		field, err := v.FieldByIndexErr(f.Index)
		if err != nil || f.Skip(field) { // in an embedded pointer that is nil, or left out
			continue
		}
		if field, err = f.Value(field); err != nil {
			return err
		}
		e.string(f.Name)
		if err := e.reflected(field, depth+1); err != nil {
			return err
		}
		n++
	}
	e.close(object, start, n)
	return nil
}

// open begins a list or a map whose length is not known yet.
func (e *encoder) open(k kind) (start int) {
	start = len(e.b)
	e.b = appendHeader(e.b, k, 0)
	return start
}

// close ends what open began at start, with n elements or members.
func (e *encoder) close(k kind, start, n int) {
	var header [5]byte
	h := appendHeader(header[:0], k, n)
	e.b[start] = h[0]
	if len(h) > 1 {
		e.b = slices.Insert(e.b, start+1, h[1:]...)
	}
}

func appendHeader(b []byte, k kind, n int) []byte {
	if k == list {
		return msgp.AppendArrayHeader(b, uint32(n))
	}
	return msgp.AppendMapHeader(b, uint32(n))
}
