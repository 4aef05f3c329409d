package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/app"
)

// deadlines is a ResponseWriter that notes the deadlines that are set.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

// The deadline of a body is set when it is read, lifted when it is there, and never in the way of somebody else's.
func TestDeadlinesOfBodies(t *testing.T) {
	own := time.Now().Add(time.Hour)
	var late io.Reader
	server := app.New()
	server.Post("/unread", text(""))
	server.Post("/all", func(req *app.Request, res *app.Response) error {
		body, err := req.Text()
		if err != nil {
			return err
		}
		return res.Send(body)
	})
	server.Post("/half", func(req *app.Request, res *app.Response) error {
		late = req.Body
		_, err := req.Body.Read(make([]byte, 1))
		return err
	})
	server.Post("/own", func(req *app.Request, res *app.Response) error {
		if err := http.NewResponseController(res).SetReadDeadline(own); err != nil {
			return err
		}
		_, err := io.ReadAll(req.Body)
		return err
	})
	reads := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	server.Mount("/mounted", reads)
	for _, test := range []struct{ method, path, proto, want string }{
		{"POST", "/unread", "HTTP/1.1", "[]"},
		{"POST", "/all", "HTTP/1.1", "[set lifted]"},
		{"POST", "/all", "HTTP/2.0", "[set lifted]"},
		{"POST", "/half", "HTTP/1.1", "[set]"},
		{"POST", "/own", "HTTP/1.1", "[own]"},
		{"POST", "/mounted", "HTTP/1.1", "[set lifted]"},
		{"POST", "/mounted", "HTTP/2.0", "[]"}, // as a stream of gRPC, it may last
		{"CONNECT", "/mounted", "HTTP/1.1", "[]"},
	} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest("POST", test.path, strings.NewReader("body"))
		r.Method, r.Proto, r.ProtoMajor = test.method, test.proto, int(test.proto[5]-'0')
		server.ServeHTTP(w, r)
		if late != nil {
			_, _ = io.ReadAll(late) // when the request is over: the connection may have another
			late = nil
		}
		var got []string
		for _, d := range w.set {
			got = append(got, map[bool]string{true: "lifted", false: map[bool]string{true: "own", false: "set"}[d.Equal(own)]}[d.IsZero()])
		}
		if w.Code != 200 || fmt.Sprint(got) != test.want {
			t.Errorf("%s %s %s: %d %v, want %s", test.method, test.path, test.proto, w.Code, got, test.want)
		}
	}
}

// net/http answers at once for a handler that does not read, as it does without the application.
func TestBodyThatIsNotAskedFor(t *testing.T) {
	server := app.New()
	server.Post("/", text("no need"))
	l := httptest.NewServer(server)
	defer l.Close()
	conn, err := net.Dial("tcp", l.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || !res.Close {
		t.Errorf("%d, and the connection closes: %v", res.StatusCode, res.Close)
	}
}

// The files of a form that a handler has parsed with the methods of http.Request are gone when the request is, wherever
// the handler stands.
func TestNoFilesOfFormsAreLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	parse := func(r *http.Request) error {
		if err := r.ParseMultipartForm(1); err != nil {
			return err
		}
		if files, err := os.ReadDir(dir); len(files) != 1 || err != nil {
			return fmt.Errorf("%d files while the request runs: %v", len(files), err)
		}
		return nil
	}
	handler := func(req *app.Request, res *app.Response) error {
		if err := parse(req.Request); err != nil {
			return err
		}
		return res.Send("ok")
	}
	server := app.New()
	server.Post("/handler", handler)
	server.Mount("/mounted", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := parse(r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	server.Use("/parses", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := parse(r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
			next.ServeHTTP(w, r)
		})
	}, func(req *app.Request, res *app.Response) error { return res.Send("ok") })
	server.Use("/copies", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r.WithContext(r.Context())) })
	}, handler)
	l := httptest.NewServer(server)
	defer l.Close()
	// More than ParseMultipartForm keeps in memory in any case.
	form := "--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n" + strings.Repeat("a", 11<<20) + "\r\n--x--\r\n"
	for _, path := range []string{"/handler", "/mounted", "/parses", "/copies"} {
		res, err := http.Post(l.URL+path, "multipart/form-data; boundary=x", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		files, _ := os.ReadDir(dir)
		if err != nil || res.StatusCode != 200 || len(files) > 0 {
			t.Errorf("%s: %d %s %v, and %d files are left", path, res.StatusCode, body, err, len(files))
		}
	}
}
