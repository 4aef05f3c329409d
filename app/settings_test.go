package app_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/zocalo-go/zocalo/app"
)

func TestUnknownSettingPanicsWithTheNearest(t *testing.T) {
	message := panics(t, func() { app.New().Set("veiw engine", "handlebars") })
	if !strings.Contains(message, `did you mean "view engine"?`) {
		t.Error(message)
	}
	message = panics(t, func() { app.New().Set("title", "My site") })
	if !strings.Contains(message, "App.Locals") || strings.Contains(message, "did you mean") {
		t.Error(message)
	}
}

func TestSettingsRefuseWhatDoesNotFit(t *testing.T) {
	for name, value := range map[string]any{
		"env": "staging", "etag": "soft", "views": 1, "view cache": "yes", "body limit": "lots", "shutdown timeout": 10,
		"trust proxy": "the one over there", "strict routing": 1, "json spaces": true,
	} {
		if message := panics(t, func() { app.New().Set(name, value) }); !strings.HasPrefix(message, `app: setting "`+name+`": `) {
			t.Errorf("%s: %q", name, message)
		}
	}
	for _, limit := range []any{0, -1, "0kb", "kb", "", "5 apples"} {
		panics(t, func() { app.New().Set("body limit", limit) })
	}
	server := app.New()
	server.Get("/", text(""))
	if message := panics(t, func() { server.Enable("strict routing") }); !strings.Contains(message, "before") {
		t.Error(message)
	}
}

func TestSettingIsWhatWasSet(t *testing.T) {
	server := app.New()
	views := fstest.MapFS{}
	server.Set("views", views).Enable("x-powered-by").Set("body limit", "1.5MB").Disable("etag")
	if server.Setting("views") == nil || !server.Enabled("x-powered-by") || !server.Disabled("etag") || server.Setting("view engine") != nil {
		t.Error("a setting was not kept")
	}
	if got := do(server, "GET", "/").Header().Get("X-Powered-By"); got == "" {
		t.Error("x-powered-by is not sent")
	}
}

// One address is the same in each of its forms, of IPv4, mapped into IPv6, and with a zone.
func TestTrustedAddresses(t *testing.T) {
	for _, test := range []struct{ trust, remote, want string }{
		{"10.0.0.1", "10.0.0.1:5", "6.6.6.6"},
		{"10.0.0.1", "[::ffff:10.0.0.1]:5", "6.6.6.6"},
		{"::ffff:10.0.0.1", "10.0.0.1:5", "6.6.6.6"},
		{"::ffff:10.0.0.0/104", "10.0.0.1:5", "6.6.6.6"},
		{"10.0.0.0/255.0.0.0", "10.9.9.9:5", "6.6.6.6"},
		{"linklocal", "[fe80::1%eth0]:5", "6.6.6.6"},
		{"10.0.0.1", "10.0.0.2:5", "10.0.0.2"},
		{"2001:db8::/32", "32.1.13.184:5", "32.1.13.184"},
	} {
		server := app.New().Set("trust proxy", test.trust)
		server.Get("/", func(req *app.Request, res *app.Response) error { return res.Send(req.IP()) })
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.remote
		r.Header.Set("X-Forwarded-For", "6.6.6.6")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Body.String() != test.want {
			t.Errorf("%s from %s: %s, want %s", test.trust, test.remote, w.Body, test.want)
		}
	}
	for _, wrong := range []string{"10.0.0.0/33", "::1/129", "10.0.0.0/-1", "10.0.0.0/255.0.255.0", "nowhere"} {
		panics(t, func() { app.New().Set("trust proxy", wrong) })
	}
}

func TestProxyIsNotTrustedUnlessSet(t *testing.T) {
	server := app.New()
	server.Get("/", func(req *app.Request, res *app.Response) error {
		return res.Send(req.IP() + " " + req.Protocol() + " " + req.Hostname())
	})
	w := do(server, "GET", "/", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example")
	expect(t, w, 200, "192.0.2.1 http example.com")
}
