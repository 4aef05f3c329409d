package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/realtime"
	nodes "github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

func TestPages(t *testing.T) {
	base := serve(t)
	tests := []struct {
		path   string
		status int
		kind   string
		has    []string
	}{
		{"/", 200, "text/html", []string{"<!doctype html>", "<title>The bench · Zócalo</title>", `id="log"`, `aria-current="page"`}},
		{"/music", 200, "text/html", []string{"<title>The bandstand · Zócalo</title>", "What are you listening to?"}},
		{"/nowhere", 404, "text/html", nil},
		{"/pictures/1", 404, "text/html", nil},
		{"/plaza.css", 200, "text/css", []string{"--marigold"}},
		{"/plaza.js", 200, "text/javascript", []string{"emitWithAck"}},
		{"/socket.io/socket.io.js", 200, "javascript", nil},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			res, body := request(t, "GET", base+tt.path, "")
			if res.StatusCode != tt.status || !strings.Contains(res.Header.Get("Content-Type"), tt.kind) {
				t.Errorf("%d %s, want %d %s", res.StatusCode, res.Header.Get("Content-Type"), tt.status, tt.kind)
			}
			for _, text := range tt.has {
				if !strings.Contains(body, text) {
					t.Errorf("the answer lacks %q:\n%s", text, body)
				}
			}
		})
	}
}

