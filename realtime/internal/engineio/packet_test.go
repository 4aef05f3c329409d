package engineio

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestFrames(t *testing.T) {
	for _, size := range []int{0, 1, 124, 125, 126, 65534, 65535, 65536, 100000} {
		data := bytes.Repeat([]byte{7}, size)
		p := Binary(data)
		if p.frame[0] != 0x82 || !p.binary() || !bytes.Equal(p.frame[p.header:], data) {
			t.Errorf("%d bytes: frame begins with %x", size, p.frame[:p.header])
		}
		var announced int
		switch n := p.frame[1]; n {
		case 126:
			announced = int(binary.BigEndian.Uint16(p.frame[2:]))
		case 127:
			announced = int(binary.BigEndian.Uint64(p.frame[2:]))
		default:
			announced = int(n)
		}
		if announced != size {
			t.Errorf("%d bytes: the header says %d", size, announced)
		}
	}
}

// What decodes encodes to the same packet again; base64 to the same bytes.
func FuzzPacket(f *testing.F) {
	for _, seed := range []string{"0{}", "1", "2probe", "3probe", "4hello", "4", "5", "6", "bAQIDBA==", "b", "7", "", "\x1e", "4é"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := decodePacket(text)
		if err != nil {
			return
		}
		if p.size != len(text) {
			t.Errorf("%d bytes of %d", p.size, len(text))
		}
		if !p.binary {
			if q := textPacket(p.kind, p.data); !bytes.Equal(q.frame[q.header:], text) {
				t.Errorf("%q became %q", text, q.frame[q.header:])
			}
			return
		}
		again, err := decodePacket(appendPayload(nil, []Packet{Binary(p.data)}))
		if err != nil || !again.binary || again.kind != typeMessage || !bytes.Equal(again.data, p.data) {
			t.Errorf("%q became %q, %v", p.data, again.data, err)
		}
	})
}

// What decodes encodes to the same payload again.
func FuzzPayload(f *testing.F) {
	for _, seed := range []string{"4hello", "4a\x1e4b\x1ebAQIDBA==", "0{}", "2probe", "3", "5", "6", "b", "4é"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var packets []Packet
		for part := range bytes.SplitSeq(body, []byte{separator}) {
			p, err := decodePacket(part)
			switch {
			case err != nil:
				return
			case p.binary:
				packets = append(packets, Binary(p.data))
			default:
				packets = append(packets, textPacket(p.kind, p.data))
			}
		}
		again := appendPayload(nil, packets)
		if bytes.Equal(again, body) {
			return
		}
		// Base64 may be written with line breaks or loose bits; then it must at least decode to the same.
		if third := appendPayload(nil, decodeAll(t, again)); !bytes.Equal(again, third) {
			t.Fatalf("%q became %q and then %q", body, again, third)
		}
	})
}

func decodeAll(t *testing.T, body []byte) (packets []Packet) {
	for part := range bytes.SplitSeq(body, []byte{separator}) {
		p, err := decodePacket(part)
		if err != nil {
			t.Fatal(err)
		}
		if p.binary {
			packets = append(packets, Binary(p.data))
		} else {
			packets = append(packets, textPacket(p.kind, p.data))
		}
	}
	return packets
}

// A message costs one allocation, however many clients it goes to.
func TestTextAllocations(t *testing.T) {
	message := []byte("2[\"event\",1]")
	if n := testing.AllocsPerRun(100, func() { Text(message) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
