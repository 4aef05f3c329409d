package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

// parser makes an application that says what a body parser makes of a body.
func parser(h app.Handler) *app.App {
	server := app.New()
	server.Use(h)
	server.Post("/", func(req *app.Request, res *app.Response) error {
		v, ok := req.BodyValue()
		if !ok {
			return res.Send("nothing")
		}
		if b, ok := v.([]byte); ok {
			v = "bytes " + string(b)
		}
		return res.JSON(v)
	})
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		var e *app.HTTPError
		if !errors.As(err, &e) {
			return err
		}
		return res.Status(e.Status).Send(e.Type + ": " + e.Message)
	})
	return server
}

func TestBodyParsers(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(`{"z":1}`))
	z.Close()
	const form, plain = "application/x-www-form-urlencoded", "text/plain"
	for _, test := range []struct {
		parser            app.Handler
		contentType, body string
		status            int
		want              string
		headers           []string
	}{
		{app.JSON(), "application/json", `{"a":[1,"ü"]}`, 200, `{"a":[1,"ü"]}`, nil},
		{app.JSON(), "text/plain", `{"a":1}`, 200, "nothing", nil},
		{app.JSON(), "application/json", `{"a":}`, 400, `entity.parse.failed: Unexpected token '}', "{"a":}" is not valid JSON`, nil},
		{app.JSON(), "application/json", `[1,2`, 400, `entity.parse.failed: Expected ',' or ']' after array element in JSON at position 4`, nil},
		{app.JSON(), "application/json", `"text"`, 400, `entity.parse.failed: Unexpected token '"', ""text"" is not valid JSON`, nil},
		{app.JSON(app.BodyOptions{AnyJSON: true}), "application/json", `"text"`, 200, `"text"`, nil},
		{app.JSON(app.BodyOptions{Types: []string{"application/*+json"}}), "application/vnd.api+json", `{}`, 200, `{}`, nil},
		{app.JSON(), "application/json; charset=latin1", `{}`, 415, `charset.unsupported: unsupported charset "LATIN1"`, nil},
		{app.JSON(), "application/json; charset=utf-16", "{\x00}\x00", 200, `{}`, nil},
		{app.JSON(app.BodyOptions{Limit: 5}), "application/json", `{"a":1}`, 413, "entity.too.large: request entity too large", nil},
		{app.JSON(), "application/json", packed.String(), 200, `{"z":1}`, []string{"Content-Encoding", "gzip"}},
		{app.JSON(), "application/json", packed.String()[:20], 400, "entity.inflate.failed: unexpected end of file", []string{"Content-Encoding", "gzip"}},
		{app.JSON(app.BodyOptions{NoInflate: true}), "application/json", packed.String(), 415, "encoding.unsupported: content encoding unsupported", []string{"Content-Encoding", "gzip"}},
		{app.JSON(), "application/json", "{}", 415, `encoding.unsupported: unsupported content encoding "x"`, []string{"Content-Encoding", "x"}},
		{app.JSON(), "application/json", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), 400, "entity.parse.failed: the JSON is nested too deeply", nil},
		{app.JSON(app.BodyOptions{Verify: func(*app.Request, *app.Response, []byte, string) error { return errors.New("forged") }}), "application/json", "{}", 403, "entity.verify.failed: ", nil},
		{app.URLEncoded(), form, "b=2&a=1&a=2&c[d]=%zz&7=x", 200, `{"7":"x","b":"2","a":["1","2"],"c[d]":"%zz"}`, nil},
		{app.URLEncoded(app.BodyOptions{Extended: true}), form, "a[b][]=1&a[c]=2&d[1]=x&d[0]=y", 200, `{"a":{"b":["1"],"c":"2"},"d":["y","x"]}`, nil},
		{app.URLEncoded(app.BodyOptions{Extended: true, Depth: 1}), form, "a[b][c]=1", 400, "querystring.parse.rangeError: The input exceeded the depth", nil},
		{app.URLEncoded(app.BodyOptions{ParameterLimit: 2}), form, "a&b&c", 413, "parameters.too.many: too many parameters", nil},
		{app.URLEncoded(), form + "; charset=iso-8859-1", "a=%e9", 200, `{"a":"é"}`, nil},
		{app.Text(), plain, "hé", 200, `"hé"`, nil},
		{app.Text(), plain + "; charset=koi8-r", "\xd0\xd2\xc9", 200, `"при"`, nil},
		{app.Text(), plain + "; charset=utf-7", "x", 415, `charset.unsupported: unsupported charset "UTF-7"`, nil},
		{app.Raw(), "application/octet-stream", "\x00", 200, `"bytes \u0000"`, nil},
	} {
		w := send(parser(test.parser), "POST", "/", test.body, append(test.headers, "Content-Type", test.contentType)...)
		if w.Code != test.status || w.Body.String() != test.want {
			t.Errorf("%s %.40q: got %d %s, want %d %s", test.contentType, test.body, w.Code, w.Body, test.status, test.want)
		}
	}
}

