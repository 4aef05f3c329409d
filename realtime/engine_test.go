package realtime_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"github.com/zocalo-go/zocalo/realtime"
)

// serveEngine serves an engine and returns the URL of a handshake but for the
// transport's name.
func serveEngine(t *testing.T, connected func(*realtime.Conn)) string {
	engine := realtime.NewEngine(realtime.Config{Path: "/engine.io/", Logger: slog.New(slog.DiscardHandler)}, connected)
	server := httptest.NewServer(engine)
	t.Cleanup(func() {
		if err := engine.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		server.Close()
		if n := engine.ClientsCount(); n != 0 {
			t.Errorf("%d clients after the shutdown", n)
		}
	})
	return server.URL + "/engine.io/?EIO=4&transport="
}

// A connection may be closed before its handshake is answered.
func TestEngineClosesAtOnce(t *testing.T) {
	reasons := make(chan string, 2)
	url := serveEngine(t, func(c *realtime.Conn) {
		c.OnClose(func(reason string) { reasons <- reason })
		c.Send("goodbye")
		c.Close()
	})
	res, err := http.Get(url + "polling")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || res.StatusCode != 200 || len(body) == 0 || body[0] != '0' {
		t.Errorf("handshake: status %d, %q, %v", res.StatusCode, body, err)
	}
	if got := <-reasons; got != realtime.ReasonForcedClose {
		t.Errorf("polling: reason %q", got)
	}

	ws, _, err := websocket.Dial(t.Context(), url+"websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	for _, want := range []string{"0", "4"} {
		if _, data, err := ws.Read(t.Context()); err != nil || string(data[:1]) != want {
			t.Errorf("got %q, %v, want a packet %s", data, err, want)
		}
	}
	if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNoStatusRcvd {
		t.Errorf("the end: %v", err)
	}
	if got := <-reasons; got != realtime.ReasonForcedClose {
		t.Errorf("websocket: reason %q", got)
	}
}

// A panic in OnMessage costs its own connection, and nothing else.
func TestEngineHandlerPanics(t *testing.T) {
	ended := make(chan string, 1)
	url := serveEngine(t, func(c *realtime.Conn) {
		c.OnMessage(func(data []byte, _ bool) {
			if string(data) == "panic" {
				panic("oops")
			}
			c.Send(string(data))
		})
		c.OnClose(func(reason string) { ended <- reason; panic("oops") })
	})
	open := func() *websocket.Conn {
		ws, _, err := websocket.Dial(t.Context(), url+"websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		return ws
	}
	one, other := open(), open()
	defer one.CloseNow()
	defer other.CloseNow()
	one.Write(t.Context(), websocket.MessageText, []byte("4panic"))
	if got := <-ended; got != realtime.ReasonForcedClose {
		t.Errorf("reason %q", got)
	}
	other.Write(t.Context(), websocket.MessageText, []byte("4alive"))
	if _, data, err := other.Read(t.Context()); err != nil || string(data) != "4alive" {
		t.Errorf("the other connection: %q, %v", data, err)
	}
	other.Write(t.Context(), websocket.MessageText, []byte("1"))
	<-ended
}
