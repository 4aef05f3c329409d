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

func TestNotes(t *testing.T) {
	base := serve(t)
	for _, step := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/", "", 200, `{"notes":"/api/notes"}`},
		{"GET", "/api/notes", "", 200, `[]`},
		{"POST", "/api/notes", `{"text":" Hola "}`, 201, `{"id":1,"text":"Hola"}`},
		{"POST", "/api/notes", `{"id":7,"text":"¿Qué tal?"}`, 201, `{"id":2,"text":"¿Qué tal?"}`},
		{"GET", "/api/notes/2", "", 200, `{"id":2,"text":"¿Qué tal?"}`},
		{"DELETE", "/api/notes/1", "", 204, ``},
		{"GET", "/api/notes", "", 200, `[{"id":2,"text":"¿Qué tal?"}]`},
		{"GET", "/api/notes/1", "", 404, `{"error":"there is no note \"1\""}`},
		{"DELETE", "/api/notes/x", "", 404, `{"error":"there is no note \"x\""}`},
		{"POST", "/api/notes", `{"text":""}`, 422, `{"error":"text must have 1 to 1000 characters"}`},
		{"GET", "/nowhere", "", 404, `{"error":"there is no GET /nowhere"}`},
		{"GET", "/health", "", 200, `{"status":"ok"}`},
	} {
		status, body := request(t, step.method, base+step.path, step.body)
		if status != step.status || strings.TrimSpace(body) != step.answer {
			t.Errorf("%s %s: %d %s, want %d %s", step.method, step.path, status, body, step.status, step.answer)
		}
	}
	if status, body := request(t, "POST", base+"/api/notes", `{"text":`); status != 400 || !strings.Contains(body, `{"error":"`) {
		t.Errorf("half a note: %d %s", status, body)
	}
}

func TestEverybodyHears(t *testing.T) {
	base := serve(t)
	ana := connect(t, base)
	request(t, "POST", base+"/api/notes", `{"text":"Hola"}`)
	if got := ana.next(); got != `42["note created",{"id":1,"text":"Hola"}]` {
		t.Errorf("Ana hears %s", got)
	}
	request(t, "DELETE", base+"/api/notes/1", "")
	if got := ana.next(); got != `42["note removed",{"id":1,"text":"Hola"}]` {
		t.Errorf("Ana hears %s", got)
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

func request(t *testing.T, method, url, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
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
	if status, body := request(t, "POST", c.url, "40"); status != 200 {
		t.Fatalf("connect: %d %s", status, body)
	}
	if got := c.next(); !strings.HasPrefix(got, "40") {
		t.Fatalf("the server answers a connection with %s", got)
	}
	return c
}

func (c *client) next() string {
	c.t.Helper()
	if len(c.packets) == 0 {
		status, body := request(c.t, "GET", c.url, "")
		if status != 200 {
			c.t.Fatalf("poll: %d %s", status, body)
		}
		c.packets = strings.Split(body, "\x1e")
	}
	packet := c.packets[0]
	c.packets = c.packets[1:]
	return packet
}
