package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/app"
)

// raw sends bytes and returns the status and the headers of the answer as they are on the wire.
func raw(t *testing.T, addr, request string) (status int, head string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, request)
	b, _ := io.ReadAll(bufio.NewReader(conn))
	head, _, _ = strings.Cut(string(b), "\r\n\r\n")
	fmt.Sscanf(head, "HTTP/1.1 %d", &status)
	return status, head
}

func TestNoPathLeadsOut(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "public")
	for name, text := range map[string]string{"public/in.txt": "in", "public/.env": "hidden", "public/.git/config": "hidden", "secret.txt": "out"} {
		name = filepath.Join(parent, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(parent, "secret.txt"), filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	server := app.New()
	server.Use("/files", app.Static(dir, app.FileOptions{Extensions: []string{"txt"}}))
	server.Use(app.Static(dir))
	server.Get("/send/*name", func(req *app.Request, res *app.Response) error {
		return res.SendFileFS(os.DirFS(dir), req.Param("name"))
	})
	l := httptest.NewServer(server)
	defer l.Close()
	up := []string{"..", "%2e%2e", ".%2e", "%2E.", "..%00", "..%5c..", "%252e%252e", "..;", "...."}
	for _, prefix := range []string{"", "/files", "/send", "/in.txt", "/files/in.txt"} {
		for _, u := range up {
			for _, slash := range []string{"/", "%2f", "%5c", "\\", "//"} {
				for _, target := range []string{"secret.txt", "secret", "public/../secret.txt"} {
					path := prefix + "/" + u + slash + target
					status, _ := raw(t, l.Listener.Addr().String(), "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
					if status < 400 || status >= 500 {
						t.Errorf("%s: %d", path, status)
					}
				}
			}
		}
		for _, path := range []string{"/.env", "/%2eenv", "/.git/config", "/.git/", "/link.txt", "/%00", "/in.txt%00", "/in.txt/", "/con", "/" + strings.Repeat("a", 5000)} {
			if prefix == "/send" && path == "/link.txt" {
				continue // os.DirFS follows links: os.OpenRoot is for that
			}
			if status, _ := raw(t, l.Listener.Addr().String(), "GET "+prefix+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); status < 400 || status >= 500 {
				t.Errorf("%.50s: %d", prefix+path, status)
			}
		}
	}
	if _, head := raw(t, l.Listener.Addr().String(), "GET //evil.example/..%2f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); strings.Contains(head, "Location: //") {
		t.Error(head)
	}
}

func TestDirectoryRedirectStaysHere(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "evil.example", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	server := app.New()
	server.Use(app.Static(dir))
	for _, path := range []string{"//evil.example/x", "///evil.example/x", "/\\evil.example/x", "//evil.example"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.URL.RawPath = path, ""
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if l := w.Header().Get("Location"); l != "" && (!strings.HasPrefix(l, "/") || strings.HasPrefix(l, "//") || strings.HasPrefix(l, "/\\")) {
			t.Errorf("%s leads to %s", path, l)
		}
	}
}

// A value from the outside makes no header of its own, wherever it goes.
func TestHeaderInjectionOnTheWire(t *testing.T) {
	server := app.New()
	evil := "x\r\nX-Evil: 1\r\n\r\n<script>"
	server.Get("/set", func(req *app.Request, res *app.Response) error {
		return res.Set("X-A", evil).Send("")
	})
	server.Get("/append", func(req *app.Request, res *app.Response) error { return res.Append("X-A", evil).Send("") })
	server.Get("/type", func(req *app.Request, res *app.Response) error {
		return res.Type("text/plain; a=" + evil).Send([]byte{})
	})
	server.Get("/location", func(req *app.Request, res *app.Response) error { return res.Redirect(evil) })
	server.Get("/cookie", func(req *app.Request, res *app.Response) error { return res.Cookie("a", evil).Send("") })
	server.Get("/cookie-name", func(req *app.Request, res *app.Response) error { return res.Cookie(evil, "a").Send("") })
	server.Get("/cookie-path", func(req *app.Request, res *app.Response) error {
		return res.Cookie("a", "b", app.CookieOptions{Path: "/" + evil, Domain: evil}).Send("")
	})
	server.Get("/attachment", func(req *app.Request, res *app.Response) error { return res.Attachment(evil + ".txt").Send("") })
	server.Get("/links", func(req *app.Request, res *app.Response) error {
		return res.Links(app.Link{Rel: evil, URLs: []string{evil}}).Send("")
	})
	server.Get("/error", func(req *app.Request, res *app.Response) error {
		return &app.HTTPError{Status: 400, Message: evil, Header: http.Header{"X-B": {evil}}}
	})
	server.Get("/name", func(req *app.Request, res *app.Response) error { return res.Set("X A", "1").Send("") })
	server.Get("/vary", func(req *app.Request, res *app.Response) error { return res.Vary(evil).Send("") })
	server.Get("/nul", func(req *app.Request, res *app.Response) error { return res.Set("X-A", "a\x00b").Send("") })
	server.Get("/tab", func(req *app.Request, res *app.Response) error { return res.Set("X-A", "a\tb").Send("") })
	l := httptest.NewServer(server)
	defer l.Close()
	// The statuses of Express; with the header of /error its process ends.
	want := map[string]int{"/set": 500, "/append": 500, "/type": 500, "/location": 302, "/cookie": 200, "/cookie-name": 500, "/cookie-path": 500,
		"/attachment": 200, "/links": 500, "/error": 400, "/name": 500, "/vary": 500, "/nul": 500, "/tab": 200}
	for _, rt := range server.Routes() {
		status, head := raw(t, l.Listener.Addr().String(), "GET "+rt.Pattern+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if strings.Contains(head, "\nX-Evil") || status != want[rt.Pattern] {
			t.Errorf("%s, want %d:\n%s", rt.Pattern, want[rt.Pattern], head)
		}
	}
}

func TestALotOfEverything(t *testing.T) {
	server := app.New().Set("query parser", "extended")
	server.Use(app.JSON(), app.URLEncoded(app.BodyOptions{Extended: true, Limit: 10 << 20, ParameterLimit: 20000}))
	server.All("{/*path}", func(req *app.Request, res *app.Response) error {
		v, _ := req.BodyValue()
		if o, ok := v.(*app.Object); ok {
			return res.JSON(o.Len())
		}
		return res.JSON(req.QueryObject().Len())
	})
	const form = "application/x-www-form-urlencoded"
	many := strings.Repeat("a=1&", 10000)
	distinct := ""
	for i := range 10000 {
		distinct += fmt.Sprintf("a%d=1&", i)
	}
	for name, test := range map[string]struct {
		got  *httptest.ResponseRecorder
		want int
	}{
		"10,000 parameters":        {do(server, "GET", "/?"+many), 200},
		"10,000 names":             {do(server, "GET", "/?"+distinct), 200},
		"10,000 names in a form":   {send(server, "POST", "/", distinct[:len(distinct)-1], "Content-Type", form), 200},
		"30,000 parameters":        {send(server, "POST", "/", strings.Repeat(many, 3), "Content-Type", form), 413},
		"deep brackets":            {do(server, "GET", "/?a"+strings.Repeat("[b]", 10000)+"=1"), 200},
		"deep brackets in a form":  {send(server, "POST", "/", "a"+strings.Repeat("[b]", 10000)+"=1", "Content-Type", form), 400},
		"open brackets":            {do(server, "GET", "/?"+strings.Repeat("[", 30000)), 200},
		"large indexes":            {send(server, "POST", "/", strings.Repeat("a[9999]=1&", 9999)+"a[99999999999999999999]=1", "Content-Type", form), 200},
		"deep JSON":                {send(server, "POST", "/", strings.Repeat("[", 50000), "Content-Type", "application/json"), 400},
		"a long path":              {do(server, "GET", "/"+strings.Repeat("a/", 30000)), 200},
		"many slashes":             {do(server, "GET", "/x"+strings.Repeat("/", 30000)), 200},
		"a long Accept":            {do(server, "GET", "/", "Accept", strings.Repeat("a/b;q=.1,", 5000)), 200},
		"a long Cookie":            {do(server, "GET", "/", "Cookie", strings.Repeat("a=b; ", 5000)), 200},
		"a broken escape":          {do(server, "GET", "/?%zz=%"), 200},
		"no UTF-8 in a parameter":  {do(server, "GET", "/%ff%fe"), 400},
		"a body that says nothing": {send(server, "POST", "/", "x", "Content-Type", ";;=\"\xff"), 200},
	} {
		if test.got.Code != test.want {
			t.Errorf("%s: %d %.100s", name, test.got.Code, test.got.Body)
		}
	}
	if got := do(server, "GET", "/?"+distinct).Body.String(); got != "1000" {
		t.Errorf("a query has %s names", got)
	}
}

func TestTooManyOptionalParts(t *testing.T) {
	path := strings.Repeat("{/a}", 30)
	if message := panics(t, func() { app.New().Get(path, text("")) }); !strings.Contains(message, "more than 256") {
		t.Error(message)
	}
}

// A body that never ends is given up after the setting "body timeout", with Node's status, and its connection closes.
func TestBodiesThatTrickleAreGivenUp(t *testing.T) {
	server := app.New().Set("body timeout", 20*time.Millisecond)
	server.Post("/json", app.JSON(), func(req *app.Request, res *app.Response) error { return res.Send("all") })
	server.Post("/text", func(req *app.Request, res *app.Response) error {
		text, err := req.Text()
		if err != nil {
			return err
		}
		return res.Send(text)
	})
	server.Post("/upload", func(req *app.Request, res *app.Response) error {
		_, err := req.File("a")
		return err
	})
	server.Post("/direct", func(req *app.Request, res *app.Response) error {
		_, err := io.Copy(io.Discard, req.Body)
		return err
	})
	reads := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		w.WriteHeader(app.StatusOf(err))
	})
	server.Mount("/mounted", reads)
	server.Use("/middleware", func(http.Handler) http.Handler { return reads })
	inner := app.New().Set("body timeout", time.Millisecond)
	inner.Post("/", func(req *app.Request, res *app.Response) error { _, err := req.Bytes(); return err })
	outer := app.New()
	outer.Use("/inner", inner)
	server.Mount("/outer", http.StripPrefix("/outer", outer))
	l := httptest.NewServer(server)
	defer l.Close() // waits for the connections: none hangs
	multipart := "Content-Type: multipart/form-data; boundary=x\r\n"
	for _, request := range []string{
		"POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":",
		"POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nContent-Encoding: gzip\r\n\r\n\x1f",
		"POST /text HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
		"POST /text HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
		"POST /direct HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
		"POST /outer/inner HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
		"POST /mounted HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
		"POST /middleware HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
		"POST /upload HTTP/1.1\r\nHost: x\r\n" + multipart + "Content-Length: 1000\r\n\r\n--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\nhello",
	} {
		status, head := raw(t, l.Listener.Addr().String(), request)
		if status != 408 || !strings.Contains(head, "Connection: close") {
			t.Errorf("%q:\n%s", request, head)
		}
	}
	const two = "POST /text HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok"
	if status, _ := raw(t, l.Listener.Addr().String(), two+strings.Replace(two, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)); status != 200 {
		t.Errorf("a body in time: %d", status)
	}
}
