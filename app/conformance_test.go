package app

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The behaviour of Express 5, recorded: see the README beside the cases.
const conformanceDir = "../../shared/conformance/express"

// conformancePath is the directory of the cases: another corpus of the same kind may be named.
func conformancePath() string {
	if dir := os.Getenv("ZOCALO_EXPRESS_CASES"); dir != "" {
		return dir
	}
	return conformanceDir
}

// differences are the answers that are not Express's on purpose, by group, method and URL; "" is any.
var differences = []struct{ group, name, url, reason string }{
	{"", "", "%zz", "net/http answers a malformed escape with 400 itself"},
	{"path", "/café", "/caf%C3%A9", "a path is written as people read it and matches what clients send"},
	{"path-case", "/café", "/caf%C3%A9", "a path is written as people read it and matches what clients send"},
	{"path", "/café", "/café", "net/http takes raw UTF-8 in a request line, Node answers 400"},
	{"path-case", "/café", "/café", "net/http takes raw UTF-8 in a request line, Node answers 400"},
	{"error", "status 499", "", "a status without a text is shown as its number, not as undefined"},
	{"error", "status 599", "", "a status without a text is shown as its number, not as undefined"},
	{"cookie", `["name","v",{"expires":"x"}]`, "", "Expires is a time.Time: it cannot be wrong"},
}

type conformanceCase struct {
	Group, Name string
	Settings    map[string]any
	App         []entry
	BuildError  string
	Requests    []struct {
		URL, Method string
		Headers     map[string]string
		Body        json.RawMessage
		Expect      struct {
			Status  int
			Headers [][2]string
			Body    json.RawMessage
		}
	}
}

type entry struct {
	Route, Param, MW string
	Path, Do, Use    json.RawMessage
	Chain, Static    *string
	Mount, MountApp  *string
	Methods          []json.RawMessage
	Error            []operation
	Opts             json.RawMessage
	Router, App      []entry
	Settings         map[string]any
}

type operation struct {
	name  string
	value json.RawMessage
}

func (o *operation) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	for o.name, o.value = range m {
	}
	return nil
}

func (o operation) args() []json.RawMessage { return decode[[]json.RawMessage](o.value) }

func decode[T any](b json.RawMessage) T {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		panic(fmt.Sprintf("%s into %T: %v", b, v, err))
	}
	return v
}

// chains are the handlers of an entry: lists of operations.
func (e entry) chains() [][]operation {
	if len(e.Do) == 0 {
		return nil
	}
	if e.Route != "" {
		return decode[[][]operation](e.Do)
	}
	return [][]operation{decode[[]operation](e.Do)}
}

func TestConformance(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(conformancePath(), "cases.json"))
	if err != nil {
		if os.Getenv("ZOCALO_REQUIRE_ALL") == "1" {
			t.Fatalf("the recorded behaviour of Express is required: %v", err)
		}
		t.Skipf("SKIPPED: the recorded behaviour of Express is not here: %v", err)
	}
	t.Setenv("ZOCALO_ENV", "production")
	previous := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(previous) })
	fixtures := copyFixtures(t)

	var cases []conformanceCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	ran, exchanges, different := 0, 0, 0
	for i, c := range cases {
		ran++
		t.Run(fmt.Sprintf("%s/%d", c.Group, i), func(t *testing.T) {
			server, failure := buildCase(c, fixtures)
			if c.BuildError != "" {
				if failure == "" {
					t.Errorf("%q was taken; Express: %s", c.Name, c.BuildError)
				}
				return
			}
			if failure != "" {
				t.Fatalf("%q: %s", c.Name, failure)
			}
			l := httptest.NewServer(server)
			defer l.Close()
			for _, r := range c.Requests {
				reason := ""
				for _, d := range differences {
					if (d.group == "" || d.group == c.Group) && (d.name == "" || strings.Contains(c.Name, d.name)) && strings.Contains(r.URL, d.url) {
						reason = d.reason
					}
				}
				if reason != "" {
					different++
					continue
				}
				exchanges++
				got := exchangeRaw(t, l.Listener.Addr().String(), r.Method, r.URL, r.Headers, bodyBytes(r.Body))
				want := wanted(r.Expect.Status, r.Expect.Headers, bodyBytes(r.Expect.Body), l.Listener.Addr().String())
				if got != want {
					t.Errorf("%s: %s %s %v\n--- got\n%s\n--- Express\n%s", c.Name, r.Method, r.URL, r.Headers, got, want)
				}
			}
		})
	}
	t.Logf("%d applications and %d exchanges like Express, %d exchanges different on purpose", ran, exchanges, different)
}

