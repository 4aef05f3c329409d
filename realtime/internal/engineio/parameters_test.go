package engineio

import (
	"net/http"
	"net/url"
	"testing"
)

// What a request says of itself is what its query means to net/url.
func FuzzParameters(f *testing.F) {
	for _, query := range []string{"", "EIO=4&transport=polling", "sid=a&sid=b&sid", "EIO=4;transport=x&sid=%61+&%45IO=3", "&&=&EIO==4&transport=%zz"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		u := &url.URL{RawQuery: query}
		q := u.Query()
		transport, sid, revision := parameters(&http.Request{URL: u})
		if transport != last(q["transport"]) || sid != last(q["sid"]) || revision != last(q["EIO"]) {
			t.Errorf("%q: transport %q, sid %q, EIO %q, but %q", query, transport, sid, revision, q)
		}
	})
}
