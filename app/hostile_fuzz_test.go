package app_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

// Whatever a client sends is no failure of the server, and makes no header of its own.
func FuzzRequestsAreNeverOurFault(f *testing.F) {
	const form = "multipart/form-data; boundary=x"
	for _, seed := range []struct{ method, url, headers, body string }{
		{"GET", "/ask?a[b]=1&x=2", "Accept: text/html;q=.5, */*\nRange: bytes=0-1\nCookie: a=b; c=s%3Ax.y\nX-Forwarded-For: 1.2.3.4\nIf-None-Match: *", ""},
		{"GET", "/ask", "Accept-Language: en\nAccept-Encoding: gzip\nAccept-Charset: utf-8\nX-Forwarded-Host: a:b\nContent-Type: text/;=", ""},
		{"POST", "/bind", "Content-Type: application/json", `{"a":1,"s":{"x":[1]},"l":["a"]}`},
		{"POST", "/bind", "Content-Type: application/x-www-form-urlencoded; charset=iso-8859-1", "a=1&l[]=x&s[x][0]=2&b=&#39;"},
		{"POST", "/bind", "Content-Type: " + form, "--x\r\nContent-Disposition: form-data; name=\"s[x]\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../a\"\r\n\r\nhello\r\n--x--\r\n"},
		{"POST", "/parse", "Content-Type: text/plain; charset=utf-16\nContent-Encoding: gzip", "\x1f\x8b"},
		{"POST", "/parse", "Content-Type: application/json; charset=utf-7\nContent-Encoding: br", "{}"},
		{"GET", "/files/a.txt", "Range: bytes=0-1,3-\nIf-Range: \"x\"", ""},
		{"GET", "/echo?k=redirect&u=//evil%0d%0aX:1", "", ""},
	} {
		f.Add(seed.method, seed.url, seed.headers, []byte(seed.body))
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("hello world"), 0o644); err != nil {
		f.Fatal(err)
	}
	previous := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	f.Cleanup(func() { slog.SetDefault(previous) })
	server := hostileApp(dir)
	f.Fuzz(func(t *testing.T, method, url, headers string, body []byte) {
		lines := strings.ReplaceAll(strings.ReplaceAll(headers, "\r", ""), "\n", "\r\n")
		request := method + " " + url + " HTTP/1.1\r\nHost: example.com\r\n" + lines + "\r\n\r\n"
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
		if err != nil {
			return // net/http answers it
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%q %q: %d", request, body, w.Code)
		}
		for name, values := range w.Header() {
			if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
				t.Errorf("%q has the header %q: %q", request, name, values)
			}
		}
	})
}

// hostileApp asks all there is to ask about a request, and puts what it says wherever it can go.
func hostileApp(dir string) *app.App {
	server := app.New().Set("query parser", "extended").Set("trust proxy", true).Set("cookie secret", "x")
	server.Use("/files", app.Static(dir, app.FileOptions{Extensions: []string{"txt"}, Dotfiles: app.DotfilesAllow}))
	server.All("/ask", func(req *app.Request, res *app.Response) error {
		ranges, err := req.Range(10)
		if err == nil && ranges != nil {
			ranges = ranges.Combined()
		}
		signed, _ := req.SignedCookie("c")
		return res.JSON([]any{ranges, signed, req.CookieValue("a"), req.QueryObject(), req.Accepts("html", "json", "text/*"), req.AcceptedTypes(),
			req.AcceptsEncodings("gzip", "br"), req.AcceptedEncodings(), req.AcceptsLanguages("en", "de-AT"), req.AcceptedLanguages(),
			req.AcceptsCharsets("utf-8"), req.AcceptedCharsets(), req.Is("json", "text/*", "+xml"), req.IPs(), req.Protocol(), req.Hostname(),
			req.HostPort(), req.Subdomains(), req.Fresh(), req.XHR(), req.Get("Referrer"), req.BaseURL(), req.OriginalURL()})
	})
	server.All("/bind", func(req *app.Request, res *app.Response) error {
		var v struct {
			A int
			B *bool
			L []string
			S struct{ X []int }
			M map[string]any
			F *multipart.FileHeader
		}
		if err := req.Bind(&v); err != nil {
			return err
		}
		return res.JSON(v.S)
	})
	server.All("/parse", app.JSON(), app.URLEncoded(app.BodyOptions{Extended: true, CharsetSentinel: true, NumericEntities: true}),
		app.Text(), app.Raw(app.BodyOptions{Types: []string{"*/*"}}), func(req *app.Request, res *app.Response) error {
			v, _ := req.BodyValue()
			return res.Send(v)
		})
	server.All("/echo", func(req *app.Request, res *app.Response) error {
		said := req.Query("u")
		switch req.Query("k") {
		case "redirect":
			return res.Redirect(said)
		case "attachment":
			return res.Attachment(said).Send(said)
		case "cookie":
			return res.Cookie("a", said).Send("")
		case "jsonp":
			return res.JSONP(said)
		}
		return res.Location(said).Send(said)
	})
	return server
}
