package realtime_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

func ExampleDrain() {
	server := realtime.NewServer(realtime.Config{
		Drain: realtime.Drain{Delay: 5 * time.Second, Window: 10 * time.Second},
	})
	http.Handle("/ready", server.Readiness())

	w := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(w, httptest.NewRequest("GET", "/ready", nil))
	fmt.Print(w.Code, " ", w.Body)
	// Output: 200 ready
}