func TestBindAfterAParser(t *testing.T) {
	server := app.New().Set("validator", func(v any) error {
		if v.(*struct{ Name string }).Name == "" {
			return errors.New("a name is missing")
		}
		return nil
	})
	server.Use(app.JSON())
	server.All("/", func(req *app.Request, res *app.Response) error {
		var v struct{ Name string }
		if err := req.Bind(&v); err != nil {
			return res.Status(app.StatusOf(err)).Send(err.Error())
		}
		return res.Send(v.Name)
	})
	expect(t, send(server, "POST", "/", `{"name":"Ana"}`, "Content-Type", "application/json"), 200, "Ana")
	expect(t, send(server, "POST", "/", `{}`, "Content-Type", "application/json"), 422, "a name is missing")
	expect(t, do(server, "GET", "/?name=Eva"), 200, "Eva")
}

func TestBindNestedForm(t *testing.T) {
	server := app.New()
	server.Post("/", func(req *app.Request, res *app.Response) error {
		var v struct {
			User struct {
				Name string
				Tags []string `form:"tags"`
			}
			Counts map[string]int
			Extra  any
		}
		if err := req.Bind(&v); err != nil {
			return err
		}
		return res.Send(fmt.Sprint(v))
	})
	expect(t, send(server, "POST", "/", "user[name]=Ana&user[tags][]=a&user[tags][]=b&counts[x]=1&extra[y]=2", "Content-Type", "application/x-www-form-urlencoded"),
		200, "{{Ana [a b]} map[x:1] map[y:2]}")
}

func TestQueryParsers(t *testing.T) {
	for _, test := range []struct {
		parser      any
		query, want string
	}{
		{"simple", "a=1&b=%20+&a=2&c", `{"a":["1","2"],"b":"  ","c":""}`},
		{"simple", "a[b]=1&%zz=%ff", `{"a[b]":"1","%zz":"` + "\ufffd" + `"}`},
		{"extended", "a[b]=1&a[c][]=2&d[]=3", `{"a":{"b":"1","c":["2"]},"d":["3"]}`},
		{"extended", "a[25]=x", `{"a":{"25":"x"}}`},
		{"extended", "a[b][c][d][e][f][g][h]=1", `{"a":{"b":{"c":{"d":{"e":{"f":{"[g][h]":"1"}}}}}}}`},
		{"extended", "__proto__[x]=1&constructor=2", `{"constructor":"2"}`},
		{false, "a=1", `{}`},
		{func(raw string) *app.Object {
			var o app.Object
			o.Set("raw", raw)
			return &o
		}, "a=1", `{"raw":"a=1"}`},
	} {
		server := app.New().Set("query parser", test.parser)
		server.Get("/", func(req *app.Request, res *app.Response) error { return res.JSON(req.QueryObject()) })
		if got := do(server, "GET", "/?"+test.query).Body.String(); got != test.want {
			t.Errorf("%v %s: got %s, want %s", test.parser, test.query, got, test.want)
		}
	}
}

