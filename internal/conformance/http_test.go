package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// failure is the body of a refusal.
func failure(code int, message string) string {
	return fmt.Sprintf(`{"code":%d,"message":%q}`, code, message)
}

// TestRefusals is the table of what engine.io answers to requests that cannot be served.
func TestRefusals(t *testing.T) {
	s := newSite(t, "sio5")
	for _, test := range []struct {
		name, method, query string
		status              int
		body                string
	}{
		{"no transport", "GET", "?EIO=4", 400, failure(0, "Transport unknown")},
		{"unknown transport", "GET", "?EIO=4&transport=abc", 400, failure(0, "Transport unknown")},
		{"transport constructor", "GET", "?EIO=4&transport=constructor", 400, failure(0, "Transport unknown")},
		{"transport __proto__", "GET", "?EIO=4&transport=__proto__", 400, failure(0, "Transport unknown")},
		{"unknown sid", "GET", "?EIO=4&transport=polling&sid=abc", 400, failure(1, "Session ID unknown")},
		{"sid __proto__", "GET", "?EIO=4&transport=polling&sid=__proto__", 400, failure(1, "Session ID unknown")},
		{"POST to an unknown sid", "POST", "?EIO=4&transport=polling&sid=abc", 400, failure(1, "Session ID unknown")},
		{"POST without sid", "POST", "?EIO=4&transport=polling", 400, failure(2, "Bad handshake method")},
		{"PUT without sid", "PUT", "?EIO=4&transport=polling", 400, failure(2, "Bad handshake method")},
		{"DELETE without sid", "DELETE", "?EIO=4&transport=polling", 400, failure(2, "Bad handshake method")},
		{"HEAD", "HEAD", "?EIO=4&transport=polling", 400, ""},
		{"websocket without an upgrade", "GET", "?EIO=4&transport=websocket", 400, failure(3, "Bad request")},
		{"no EIO", "GET", "?transport=polling", 400, failure(5, "Unsupported protocol version")},
		{"EIO 3", "GET", "?EIO=3&transport=polling", 400, failure(5, "Unsupported protocol version")},
		{"EIO 5", "GET", "?EIO=5&transport=polling", 400, failure(5, "Unsupported protocol version")},
		{"EIO abc", "GET", "?EIO=abc&transport=polling", 400, failure(5, "Unsupported protocol version")},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &site{t, s.url, s.path}
			got := s.do(test.method, test.query, "")
			s.expect(got, test.status, test.body)
			if test.body != "" && !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
				t.Errorf("Content-Type %q", got.header.Get("Content-Type"))
			}
			if origin := got.header.Get("Access-Control-Allow-Origin"); origin != "*" {
				t.Errorf("Access-Control-Allow-Origin %q: a page elsewhere could not read why", origin)
			}
		})
	}

	t.Run("allowRequest", func(t *testing.T) {
		s := newSite(t, "eioc")
		s.expect(s.do("GET", "?EIO=4&transport=polling&deny", ""), 403, failure(4, "Forbidden"))
	})
	t.Run("another transport than the session's", func(t *testing.T) {
		s := newSite(t, "sio5")
		sid := s.open()
		s.expect(s.do("GET", "?EIO=4&transport=websocket&sid="+sid, ""), 400, failure(3, "Bad request"))
		s.expect(s.post(sid, "40"), 200, "ok")
	})
	t.Run("PUT to a session", func(t *testing.T) {
		s := newSite(t, "sio5")
		s.expect(s.do("PUT", session(s.open()), ""), 500, "")
	})
}

