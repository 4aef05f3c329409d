package doctor

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// find returns the finding of a check.
func find(t *testing.T, findings []Finding, check string) Finding {
	t.Helper()
	for _, f := range findings {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("no %s in %+v", check, findings)
	return Finding{}
}

// Each of the causes of Socket.IO's page on connection issues is found in a
// site that has it.
func TestCauses(t *testing.T) {
	posts := 0
	shake := func(w http.ResponseWriter, rest string) { fmt.Fprintf(w, `0{"sid":"a","upgrades":[]%s}`, rest) }
	for name, test := range map[string]struct {
		serve              http.HandlerFunc
		check, says, cures string
		state              State
	}{
		"a plain WebSocket server": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") == "" {
				w.WriteHeader(426)
				return
			}
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.WriteHeader(101)
		}, "long-polling", "plain WebSocket server", "a Socket.IO server", Bad},
		"the path does not match": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/socket.io/" {
				w.WriteHeader(404)
				return
			}
			shake(w, "")
		}, "long-polling", "there is one at /api/socket.io/", `path to "/api/socket.io/"`, Bad},
		"no sticky sessions": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method != "POST" {
				shake(w, "")
				return
			}
			if posts++; posts%2 == 0 {
				w.WriteHeader(400)
				fmt.Fprint(w, `{"code":1,"message":"Session ID unknown"}`)
			}
		}, "sessions", "3 of 6 requests reached a server that does not know", "Config.Adapter", Bad},
		"a proxy takes no POST": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				w.WriteHeader(405)
				return
			}
			shake(w, "")
		}, "sessions", "405", "POST", Poor},
		"a proxy closes the connection": {func(w http.ResponseWriter, r *http.Request) {
			shake(w, `,"pingInterval":60000,"pingTimeout":20000`)
		}, "heartbeat", "every 60 s", "proxy_read_timeout", Poor},
		"the tab is throttled": {func(w http.ResponseWriter, r *http.Request) {
			shake(w, `,"pingInterval":2000,"pingTimeout":1000`)
		}, "heartbeat", "1 s for the answer", "PingTimeout", Poor},
		"a huge payload": {func(w http.ResponseWriter, r *http.Request) {
			shake(w, `,"maxPayload":1000000`)
		}, "payload", "at most 1000000 bytes", "", Good},
		"an old server": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `96:0{"sid":"ptzi","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}2:40`)
		}, "long-polling", "version 1 or 2", "client of version 2", Bad},
		"another instance's client": {func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/socket.io.js") {
				fmt.Fprint(w, "/*!\n * Socket.IO v2.4.0\n */")
				return
			}
			shake(w, "")
		}, "client", "/socket.io/socket.io.js has the client 2.4.0", "express-status-monitor", Poor},
		"refused": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			fmt.Fprint(w, `{"code":4,"message":"Forbidden"}`)
		}, "long-polling", "refused", "check of requests", Bad},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.serve)
			defer server.Close()
			findings, err := Site(t.Context(), server.URL, "")
			if err != nil {
				t.Fatal(err)
			}
			f := find(t, findings, test.check)
			if f.State != test.state || !strings.Contains(f.Says, test.says) || !strings.Contains(f.Cure, test.cures) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestProject(t *testing.T) {
	write := func(t *testing.T, files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing":         {nil, "client:ok handlers:ok platform:ok "},
		"npm's":           {map[string]string{"package.json": `{"dependencies":{"socket.io-client":"^4.8.1"}}`}, "client:ok handlers:ok platform:ok "},
		"npm's old":       {map[string]string{"package.json": `{"devDependencies":{"socket.io-client":"~2.4"}}`}, "client:warning handlers:ok platform:ok "},
		"a CDN's ancient": {map[string]string{"views/layouts/main.handlebars": `<script src="https://cdn.socket.io/socket.io-1.4.5.js">`}, "client:error handlers:ok platform:ok "},
		"jsdelivr":        {map[string]string{"public/a.html": `<script src="https://cdn.jsdelivr.net/npm/socket.io-client@4.0.1/dist/socket.io.js">`}, "client:warning handlers:ok platform:ok "},
		"cdnjs":           {map[string]string{"public/a.html": `https://cdnjs.cloudflare.com/ajax/libs/socket.io/4.7.2/socket.io.min.js`}, "client:ok handlers:ok platform:ok "},
		"a copy":          {map[string]string{"public/socket.io.js": "/*!\n * Socket.IO v3.0.4\n */"}, "client:warning handlers:ok platform:ok "},
		"twice":           {map[string]string{"public/a.js": "socket.on(\"connect\", () => {\n  socket.on(\"news\", show);\n});"}, "client:ok handlers:warning platform:ok "},
		"beside":          {map[string]string{"public/a.js": "socket.on(\"connect\", () => {\n  hello();\n});\nsocket.on(\"news\", show);"}, "client:ok handlers:ok platform:ok "},
		"no process":      {map[string]string{"vercel.json": "{}"}, "client:ok handlers:ok platform:warning "},
	} {
		t.Run(name, func(t *testing.T) {
			findings := project(write(t, test.files))
			if got := states(findings); got != test.want {
				t.Errorf("%s, want %s\n%+v", got, test.want, findings)
			}
		})
	}
}

func TestAdvise(t *testing.T) {
	for version, state := range map[string]State{
		"go1.26.8": Poor, "go1.26": Poor, "go1.26.9": Good, "go1.26.10": Good, "go1.27.1": Poor, "go1.27.2": Good, "go1.28rc1": Good,
		"go1.25.14": Poor, "go1.4": Poor, "devel go1.29-abcdef": Good, "": Good, "go1.26.8 X:nodwarf5": Poor,
	} {
		if f := advise(version); f.State != state || (f.State == Good) != (f.Cure == "") {
			t.Errorf("%s: %+v", version, f)
		}
	}
}

func TestPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, number, _ := net.SplitHostPort(ln.Addr().String())
	if f := port(t.Context(), number); f.State != Poor || f.Cure == "" || !strings.Contains(f.Says, number) {
		t.Errorf("%+v", f)
	}
	for _, bad := range []string{"http", "-1", "70000"} {
		if f := port(t.Context(), bad); f.State != Bad {
			t.Errorf("%+v", f)
		}
	}
}
