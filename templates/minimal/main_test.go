package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	base := serve(t)
	for path, has := range map[string]string{
		"/":                       "<title>Hello</title>",
		"/style.css":              "body",
		"/main.js":                "emitWithAck",
		"/socket.io/socket.io.js": "io",
	} {
		if body := request(t, "GET", base+path, ""); !strings.Contains(body, has) {
			t.Errorf("%s lacks %q:\n%.500s", path, has, body)
		}
	}
}

func TestViews(t *testing.T) {
	if err := newServer().CheckViews(); err != nil {
		t.Error(err)
	}
}

func TestWave(t *testing.T) {
	base := serve(t)
	ana, luis := connect(t, base), connect(t, base)
	ana.send(`420["wave"]`) // the event, acknowledged as number 0
	if got := ana.next(); got != "430[1]" {
		t.Errorf("Ana's wave is answered with %s", got)
	}
	if got := luis.next(); got != `42["waves",1]` {
		t.Errorf("Luis sees %s", got)
	}
	if body := request(t, "GET", base, ""); !strings.Contains(body, `<b id="waves">1</b>`) {
		t.Errorf("a page that comes later does not know of the wave:\n%s", body)
	}
}

func TestHealth(t *testing.T) {
	_, port, _ := strings.Cut(strings.TrimPrefix(serve(t), "http://"), ":")
	t.Setenv("PORT", port)
	if err := healthy(); err != nil {
		t.Error(err)
	}
	t.Setenv("PORT", "1")
	if healthy() == nil {
		t.Error("an app that is not there is healthy")
	}
}

// serve runs the app on a free port until the test ends, and returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- newServer().Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("the app stopped with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return "http://" + l.Addr().String()
}

func request(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%s %s: %s %s %v", method, url, res.Status, text, err)
	}
	return string(text)
}

// A client is a Socket.IO client reduced to what fits here: it polls.
type client struct {
	t       *testing.T
	url     string
	packets []string // that came and were not read yet
}

func connect(t *testing.T, base string) *client {
	t.Helper()
	c := &client{t: t, url: base + "/socket.io/?EIO=4&transport=polling"}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(c.next(), "0")), &open); err != nil {
		t.Fatal(err)
	}
	c.url += "&sid=" + open.SID
	c.send("40")
	if got := c.next(); !strings.HasPrefix(got, "40") {
		t.Fatalf("the server answers a connection with %s", got)
	}
	return c
}

func (c *client) send(packet string) {
	c.t.Helper()
	request(c.t, "POST", c.url, packet)
}

func (c *client) next() string {
	c.t.Helper()
	if len(c.packets) == 0 {
		c.packets = strings.Split(request(c.t, "GET", c.url, ""), "\x1e")
	}
	packet := c.packets[0]
	c.packets = c.packets[1:]
	return packet
}
