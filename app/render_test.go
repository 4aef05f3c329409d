package app_test

import (
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/zocalo-go/zocalo/app"
)

// plainEngine writes the file as it is.
type plainEngine struct{}

func (plainEngine) Render(w io.Writer, v app.View) error {
	text, err := fs.ReadFile(v.FS, v.Name)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// A view is a file, or the index of a directory of its name, and is sent as text of the type that was set.
func TestRenderFindsViewsAsExpressDoes(t *testing.T) {
	server := app.New().Set("view engine", "txt").Set("views", fstest.MapFS{
		"a.txt":           {Data: []byte("a")},
		"users/index.txt": {Data: []byte("users")},
		"both.txt":        {Data: []byte("file")},
		"both/index.txt":  {Data: []byte("index")},
	})
	server.Engine("txt", plainEngine{})
	server.Get("/:name", func(req *app.Request, res *app.Response) error {
		if typ := req.Query("type"); typ != "" {
			res.Header().Set("Content-Type", typ)
		}
		return res.Render(req.Param("name"))
	})
	for _, test := range []struct {
		url, body, typ string
		status         int
	}{
		{"/a", "a", "text/html; charset=utf-8", 200},
		{"/a.txt", "a", "text/html; charset=utf-8", 200},
		{"/users", "users", "text/html; charset=utf-8", 200},
		{"/both", "file", "text/html; charset=utf-8", 200},
		{"/a?type=text/x", "a", "text/x; charset=utf-8", 200},
		{"/none", "", "", 500},
		{"/..%2Fa", "", "", 500},
	} {
		w := do(server, "GET", test.url)
		if w.Code != test.status || test.body != "" && (w.Body.String() != test.body || w.Header().Get("Content-Type") != test.typ) {
			t.Errorf("%s: %d %q %s", test.url, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

// What npm's cookie reads, which takes more than net/http.
func TestCookieValues(t *testing.T) {
	server := app.New()
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.Send(req.CookieValue("n")) })
	for header, want := range map[string]string{
		"n=a":             "a",
		"m=x;n=a b ; n=c": "a b",
		` n = "q"`:        "q",
		`n="`:             "",
		`n=a\b`:           `a\b`,
		"n==x=":           "=x=",
		"n=%C3%BC%20":     "ü ",
		"n=%ff":           "%ff",
		"n=%zz":           "%zz",
		"n":               "",
		"N=x":             "",
	} {
		if got := do(server, "GET", "/", "Cookie", header).Body.String(); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}