// What the extended parser reads can be encoded and is bounded, whatever comes.
func FuzzQueryParsers(f *testing.F) {
	for _, s := range []string{"a=1", "a[b][c]=d&a[]=x&a=y", "a[0]=1&a[5]=2&a[b]=3", "[[]]&=&&[", "a[19]=x&a=y&a[b]", "%5B%zz+%ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, p := range []string{"simple", "extended"} {
			server := app.New().Set("query parser", p)
			server.Get("/", func(req *app.Request, res *app.Response) error {
				req.URL.RawQuery = query
				o := req.QueryObject()
				b, err := json.Marshal(o)
				if err != nil || !json.Valid(b) {
					t.Errorf("%q: %s %v", query, b, err)
				}
				if o.Len() > 1000 {
					t.Errorf("%d names", o.Len())
				}
				o.Map()
				return nil
			})
			do(server, "GET", "/")
		}
	})
}

// JSON that encoding/json refuses is refused with a message, and what it takes is taken.
func FuzzJSONBody(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `[1,]`, `{"a" 1}`, `tru`, `"\u12"`, `-`, `1.e`, "\"\x01\"", "[[[", `{"é":😀}`} {
		f.Add(s)
	}
	server := parser(app.JSON(app.BodyOptions{AnyJSON: true}))
	f.Fuzz(func(t *testing.T, body string) {
		if body == "" {
			return
		}
		w := send(server, "POST", "/", body, "Content-Type", "application/json")
		valid := json.Valid([]byte(strings.TrimPrefix(strings.ToValidUTF8(body, "\ufffd"), "\ufeff")))
		if valid != (w.Code == 200) && strings.TrimPrefix(body, "\ufeff") != "" || w.Code != 200 && !strings.HasPrefix(w.Body.String(), "entity.") {
			t.Errorf("%q: valid %v, got %d %s", body, valid, w.Code, w.Body)
		}
	})
}

// The parsers of headers take what comes.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"text/html;q=.5, */*", "bytes=0-5,-3", `a="b;c,d";q=x`, "en-US,*;q=0", ";;;==\"", "s:x.y"} {
		f.Add(s)
	}
	server := app.New().Set("cookie secret", "x").Set("trust proxy", true)
	server.Post("/", func(req *app.Request, res *app.Response) error {
		for _, offer := range []string{req.Accepts("html", "a/b;c=d"), req.AcceptsEncodings("gzip"), req.AcceptsLanguages("en"), req.AcceptsCharsets("utf-8")} {
			if offer != "" && !strings.Contains("html a/b;c=d gzip en utf-8", offer) {
				t := offer
				panic("it was not offered: " + t)
			}
		}
		ranges, err := req.Range(100)
		for i := 0; err == nil && ranges != nil && i < len(ranges.List); i++ {
			if r := ranges.List[i]; r.Start < 0 || r.End < r.Start || r.End > 99 {
				panic(fmt.Sprint("a range outside: ", r))
			}
		}
		req.Is("json", "*/*")
		req.SignedCookie("a")
		req.IPs()
		req.Subdomains()
		_, _ = req.Text()
		return res.Send("done")
	})
	f.Fuzz(func(t *testing.T, value string) {
		var headers []string
		for _, name := range []string{"Accept", "Accept-Encoding", "Accept-Language", "Accept-Charset", "Range", "Content-Type", "X-Forwarded-For", "X-Forwarded-Host", "If-None-Match"} {
			headers = append(headers, name, value)
		}
		w := send(server, "POST", "/", "x", append(headers, "Cookie", "a="+value)...)
		if w.Code != 200 && w.Code != 415 && w.Code != 304 {
			t.Errorf("%q: %d %s", value, w.Code, w.Body)
		}
	})
}
