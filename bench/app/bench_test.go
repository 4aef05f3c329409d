package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// discard is a ResponseWriter without a network.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// benchmarked are the servers whose handlers are net/http's.
var benchmarked = []string{"net/http", "chi", "zocalo", "echo", "gin"}

func onNetHTTP(b *testing.B) map[string]http.Handler {
	dir, err := files()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return map[string]http.Handler{
		"net/http": netHTTP(dir), "chi": chiMux(dir), "zocalo": zocalo(dir), "echo": echoServer(dir), "gin": ginEngine(dir),
	}
}

// BenchmarkHandlers is every row without net/http around it.
func BenchmarkHandlers(b *testing.B) {
	handlers := onNetHTTP(b)
	for _, row := range rows() {
		for _, name := range benchmarked {
			b.Run(row.name+"/"+name, func(b *testing.B) {
				r := httptest.NewRequest(row.method, row.path, nil)
				r.Header.Set("Content-Type", "application/json")
				r.ContentLength = int64(len(row.body))
				w := &discard{http.Header{}}
				b.ReportAllocs()
				for b.Loop() {
					if row.body != "" {
						r.Body = io.NopCloser(strings.NewReader(row.body))
					}
					clear(w.header)
					handlers[name].ServeHTTP(w, r)
				}
			})
		}
	}
}
