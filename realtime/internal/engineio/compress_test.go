package engineio

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestPreferredCoding(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                "",
		"identity":                        "",
		"br":                              "",
		"gzip":                            "gzip",
		"GZip":                            "gzip",
		"deflate":                         "deflate",
		"gzip, deflate, br":               "gzip",
		"deflate, gzip":                   "gzip",
		"gzip;q=0.5, deflate":             "deflate",
		"gzip; q=0.8, deflate;q=0.7":      "gzip",
		"gzip;q=0":                        "",
		"gzip;q=0, deflate;q=0.000":       "",
		"*":                               "gzip",
		"*;q=0":                           "",
		"gzip;q=0, *":                     "deflate",
		"identity;q=1, *;q=0":             "",
		"gzip;q=x":                        "",
		"gzip;q=0.1;level=1, deflate;q=9": "deflate",
	} {
		if got := preferredCoding([]string{accept}); got != want {
			t.Errorf("%q: got %q, want %q", accept, got, want)
		}
	}
}

// decoded returns the body of an answer as it was before compression.
func decoded(t *testing.T, r reply) string {
	t.Helper()
	var body io.Reader = strings.NewReader(r.body)
	var err error
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		body, err = gzip.NewReader(body)
	case "deflate":
		body, err = zlib.NewReader(body)
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestHTTPCompression(t *testing.T) {
	long, short := strings.Repeat("x", 99), strings.Repeat("x", 98)
	noise := string(newNoise(200))
	for _, test := range []struct {
		name      string
		threshold int
		accept    string
		packets   []Packet
		coding    string
	}{
		{"gzip", 100, "gzip, deflate", []Packet{text(long)}, "gzip"},
		{"deflate", 100, "deflate", []Packet{text(long)}, "deflate"},
		{"below the threshold", 100, "gzip", []Packet{text(short)}, ""},
		{"several packets", 100, "gzip", []Packet{text("a"), text(short)}, "gzip"},
		{"not accepted", 100, "br", []Packet{text(long)}, ""},
		{"off", -1, "gzip", []Packet{text(long)}, ""},
		{"zero", 0, "gzip", []Packet{text(long)}, ""},
		{"marked", 100, "gzip", []Packet{text(long).Uncompressed()}, ""},
		{"one of them marked", 100, "gzip", []Packet{text(long), text("a").Uncompressed()}, ""},
		{"not worth it", 100, "gzip", []Packet{text(noise)}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorlds(t, Config{HTTPCompression: test.threshold}, func(w *world) {
				url, p := w.open()
				p.Send(test.packets...)
				got := w.do("GET", url, "", "Accept-Encoding", test.accept)
				expect(t, got.Header.Get("Content-Encoding"), test.coding)
				expect(t, decoded(t, got), string(appendPayload(nil, test.packets)))
				synctest.Wait()
				if want := int64(len(appendPayload(nil, test.packets))); w.tally.of("bytes_out polling") < want {
					t.Errorf("%d bytes out, want %d and the handshake", w.tally.of("bytes_out polling"), want)
				}
			})
		})
	}
}

// newNoise returns text that cannot be compressed much.
func newNoise(n int) []byte {
	b, x := make([]byte, n), uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = ' ' + byte(x>>24)%95
	}
	return b
}

// A binary answer of revision 3 is compressed, too.
func TestHTTPCompression3(t *testing.T) {
	inWorlds(t, Config{HTTPCompression: 100, AllowEIO3: true}, func(w *world) {
		url, p := w.open3("")
		p.Send(Binary(make([]byte, 1000)))
		got := w.do("GET", url, "", "Accept-Encoding", "gzip")
		expect(t, got.Header.Get("Content-Encoding")+" "+got.Header.Get("Content-Type"), "gzip application/octet-stream")
		expect(t, decoded(t, got), "\x01\x01\x00\x00\x01\xff\x04"+strings.Repeat("\x00", 1000))
	})
}

// Answers that are compressed at the same time do not mix.
func TestCompressConcurrently(t *testing.T) {
	inWorlds(t, Config{HTTPCompression: 100}, func(w *world) {
		var polls sync.WaitGroup
		for i := range 8 {
			url, p := w.open()
			want := strings.Repeat(string(rune('a'+i)), 20_000)
			p.Send(text(want))
			for _, coding := range []string{"gzip", "deflate"}[i%2 : i%2+1] {
				polls.Go(func() {
					got := w.do("GET", url, "", "Accept-Encoding", coding)
					if got.Header.Get("Content-Encoding") != coding || decoded(t, got) != "4"+want {
						t.Errorf("%s: another answer than its own", coding)
					}
				})
			}
		}
		polls.Wait()
	})
}

func BenchmarkCompress(b *testing.B) {
	c := newCompressor(1024)
	payload := []byte("4" + strings.Repeat(`42["message",{"user":"eva","text":"¿Qué tal?","n":12345}]`, 70))
	r := mustRequest("GET", "Accept-Encoding", "gzip")
	b.SetBytes(int64(len(payload)))
	buf := make([]byte, 0, 2*len(payload))
	for b.Loop() {
		if _, coding := c.apply(append(buf[:0], payload...), r); coding != "gzip" {
			b.Fatal("not compressed")
		}
	}
}
