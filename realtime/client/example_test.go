package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/zocalo-go/zocalo/realtime/client"
)

func ExampleOpen() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		bundle, ok := client.Open(r.PathValue("name"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", bundle.ContentType)
		w.Header().Set("ETag", bundle.ETag)
		if r.Header.Get("If-None-Match") == bundle.ETag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(bundle.Content)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /socket.io/{name}", handler)

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/socket.io/socket.io.min.js", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))

	again := httptest.NewRequest("GET", "/socket.io/socket.io.min.js", nil)
	again.Header.Set("If-None-Match", answer.Header().Get("ETag"))
	answer = httptest.NewRecorder()
	mux.ServeHTTP(answer, again)
	fmt.Println(answer.Code, answer.Body.Len())
	// Output:
	// 200 text/javascript; charset=utf-8
	// 304 0
}
