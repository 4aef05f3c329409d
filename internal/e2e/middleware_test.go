package e2e

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"
	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/realtime"
)

// These are the lines of docs/middleware.md.

func ask(t *testing.T, h http.Handler, method, url string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader("x")
	}
	r := httptest.NewRequest(method, url, body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func says(text string) app.Handler {
	return func(req *app.Request, res *app.Response) error { return res.Send(text) }
}

func TestMiddlewareCORS(t *testing.T) {
	server := app.New()
	server.UseHTTP(cors.New(cors.Options{AllowedOrigins: []string{"https://shop.example"}, AllowCredentials: true}).Handler)
	server.Get("/", says("hello"))
	if w := ask(t, server, "GET", "/", "Origin", "https://shop.example"); w.Header().Get("Access-Control-Allow-Origin") != "https://shop.example" || w.Body.String() != "hello" {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	w := ask(t, server, "OPTIONS", "/", "Origin", "https://shop.example", "Access-Control-Request-Method", "GET")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Methods") != "GET" {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}

func TestMiddlewareCompression(t *testing.T) {
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1000))
	if err != nil {
		t.Fatal(err)
	}
	server := app.New()
	server.Mount("/socket.io", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat("x", 5000)) }))
	server.UseHTTP(func(next http.Handler) http.Handler { return compress(next) })
	server.Get("/", says(strings.Repeat("town ", 1000)))
	server.Get("/fails", func(*app.Request, *app.Response) error { return app.Errorf(503, "closed") })
	if w := ask(t, server, "GET", "/", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > 1000 {
		t.Errorf("%v, %d bytes", w.Header(), w.Body.Len())
	}
	if w := ask(t, server, "GET", "/socket.io", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Error("what is mounted before it was compressed")
	}
	if w := ask(t, server, "GET", "/fails", "Accept-Encoding", "gzip"); w.Code != 503 || !strings.Contains(w.Body.String(), "Service Unavailable") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestMiddlewareSessionInTheHandshake(t *testing.T) {
	sessions := scs.New()
	server := app.New()
	server.UseHTTP(sessions.LoadAndSave)
	server.Get("/login/:name", func(req *app.Request, res *app.Response) error {
		if err := sessions.RenewToken(req.Context()); err != nil {
			return err
		}
		sessions.Put(req.Context(), "user", req.Param("name"))
		return res.Send("welcome")
	})
	server.Get("/me", func(req *app.Request, res *app.Response) error {
		return res.Send(sessions.GetString(req.Context(), "user"))
	})
	sockets := realtime.NewServer(realtime.Config{
		Attach: func(r *http.Request) any { return sessions.GetString(r.Context(), "user") },
	})
	defer sockets.Close()
	sockets.On("connection", func(socket *realtime.Socket) { socket.Emit("user", socket.Handshake().Attached) })
	server.Mount("/socket.io", sockets)
	l := httptest.NewServer(server)
	defer l.Close()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	get := func(path string) string {
		res, err := client.Get(l.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return string(b)
	}
	get("/login/ana")
	if got := get("/me"); got != "ana" {
		t.Errorf("the session says %q", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws"+l.URL[4:]+overWebSocket, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	conn.Write(ctx, websocket.MessageText, []byte("40"))
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(data), "42") {
			if string(data) != `42["user","ana"]` {
				t.Errorf("the socket was told %s", data)
			}
			return
		}
	}
}

func TestMiddlewareCrossOriginProtection(t *testing.T) {
	server := app.New()
	server.UseHTTP(http.NewCrossOriginProtection().Handler)
	server.Post("/", says("done"))
	if w := ask(t, server, "POST", "http://town.example/", "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("another site's form: %d", w.Code)
	}
	if w := ask(t, server, "POST", "http://town.example/", "Sec-Fetch-Site", "same-origin"); w.Code != 200 {
		t.Errorf("its own form: %d", w.Code)
	}
}

func TestMiddlewareRateLimit(t *testing.T) {
	server := app.New()
	server.UseHTTP(middleware.ClientIPFromRemoteAddr, httprate.LimitBy(2, time.Minute, func(r *http.Request) (string, error) {
		return httprate.CanonicalizeIP(middleware.GetClientIP(r.Context())), nil
	}))
	server.Get("/", says("hello"))
	var codes []int
	for range 3 {
		codes = append(codes, ask(t, server, "GET", "/").Code)
	}
	if codes[1] != 200 || codes[2] != 429 {
		t.Error(codes)
	}
}

func TestMiddlewareLogger(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	server := app.New()
	server.UseHTTP(app.Logger(app.LoggerOptions{Format: `:remote-addr :method :url :status :res[content-length] ":user-agent"`, Logger: logger}))
	server.Get("/", says("hello"))
	server.Get("/fails", func(*app.Request, *app.Response) error { return app.Errorf(503, "closed") })
	ask(t, server, "GET", "/?a=1", "User-Agent", "a \"b\"\n")
	ask(t, server, "GET", "/fails")
	for _, want := range []string{`msg="192.0.2.1 GET /?a=1 200 5 \"a ?b??\""`, "level=INFO", `GET /fails 503`, "level=ERROR", "status=503"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log does not have %s:\n%s", want, out.String())
		}
	}
}

func TestMiddlewareRequestIDAndRecover(t *testing.T) {
	server := app.New()
	server.UseHTTP(middleware.RequestID)
	server.Use(func(req *app.Request, res *app.Response) error {
		res.Set("X-Request-Id", middleware.GetReqID(req.Context()))
		return req.Next()
	})
	server.Get("/", func(*app.Request, *app.Response) error { panic("no paper") })
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		return res.Status(500).Send("sorry: " + err.Error())
	})
	w := ask(t, server, "GET", "/", "X-Request-Id", "abc")
	if w.Code != 500 || w.Body.String() != "sorry: no paper" || w.Header().Get("X-Request-Id") != "abc" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
}

