package msgpack

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// decoder has no state: every frame is a packet.
type decoder struct{ limits parser.Limits }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", parser.ErrInvalid, fmt.Sprintf(format, args...))
}

func (d decoder) Decode(data []byte, isBinary bool) (*parser.Packet, error) {
	if !isBinary {
		return nil, invalid("text where MessagePack is due; both ends must use the same codec")
	}
	// The packet is a map of its own around the payload.
	if err := whole(data, d.limits.MaxDepth+1); err != nil {
		return nil, invalid("%v", err)
	}
	m, err := split(bytes.Clone(data))
	if err != nil {
		return nil, err
	}
	p := &parser.Packet{ID: parser.NoID}
	if err := m.header(p); err != nil {
		return nil, err
	}
	if err := m.payload(p); err != nil {
		return nil, err
	}
	return p, nil
}

// members are the values of a packet's map that mean something, nil when they
// are missing or undefined.
type members struct{ kind, namespace, id, data []byte }

// split finds the members of b, which skip has checked. The last of several with
// the same name counts, as in JavaScript.
func split(b []byte) (m members, err error) {
	head, b, _ := next(b)
	if head.kind != object {
		return m, invalid("a packet must be a map")
	}
	for range head.length {
		key, value, _ := next(b)
		b, _ = skip(value, math.MaxInt)
		value = value[: len(value)-len(b) : len(value)-len(b)]
		if t, _, _ := next(value); t.undefined {
			value = nil
		}
		if key.kind != text {
			continue
		}
		switch string(key.bytes) {
		case "type":
			m.kind = value
		case "nsp":
			m.namespace = value
		case "id":
			m.id = value
		case "data":
			m.data = value
		}
	}
	return m, nil
}

// header checks and reads type, namespace and id.
func (m members) header(p *parser.Packet) error {
	kind, ok := wholeNumber(m.kind)
	if !ok || kind < int64(parser.Connect) || kind > int64(parser.ConnectError) {
		return invalid("unknown type")
	}
	p.Type = parser.Type(kind)
	namespace, _, err := next(m.namespace)
	if err != nil || namespace.kind != text {
		return invalid("the namespace must be a string")
	}
	p.Namespace = validText(namespace.bytes)
	if m.id == nil {
		return nil
	}
	if p.ID, ok = wholeNumber(m.id); !ok || p.ID < 0 {
		return invalid("the id must be a whole number, and not negative")
	}
	return nil
}

// wholeNumber returns the whole number that a value is. One that no int64 holds
// reads as the largest, or the smallest.
func wholeNumber(value []byte) (n int64, ok bool) {
	t, _, err := next(value)
	switch {
	case err != nil:
		return 0, false
	case t.kind == integer:
		return t.i, true
	case t.kind == unsigned:
		return math.MaxInt64, true
	case t.kind != float || t.f != math.Trunc(t.f) || math.IsInf(t.f, 0):
		return 0, false
	case t.f >= math.MaxInt64:
		return math.MaxInt64, true
	case t.f <= math.MinInt64:
		return math.MinInt64, true
	}
	return int64(t.f), true
}

// payload checks and takes the data.
func (m members) payload(p *parser.Packet) error {
	var t token
	var rest []byte
	if m.data != nil {
		t, rest, _ = next(m.data)
	}
	switch p.Type {
	case parser.Connect:
		if m.data != nil && t.kind != object {
			return invalid("payload of CONNECT must be an object")
		}
	case parser.Disconnect:
		if m.data != nil {
			return invalid("DISCONNECT has no payload")
		}
	case parser.ConnectError:
		if m.data == nil || t.kind != object && t.kind != text {
			return invalid("payload of CONNECT_ERROR must be an object or a string")
		}
	default:
		if m.data == nil || t.kind != list {
			return invalid("payload of %v must be an array", p.Type)
		}
		if p.Type == parser.Event {
			return arguments(p, t.length, rest)
		}
		p.Args = elements(t.length, rest)
		return nil
	}
	p.Data = m.data
	return nil
}

// arguments takes an event's name and its arguments.
func arguments(p *parser.Packet, length int, b []byte) error {
	if length == 0 {
		return invalid("event without a name")
	}
	name, b, _ := next(b)
	switch name.kind {
	case text:
		p.Event = validText(name.bytes)
		if parser.Reserved(p.Event) {
			return invalid("event name %q is reserved", p.Event)
		}
	case integer:
		p.Event = strconv.FormatInt(name.i, 10)
	case unsigned:
		p.Event = strconv.FormatUint(name.u, 10)
	case float:
		p.Event = strconv.FormatFloat(name.f, 'f', -1, 64)
	default:
		return invalid("the name of an event must be a string or a number")
	}
	p.Args = elements(length-1, b)
	return nil
}

// elements returns the next values of b, which skip has checked.
func elements(length int, b []byte) [][]byte {
	all := make([][]byte, length)
	for i := range all {
		rest, _ := skip(b, math.MaxInt)
		end := len(b) - len(rest)
		all[i], b = b[:end:end], rest
	}
	return all
}

// validText returns a text as Node reads it.
func validText(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
