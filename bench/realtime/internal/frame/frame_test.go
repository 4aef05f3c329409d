package frame_test

import (
	"bytes"
	"testing"

	"github.com/zocalo-go/zocalo/bench/realtime/internal/frame"
)

func FuzzFrame(f *testing.F) {
	for _, n := range []int{0, 1, 125, 126, 1<<16 - 1, 1 << 16} {
		f.Add(bytes.Repeat([]byte("x"), n), true)
	}
	f.Add([]byte("hello"), false)
	f.Fuzz(func(t *testing.T, payload []byte, masked bool) {
		b := frame.Append(nil, frame.Text, payload)
		if masked {
			b = frame.AppendMasked(nil, frame.Text, payload)
		}
		h, ok := frame.Parse(b)
		if !ok || h.Op != frame.Text || h.Masked != masked || h.Payload != len(payload) || h.Len+h.Payload != len(b) {
			t.Fatalf("%d bytes became %+v, %v", len(payload), h, ok)
		}
		if !masked && h.Len != frame.HeaderLen(len(payload)) {
			t.Errorf("HeaderLen(%d) is %d, the header has %d", len(payload), frame.HeaderLen(len(payload)), h.Len)
		}
		got := b[h.Len:]
		if masked {
			frame.Mask(got, h.Key)
		}
		if !bytes.Equal(got, payload) {
			t.Errorf("%q came back as %q", payload, got)
		}
		for n := range min(h.Len, len(b)) {
			if _, ok := frame.Parse(b[:n]); ok {
				t.Errorf("a header was found in %d of its %d bytes", n, h.Len)
			}
		}
	})
}