func TestViews(t *testing.T) {
	if err := newServer().CheckViews(); err != nil {
		t.Error(err)
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

func TestTwoPeopleTalk(t *testing.T) {
	base := serve(t)
	ana, luis := connect(t, base), connect(t, base)

	var welcome Welcome
	ana.ask(&welcome, "enter", Visit{Name: " Ana\u202e\n", Key: "a", Topic: "plaza"})
	if welcome.You.Name != "Ana" || welcome.Topic.Slug != "plaza" {
		t.Fatalf("Ana was welcomed as %+v", welcome)
	}
	luis.ask(&welcome, "enter", Visit{Name: "ana", Key: "b", Topic: "plaza"})
	if welcome.You.Name != "ana 2" || welcome.People.Count != 2 {
		t.Fatalf("the second ana was welcomed as %+v", welcome)
	}

	var said, again Message
	note := Note{Nonce: "n1", Topic: "plaza", Text: "<b>Hola</b>"}
	ana.ask(&said, "say", note)
	if got := luis.event("message"); !strings.Contains(got, `"name":"Ana"`) {
		t.Errorf("luis got %s", got)
	}
	if ana.ask(&again, "say", note); again != said {
		t.Errorf("a note sent twice became %+v and %+v", said, again)
	}

	// A page that arrives now is rendered with what was said, escaped.
	_, page := request(t, "GET", base, "")
	if strings.Count(page, "&lt;b&gt;Hola&lt;/b&gt;") != 1 {
		t.Errorf("the page does not show the message once, escaped:\n%s", page)
	}

	// One that comes back gets what it missed, and nothing else.
	luis.ask(new(Message), "say", Note{Nonce: "n2", Topic: "plaza", Text: "¿Qué tal?"})
	ana.ask(&welcome, "enter", Visit{Name: "Ana", Key: "a", Topic: "plaza", After: said.At})
	if len(welcome.Messages) != 1 || welcome.Messages[0].Text != "¿Qué tal?" || welcome.Fresh {
		t.Errorf("Ana missed %+v", welcome.Messages)
	}
}

// Two processes of the app are one square.
func TestTwoNodes(t *testing.T) {
	hub := nodes.NewHub(nodes.Options{})
	here, there := node(t, hub), node(t, hub)
	ana, luis := connect(t, here), connect(t, there)
	var welcome Welcome
	ana.ask(&welcome, "enter", Visit{Name: "Ana", Key: "a", Topic: "plaza"})
	luis.ask(&welcome, "enter", Visit{Name: "Luis", Key: "b", Topic: "plaza"})
	for _, c := range []*client{ana, luis} {
		c.sees("people", `{"count":2,"list":[{"name":"Ana",`)
		c.sees("topics", `"plaza":2`)
	}

	// A newcomer on the other node gets what was said, and its picture, but not the name of somebody else.
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	var said, shown, replied Message
	ana.ask(&said, "say", Note{Nonce: "n1", Topic: "plaza", Text: "Hola"})
	ana.ask(&shown, "picture", Note{Nonce: "n2", Topic: "plaza"}, file.Bytes())
	luis.sees("message", `"text":"Hola"`)
	luis.event("picture")
	luis.ask(&replied, "say", Note{Nonce: "n3", Topic: "plaza", Text: "¿Qué tal?"})
	ana.sees("message", `"text":"¿Qué tal?"`)
	if said.At >= shown.At || shown.At >= replied.At {
		t.Errorf("messages at %d, %d, %d", said.At, shown.At, replied.At)
	}
	marta := connect(t, there)
	marta.ask(&welcome, "enter", Visit{Name: "ana", Key: "c", Topic: "plaza"})
	if welcome.You.Name != "ana 2" || welcome.People.Count != 3 || welcome.Topics["plaza"] != 3 || len(welcome.Messages) != 3 {
		t.Errorf("the second ana was welcomed as %+v", welcome)
	}
	if _, body := request(t, "GET", fmt.Sprintf("%s/pictures/%d", there, shown.At), ""); body != file.String() {
		t.Errorf("the other node serves the picture as %d bytes", len(body))
	}

	// A note that is sent again, to another node, is said once.
	var again Message
	if marta.ask(&again, "say", Note{Nonce: "n1", Topic: "plaza", Text: "Hola"}); again.At != said.At {
		t.Errorf("a note sent twice became %+v and %+v", said, again)
	}

	// The page that comes back to the other node keeps its name, while its old socket is still there, too.
	back := connect(t, there)
	back.ask(&welcome, "enter", Visit{Name: "Ana", Key: "a", Topic: "plaza", After: shown.At})
	if welcome.You.Name != "Ana" || welcome.People.Count != 3 || len(welcome.Messages) != 1 {
		t.Errorf("Ana was welcomed back as %+v", welcome)
	}

	ana.sees("people", `{"count":3,`)
	luis.ask(new(Person), "rename", "Lucho")
	ana.sees("people", `"name":"Lucho"`)
	marta.send("41") // goodbye
	ana.sees("people", `{"count":2,`)
	luis.ask(new(Welcome), "enter", Visit{Name: "Lucho", Key: "b", Topic: "music"})
	ana.sees("people", `{"count":1,`)
	ana.sees("topics", `"music":1`)
}

// Nodes that speak in the same millisecond do not give two messages one time.
func TestTurns(t *testing.T) {
	hub := nodes.NewHub(nodes.Options{})
	var squares []*plaza
	for range 3 {
		sockets := realtime.NewServer(realtime.Config{Adapter: hub})
		defer sockets.Close()
		squares = append(squares, newPlaza(sockets))
	}
	for _, p := range squares {
		known := make(chan struct{}, len(squares))
		p.sockets.Node().Watch(func(string, bool) { known <- struct{}{} })
		<-known
		<-known
	}
	seen := make(map[int64]bool)
	for range 100 {
		for _, p := range squares {
			at := p.next()
			if seen[at] {
				t.Fatalf("two messages at %d", at)
			}
			seen[at] = true
		}
	}
}

func TestPicture(t *testing.T) {
	base := serve(t)
	ana, luis := connect(t, base), connect(t, base)
	ana.ask(new(Welcome), "enter", Visit{Topic: "plaza"})
	luis.ask(new(Welcome), "enter", Visit{Topic: "plaza"})

	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	var said Message
	ana.ask(&said, "picture", Note{Nonce: "p1", Topic: "plaza"}, file.Bytes())
	if said.Picture == nil || said.Picture.Width != 3 || said.Picture.Height != 2 {
		t.Fatalf("the picture became %+v", said)
	}
	luis.event("picture")
	if got := luis.next(); got != "b"+base64.StdEncoding.EncodeToString(file.Bytes()) {
		t.Errorf("luis got %q after the event, want the bytes of the picture", got)
	}
	res, body := request(t, "GET", fmt.Sprintf("%s/pictures/%d", base, said.At), "")
	if res.Header.Get("Content-Type") != "image/png" || body != file.String() {
		t.Errorf("the picture is served as %s, %d bytes", res.Header.Get("Content-Type"), len(body))
	}

	var refused struct{ Error string }
	if ana.ask(&refused, "picture", Note{Nonce: "p2", Topic: "plaza"}, []byte("<svg onload=x>")); refused.Error == "" {
		t.Error("text was taken for a picture")
	}
}

func TestRefusals(t *testing.T) {
	ana := connect(t, serve(t))
	refused := func(event string, args ...any) string {
		var answer struct{ Error string }
		ana.ask(&answer, event, args...)
		return answer.Error
	}
	if got := refused("say", Note{Nonce: "1", Topic: "plaza", Text: "hola"}); got != errStranger.Error() {
		t.Errorf("a stranger who talks is told %q", got)
	}
	if got := refused("enter", Visit{Topic: "elsewhere"}); got == "" {
		t.Error("there is a topic elsewhere")
	}
	ana.ask(new(Welcome), "enter", Visit{Topic: "plaza"})
	for _, text := range []string{"", " \x00\n ", strings.Repeat("a", maxText+1)} {
		if refused("say", Note{Nonce: "1", Topic: "plaza", Text: text}) == "" {
			t.Errorf("%.20q was said", text)
		}
	}
	for i := 0; ; i++ {
		got := refused("say", Note{Nonce: fmt.Sprint("flood", i), Topic: "plaza", Text: "hola"})
		if got == errFlood.Error() {
			break
		}
		if got != "" || i > 10*burst {
			t.Fatalf("message %d of a flood: %q", i, got)
		}
	}
}

func TestRoomForgets(t *testing.T) {
	var place room
	for at := range int64(200) {
		m := Message{At: at}
		if at%2 == 0 {
			m.Picture = &Picture{}
		}
		place.remember(m)
	}
	pictures := 0
	for _, m := range place.messages {
		if m.Picture != nil {
			pictures++
		}
	}
	if len(place.messages) > keepMessages || pictures > keepPictures || place.forgotten == 0 {
		t.Errorf("it keeps %d messages, %d with pictures", len(place.messages), pictures)
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"  Ana   María\t":              "Ana María",
		"\u202eevil\x00\x1b[31m":       "evil[31m",
		"a\u200b\nb":                   "a b",
		strings.Repeat("ñ", 2*maxName): strings.Repeat("ñ", maxName),
	} {
		if got := line(in); got != want {
			t.Errorf("line(%q) = %q, want %q", in, got, want)
		}
	}
}

// serve runs the app on a free port until the test ends, and returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	return run(t, newServer())
}

// node runs the sockets and pictures of the app as one of several nodes.
func node(t *testing.T, hub *nodes.Hub) string {
	t.Helper()
	server := app.New()
	sockets := realtime.NewServer(realtime.Config{Adapter: hub})
	plaza := newPlaza(sockets)
	sockets.On("connection", plaza.connected)
	server.Mount("/socket.io", sockets)
	server.Get("/pictures/:at", plaza.picture)
	return run(t, server)
}

func run(t *testing.T, server *app.App) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("the app stopped with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return "http://" + l.Addr().String()
}

func request(t *testing.T, method, url, body string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
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
	return res, string(text)
}

// A client is a Socket.IO client reduced to what fits here: it polls.
type client struct {
	t       *testing.T
	url     string
	packets []string // that came and were not read yet
	asked   int
}

func connect(t *testing.T, base string) *client {
	t.Helper()
	c := &client{t: t, url: base + "/socket.io/?EIO=4&transport=polling"}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(c.next(), "0")), &open); err != nil {
		t.Fatal(err)
	}
	c.url += "&sid=" + url.QueryEscape(open.SID)
	c.send("40")
	c.until("40")
	return c
}

