package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

// question asks a handler one question about a request and returns what it answers.
func question(t *testing.T, header, value string, ask func(req *app.Request) any) string {
	t.Helper()
	server := app.New()
	server.All("/", func(req *app.Request, res *app.Response) error { return res.Send(fmt.Sprint(ask(req))) })
	var headers []string
	if header != "" {
		headers = []string{header, value}
	}
	return do(server, "GET", "/", headers...).Body.String()
}

func TestNegotiation(t *testing.T) {
	for _, test := range []struct {
		header, value, want string
		ask                 func(req *app.Request) any
	}{
		{"", "", "html", func(r *app.Request) any { return r.Accepts("html", "json") }},
		{"Accept", "text/*;q=.5, application/json", "json", func(r *app.Request) any { return r.Accepts("html", "json") }},
		{"Accept", "text/html;q=0, */*", "json", func(r *app.Request) any { return r.Accepts("html", "json") }},
		{"Accept", "image/png", "", func(r *app.Request) any { return r.Accepts("html", "nonsense") }},
		{"Accept", "a/b;q=.1, c/d, e/f;q=0", "[c/d a/b]", func(r *app.Request) any { return r.AcceptedTypes() }},
		{"", "", "identity", func(r *app.Request) any { return r.AcceptsEncodings("gzip", "identity") }},
		{"Accept-Encoding", "gzip;q=.5, br", "[br gzip identity]", func(r *app.Request) any { return r.AcceptedEncodings() }},
		{"Accept-Encoding", "identity;q=0", "", func(r *app.Request) any { return r.AcceptsEncodings("gzip", "identity") }},
		{"Accept-Language", "en-GB, de;q=.7", "en", func(r *app.Request) any { return r.AcceptsLanguages("de", "en") }},
		{"Accept-Language", "fr;q=0, *", "de", func(r *app.Request) any { return r.AcceptsLanguages("fr", "de") }},
		{"Accept-Charset", "utf-8;q=.5, koi8-r", "[koi8-r utf-8]", func(r *app.Request) any { return r.AcceptedCharsets() }},
		{"", "", "utf-8", func(r *app.Request) any { return r.AcceptsCharsets("utf-8") }},
		{"Range", "bytes=0-4, 3-9, -5", "&{bytes [{0 4} {3 9} {95 99}]} <nil>", func(r *app.Request) any {
			ranges, err := r.Range(100)
			return fmt.Sprint(ranges, " ", err)
		}},
		{"Range", "bytes=0-4, 3-9, -5", "[{0 9} {95 99}]", func(r *app.Request) any {
			ranges, _ := r.Range(100)
			return ranges.Combined().List
		}},
		{"Range", "bytes=200-", app.ErrRangeUnsatisfiable.Error(), func(r *app.Request) any { _, err := r.Range(100); return err }},
		{"Range", "bytes", app.ErrRangeMalformed.Error(), func(r *app.Request) any { _, err := r.Range(100); return err }},
	} {
		if got := question(t, test.header, test.value, test.ask); got != test.want {
			t.Errorf("%s: %s: got %q, want %q", test.header, test.value, got, test.want)
		}
	}
}

func TestIs(t *testing.T) {
	server := app.New()
	server.Post("/", func(req *app.Request, res *app.Response) error {
		return res.Send(req.Is(strings.Fields(req.Query("types"))...))
	})
	for _, test := range []struct{ contentType, types, want string }{
		{"application/json; charset=utf-8", "html json", "json"},
		{"application/vnd.api+json", "json %2Bjson", "application/vnd.api+json"},
		{"text/html", "text/*", "text/html"},
		{"multipart/form-data; boundary=x", "urlencoded multipart", "multipart"},
		{"text/html", "", "text/html"},
		{"text/html", "json */xml", ""},
		{"nonsense", "*/*", ""},
	} {
		if got := send(server, "POST", "/?types="+strings.ReplaceAll(test.types, " ", "+"), "x", "Content-Type", test.contentType).Body.String(); got != test.want {
			t.Errorf("%s is %s: got %q, want %q", test.contentType, test.types, got, test.want)
		}
	}
	if got := send(server, "POST", "/?types=json", "", "Content-Type", "application/json").Body.String(); got != "" {
		t.Errorf("without a body: %q", got)
	}
}

func TestFormat(t *testing.T) {
	server := app.New()
	forms := func(res *app.Response) []app.Format {
		return []app.Format{
			{Type: "text", Answer: func() error { return res.Send("hey") }},
			{Type: "application/json", Answer: func() error { return res.JSON("hey") }},
		}
	}
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.Format(forms(res)...) })
	server.Get("/default", func(req *app.Request, res *app.Response) error {
		return res.Format(append(forms(res), app.Format{Type: "default", Answer: func() error { return res.SendStatus(410) }})...)
	})
	for _, test := range []struct {
		url, accept string
		status      int
		contentType string
	}{
		{"/", "*/*", 200, "text/plain; charset=utf-8"},
		{"/", "application/*", 200, "application/json; charset=utf-8"},
		{"/", "image/png", 406, "text/html; charset=utf-8"},
		{"/default", "image/png", 410, "text/plain; charset=utf-8"},
	} {
		w := do(server, "GET", test.url, "Accept", test.accept)
		if w.Code != test.status || w.Header().Get("Content-Type") != test.contentType || w.Header().Get("Vary") != "Accept" {
			t.Errorf("%s for %s: %d %v", test.url, test.accept, w.Code, w.Header())
		}
	}
}

