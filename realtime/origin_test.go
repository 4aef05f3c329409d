package realtime

import (
	"net/http/httptest"
	"reflect"
	"testing"
)

// What the requests of a thousand clients have in common is kept once, and each
// tells all of its own.
func TestOriginsShareHeaders(t *testing.T) {
	var config Config
	origins := map[string]*origin{}
	for _, cookie := range []string{"a=1", "b=2"} {
		r := httptest.NewRequest("GET", "/socket.io/?EIO=4", nil)
		for name, value := range map[string]string{
			"User-Agent": "Mozilla/5.0", "Accept": "*/*", "Accept-Language": "es", "Cookie": cookie, "X-Empty": "",
		} {
			r.Header.Set(name, value)
		}
		r.Header.Add("Accept", "text/html")
		origins[cookie] = config.newOrigin(r)

		h := origins[cookie].handshake()
		r.Header.Set("Host", "example.com")
		if !reflect.DeepEqual(h.Headers, r.Header) {
			t.Errorf("the headers of the client with cookie %q are %v", cookie, h.Headers)
		}
		if found := origins[cookie].header("Cookie"); found != cookie {
			t.Errorf("its cookie is %q", found)
		}
		if first, none := origins[cookie].header("Accept"), origins[cookie].header("X-Other"); first != "*/*" || none != "" {
			t.Errorf("it accepts %q, and has said %q", first, none)
		}
	}
	if origins["a=1"].common != origins["b=2"].common {
		t.Error("two clients that differ in their cookies have no headers in common")
	}
}
