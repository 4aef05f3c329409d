package conformance

import (
	"net/http"
	"testing"
)

// newQuickSite serves a contract with the heartbeat that it asks for.
func newQuickSite(t *testing.T, contract, path string) *site {
	t.Helper()
	handler, err := Handler(contract, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return newSiteOf(t, handler, path)
}

func TestHeartbeatOverWebSocket(t *testing.T) {
	l := newQuickSite(t, "eio4", "/engine.io/").dial("?EIO=4&transport=websocket")
	l.read()
	for range 3 {
		l.expect(text("2"))
		l.send(text("3"))
	}
	l.expect(text("2"))
	if f, closed := l.next(); closed == nil {
		t.Errorf("got %+v without an answer to the ping, want the close", f)
	}
}

func TestHeartbeatOverPolling(t *testing.T) {
	s := newQuickSite(t, "eio4", "/engine.io/")
	sid := s.open()
	for range 3 {
		s.expect(s.poll(sid), 200, "2")
		s.expect(s.post(sid, "3"), 200, "ok")
	}
	s.expect(s.poll(sid), 200, "2")
	for s.poll(sid).status == http.StatusOK { // held until the session ends
	}
	s.gone(sid)
}

func TestNoConnect(t *testing.T) {
	l := newQuickSite(t, "sio5", "/socket.io/").dial("?EIO=4&transport=websocket")
	l.read()
	for {
		f, closed := l.next()
		if closed != nil {
			return
		}
		if f.data != "2" {
			t.Fatalf("got %+v, want the close", f)
		}
		l.send(text("3"))
	}
}
