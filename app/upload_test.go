package app_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

// form writes a body of multipart/form-data: fields, and files whose names have a dot.
func form(parts ...string) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		if strings.Contains(parts[i], ".") {
			name, _, _ := strings.Cut(parts[i], ".")
			f, _ := w.CreateFormFile(name, parts[i])
			io.WriteString(f, parts[i+1])
		} else {
			w.WriteField(parts[i], parts[i+1])
		}
	}
	w.Close()
	return b.String(), w.FormDataContentType()
}

func TestUpload(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	server := app.New().Set("upload limits", app.UploadLimits{Body: 4000, File: 1000, Files: 2, Memory: 1})
	server.Post("/file", func(req *app.Request, res *app.Response) error {
		header, err := req.File("photo")
		if err != nil {
			return res.Status(app.StatusOf(err)).Send(err.Error())
		}
		f, err := header.Open()
		if err != nil {
			return err
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		return res.Send(header.Filename + " " + string(b))
	})
	server.Post("/bind", func(req *app.Request, res *app.Response) error {
		var v struct {
			Title string
			Photo *multipart.FileHeader
			Pages []*multipart.FileHeader `form:"page"`
		}
		if err := req.Bind(&v); err != nil {
			return err
		}
		return res.Send(fmt.Sprint(v.Title, " ", v.Photo.Filename, " ", len(v.Pages)))
	})
	post := func(url, body, contentType string) *httptest.ResponseRecorder {
		return send(server, "POST", url, body, "Content-Type", contentType)
	}
	body, typ := form("photo.png", "pixels", "title", "x")
	expect(t, post("/file", body, typ), 200, "photo.png pixels")
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
	body, typ = form("title", "Rayuela", "photo.png", "pixels", "page.1", "one")
	expect(t, post("/bind", body, typ), 200, "Rayuela photo.png 1")

	for name, test := range map[string]struct {
		parts  []string
		status int
		want   string
	}{
		"no such file":   {[]string{"title", "x"}, 400, `no file "photo" was sent`},
		"a large file":   {[]string{"photo.png", strings.Repeat("x", 1001)}, 413, `the file "photo.png" of "photo" is too large`},
		"a large body":   {[]string{"title", strings.Repeat("x", 5000)}, 413, "request entity too large"},
		"too many files": {[]string{"photo.1", "a", "photo.2", "b", "photo.3", "c"}, 413, "too many files"},
	} {
		body, typ := form(test.parts...)
		w := post("/file", body, typ)
		if w.Code != test.status || !strings.HasPrefix(w.Body.String(), test.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	body, typ = form("photo.png", "pixels")
	for name, test := range map[string]struct {
		body, contentType string
		status            int
	}{
		"cut off":          {body[:len(body)/2], typ, 400},
		"no boundary":      {body, "multipart/form-data", 400},
		"another boundary": {body, "multipart/form-data; boundary=y", 400},
		"no form":          {body, "text/plain", 415},
		"a broken header":  {"--x\r\nnonsense\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x", 400},
	} {
		if w := post("/file", test.body, test.contentType); w.Code != test.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// Names with brackets are read as in other forms, beside files.
func TestUploadWithBrackets(t *testing.T) {
	server := app.New()
	server.Post("/", func(req *app.Request, res *app.Response) error {
		var order struct {
			Item  string
			To    struct{ City string }
			Tags  []string
			Photo *multipart.FileHeader
		}
		if err := req.Bind(&order); err != nil {
			return err
		}
		return res.Send(fmt.Sprintf("%s %s %v %s", order.Item, order.To.City, order.Tags, order.Photo.Filename))
	})
	body, contentType := form("item", "maíz & más", "to[City]", "Lima", "Tags[]", "a", "Tags[]", "b", "photo.png", "…")
	expect(t, send(server, "POST", "/", body, "Content-Type", contentType), 200, "maíz & más Lima [a b] photo.png")
}

// An answer that is cut short leaves no temporary file behind.
func TestUploadsOfAbortedAnswers(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	server := app.New().Set("upload limits", app.UploadLimits{Memory: 1})
	server.Post("/", func(req *app.Request, res *app.Response) error {
		if _, err := req.File("photo"); err != nil {
			return err
		}
		panic(http.ErrAbortHandler)
	})
	body, contentType := form("photo.png", strings.Repeat("x", 20<<20))
	func() {
		defer func() {
			if v := recover(); v != http.ErrAbortHandler {
				t.Errorf("recovered %v", v)
			}
		}()
		send(server, "POST", "/", body, "Content-Type", contentType)
	}()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
