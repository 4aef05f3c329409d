package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discard is a ResponseWriter without a network.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkHandlers is every row without net/http around it, in Zócalo and in chi.
func BenchmarkHandlers(b *testing.B) {
	dir, err := files()
	if err != nil {
		b.Fatal(err)
	}
	handlers := map[string]http.Handler{"chi": chiMux(dir), "zocalo": zocalo(dir)}
	for _, row := range rows() {
		for _, name := range []string{"chi", "zocalo"} {
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