// send posts the packets of one payload.
func (c *client) send(packets ...string) {
	c.t.Helper()
	if res, body := request(c.t, "POST", c.url, strings.Join(packets, "\x1e")); res.StatusCode != 200 {
		c.t.Fatalf("POST %.60q: %d %s", packets, res.StatusCode, body)
	}
}

// next returns the next packet, and answers the server's heartbeat.
func (c *client) next() string {
	c.t.Helper()
	for {
		if len(c.packets) == 0 {
			res, body := request(c.t, "GET", c.url, "")
			if res.StatusCode != 200 {
				c.t.Fatalf("poll: %d %s", res.StatusCode, body)
			}
			c.packets = strings.Split(body, "\x1e")
		}
		packet := c.packets[0]
		c.packets = c.packets[1:]
		if packet != "2" {
			return packet
		}
		c.send("3")
	}
}

// until skips packets to the one that begins with the prefix, and returns the rest of it.
func (c *client) until(prefix string) string {
	c.t.Helper()
	for {
		if rest, ok := strings.CutPrefix(c.next(), prefix); ok {
			return rest
		}
	}
}

// event waits for an event, text or with one attachment.
func (c *client) event(name string) string {
	c.t.Helper()
	for {
		packet := c.next()
		if rest, ok := strings.CutPrefix(packet, `42["`+name+`",`); ok {
			return rest
		}
		if rest, ok := strings.CutPrefix(packet, `451-["`+name+`",`); ok {
			return rest
		}
	}
}

// sees waits for an event that has this in it.
func (c *client) sees(name, text string) {
	c.t.Helper()
	for !strings.Contains(c.event(name), text) {
	}
}

// ask emits an event and waits for its acknowledgement. A []byte is sent as an attachment.
func (c *client) ask(answer any, event string, args ...any) {
	c.t.Helper()
	kind, attachments := "42", []string(nil)
	for i, arg := range args {
		if data, ok := arg.([]byte); ok {
			kind = "451-"
			attachments = []string{"b" + base64.StdEncoding.EncodeToString(data)}
			args[i] = map[string]any{"_placeholder": true, "num": 0}
		}
	}
	text, err := json.Marshal(append([]any{event}, args...))
	if err != nil {
		c.t.Fatal(err)
	}
	c.asked++
	c.send(append([]string{fmt.Sprintf("%s%d%s", kind, c.asked, text)}, attachments...)...)
	if err := json.Unmarshal([]byte(c.until(fmt.Sprintf("43%d", c.asked))), &[]any{answer}); err != nil {
		c.t.Fatal(err)
	}
}
