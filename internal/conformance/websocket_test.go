package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestFrames is the table of Engine.IO packets on a WebSocket. Either the connection goes on, which an echo shows, or
// it is closed, without a status as engine.io does it.
func TestFrames(t *testing.T) {
	for _, test := range []struct {
		name string
		sent frame
		back []frame // what comes back when the connection goes on
		ends bool
	}{
		{name: "text", sent: text("4hello"), back: []frame{text("4hello")}},
		{name: "empty text", sent: text("4"), back: []frame{text("4")}},
		{name: "text beyond ASCII", sent: text("4żółć 漢字 🎉"), back: []frame{text("4żółć 漢字 🎉")}},
		{name: "binary", sent: binary("\x01\x02\x03"), back: []frame{binary("\x01\x02\x03")}},
		{name: "empty binary", sent: binary(""), back: []frame{binary("")}},
		{name: "binary as base64", sent: text("bAQIDBA=="), back: []frame{binary("\x01\x02\x03\x04")}},
		{name: "open", sent: text("0")},
		{name: "pong unasked", sent: text("3")},
		{name: "upgrade", sent: text("5")},
		{name: "noop", sent: text("6")},
		{name: "close", sent: text("1"), ends: true},
		{name: "ping", sent: text("2"), ends: true},
		{name: "probe", sent: text("2probe"), ends: true},
		{name: "unknown type", sent: text("abc"), ends: true},
		{name: "empty", sent: text(""), ends: true},
		{name: "separator", sent: text("\x1e"), ends: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, "eio4")
			l := s.dial("?EIO=4&transport=websocket")
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

func TestWebSocketRefusals(t *testing.T) {
	s := newSite(t, "eio4")
	for query, body := range map[string]string{
		"?EIO=4&transport=websocket&sid=abc":       "Session ID unknown",
		"?EIO=4&transport=websocket&sid=__proto__": "Session ID unknown",
		"?transport=websocket":                     "Unsupported protocol version",
		"?EIO=3&transport=websocket":               "Unsupported protocol version",
		"?EIO=abc&transport=websocket":             "Unsupported protocol version",
		"?EIO=4":                                   "Transport unknown",
		"?EIO=4&transport=abc":                     "Transport unknown",
	} {
		l, got := s.tryDial(query)
		if l != nil {
			t.Errorf("%s: accepted", query)
			continue
		}
		if got.status != 400 || !strings.Contains(got.body, body) {
			t.Errorf("%s: %d %q, want 400 and %q", query, got.status, got.body, body)
		}
	}
}

func TestNoCompressionByDefault(t *testing.T) {
	s := newSite(t, "eio4")
	_, got := s.tryDial("?EIO=4&transport=websocket")
	if extensions := got.header.Get("Sec-WebSocket-Extensions"); extensions != "" {
		t.Errorf("negotiated %q", extensions)
	}
}

func TestFrameLimit(t *testing.T) {
	for _, kind := range []func(string) frame{text, binary} {
		s := newSite(t, "eioc")
		l := s.dial("?EIO=4&transport=websocket")
		l.read()
		l.expect(text("4hi"))
		fits := kind("4" + strings.Repeat("x", 99))
		l.send(fits)
		l.expect(fits)
		l.send(kind("4" + strings.Repeat("x", 100)))
		l.closed(websocket.StatusMessageTooBig)
	}
}

func TestUpgrade(t *testing.T) {
	s := newSite(t, "eio4")
	sid := s.open()
	s.expect(s.post(sid, "4over polling"), 200, "ok")
	s.expect(s.poll(sid), 200, "4over polling")

	held := make(chan answer)
	go func() { held <- s.poll(sid) }()
	l := s.dial("?EIO=4&transport=websocket&sid=" + sid)
	l.send(text("2probe"))
	l.expect(text("3probe"))
	if got := <-held; got.body != "6" {
		t.Errorf("the held poll got %d %q, want a noop", got.status, got.body)
	}
	l.send(text("5"), text("4over WebSocket"))
	l.expect(text("4over WebSocket"))

	s.expect(s.poll(sid), 400, failure(3, "Bad request"))
	s.expect(s.post(sid, "4x"), 400, failure(3, "Bad request"))
	if second, _ := s.tryDial("?EIO=4&transport=websocket&sid=" + sid); second != nil {
		if f, closed := second.next(); closed == nil {
			t.Errorf("a second WebSocket got %+v, want the close", f)
		}
	}
	l.send(text("4undisturbed"))
	l.expect(text("4undisturbed"))
}

// TestUpgradeKeepsOrder sends on polling until the upgrade is complete: nothing may be lost, doubled or overtaken.
func TestUpgradeKeepsOrder(t *testing.T) {
	s := newSite(t, "eio4")
	sid := s.open()
	const before = 50
	var want []frame
	for i := range before {
		want = append(want, text(fmt.Sprintf("4message %d", i)))
	}
	var got []frame
	l := s.dial("?EIO=4&transport=websocket&sid=" + sid)
	for i, f := range want {
		s.expect(s.post(sid, f.data), 200, "ok")
		if i == before/2 {
			l.send(text("2probe"))
			l.expect(text("3probe"))
		}
	}
	for len(got) == 0 || got[len(got)-1].data != "6" {
		for packet := range strings.SplitSeq(s.poll(sid).body, "\x1e") {
			got = append(got, text(packet))
		}
	}
	got = got[:len(got)-1]
	l.send(text("5"), text("4last"))
	for want = append(want, text("4last")); len(got) < len(want); {
		got = append(got, l.read())
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("message %d is %q, want %q", i, got[i].data, want[i].data)
		}
	}
}

func TestUpgradeThatFails(t *testing.T) {
	for name, spoil := range map[string]func(*line){
		"the first frame is no probe":   func(l *line) { l.send(text("4hello")); l.closed(websocket.StatusNoStatusRcvd) },
		"a ping of another kind":        func(l *line) { l.send(text("2")); l.closed(websocket.StatusNoStatusRcvd) },
		"lost before the probe":         func(l *line) { l.conn.CloseNow() },
		"lost between probe and switch": func(l *line) { l.send(text("2probe")); l.expect(text("3probe")); l.conn.CloseNow() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "eio4")
			sid := s.open()
			spoil(s.dial("?EIO=4&transport=websocket&sid=" + sid))
			s.expect(s.post(sid, "4polling goes on"), 200, "ok")
			for body := "6"; body != "4polling goes on"; {
				if body != "6" {
					t.Fatalf("got %q", body)
				}
				body = s.poll(sid).body
			}
			again := s.probe(sid)
			again.send(text("5"), text("4upgraded"))
			again.expect(text("4upgraded"))
		})
	}
}

// probe begins an upgrade. While the server has not noticed yet that another WebSocket is lost, it closes this one.
func (s *site) probe(sid string) *line {
	s.t.Helper()
	for range 1000 {
		l := s.dial("?EIO=4&transport=websocket&sid=" + sid)
		l.send(text("2probe"))
		switch f, closed := l.next(); {
		case f == text("3probe"):
			return l
		case closed == nil:
			s.t.Fatalf("got %+v, want 3probe", f)
		}
	}
	s.t.Fatal("the server does not notice that a WebSocket is lost")
	return nil
}

func TestSecondUpgradeAtTheSameTime(t *testing.T) {
	s := newSite(t, "eio4")
	sid := s.open()
	first := s.dial("?EIO=4&transport=websocket&sid=" + sid)
	first.send(text("2probe"))
	first.expect(text("3probe"))
	if second, _ := s.tryDial("?EIO=4&transport=websocket&sid=" + sid); second != nil {
		if f, closed := second.next(); closed == nil {
			t.Errorf("got %+v, want the close", f)
		}
	}
	first.send(text("5"), text("4hello"))
	first.expect(text("4hello"))
}
