package conformance

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/coder/websocket"
)

// payload3 frames a packet as revision 3 does: its length in UTF-16 units, a colon, the packet.
func payload3(packet string) string {
	return fmt.Sprintf("%d:%s", len(utf16.Encode([]rune(packet))), packet)
}

// open3 shakes hands over polling as a client of revision 3 and returns the session's query.
func (s *site) open3(more string) string {
	s.t.Helper()
	got := s.do("GET", "?EIO=3&transport=polling"+more, "")
	length, packet, _ := strings.Cut(got.body, ":")
	if got.status != 200 || payload3(packet) != got.body || !strings.HasPrefix(packet, `0{"sid":"`) {
		s.t.Fatalf("handshake: %d %q of length %s", got.status, got.body, length)
	}
	sid, _, _ := strings.Cut(strings.TrimPrefix(packet, `0{"sid":"`), `"`)
	return "?EIO=3&transport=polling&sid=" + sid
}

// TestPayloads3 is the table of what a POST of revision 3 may carry. The session either goes on and echoes, or is gone.
func TestPayloads3(t *testing.T) {
	for _, test := range []struct {
		name, query, body string
		echo              string
	}{
		{"one packet", "", "6:4hello", "6:4hello"},
		{"several packets", "", "2:4a2:4b", "2:4a2:4b"},
		{"a length in UTF-16 units", "", payload3("4żółć 漢字 🎉"), payload3("4żółć 漢字 🎉")},
		{"a separator of revision 4 in a message", "", "4:4a\x1eb", "4:4a\x1eb"},
		{"binary as base64", "&b64=1", "10:b4AQIDBA==", "10:b4AQIDBA=="},
		{"binary as bytes", "", "10:b4AQIDBA==", "\x01\x05\xff\x04\x01\x02\x03\x04"},
		{"a length that is none", "", "abc", ""},
		{"a length beyond the end", "", "9:4hello", ""},
		{"an empty packet, which is ignored", "", "0:6:4hello", "6:4hello"},
		{"an unknown type", "", "3:xyz", ""},
		{"a pong from the client", "", "1:3", ""},
		{"empty", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, "eio3")
			session := s.open3(test.query)
			s.expect(s.do("POST", session, test.body, "Content-Type", "text/plain;charset=UTF-8"), 200, "ok")
			if test.echo == "" {
				s.expect(s.do("GET", session, ""), 400, failure(1, "Session ID unknown"))
				return
			}
			got := ""
			for len(got) < len(test.echo) {
				got += s.do("GET", session, "").body
			}
			if got != test.echo {
				t.Errorf("got %q, want %q", got, test.echo)
			}
		})
	}
}

func TestOctetStream3(t *testing.T) {
	s := newSite(t, "eio3")
	session := s.open3("")
	s.expect(s.do("POST", session, "\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04", "Content-Type", "application/octet-stream"), 200, "ok")
	got := s.do("GET", session, "")
	if want := "\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04"; got.body != want || got.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("got %q as %s, want %q", got.body, got.header.Get("Content-Type"), want)
	}
}

// TestFrames3 is the table of packets of revision 3 on a WebSocket.
func TestFrames3(t *testing.T) {
	for _, test := range []struct {
		name string
		sent frame
		back []frame
		ends bool
	}{
		{name: "text", sent: text("4hello"), back: []frame{text("4hello")}},
		{name: "binary", sent: binary("\x04\x01\x02"), back: []frame{binary("\x04\x01\x02")}},
		{name: "binary as base64", sent: text("b4AQI="), back: []frame{binary("\x04\x01\x02")}},
		{name: "ping", sent: text("2"), back: []frame{text("3")}},
		{name: "pong", sent: text("3"), ends: true},
		{name: "close", sent: text("1"), ends: true},
		{name: "unknown type", sent: text("abc"), ends: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newSite(t, "eio3").dial("?EIO=3&transport=websocket")
			l.read()
			l.send(test.sent)
			if test.ends {
				l.closed(websocket.StatusNoStatusRcvd)
				return
			}
			l.expect(test.back...)
			l.send(text("4still here"))
			l.expect(text("4still here"))
		})
	}
}

func TestUpgrade3(t *testing.T) {
	s := newSite(t, "eio3")
	session := s.open3("")
	held := make(chan answer)
	go func() { held <- s.do("GET", session, "") }()
	l := s.dial(strings.Replace(session, "polling", "websocket", 1))
	l.send(text("2probe"))
	l.expect(text("3probe"))
	if got := <-held; got.body != "1:6" {
		t.Errorf("the held poll got %q, want a noop", got.body)
	}
	l.send(text("5"), text("4over WebSocket"))
	l.expect(text("4over WebSocket"))
}

// TestRevisionsDoNotMix has requests of one revision name a session of the other.
func TestRevisionsDoNotMix(t *testing.T) {
	s := newSite(t, "eio3")
	for _, test := range []struct{ session, other string }{
		{s.open3(""), "EIO=4"},
		{session(s.open()), "EIO=3"},
	} {
		query := strings.NewReplacer("EIO=3", test.other, "EIO=4", test.other).Replace(test.session)
		s.expect(s.do("GET", query, ""), 400, failure(3, "Bad request"))
		if l, got := s.tryDial(strings.Replace(query, "polling", "websocket", 1)); l != nil || got.status != 400 {
			t.Errorf("%s: an upgrade was answered %d", test.other, got.status)
		}
	}
}
