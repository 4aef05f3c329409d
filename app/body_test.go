package app_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/app"
)

type signUp struct {
	Name   string    `json:"name"`
	Age    int       `form:"age"`
	Tags   []string  `form:"tag" json:"tags"`
	Agree  bool      `form:"agree"`
	Born   time.Time `form:"born"`
	Score  *float64  `form:"score"`
	Hidden string    `form:"-" json:"-"`
}

func TestBind(t *testing.T) {
	server := app.New()
	server.Set("body limit", 200)
	server.Post("/", func(req *app.Request, res *app.Response) error {
		var v signUp
		if err := req.Bind(&v); err != nil {
			return err
		}
		return res.Send(fmt.Sprintf("%s%d%v%v%d%v%s", v.Name, v.Age, v.Tags, v.Agree, v.Born.Year(), v.Score != nil, v.Hidden))
	})
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		var e *app.HTTPError
		if !errors.As(err, &e) {
			return err
		}
		return res.Status(e.Status).Send(e.Type + ": " + e.Error())
	})
	const form, json = "application/x-www-form-urlencoded", "application/json"
	for _, test := range []struct {
		contentType, body string
		status            int
		want              string
	}{
		{json, `{"name":"Ana","Age":7,"tags":["a","b"],"Hidden":"x"}`, 200, "Ana7[a b]false1false"},
		{json + "; charset=utf-8", "\ufeff{}", 200, "0[]false1false"},
		{"application/vnd.api+json", `{"name":"Ana"}`, 200, "Ana0[]false1false"},
		{form, "name=Ana+B&age=7&tag=a&tag=b&agree=on&born=2001-02-03T00:00:00Z&score=1.5&Hidden=x&more=1", 200, "Ana B7[a b]true2001true"},
		{json, `{"name":`, 400, "entity.parse.failed: JSON: unexpected end of JSON input, at byte 8"},
		{json, `{"name":7}`, 400, "entity.parse.failed: JSON: name is a number, not a string"},
		{json, ``, 400, "entity.parse.failed: the body is empty: send JSON"},
		{form, "age=old", 400, `entity.parse.failed: form: Age: strconv.ParseInt: parsing "old": invalid syntax`},
		{form, "name=%zz", 200, "%zz0"},
		{"text/plain", "x", 415, "media.type.unsupported"},
		{"", "x", 415, "media.type.unsupported"},
		{json + "; charset=latin1", "{}", 415, `charset.unsupported: unsupported charset "LATIN1"`},
		{json, `{"name":"` + strings.Repeat("x", 300) + `"}`, 413, "entity.too.large: request entity too large"},
	} {
		w := send(server, "POST", "/", test.body, "Content-Type", test.contentType)
		if w.Code != test.status || !strings.HasPrefix(w.Body.String(), test.want) {
			t.Errorf("%s %q: got %d %q, want %d %q", test.contentType, test.body, w.Code, w.Body, test.status, test.want)
		}
	}
	w := send(server, "POST", "/", "{}", "Content-Type", json, "Content-Encoding", "compress")
	if w.Code != 415 || !strings.HasPrefix(w.Body.String(), "encoding.unsupported") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestBindToMaps(t *testing.T) {
	server := app.New()
	server.Post("/", func(req *app.Request, res *app.Response) error {
		var values url.Values
		var m map[string]string
		var list []int
		if err := errors.Join(req.Bind(&values), req.Bind(&m)); err != nil {
			return err
		}
		if req.Bind(&list) == nil || req.Bind(list) == nil || req.Bind(nil) == nil {
			return errors.New("a form was bound to what cannot take it")
		}
		return res.Send(values.Encode() + " " + m["a"])
	})
	expect(t, send(server, "POST", "/", "a=1&a=2", "Content-Type", "application/x-www-form-urlencoded"), 200, "a=1&a=2 1")
}

func TestBytesAndTextInAnyOrder(t *testing.T) {
	server := app.New()
	server.Post("/", func(req *app.Request, res *app.Response) error {
		b, err := req.Bytes()
		if err != nil {
			return err
		}
		s, err := req.Text()
		if err != nil {
			return err
		}
		return res.Send(string(b) + s)
	})
	expect(t, send(server, "POST", "/", "ñ"), 200, "ññ")
	expect(t, send(server, "POST", "/", "\xff"), 200, "\xff\ufffd")
	if w := send(server, "POST", "/", strings.Repeat("x", 100<<10+1)); w.Code != 413 {
		t.Errorf("got %d", w.Code)
	}
}

func FuzzBindNeverPanics(f *testing.F) {
	f.Add("application/json", `{"name":"x","tags":[1]}`)
	f.Add("application/x-www-form-urlencoded", "age=1&tag=%00&score=NaN")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		server := app.New()
		server.Post("/", func(req *app.Request, res *app.Response) error {
			var v signUp
			return errors.Join(req.Bind(&v), res.Send(v.Name))
		})
		if strings.ContainsAny(contentType, "\r\n\x00") {
			return
		}
		send(server, "POST", "/", body, "Content-Type", contentType)
	})
}

// The bound that an http.Server has on the time for a request stays, whatever the setting "body timeout" is.
func TestBodyWithinTheReadTimeoutOfTheServer(t *testing.T) {
	server := app.New()
	server.Post("/", func(req *app.Request, res *app.Response) error {
		_, err := req.Bytes()
		return err
	})
	l := httptest.NewUnstartedServer(server)
	l.Config.ReadTimeout = 50 * time.Millisecond
	l.Start()
	defer l.Close() // waits for the connection: it does not hang
	status, _ := raw(t, l.Listener.Addr().String(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
	if status != 400 {
		t.Errorf("got %d", status)
	}
}
