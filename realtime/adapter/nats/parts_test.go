package nats

import (
	"bytes"
	"testing"
)

func TestParts(t *testing.T) {
	a := newAssembly(maxWhole)
	for _, size := range []int{partHeader + 2, 99, 100, 101, 1000, 10_000} {
		data := bytes.Repeat([]byte("Zócalo"), size)[:size]
		parts, done := 0, false
		err := split(data, 100, func(part []byte) error {
			if len(part) > 100 {
				t.Errorf("a part of %d bytes", len(part))
			}
			parts++
			whole, ok := a.add(part)
			if done = ok; ok && !bytes.Equal(whole, data) {
				t.Errorf("%d bytes have become others", size)
			}
			return nil
		})
		if err != nil || !done || len(a.partial) > 0 {
			t.Errorf("%d bytes in %d parts: whole %t, error %v, %d left", size, parts, done, err, len(a.partial))
		}
	}
	if err := split(make([]byte, 100), partHeader, nil); err == nil {
		t.Error("a limit that leaves no room is no error")
	}
}

// Parts that are missing, come twice, or claim too much are nothing, and hold
// memory for a while at most.
func TestPartsHostile(t *testing.T) {
	a := newAssembly(maxWhole)
	var first [][]byte
	for range 2 * maxPartial {
		var parts [][]byte
		split(bytes.Repeat([]byte("x"), 300), 100, func(p []byte) error {
			parts = append(parts, p)
			return nil
		})
		first = append(first, parts[0])
		for _, order := range [][]int{{1}, {0, 2}, {0, 0}, {0}} {
			for _, i := range order {
				if _, whole := a.add(parts[i]); whole {
					t.Fatalf("whole after %v", order)
				}
			}
		}
	}
	if len(a.partial) > maxPartial || len(a.order) > maxPartial {
		t.Errorf("%d messages are waited for", len(a.partial))
	}
	huge := bytes.Clone(first[0])
	copy(huge[21:], "\xff\xff\xff\xff")
	huge[1]++
	if a.add(huge); a.partial[[16]byte(huge[1:17])] != nil {
		t.Error("a message of 4 GiB is waited for")
	}
}

// Messages that are never completed hold a bounded number of bytes. The oldest are given
// up for the one that comes, which may be as large as all of them.
func TestPartsHeld(t *testing.T) {
	const most = 10_000
	a := newAssembly(most)
	held := func() (bytes int) {
		for _, w := range a.partial {
			bytes += len(w.data)
		}
		return bytes
	}
	for range 10 {
		parts, last := 0, false
		split(make([]byte, most), 1000, func(part []byte) error {
			if parts++; parts <= 5 {
				a.add(part)
			}
			return nil
		})
		if held() > most || a.held != held() {
			t.Fatalf("%d bytes are held, and said to be %d", held(), a.held)
		}
		split(make([]byte, most), 1000, func(part []byte) error {
			_, last = a.add(part)
			return nil
		})
		if !last || a.held != held() {
			t.Fatalf("whole: %v, with %d bytes held, said to be %d", last, held(), a.held)
		}
	}
}
