package msgpack_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/zocalo-go/zocalo/realtime/parser"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

func seeds(t testing.TB) [][]byte {
	var all [][]byte
	for _, s := range []string{
		"83a4'type'00a4'data'd40000a3'nsp'a1'/'", "82a4'type'01a3'nsp'a2'/n'", "83a4'type'04a4'data'81a7'message'a1'x'a3'nsp'a1'/'",
		"84a4'type'02a4'data'98a1'e'c3ca3fc00000cfffffffffffffffffc4020102d70000000000000003e881a1'a'90d50102 03a2'id'05a3'nsp'a1'/'",
		"84a4'type'03a4'data'93c70100 05d40000dd00000001d9017ea2'id'cb4000000000000000a3'nsp'a1'/'",
		"83a4'type'02a4'data'ddffffffffa3'nsp'a1'/'", "83a4'type'02a4'data'91dfffffffffa3'nsp'a1'/'", "83a4'type'02a4'data'91c6ffffffffa3'nsp'a1'/'",
		"83a4'type'02a4'data'9f05818181808080808080808080808080a3'nsp'a1'/'",
	} {
		all = append(all, packed(t, s))
	}
	return all
}

// FuzzPacket: what decodes encodes again, as it came in or from decoded values,
// to a packet that means the same.
func FuzzPacket(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decode(data)
		if err != nil {
			return
		}
		unchanged := parser.Outgoing{Type: p.Type, Namespace: p.Namespace, ID: p.ID, Event: p.Event}
		values := unchanged
		for _, arg := range p.Args {
			unchanged.Args = append(unchanged.Args, parser.Raw{Codec: msgpack.Codec, Data: arg})
			values.Args = append(values.Args, value(t, arg))
		}
		if p.Data != nil {
			unchanged.Data = parser.Raw{Codec: msgpack.Codec, Data: p.Data}
			values.Data = value(t, p.Data)
		}
		want := meaning(t, p)
		for _, out := range []parser.Outgoing{unchanged, values} {
			frames, err := msgpack.Codec.Encode(out)
			if err != nil {
				t.Fatalf("%+v: %v", out, err)
			}
			again, err := decode(frames[0].Data)
			if err != nil {
				t.Fatalf("%x: %v", frames[0].Data, err)
			}
			if got := meaning(t, again); got != want {
				t.Errorf("%s\nbecame\n%s", want, got)
			}
		}
	})
}

func value(t *testing.T, arg []byte) (v any) {
	if err := msgpack.Codec.Unmarshal(arg, nil, &v); err != nil {
		t.Fatalf("%x: %v", arg, err)
	}
	return v
}

// meaning is what a packet means, however it is written.
func meaning(t *testing.T, p *parser.Packet) string {
	s := fmt.Sprintf("%v %q %d %q %d", p.Type, p.Namespace, p.ID, p.Event, len(p.Args))
	for _, arg := range append(p.Args, p.Data) {
		if arg == nil {
			continue
		}
		// As values first: a repeated member counts once, and times are in
		// milliseconds.
		text, err := msgpack.Codec.JSON(pack(t, value(t, arg)), nil)
		if err != nil {
			t.Fatalf("%x: %v", arg, err)
		}
		s += " " + string(text)
	}
	return s
}

// costs returns how many bytes are allocated by all that a server does with a
// message.
func costs(data []byte) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if p, err := decode(data); err == nil {
		for _, arg := range append(p.Args, p.Data) {
			var v any
			msgpack.Codec.Unmarshal(arg, nil, &v)
			msgpack.Codec.JSON(arg, nil)
			var s struct {
				A []int            `json:"a"`
				B map[string][]any `json:"b"`
			}
			msgpack.Codec.Unmarshal(arg, nil, &s)
		}
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A byte of a message may cost so many of memory: an empty map in a list is one
// byte, and 64 as a Go value. The rest is for who allocates meanwhile.
const perByte, always = 200, 1 << 17

// FuzzMemory: what a message costs is bounded by its length.
func FuzzMemory(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if n := costs(data); n > perByte*uint64(len(data))+always {
			t.Errorf("%d bytes cost %d: %x", len(data), n, data)
		}
	})
}

func TestMemory(t *testing.T) {
	const size = 1 << 16
	head := packed(t, "83a4'type'02a3'nsp'a1'/'a4'data'")
	list := func(head string, element ...byte) []byte {
		n := size / len(element)
		return append(append(packed(t, head), byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), bytes.Repeat(element, n)...)
	}
	for name, data := range map[string][]byte{
		"a list that is not there":   packed(t, "92a1'e'ddffffffff"),
		"a map that is not there":    packed(t, "92a1'e'dfffffffff"),
		"bytes that are not there":   packed(t, "92a1'e'c6ffffffff"),
		"text that is not there":     packed(t, "92a1'e'dbffffffff"),
		"a list of numbers for name": list("dd", 1),
		"a list of nulls":            append(packed(t, "92a1'e'"), list("dd", 0xc0)...),
		"a list of maps":             append(packed(t, "92a1'e'"), list("dd", 0x80)...),
		"a list of lists":            append(packed(t, "92a1'e'"), list("dd", 0x90)...),
		"a map of one key":           append(packed(t, "92a1'e'"), list("df", 0xa0, 0xc0)...),
		"a map for a member":         append(packed(t, "92a1'e'81a1'b'"), list("df", 0xa0, 0x90)...),
		"depth":                      append(packed(t, "92a1'e'"), bytes.Repeat([]byte{0x91}, size)...),
	} {
		message := append(bytes.Clone(head), data...)
		if n := costs(message); n > perByte*uint64(len(message))+always {
			t.Errorf("%s: %d bytes cost %d", name, len(message), n)
		} else {
			t.Logf("%s: %d bytes cost %d", name, len(message), n)
		}
	}
}
