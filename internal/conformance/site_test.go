package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A site serves a contract, with a heartbeat too slow to be met, to raw exchanges.
type site struct {
	t    *testing.T
	url  string
	path string
}

func newSite(t *testing.T, contract string) *site {
	t.Helper()
	handler, err := Handler(contract, func(name string) string {
		return map[string]string{"PING_INTERVAL": "60000", "PING_TIMEOUT": "60000", "CONNECT_TIMEOUT": "60000"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	path := "/socket.io/"
	if strings.HasPrefix(contract, "eio") {
		path = "/engine.io/"
	}
	return newSiteOf(t, handler, path)
}

func newSiteOf(t *testing.T, handler http.Handler, path string) *site {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		if closer, ok := handler.(io.Closer); ok {
			closer.Close()
		}
		server.CloseClientConnections()
		server.Close()
	})
	return &site{t: t, url: server.URL, path: path}
}

// An answer is an HTTP response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes one request of a page on another origin. A nil body is none; header holds names and values in turn.
func (s *site) send(ctx context.Context, method, pathAndQuery string, body io.Reader, header ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+pathAndQuery, body)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Origin", "http://elsewhere.example")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(data)}, err
}

// do is send for exchanges that must succeed, in 10 s, relative to the contract's path.
func (s *site) do(method, query, body string, header ...string) answer {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	var reader io.Reader
	if method == http.MethodPost || body != "" {
		reader = strings.NewReader(body)
	}
	got, err := s.send(ctx, method, s.path+query, reader, header...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, query, err)
	}
	return got
}

// open shakes hands over polling and returns the session's id.
func (s *site) open() string {
	s.t.Helper()
	got := s.do("GET", "?EIO=4&transport=polling", "")
	var handshake struct{ SID string }
	if got.status != 200 || !strings.HasPrefix(got.body, "0") {
		s.t.Fatalf("handshake: %d %q", got.status, got.body)
	}
	first, _, _ := strings.Cut(got.body[1:], "\x1e")
	if err := json.Unmarshal([]byte(first), &handshake); err != nil {
		s.t.Fatalf("handshake: %v in %q", err, got.body)
	}
	return handshake.SID
}

// join is open, followed by a CONNECT to the main namespace whose answers are read.
func (s *site) join() string {
	s.t.Helper()
	sid := s.open()
	if got := s.post(sid, "40"); got.body != "ok" {
		s.t.Fatalf("CONNECT: %d %q", got.status, got.body)
	}
	for packets := 0; packets < 2; { // CONNECT and the event "auth"
		packets += len(strings.Split(s.poll(sid).body, "\x1e"))
	}
	return sid
}

func session(sid string) string { return "?EIO=4&transport=polling&sid=" + sid }

func (s *site) poll(sid string) answer {
	s.t.Helper()
	return s.do("GET", session(sid), "")
}

func (s *site) post(sid, body string) answer {
	s.t.Helper()
	return s.do("POST", session(sid), body, "Content-Type", "text/plain;charset=UTF-8")
}

// expect checks an answer of status and body.
func (s *site) expect(got answer, status int, body string) {
	s.t.Helper()
	if got.status != status || got.body != body {
		s.t.Errorf("got %d %q, want %d %q", got.status, got.body, status, body)
	}
}

// gone checks that the session has ended.
func (s *site) gone(sid string) {
	s.t.Helper()
	s.expect(s.poll(sid), 400, `{"code":1,"message":"Session ID unknown"}`)
}

// A frame is a message on a WebSocket.
type frame struct {
	binary bool
	data   string
}

func text(data string) frame   { return frame{data: data} }
func binary(data string) frame { return frame{binary: true, data: data} }

// A line is a raw WebSocket to a site.
type line struct {
	t    *testing.T
	conn *websocket.Conn
}

// tryDial opens a WebSocket, or returns the answer that refused it.
func (s *site) tryDial(query string) (*line, answer) {
	s.t.Helper()
	conn, response, err := websocket.Dial(s.t.Context(), s.url+s.path+query, &websocket.DialOptions{
		CompressionMode: websocket.CompressionContextTakeover, // offered, to see that it is not taken
	})
	if err != nil {
		if response == nil {
			s.t.Fatalf("dial %s: %v", query, err)
		}
		data, err := io.ReadAll(response.Body)
		if err != nil {
			s.t.Fatalf("dial %s: %v", query, err)
		}
		return nil, answer{response.StatusCode, response.Header, string(data)}
	}
	conn.SetReadLimit(-1)
	s.t.Cleanup(func() { conn.CloseNow() })
	return &line{s.t, conn}, answer{response.StatusCode, response.Header, ""}
}

func (s *site) dial(query string) *line {
	s.t.Helper()
	l, refusal := s.tryDial(query)
	if l == nil {
		s.t.Fatalf("dial %s: %d %s", query, refusal.status, refusal.body)
	}
	return l
}

// talk opens a session on a WebSocket and joins the main namespace.
func (s *site) talk() *line {
	s.t.Helper()
	l := s.dial("?EIO=4&transport=websocket")
	l.read() // the handshake
	l.send(text("40"))
	l.read() // CONNECT
	l.read() // the event "auth"
	return l
}

func (l *line) send(frames ...frame) {
	l.t.Helper()
	for _, f := range frames {
		kind := websocket.MessageText
		if f.binary {
			kind = websocket.MessageBinary
		}
		if err := l.conn.Write(l.t.Context(), kind, []byte(f.data)); err != nil {
			l.t.Fatalf("sending %q: %v", f.data, err)
		}
	}
}

// next returns the next frame, or the code and the reason of the close: 1006 when there was no close frame.
func (l *line) next() (frame, *websocket.CloseError) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer cancel()
	kind, data, err := l.conn.Read(ctx)
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return frame{}, &closed
	case errors.Is(err, io.EOF):
		return frame{}, &websocket.CloseError{Code: websocket.StatusAbnormalClosure}
	case err != nil:
		l.t.Fatalf("reading: %v", err)
	}
	return frame{kind == websocket.MessageBinary, string(data)}, nil
}

func (l *line) read() frame {
	l.t.Helper()
	f, closed := l.next()
	if closed != nil {
		l.t.Fatalf("closed with %d %q", closed.Code, closed.Reason)
	}
	return f
}

// expect checks the next frames.
func (l *line) expect(frames ...frame) {
	l.t.Helper()
	for _, want := range frames {
		if got := l.read(); got != want {
			l.t.Fatalf("got %+v, want %+v", got, want)
		}
	}
}

// closed checks that nothing but the close comes, with a code and no reason.
func (l *line) closed(code websocket.StatusCode) {
	l.t.Helper()
	f, closed := l.next()
	if closed == nil {
		l.t.Fatalf("got %+v, want the close", f)
	}
	if closed.Code != code || closed.Reason != "" {
		l.t.Errorf("closed with %d %q, want %d and no reason", closed.Code, closed.Reason, code)
	}
}