// Every middleware of chi runs unchanged, and does what it says.
func TestMiddlewareOfChi(t *testing.T) {
	pass := func(header, value string) func(*httptest.ResponseRecorder) bool {
		return func(w *httptest.ResponseRecorder) bool { return w.Code == 200 && w.Header().Get(header) == value }
	}
	code := func(code int) func(*httptest.ResponseRecorder) bool {
		return func(w *httptest.ResponseRecorder) bool { return w.Code == code }
	}
	body := func(body string) func(*httptest.ResponseRecorder) bool {
		return func(w *httptest.ResponseRecorder) bool {
			return w.Code == 200 && strings.TrimSpace(w.Body.String()) == body
		}
	}
	teapot := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(418) })
	quiet := middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: discardLogger{}})
	tests := map[string]struct {
		use     func(http.Handler) http.Handler
		method  string
		url     string
		headers []string
		ok      func(*httptest.ResponseRecorder) bool
	}{
		"BasicAuth":            {middleware.BasicAuth("town", map[string]string{"a": "b"}), "GET", "/a", nil, code(401)},
		"CleanPath":            {middleware.CleanPath, "GET", "/x/..//a", nil, body("a")},
		"ClientIPFromHeader":   {middleware.ClientIPFromHeader("X-Real-Ip"), "GET", "/ip", []string{"X-Real-Ip", "1.2.3.4"}, body("1.2.3.4")},
		"ClientIPFromXFF":      {middleware.ClientIPFromXFFTrustedProxies(1), "GET", "/ip", []string{"X-Forwarded-For", "1.2.3.4"}, body("1.2.3.4")},
		"ClientIPFromRemote":   {middleware.ClientIPFromRemoteAddr, "GET", "/ip", nil, body("192.0.2.1")},
		"Compress":             {middleware.Compress(5), "GET", "/page", []string{"Accept-Encoding", "gzip"}, pass("Content-Encoding", "gzip")},
		"ContentCharset":       {middleware.ContentCharset("utf-8"), "POST", "/post", []string{"Content-Type", "text/plain; charset=latin1"}, code(415)},
		"AllowContentEncoding": {middleware.AllowContentEncoding("gzip"), "POST", "/post", []string{"Content-Encoding", "br"}, code(415)},
		"SetHeader":            {middleware.SetHeader("X-A", "1"), "GET", "/a", nil, pass("X-A", "1")},
		"AllowContentType":     {middleware.AllowContentType("application/json"), "POST", "/post", []string{"Content-Type", "text/plain"}, code(415)},
		"Deprecation":          {middleware.Deprecation(time.Unix(1e9, 0)), "GET", "/a", nil, func(w *httptest.ResponseRecorder) bool { return w.Header().Get("Deprecation") != "" }},
		"GetHead":              {middleware.GetHead, "HEAD", "/a", nil, code(200)},
		"Heartbeat":            {middleware.Heartbeat("/ping"), "GET", "/ping", nil, body(".")},
		"Logger":               {quiet, "GET", "/a", nil, body("a")},
		"Maybe":                {middleware.Maybe(middleware.SetHeader("X-A", "1"), func(*http.Request) bool { return true }), "GET", "/a", nil, pass("X-A", "1")},
		"New":                  {middleware.New(teapot), "GET", "/a", nil, code(418)},
		"NoCache":              {middleware.NoCache, "GET", "/a", nil, pass("Pragma", "no-cache")},
		"PageRoute":            {middleware.PageRoute("/page-route", teapot), "GET", "/page-route", nil, code(418)},
		"PathRewrite":          {middleware.PathRewrite("/old", ""), "GET", "/old/a", nil, body("a")},
		"Recoverer":            {middleware.Recoverer, "GET", "/panics", nil, code(500)},
		"RequestID":            {middleware.RequestID, "GET", "/id", []string{"X-Request-Id", "abc"}, body("abc")},
		"RequestSize":          {middleware.RequestSize(10), "GET", "/a", nil, body("a")},
		"RouteHeaders":         {middleware.RouteHeaders().Route("X-Town", "a", middleware.SetHeader("X-A", "1")).Handler, "GET", "/a", []string{"X-Town", "a"}, pass("X-A", "1")},
		"StripSlashes":         {middleware.StripSlashes, "GET", "/strict/a/", nil, body("strict a")},
		"RedirectSlashes":      {middleware.RedirectSlashes, "GET", "/a/", nil, code(301)},
		"StripPrefix":          {middleware.StripPrefix("/api"), "GET", "/api/a", nil, body("a")},
		"Sunset":               {middleware.Sunset(time.Unix(1e9, 0)), "GET", "/a", nil, func(w *httptest.ResponseRecorder) bool { return w.Header().Get("Sunset") != "" }},
		"SupressNotFound": {middleware.SupressNotFound(chi.NewRouter()), "GET", "/none", nil, func(w *httptest.ResponseRecorder) bool {
			return w.Code == 404 && strings.HasPrefix(w.Body.String(), "404 page")
		}},
		"Throttle":  {middleware.Throttle(1), "GET", "/a", nil, body("a")},
		"Timeout":   {middleware.Timeout(time.Minute), "GET", "/deadline", nil, body("true")},
		"URLFormat": {middleware.URLFormat, "GET", "/a.json", nil, body("a json")},
		"WithValue": {middleware.WithValue(middleware.URLFormatCtxKey, "x"), "GET", "/a", nil, body("a x")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := app.New().Set("strict routing", true)
			var pattern string
			server.UseHTTP(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					next.ServeHTTP(w, r)
					pattern = chi.RouteContext(r.Context()).RoutePattern()
				})
			}, test.use)
			server.Get("/a", func(req *app.Request, res *app.Response) error {
				format, _ := req.Context().Value(middleware.URLFormatCtxKey).(string)
				return res.Send(strings.TrimSpace("a " + format))
			})
			server.Post("/post", says("posted"))
			server.Get("/strict/:name", func(req *app.Request, res *app.Response) error { return res.Send("strict " + req.Param("name")) })
			server.Get("/page", says(strings.Repeat("town ", 1000)))
			server.Get("/ip", func(req *app.Request, res *app.Response) error {
				return res.Send(middleware.GetClientIP(req.Context()))
			})
			server.Get("/id", func(req *app.Request, res *app.Response) error { return res.Send(middleware.GetReqID(req.Context())) })
			server.Get("/panics", func(*app.Request, *app.Response) error { panic("no paper") })
			server.Get("/deadline", func(req *app.Request, res *app.Response) error {
				_, ok := req.Context().Deadline()
				return res.JSON(ok)
			})
			w := ask(t, server, test.method, test.url, test.headers...)
			if !test.ok(w) {
				t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
			}
			if name == "Logger" && pattern != "/a" {
				t.Errorf("middleware is told the route %q", pattern)
			}
		})
	}
}

type discardLogger struct{}

func (discardLogger) Print(...any) {}

// A mux of chi is mounted as on one of its own, and knows the parameters of the prefix.
func TestMountedChi(t *testing.T) {
	mux := chi.NewRouter()
	mux.Get("/players/{player}", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, chi.URLParam(r, "team")+" "+chi.URLParam(r, "player")+" "+r.URL.Path)
	})
	server := app.New()
	server.Mount("/teams/:team", mux)
	if w := ask(t, server, "GET", "/teams/reds/players/9"); w.Body.String() != "reds 9 /teams/reds/players/9" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