func copyFixtures(t *testing.T) string {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(conformancePath(), "fixtures"))); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, when, when))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func bodyBytes(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return nil
	}
	v := decode[any](raw)
	if m, ok := v.(map[string]any); ok {
		b, _ := base64.StdEncoding.DecodeString(m["base64"].(string))
		return b
	}
	return []byte(v.(string))
}

func wanted(status int, headers [][2]string, body []byte, addr string) string {
	var lines []string
	for _, h := range headers {
		if h[0] != "x-powered-by" {
			lines = append(lines, h[0]+": "+h[1])
		}
	}
	slices.Sort(lines)
	return strings.ReplaceAll(fmt.Sprintf("%d\n%s\n\n%s", status, strings.Join(lines, "\n"), body), "127.0.0.1:<port>", addr)
}

func exchangeRaw(t *testing.T, addr, method, url string, headers map[string]string, body []byte) string {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if method == "" {
		method = "GET"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, url)
	if _, ok := headers["Host"]; !ok {
		b.WriteString("Host: example.com\r\n")
	}
	for k, v := range headers {
		fmt.Fprintf(&b, "%s: %s\r\n", k, v)
	}
	if body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("Connection: close\r\n\r\n")
	b.Write(body)
	if _, err := conn.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return "no answer: " + err.Error()
	}
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "half an answer: " + err.Error()
	}
	if res.ContentLength >= 0 && res.Header.Get("Content-Length") == "" && res.StatusCode != 204 && res.StatusCode != 304 {
		res.Header.Set("Content-Length", strconv.FormatInt(res.ContentLength, 10))
	}
	var lines []string
	for name, values := range res.Header {
		if name == "Date" || name == "Connection" {
			continue
		}
		for _, v := range values {
			lines = append(lines, strings.ToLower(name)+": "+v)
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d\n%s\n\n%s", res.StatusCode, strings.Join(lines, "\n"), answer)
}

// buildCase makes the application, or says why it could not.
func buildCase(c conformanceCase, fixtures string) (server *App, failure string) {
	defer func() {
		if v := recover(); v != nil {
			failure = fmt.Sprint(v)
		}
	}()
	b := builder{fixtures}
	return b.app(c.App, c.Settings), ""
}

type builder struct{ fixtures string }

func (b builder) app(entries []entry, settings map[string]any) *App {
	a := New()
	for name, value := range settings {
		switch v := value.(type) {
		case float64:
			value = int(v)
		case []any:
			list := make([]string, len(v))
			for i := range v {
				list[i] = v[i].(string)
			}
			value = list
		}
		a.Set(name, value)
	}
	b.fill(&a.Router, entries)
	return a
}

func (b builder) fill(r *Router, entries []entry) {
	for _, e := range entries {
		switch {
		case e.Route != "":
			route := r.Route(paths(e.Path)[0], paths(e.Path)[1:]...)
			b.addMethod(route, e.Route, e.chains())
		case e.Chain != nil:
			route := r.Route(*e.Chain)
			for _, m := range e.Methods {
				pair := decode[[2]json.RawMessage](m)
				b.addMethod(route, decode[string](pair[0]), decode[[][]operation](pair[1]))
			}
		case e.Param != "":
			ops := e.chains()[0]
			r.Param(e.Param, func(req *Request, res *Response, _ string) error {
				for _, op := range ops {
					if op.name == "next" && string(op.value) == "null" {
						return nil
					}
					if done, err := b.run(op, req, res); done || err != nil {
						return err
					}
				}
				return nil
			})
		case e.Static != nil:
			r.Use(use(e.Use, Static(filepath.Join(b.fixtures, *e.Static), fileOptionsOf(e.Opts)))...)
		case e.MW != "":
			parser := map[string]func(...BodyOptions) Handler{"json": JSON, "urlencoded": URLEncoded, "text": Text, "raw": Raw}[e.MW]
			r.Use(use(e.Use, parser(bodyOptionsOf(e.Opts)))...)
		case e.Error != nil:
			h := b.handler(e.Error)
			r.Use(use(e.Use, ErrorHandler(func(err error, req *Request, res *Response) error {
				req.x.res.Locals["the error"] = err
				return h(req, res)
			}))...)
		case e.Mount != nil:
			config := RouterConfig{}
			if len(e.Opts) > 0 {
				config = decode[RouterConfig](e.Opts)
				config.Strict = strings.Contains(string(e.Opts), `"strict":true`) || config.Strict
			}
			sub := NewRouter(config)
			b.fill(sub, e.Router)
			r.Use(*e.Mount, sub)
		case e.MountApp != nil:
			r.Use(*e.MountApp, b.app(e.App, e.Settings))
		default:
			for _, ops := range e.chains() {
				r.Use(use(e.Use, b.handler(ops))...)
			}
		}
	}
}

func paths(raw json.RawMessage) []string {
	if raw[0] == '[' {
		return decode[[]string](raw)
	}
	return []string{decode[string](raw)}
}

func use(path json.RawMessage, h any) []any {
	if len(path) == 0 {
		return []any{h}
	}
	return []any{paths(path), h}
}

func (b builder) addMethod(r *Route, method string, chains [][]operation) {
	var handlers []Handler
	for _, ops := range chains {
		handlers = append(handlers, b.handler(ops))
	}
	method = strings.ToUpper(method)
	if method == "ALL" {
		method = ""
	}
	r.Handle(method, handlers...)
}

func (b builder) handler(ops []operation) Handler {
	return func(req *Request, res *Response) error {
		for _, op := range ops {
			done, err := b.run(op, req, res)
			if done || err != nil {
				return err
			}
		}
		return nil
	}
}

// run does one operation; done when it answers or passes the request on.
func (b builder) run(op operation, req *Request, res *Response) (done bool, err error) {
	text := func(i int) string { return scalar(op.args()[i]) }
	switch op.name {
	case "mark":
		res.Append("X-Trace", scalar(op.value))
	case "next":
		switch string(op.value) {
		case `"route"`:
			return true, NextRoute
		case `"router"`:
			return true, NextRouter
		}
		return true, req.Next()
	case "fail", "throw", "reject":
		f := decode[struct {
			Message string
			Status  int
			Headers map[string]string
		}](op.value)
		e := &HTTPError{Status: f.Status, Message: f.Message, Header: http.Header{}}
		for name, value := range f.Headers {
			e.Header.Set(name, value)
		}
		if op.name == "throw" {
			panic(e)
		}
		return true, e
	case "showErr":
		err := res.Locals["the error"].(error)
		status := 500
		var e *HTTPError
		if errors.As(err, &e) {
			if e.Status != 0 {
				status = e.Status
			}
			return true, res.Status(status).Send("caught " + e.Message)
		}
		return true, res.Status(status).Send("caught " + err.Error())
	case "send":
		return true, sendValue(res, op.value)
	case "json":
		return true, res.JSON(op.value)
	case "end":
		if res.Header().Get("Content-Type") == "" {
			res.Header()["Content-Type"] = nil
		}
		if res.invalid != nil {
			return true, res.invalid // as the methods that answer do
		}
		if text := decode[string](op.value); req.Method != http.MethodHead && res.StatusCode() != 204 && res.StatusCode() != 304 {
			res.Header().Set("Content-Length", strconv.Itoa(len(text)))
			_, err := res.Write([]byte(text))
			return true, err
		}
		res.WriteHeader(res.StatusCode())
		return true, nil
	case "sendStatus":
		return true, res.SendStatus(decode[int](op.value))
	case "status":
		res.Status(decode[int](op.value))
	case "type":
		res.Type(decode[string](op.value))
	case "vary":
		if op.value[0] == '[' {
			res.Vary(decode[[]string](op.value)...)
		} else {
			res.Vary(decode[string](op.value))
		}
	case "location":
		res.Location(decode[string](op.value))
	case "set", "append":
		var values []string
		if args := op.args(); args[1][0] == '[' {
			values = decode[[]string](args[1])
		} else {
			values = []string{scalar(args[1])}
		}
		if op.name == "set" {
			res.Set(text(0), values...)
		} else {
			res.Append(text(0), values...)
		}
	case "redirect":
		if args := op.args(); len(args) == 2 {
			return true, res.Status(decode[int](args[0])).Redirect(decode[string](args[1]))
		}
		return true, res.Status(http.StatusFound).Redirect(text(0))
	case "cookie", "clearCookie":
		args := op.args()
		var o []CookieOptions
		if n := 2; len(args) > n || op.name == "clearCookie" && len(args) > 1 {
			o = append(o, cookieOptions(args[len(args)-1]))
		}
		if op.name == "cookie" {
			var value any
			_ = json.Unmarshal(args[1], &value)
			res.Cookie(text(0), value, o...)
		} else {
			res.ClearCookie(text(0), o...)
		}
	case "sendFile":
		args := append(op.args(), nil)
		return true, res.SendFileFS(os.DirFS(b.fixtures), text(0), fileOptionsOf(args[1]))
	case "download":
		var o FileOptions
		for i, arg := range op.args() {
			if i > 0 && arg[0] == '{' {
				name := o.Filename
				o = fileOptionsOf(arg)
				o.Filename = name
			} else if i > 0 && arg[0] == '"' {
				o.Filename = decode[string](arg)
			}
		}
		return true, res.DownloadFS(os.DirFS(b.fixtures), text(0), o)
	case "jsonp":
		return true, res.JSONP(op.value)
	case "attachment":
		if string(op.value) == "null" {
			res.Attachment()
		} else {
			res.Attachment(decode[string](op.value))
		}
	case "links":
		for _, m := range members(op.value) {
			urls := []string{}
			if m.value[0] == '[' {
				urls = decode[[]string](m.value)
			} else {
				urls = append(urls, decode[string](m.value))
			}
			res.Links(Link{Rel: m.name, URLs: urls})
		}
	case "format":
		var formats []Format
		for _, m := range members(op.value) {
			h := b.handler(decode[[]operation](m.value))
			formats = append(formats, Format{m.name, func() error { return h(req, res) }})
		}
		return true, res.Format(formats...)
	case "is":
		return true, res.JSON(each(decode[[]string](op.value), func(s string) any {
			if !req.HasBody() {
				return nil
			}
			return orFalse(req.Is(s))
		}))
	case "acceptsEncodings":
		return true, res.JSON(append([]any{req.AcceptedEncodings()}, each(decode[[]string](op.value), func(s string) any { return orFalse(req.AcceptsEncodings(s)) })...))
	case "acceptsLanguages":
		return true, res.JSON(append([]any{req.AcceptedLanguages()}, each(decode[[]string](op.value), func(s string) any { return orFalse(req.AcceptsLanguages(s)) })...))
	case "acceptsCharsets":
		return true, res.JSON(append([]any{req.AcceptedCharsets()}, each(decode[[]string](op.value), func(s string) any { return orFalse(req.AcceptsCharsets(s)) })...))
	case "range":
		return true, showRange(req, res, decode[int64](op.value))
	case "showLocals":
		return true, res.JSON(res.Locals)
	case "accepts":
		return true, res.JSON(each(decode[[]string](op.value), func(s string) any { return orFalse(req.Accepts(s)) }))
	case "acceptsBest":
		return true, res.JSON(orFalse(req.Accepts(decode[[]string](op.value)...)))
	case "local":
		res.Locals[text(0)] = text(1)
	case "show":
		return true, res.JSON(show(req, decode[[]string](op.value)))
	default:
		panic("the operation " + op.name + " is not known here")
	}
	return false, nil
}

func scalar(raw json.RawMessage) string {
	if raw[0] == '"' {
		return decode[string](raw)
	}
	return string(raw)
}

func sendValue(res *Response, raw json.RawMessage) error {
	var buffer struct{ Base64 *string }
	switch {
	case raw[0] == '"':
		return res.Send(decode[string](raw))
	case string(raw) == "null":
		return res.Send(nil)
	case raw[0] == '{' && json.Unmarshal(raw, &buffer) == nil && buffer.Base64 != nil:
		return res.Send(bodyBytes(raw))
	}
	return res.Send(raw)
}

func cookieOptions(raw json.RawMessage) CookieOptions {
	o := decode[struct {
		CookieOptions
		MaxAge   int
		SameSite any
	}](raw)
	c := o.CookieOptions
	c.MaxAge = time.Duration(o.MaxAge) * time.Millisecond
	if s, ok := o.SameSite.(string); ok {
		o.SameSite = strings.ToLower(s)
	}
	switch o.SameSite {
	case true, "strict":
		c.SameSite = http.SameSiteStrictMode
	case "lax":
		c.SameSite = http.SameSiteLaxMode
	case "none":
		c.SameSite = http.SameSiteNoneMode
	}
	return c
}

func each(list []string, f func(string) any) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

func orFalse(s string) any {
	if s == "" {
		return false
	}
	return s
}

// show writes the fields of req as an object, in the order asked for.
func show(req *Request, fields []string) json.RawMessage {
	var parts []string
	for _, name := range fields {
		var v any
		switch name {
		case "params":
			v = paramsInOrder(req)
		case "path":
			v = req.Path()
		case "baseUrl":
			v = req.BaseURL()
		case "url":
			url := req.Path()
			if req.URL.RawQuery != "" || req.URL.ForceQuery {
				url += "?" + req.URL.RawQuery
			}
			v = url
		case "originalUrl":
			v = req.OriginalURL()
		case "route":
			v = req.Route()
		case "protocol":
			v = req.Protocol()
		case "secure":
			v = req.Secure()
		case "ip":
			v = req.IP()
		case "ips":
			v = req.IPs()
		case "host":
			v = req.HostPort()
		case "hostname":
			v = req.Hostname()
		case "subdomains":
			v = append([]string{}, req.Subdomains()...)
		case "xhr":
			v = req.XHR()
		case "method":
			v = req.Method
		case "query":
			v = req.QueryObject()
		case "fresh":
			v = req.Fresh()
		case "stale":
			v = req.Stale()
		case "referrer":
			v = orUndefined(req.Get("Referrer"))
		case "body":
			v = showBody(req)
		default:
			panic("the field " + name + " is not known here")
		}
		parts = append(parts, quoteJSON(name)+":"+quoteJSON(v))
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}

func orUndefined(s string) string {
	if s == "" {
		return "<undefined>"
	}
	return s
}

// showBody is req.body as JavaScript writes it.
func showBody(req *Request) any {
	v, ok := req.BodyValue()
	switch v := v.(type) {
	case []byte:
		return Map{"base64": base64.StdEncoding.EncodeToString(v)}
	case *Object, string:
		return v
	}
	if !ok {
		return "<undefined>"
	}
	if len(req.body.data) == 0 {
		return Map{}
	}
	return json.RawMessage(inOrder(req.body.data))
}

// inOrder rewrites JSON as JSON.stringify(JSON.parse(text)) does: names in JavaScript's order, each once.
func inOrder(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	switch raw[0] {
	case '{':
		o := &Object{}
		for _, m := range members(raw) {
			o.Set(m.name, json.RawMessage(inOrder(m.value)))
		}
		return quoteJSON(o)
	case '[':
		var parts []string
		for _, item := range decode[[]json.RawMessage](raw) {
			parts = append(parts, inOrder(item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return "null" // a number that is too large
	}
	if v == 0.0 {
		return "0" // of -0 too
	}
	return quoteJSON(v)
}

type member struct {
	name  string
	value json.RawMessage
}

// members are the members of a JSON object in their order.
func members(raw []byte) (list []member) {
	d := json.NewDecoder(bytes.NewReader(raw))
	_, _ = d.Token()
	for d.More() {
		name, _ := d.Token()
		m := member{name: name.(string)}
		_ = d.Decode(&m.value)
		list = append(list, m)
	}
	return list
}

func showRange(req *Request, res *Response, size int64) error {
	ranges, err := req.Range(size)
	switch {
	case err == ErrRangeMalformed:
		return res.JSON(-2)
	case err == ErrRangeUnsatisfiable:
		return res.JSON(-1)
	case ranges == nil:
		return res.JSON(nil)
	}
	var list []string
	for _, r := range ranges.List {
		list = append(list, fmt.Sprintf(`{"start":%d,"end":%d}`, r.Start, r.End))
	}
	return res.JSON(json.RawMessage(`{"type":` + quoteJSON(ranges.Unit) + `,"ranges":[` + strings.Join(list, ",") + `]}`))
}

// fileOptionsOf reads the options of send and serve-static.
func fileOptionsOf(raw json.RawMessage) FileOptions {
	if len(raw) == 0 || string(raw) == "null" {
		return FileOptions{}
	}
	v := decode[struct {
		MaxAge, Index, Extensions                                                        any
		CacheControl, ETag, LastModified, AcceptRanges, Immutable, Fallthrough, Redirect *bool
		Dotfiles                                                                         Dotfiles
		Headers                                                                          map[string]string
	}](raw)
	off := func(b *bool) bool { return b != nil && !*b }
	o := FileOptions{Dotfiles: v.Dotfiles, Headers: v.Headers, Immutable: v.Immutable != nil && *v.Immutable,
		NoCacheControl: off(v.CacheControl), NoETag: off(v.ETag), NoLastModified: off(v.LastModified), NoRanges: off(v.AcceptRanges),
		NoFallthrough: off(v.Fallthrough), NoRedirect: off(v.Redirect)}
	switch age := v.MaxAge.(type) {
	case float64:
		o.MaxAge = time.Duration(age) * time.Millisecond
	case string:
		o.MaxAge = milliseconds(age)
	}
	list := func(v any) (out []string) {
		switch v := v.(type) {
		case string:
			out = []string{v}
		case []any:
			for _, item := range v {
				out = append(out, item.(string))
			}
		}
		return out
	}
	o.Index, o.Extensions = list(v.Index), list(v.Extensions)
	o.NoIndex = v.Index != nil && o.Index == nil
	return o
}

// milliseconds reads "1d", "2 hours" or a number of milliseconds, as npm's ms does.
func milliseconds(s string) time.Duration {
	number := strings.TrimRight(s, " abcdefghijklmnopqrstuvwxyz")
	unit := map[string]time.Duration{"": time.Millisecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "y": 31557600 * time.Second}[strings.TrimSpace(s[len(number):])]
	n, _ := strconv.ParseFloat(number, 64)
	return time.Duration(n * float64(unit))
}

// bodyOptionsOf reads the options of body-parser.
func bodyOptionsOf(raw json.RawMessage) BodyOptions {
	if len(raw) == 0 {
		return BodyOptions{}
	}
	v := decode[struct {
		Limit, Type           any
		Inflate, Strict       *bool
		DefaultCharset        string
		Extended              bool
		ParameterLimit, Depth *int
	}](raw)
	o := BodyOptions{NoInflate: v.Inflate != nil && !*v.Inflate, AnyJSON: v.Strict != nil && !*v.Strict, DefaultCharset: v.DefaultCharset, Extended: v.Extended}
	switch limit := v.Limit.(type) {
	case float64:
		o.Limit = int64(limit)
	case string:
		o.Limit, _ = byteCount(limit)
	}
	switch t := v.Type.(type) {
	case string:
		o.Types = []string{t}
	case []any:
		for _, item := range t {
			o.Types = append(o.Types, item.(string))
		}
	}
	if v.ParameterLimit != nil {
		o.ParameterLimit = *v.ParameterLimit
	}
	if v.Depth != nil {
		if o.Depth = *v.Depth; o.Depth == 0 {
			o.Depth = -1
		}
	}
	return o
}

func quoteJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n")
}

// paramsInOrder is req.params as JavaScript writes it: a name keeps its first place and its last value.
func paramsInOrder(req *Request) json.RawMessage {
	var names, parts []string
	for _, p := range req.x.params {
		if slices.Contains(names, p.name) {
			continue
		}
		names = append(names, p.name)
		var v any = req.Param(p.name)
		if s := req.Segments(p.name); s != nil {
			v = s
		}
		parts = append(parts, quoteJSON(p.name)+":"+quoteJSON(v))
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}
