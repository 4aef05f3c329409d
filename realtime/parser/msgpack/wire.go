package msgpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// kind says what a token is.
type kind byte

const (
	null kind = iota // nil, and JavaScript's undefined
	boolean
	integer
	unsigned // an integer that no int64 holds
	float
	text
	binaryData
	date
	extension // one that is unknown
	list
	object
)

func (k kind) String() string {
	return [...]string{"null", "bool", "number", "number", "number", "string", "binary", "date", "extension", "array", "object"}[k]
}

// token is a value, or the head of a list or a map.
type token struct {
	kind      kind
	undefined bool // a null that JavaScript calls undefined

	i      int64 // of an integer; 0 or 1 of a boolean; the type of an extension
	u      uint64
	f      float64
	bytes  []byte // of text, binary data and extensions; shared with the input
	time   time.Time
	length int // how many elements or members follow
}

// errShort is of a value that ends before its end.
var errShort = errors.New("MessagePack that is cut off")

// next reads one token and returns what follows it. It allocates nothing.
func next(b []byte) (t token, rest []byte, err error) {
	if len(b) == 0 {
		return t, nil, errShort
	}
	switch {
	case isExtension(b[0]):
		return nextExtension(b)
	case b[0] == 0xc6 || b[0] == 0xdb: // msgp does not expect a length that an int of 32 bits does not hold
		if len(b) < 5 || uint64(binary.BigEndian.Uint32(b[1:])) > uint64(len(b)-5) {
			return t, nil, errShort
		}
	}
	var announced uint32
	switch msgp.NextType(b) {
	case msgp.NilType:
		return t, b[1:], nil
	case msgp.BoolType:
		t.kind = boolean
		if b[0] == 0xc3 {
			t.i = 1
		}
		return t, b[1:], nil
	case msgp.IntType, msgp.UintType:
		if b[0] == 0xcf {
			t.u, rest, err = msgp.ReadUint64Bytes(b)
			t.kind, t.i = unsigned, int64(t.u)
			if t.u <= math.MaxInt64 {
				t.kind = integer
			}
			break
		}
		t.kind = integer
		t.i, rest, err = msgp.ReadInt64Bytes(b)
	case msgp.Float32Type, msgp.Float64Type:
		t.kind = float
		t.f, rest, err = msgp.ReadFloat64Bytes(b)
	case msgp.StrType:
		t.kind = text
		t.bytes, rest, err = msgp.ReadStringZC(b)
	case msgp.BinType:
		t.kind = binaryData
		t.bytes, rest, err = msgp.ReadBytesZC(b)
	case msgp.ArrayType:
		t.kind = list
		announced, rest, err = msgp.ReadArrayHeaderBytes(b)
	case msgp.MapType:
		t.kind = object
		announced, rest, err = msgp.ReadMapHeaderBytes(b)
	default:
		return t, nil, fmt.Errorf("byte %#x, which MessagePack does not use", b[0])
	}
	if err != nil {
		return t, nil, errShort
	}
	// Everything that is announced takes a byte at least. More than that may be more than an int holds.
	if uint64(announced) > uint64(len(rest)) {
		return t, nil, errShort
	}
	t.length = int(announced)
	return t, rest, nil
}

func isExtension(c byte) bool { return c >= 0xc7 && c <= 0xc9 || c >= 0xd4 && c <= 0xd8 }

// nextExtension reads an extension. Of type 0 are three different things, told
// apart by their format alone: undefined is a fixext 1, a Date is a fixext 8,
// and an ArrayBuffer is an ext, even when it has 1 or 8 bytes.
func nextExtension(b []byte) (t token, rest []byte, err error) {
	fixed := b[0] >= 0xd4
	head, length := 1, uint64(0)
	switch {
	case fixed:
		length = 1 << (b[0] - 0xd4)
	case b[0] == 0xc7 && len(b) > 1:
		head, length = 2, uint64(b[1])
	case b[0] == 0xc8 && len(b) > 2:
		head, length = 3, uint64(binary.BigEndian.Uint16(b[1:]))
	case b[0] == 0xc9 && len(b) > 4:
		head, length = 5, uint64(binary.BigEndian.Uint32(b[1:]))
	default:
		return t, nil, errShort
	}
	if uint64(len(b)) < uint64(head)+1+length {
		return t, nil, errShort
	}
	of, data := int8(b[head]), b[head+1:head+1+int(length):head+1+int(length)]
	rest = b[head+1+int(length):]
	switch {
	case of == 0 && !fixed:
		t.kind, t.bytes = binaryData, data
	case of == 0 && length == 1:
		t.undefined = true
	case of == 0 && length == 8:
		t.kind, t.time = date, time.UnixMilli(int64(binary.BigEndian.Uint64(data))).UTC()
	case of == -1 && timestamp(data, &t.time):
		t.kind = date
	default:
		t.kind, t.i, t.bytes = extension, int64(of), data
	}
	return t, rest, nil
}

// timestamp reads the data of the timestamp extension, which MessagePack's
// specification defines in three lengths.
func timestamp(data []byte, t *time.Time) bool {
	var seconds, nanoseconds int64
	switch len(data) {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(data))
	case 8:
		both := binary.BigEndian.Uint64(data)
		seconds, nanoseconds = int64(both&(1<<34-1)), int64(both>>34)
	case 12:
		seconds, nanoseconds = int64(binary.BigEndian.Uint64(data[4:])), int64(binary.BigEndian.Uint32(data))
	default:
		return false
	}
	if nanoseconds >= 1e9 {
		return false
	}
	*t = time.Unix(seconds, nanoseconds).UTC()
	return true
}

// skip returns what follows the value that b starts with. It checks the value
// from end to end: lists and maps are at most depth deep in each other, and the
// keys of maps are strings or integers. It allocates nothing.
func skip(b []byte, depth int) ([]byte, error) {
	t, b, err := next(b)
	if err != nil || t.kind < list {
		return b, err
	}
	if depth <= 0 {
		return nil, errors.New("lists and maps that are too deep in each other")
	}
	for range t.length {
		if t.kind == object {
			var key token
			if key, b, err = next(b); err != nil {
				return nil, err
			}
			if key.kind != text && key.kind != integer && key.kind != unsigned {
				return nil, fmt.Errorf("a map with a key that is %v", key.kind)
			}
		}
		if b, err = skip(b, depth-1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// whole checks that b is one value and nothing else.
func whole(b []byte, depth int) error {
	rest, err := skip(b, depth)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d trailing bytes", len(rest))
	}
	return err
}