func TestPath(t *testing.T) {
	s := newSite(t, "sio5")
	for path, status := range map[string]int{
		"/socket.io/?EIO=4&transport=polling":    200,
		"/socket.io/foo?EIO=4&transport=polling": 200,
		"/socket.io?EIO=4&transport=polling":     404,
		"/?EIO=4&transport=polling":              404,
		"/elsewhere/?EIO=4&transport=polling":    404,
	} {
		got, err := s.send(t.Context(), "GET", path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.status != status {
			t.Errorf("%s: %d, want %d", path, got.status, status)
		}
	}
}

func TestHandshake(t *testing.T) {
	for _, contract := range []string{"eio4", "sio5"} {
		for transport, upgrades := range map[string][]any{"polling": {"websocket"}, "websocket": {}} {
			t.Run(contract+" "+transport, func(t *testing.T) {
				s := newSite(t, contract)
				var packet string
				if query := "?EIO=4&transport=" + transport; transport == "polling" {
					packet = s.do("GET", query, "").body
				} else {
					packet = s.dial(query).read().data
				}
				var got map[string]any
				if err := json.Unmarshal([]byte(strings.TrimPrefix(packet, "0")), &got); err != nil {
					t.Fatal(err)
				}
				if sid, _ := got["sid"].(string); len(sid) < 20 {
					t.Errorf("sid %q is easy to guess", sid)
				}
				delete(got, "sid")
				want := map[string]any{"upgrades": upgrades, "pingInterval": 60000., "pingTimeout": 60000., "maxPayload": 1e6}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		}
	}
}

func TestPreflight(t *testing.T) {
	s := newSite(t, "sio5")
	got := s.do("OPTIONS", "?EIO=4&transport=polling", "",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-token, content-type")
	if got.status != 204 {
		t.Errorf("status %d", got.status)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  "*",
		"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
		"Access-Control-Allow-Headers": "x-token, content-type",
	} {
		if got := got.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if vary := got.header.Values("Vary"); !strings.Contains(strings.Join(vary, ","), "Access-Control-Request-Headers") {
		t.Errorf("Vary: %q", vary)
	}
}

func TestPollingHeaders(t *testing.T) {
	s := newSite(t, "sio5")
	sid := s.open()
	posted := s.post(sid, "40")
	s.expect(posted, 200, "ok")
	polled := s.poll(sid)
	for _, test := range []struct {
		got  answer
		name string
		want string
	}{
		{posted, "Content-Type", "text/html"},
		{posted, "Cache-Control", "no-store"},
		{posted, "Access-Control-Allow-Origin", "*"},
		{polled, "Content-Type", "text/plain; charset=UTF-8"},
		{polled, "Cache-Control", "no-store"},
		{polled, "Access-Control-Allow-Origin", "*"},
	} {
		if got := test.got.header.Get(test.name); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestInitialHeaders(t *testing.T) {
	s := newSite(t, "eioc")
	got := s.do("GET", "?EIO=4&transport=polling", "").header.Values("Set-Cookie")
	if len(got) != 4 || got[0] != "1=1; Max-Age=86400" {
		t.Errorf("cookies %q", got)
	}
	_, switched := s.tryDial("?EIO=4&transport=websocket")
	if got := switched.header.Values("Set-Cookie"); len(got) != 4 {
		t.Errorf("cookies of the WebSocket %q", got)
	}
}

// TestPayloads is the table of what a POST may carry. The session either goes on and echoes, or is gone.
func TestPayloads(t *testing.T) {
	for _, test := range []struct {
		name, body string
		echo       string // the poll's body, where the session goes on
	}{
		{"one packet", "4hello", "4hello"},
		{"several packets", "4one\x1e4two\x1e4", "4one\x1e4two\x1e4"},
		{"binary", "bAQIDBA==", "bAQIDBA=="},
		{"text and binary", "4a\x1ebAQ==\x1e4b", "4a\x1ebAQ==\x1e4b"},
		{"text beyond ASCII", "4żółć 漢字 🎉", "4żółć 漢字 🎉"},
		{"ignored packets", "6\x1e3\x1e4hello", "4hello"},
		{"empty", "", ""},
		{"unknown type", "abc", ""},
		{"a ping from the client", "2", ""},
		{"bad base64", "b!!!", ""}, // engine.io takes what it can read of it
		{"only separators", "\x1e\x1e\x1e", ""},
		{"a bad packet behind a good one", "4hello\x1eabc", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, "eio4")
			sid := s.open()
			s.expect(s.post(sid, test.body), 200, "ok")
			if test.echo == "" {
				s.gone(sid)
				return
			}
			var packets []string
			for want := strings.Split(test.echo, "\x1e"); len(packets) < len(want); {
				packets = append(packets, strings.Split(s.poll(sid).body, "\x1e")...)
			}
			if got := strings.Join(packets, "\x1e"); got != test.echo {
				t.Errorf("got %q, want %q", got, test.echo)
			}
		})
	}
}

// TestGoodPacketBeforeBad has others see that the first packet of a bad payload was handled.
func TestGoodPacketBeforeBad(t *testing.T) {
	s := newSite(t, "bench")
	l := s.dial("?EIO=4&transport=websocket")
	l.read()
	l.send(text("40"))
	l.read()
	sid := s.open()
	s.expect(s.post(sid, "40"), 200, "ok")
	s.poll(sid)
	s.expect(s.post(sid, "42[\"broadcast\",\"good\"]\x1eabc"), 200, "ok")
	l.expect(text(`42["tick","good"]`))
	s.gone(sid)
}

// TestPollCompression polls as a client that reads gzip, which it asks for itself, so that it gets what was written.
func TestPollCompression(t *testing.T) {
	for _, test := range []struct {
		name, message, accept, coding string
	}{
		{"long", strings.Repeat("a", 1023), "gzip, deflate", "gzip"}, // with its type, 1024 bytes
		{"long, for deflate", strings.Repeat("a", 1023), "deflate", "deflate"},
		{"short", strings.Repeat("a", 1022), "gzip, deflate", ""},
		{"not accepted", strings.Repeat("a", 5000), "identity", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, "eio4")
			sid := s.open()
			s.expect(s.post(sid, "4"+test.message), 200, "ok")
			got := s.do("GET", session(sid), "", "Accept-Encoding", test.accept)
			if coding := got.header.Get("Content-Encoding"); coding != test.coding {
				t.Errorf("Content-Encoding %q, want %q", coding, test.coding)
			}
			if plain := got.body == "4"+test.message; plain != (test.coding == "") {
				t.Errorf("got %d bytes", len(got.body))
			}
		})
	}
}

func TestPayloadLimit(t *testing.T) {
	fits, tooLong := "4"+strings.Repeat("é", 49)+"x", "4"+strings.Repeat("é", 50)
	if len(fits) != 100 || len(tooLong) != 101 {
		t.Fatal("the limit is 100 bytes")
	}
	s := newSite(t, "eioc")
	sid := s.open()
	s.expect(s.post(sid, tooLong), 413, "")
	chunked, err := s.send(t.Context(), "POST", s.path+session(sid), io.MultiReader(strings.NewReader(tooLong)))
	if err != nil {
		t.Fatal(err)
	}
	s.expect(chunked, 413, "")
	s.expect(s.post(sid, fits), 200, "ok")
	for !slices.Contains(strings.Split(s.poll(sid).body, "\x1e"), fits) { // the greeting may come before
	}
}

func TestOctetStream(t *testing.T) {
	s := newSite(t, "eio4")
	sid := s.open()
	s.expect(s.do("POST", session(sid), "4hello", "Content-Type", "application/octet-stream"), 400, "")
	s.gone(sid)
}

// together sends requests at the same time and returns their answers as "status body", sorted.
func (s *site) together(requests ...func(ctx context.Context) (answer, error)) []string {
	s.t.Helper()
	answers := make(chan string)
	for _, request := range requests {
		go func() {
			got, err := request(s.t.Context())
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- fmt.Sprintf("%d %s", got.status, got.body)
		}()
	}
	var out []string
	for range requests {
		out = append(out, <-answers)
	}
	slices.Sort(out)
	return out
}

func TestTwoPolls(t *testing.T) {
	s := newSite(t, "eio4")
	sid := s.open()
	poll := func(ctx context.Context) (answer, error) { return s.send(ctx, "GET", s.path+session(sid), nil) }
	got := s.together(poll, poll)
	// Which of the two arrives second is up to the network.
	if got[0] != "200 1" || !strings.HasPrefix(got[1], "400 ") {
		t.Errorf("got %q, want 200 1 and 400", got)
	}
	s.gone(sid)
}

func TestCloseWhilePolling(t *testing.T) {
	s := newSite(t, "eio4")
	for range 20 {
		sid := s.open()
		got := s.together(
			func(ctx context.Context) (answer, error) { return s.send(ctx, "GET", s.path+session(sid), nil) },
			func(ctx context.Context) (answer, error) {
				return s.send(ctx, "POST", s.path+session(sid), strings.NewReader("1"))
			},
		)
		if want := []string{"200 6", "200 ok"}; !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		s.gone(sid)
	}
}

// raw opens a connection and writes a request on it by hand.
func (s *site) raw(format string, args ...any) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(conn, format, args...); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// TestBodyInPieces posts a message that arrives piece by piece, with its length before it and without.
func TestBodyInPieces(t *testing.T) {
	const message = "4zócalo 🎉"
	for name, body := range map[string]struct {
		header string
		pieces func(conn net.Conn, piece string)
		end    string
	}{
		"with its length": {fmt.Sprintf("Content-Length: %d", len(message)), func(conn net.Conn, piece string) { io.WriteString(conn, piece) }, ""},
		"chunked": {"Transfer-Encoding: chunked", func(conn net.Conn, piece string) {
			fmt.Fprintf(conn, "%x\r\n%s\r\n", len(piece), piece)
		}, "0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "eio4")
			sid := s.open()
			conn := s.raw("POST %s%s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", s.path, session(sid), body.header)
			for i := range len(message) {
				body.pieces(conn, message[i:i+1]) // also within a character
			}
			io.WriteString(conn, body.end)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || response.StatusCode != 200 {
				t.Fatalf("%v, %v", response, err)
			}
			s.expect(s.poll(sid), 200, message)
		})
	}
}

// TestInvalidOrigin sends a header that no HTTP message may have.
func TestInvalidOrigin(t *testing.T) {
	s := newSite(t, "eio4")
	conn := s.raw("GET %s?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: http://e\x01il\r\n\r\n", s.path)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != 400 {
		t.Errorf("%v, %v", response, err)
	}
}

func TestTwoPosts(t *testing.T) {
	s := newSite(t, "eio4")
	sid := s.open()
	first := s.raw("POST %s%s HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n", s.path, session(sid))
	reader := bufio.NewReader(first)
	// The interim answer comes when the server starts to read the body: the first POST is in hand.
	if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	second := s.post(sid, "4hello")
	if second.status != 400 {
		t.Errorf("the second POST: %d %q", second.status, second.body)
	}
	s.gone(sid)
	reader.ReadString('\n') // the blank line of the interim answer
	response, err := http.ReadResponse(reader, nil)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		t.Error("the first POST is still waited for, though its session is gone")
	case err == nil && response.StatusCode < 400:
		t.Errorf("the first POST: %d", response.StatusCode)
	}
}

func TestPollCut(t *testing.T) {
	s := newSite(t, "eio4")
	sid := s.open()
	s.raw("GET %s%s HTTP/1.1\r\nHost: x\r\n\r\n", s.path, session(sid)).Close()
	// When this poll is ahead of the one that was cut, they are two polls; else there is no session any more.
	if got := s.poll(sid); got.status != 400 && got.body != "1" {
		t.Errorf("got %d %q, want 400", got.status, got.body)
	}
	s.gone(sid)
}