func TestAnswersOfTheRest(t *testing.T) {
	server := app.New().Set("jsonp callback name", "cb")
	server.Get("/jsonp", func(req *app.Request, res *app.Response) error { return res.JSONP("a\u2028<") })
	server.Get("/links", func(req *app.Request, res *app.Response) error {
		return res.Links(app.Link{Rel: "next", URLs: []string{"/2"}}).Links(app.Link{Rel: "page", URLs: []string{"/1", "/2"}}).Send("")
	})
	server.Get("/attachment", func(req *app.Request, res *app.Response) error {
		return res.Attachment("dir/año.json").Send([]byte("{}"))
	})
	server.Handle("QUERY", "/query", func(req *app.Request, res *app.Response) error { return res.Set("ETag", `"a"`).Send("x") })
	server.Get("/vary", func(req *app.Request, res *app.Response) error { return res.Vary().Vary("A, b", "a").Send("") })
	server.Get("/nothing", func(req *app.Request, res *app.Response) error { return res.Vary("a,,b").Send("") })
	server.Get("/unnamed", func(req *app.Request, res *app.Response) error { return res.Attachment("").Send("") })
	expect(t, do(server, "QUERY", "/query", "If-None-Match", `"a"`), 304, "")
	if got := do(server, "GET", "/vary").Header().Get("Vary"); got != "A, b" {
		t.Error(got)
	}
	if w := do(server, "GET", "/nothing"); w.Code != 500 {
		t.Error("a header without a name:", w.Code)
	}
	if got := do(server, "GET", "/unnamed").Header().Get("Content-Disposition"); got != `attachment; filename=""` {
		t.Error(got)
	}
	server.Get("/dot", func(req *app.Request, res *app.Response) error { return res.Attachment("a/.").Send("") })
	if got := do(server, "GET", "/dot").Header().Get("Content-Disposition"); got != `attachment; filename=.` {
		t.Error(got)
	}
	expect(t, do(server, "GET", "/jsonp?cb=a.b[0]();x"), 200, `/**/ typeof a.b[0]x === 'function' && a.b[0]x("a\u2028<");`)
	expect(t, do(server, "GET", "/jsonp"), 200, "\"a\u2028<\"")
	if got := do(server, "GET", "/links").Header().Get("Link"); got != `</2>; rel="next", </1>; rel="page", </2>; rel="page"` {
		t.Error(got)
	}
	w := do(server, "GET", "/attachment")
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="a?o.json"; filename*=UTF-8''a%C3%B1o.json` || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Error(w.Header())
	}
}

// The signature is that of npm's cookie-signature, which made the second one.
func TestSignedCookies(t *testing.T) {
	server := app.New().Set("cookie secret", []string{"new secret", "keyboard cat"})
	server.Get("/set", func(req *app.Request, res *app.Response) error {
		return res.Cookie("a", "tobi", app.CookieOptions{Signed: true}).Cookie("b", app.Map{"n": 1}).Send("")
	})
	server.Get("/get", func(req *app.Request, res *app.Response) error {
		value, ok := req.SignedCookie("a")
		return res.Send(fmt.Sprint(value, ok))
	})
	set := do(server, "GET", "/set").Header().Values("Set-Cookie")
	if len(set) != 2 || set[1] != "b=j%3A%7B%22n%22%3A1%7D; Path=/" {
		t.Fatal(set)
	}
	mine, _, _ := strings.Cut(set[0], ";")
	for cookie, want := range map[string]string{
		mine: "tobitrue",
		"a=s%3Atobi.k%2FMBGA3LV%2FDe%2B0YTROxcLuurjbOQXyaa2veNodQBZc4": "tobitrue",
		strings.Replace(mine, "tobi", "toby", 1):                       "false",
		"a=tobi":                                                       "false",
		"a=s%3A":                                                       "false",
	} {
		if got := do(server, "GET", "/get", "Cookie", cookie).Body.String(); got != want {
			t.Errorf("%s: got %s, want %s", cookie, got, want)
		}
	}
	unsigned := app.New()
	unsigned.Get("/", func(req *app.Request, res *app.Response) error {
		return res.Cookie("a", "b", app.CookieOptions{Signed: true}).Send("")
	})
	if w := do(unsigned, "GET", "/"); w.Code != http.StatusInternalServerError {
		t.Errorf("signed without a secret: %d", w.Code)
	}
}

func TestCookieJSON(t *testing.T) {
	server := app.New().Set("cookie secret", "shh")
	server.Get("/set", func(req *app.Request, res *app.Response) error {
		return res.Cookie("plain", app.Map{"n": 1}).Cookie("signed", []int{2}, app.CookieOptions{Signed: true}).SendStatus(204)
	})
	server.Get("/get", func(req *app.Request, res *app.Response) error {
		var plain struct{ N int }
		var signed []int
		return res.Send(fmt.Sprint(req.CookieJSON("plain", &plain), plain.N, req.CookieJSON("signed", &signed), signed))
	})
	var sent []string
	for _, c := range do(server, "GET", "/set").Result().Cookies() {
		sent = append(sent, c.Name+"="+c.Value)
	}
	for cookie, want := range map[string]string{
		strings.Join(sent, "; "):                                   "<nil> 1 <nil> [2]",
		strings.Replace(strings.Join(sent, "; "), "5B2", "5B3", 1): `<nil> 1 app: cookie "signed": http: named cookie not present []`,
		"plain=j:{": `app: cookie "plain": unexpected end of JSON input 0 app: cookie "signed": http: named cookie not present []`,
	} {
		if got := do(server, "GET", "/get", "Cookie", cookie).Body.String(); got != want {
			t.Errorf("%s: %s", cookie, got)
		}
	}
}
