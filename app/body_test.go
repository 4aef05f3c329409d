package app_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strconv"
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

type Person struct {
	Name string `form:"name"`
}

// filled is what binding fills, a form as a browser sends it above all.
type filled struct {
	*Person
	Age   int        `form:"age"`
	Score *float64   `form:"score"`
	Born  *time.Time `form:"born"`
	Nick  *string    `form:"nick"`
	Agree bool       `form:"agree"`
	Any   any        `form:"any"`
}

func TestBindFillsWhatAFormHas(t *testing.T) {
	server := app.New().Set("query parser", "extended")
	answer := func(req *app.Request, res *app.Response) error {
		one := 1.0
		v := filled{Age: 9, Score: &one, Agree: true}
		if err := req.Bind(&v); err != nil {
			return err
		}
		return res.JSON(v)
	}
	server.Get("/", answer).Post("/", answer).Delete("/", answer)
	server.Post("/map", func(req *app.Request, res *app.Response) error {
		var m app.Map
		return errors.Join(req.Bind(&m), res.JSON(m))
	})
	server.Post("/wrong", func(req *app.Request, res *app.Response) error { return req.Bind(new(int)) })
	const urlencoded, upload = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
	part := func(name, value string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	const rest = `"Age":9,"Score":1,"Born":null,"Nick":null,"Agree":true`
	for _, test := range []struct {
		method, url, contentType, body string
		status                         int
		want                           string
	}{
		{"POST", "/", urlencoded, "age=&score=&born=&agree=&nick=", 200, `{"Age":0,"Score":null,"Born":null,"Nick":"","Agree":false,"Any":null}`},
		{"POST", "/", urlencoded, "name=Ana&any=x", 200, `{"Name":"Ana",` + rest + `,"Any":"x"}`},
		{"POST", "/", urlencoded, "any=1&any=2", 200, `{` + rest + `,"Any":["1","2"]}`},
		{"POST", "/", urlencoded, "any[a]=1&any[b][]=2", 200, `{` + rest + `,"Any":{"a":"1","b":["2"]}}`},
		{"POST", "/", upload, part("any", "1") + part("name", "h\xffi") + "--x--", 200, "{\"Name\":\"h\ufffdi\"," + rest + `,"Any":"1"}`},
		{"POST", "/", upload, part("any[a]", "1") + part("name", "h\xffi") + "--x--", 200, "{\"Name\":\"h\ufffdi\"," + rest + `,"Any":{"a":"1"}}`},
		{"GET", "/?name=Ana", "application/json", "", 200, `{"Name":"Ana",` + rest + `,"Any":null}`},
		{"DELETE", "/?any[a]=1", "application/json", "", 200, `{` + rest + `,"Any":{"a":"1"}}`},
		{"POST", "/?name=Ana", "", "", 200, `{"Name":"Ana",` + rest + `,"Any":null}`},
		{"POST", "/?name=Ana", "application/json", "", 400, ""},
		{"POST", "/map", urlencoded, "a=1&b[c]=2&b[d][]=3", 200, `{"a":"1","b":{"c":"2","d":["3"]}}`},
		{"POST", "/map", upload, part("a", "1") + part("b[c]", "2") + "--x--", 200, `{"a":"1","b":{"c":"2"}}`},
		{"POST", "/wrong", urlencoded, "a=1", 500, ""},
	} {
		w := send(server, test.method, test.url, test.body, "Content-Type", test.contentType, "Content-Length", strconv.Itoa(len(test.body)))
		if w.Code != test.status || test.want != "" && w.Body.String() != test.want {
			t.Errorf("%s %s %q: got %d %s, want %d %s", test.method, test.url, test.body, w.Code, w.Body, test.status, test.want)
		}
	}
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
