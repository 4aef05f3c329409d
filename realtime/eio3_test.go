package realtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"github.com/zocalo-go/zocalo/realtime"
)

// dialOld connects a client of Socket.IO 2, and returns the connection's id.
func dialOld(w *world, query string) (*client, string) {
	w.t.Helper()
	ws, _, err := websocket.Dial(context.Background(), "http://test/socket.io/?EIO=3&transport=websocket"+query, &websocket.DialOptions{HTTPClient: w.transport()})
	if err != nil {
		w.t.Fatal(err)
	}
	c := newClient(w)
	c.speak(ws)
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(c.next(), "0")), &open); err != nil || open.SID == "" {
		w.t.Fatalf("handshake: %v", err)
	}
	return c, open.SID
}

// A client of Socket.IO 2 is in "/" from the start, its sockets' ids are made of
// that of the connection, and what it gets has the form of revision 4 of the
// Socket.IO protocol.
func TestOldClients(t *testing.T) {
	config := realtime.Config{AllowEIO3: true, Recovery: &realtime.Recovery{}}
	inWorld(t, config, func(w *world) {
		var d diary
		hello := func(s *realtime.Socket) {
			d.add("%s %d %s %s", s.ID(), s.Conn().Protocol(), s.Handshake().Auth, s.Handshake().Query["a"])
			s.On("echo", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
		}
		w.server.On("connection", hello)
		w.server.Of("/custom").On("connection", hello)
		w.server.OfPattern(regexp.MustCompile("^/dynamic$")).On("connection", hello)
		w.server.Of("/data").Use(func(*realtime.Socket) error {
			return &realtime.Error{Message: "no", Data: map[string]string{"why": "so"}}
		})
		w.server.Of("/no").Use(func(*realtime.Socket) error { return errors.New("no") })

		c, sid := dialOld(w, "&a=b")
		c.expect("40")
		d.expect(t, sid+" 3 {} b")
		c.send(`421["echo","x"]`)
		c.expect(`431["x"]`)
		c.send("40/custom?token=t&token=u,")
		c.expect("40/custom,")
		d.expect(t, "/custom#"+sid+` 3 {"token":"u"} b`)
		c.send("40/dynamic?x,")
		c.expect("40/dynamic,")
		d.expect(t, "/dynamic#"+sid+` 3 {"x":""} b`)
		c.send("40/data")
		c.expect(`44/data,{"why":"so"}`)
		c.send("40/no,")
		c.expect(`44/no,"no"`)
		c.send("40/unknown,")
		c.expect(`44/unknown,"Invalid namespace"`)
		w.server.Emit("all", 1)
		packet := c.next() // with an offset for those who may come back, which it ignores
		if !strings.HasPrefix(packet, `42["all",1`) {
			t.Errorf("got %s", packet)
		}
		c.send("41/custom")
		synctest.Wait()
		if n := len(w.server.Of("/custom").Sockets()); n != 0 {
			t.Errorf("%d sockets are left", n)
		}
		c.send("2")
		c.expect("3")
		c.close()
	})
}

// A middleware may refuse a client of Socket.IO 2, too.
func TestOldClientIsRefused(t *testing.T) {
	inWorld(t, realtime.Config{AllowEIO3: true}, func(w *world) {
		w.server.Use(func(s *realtime.Socket) error { return errors.New("not today") })
		c, _ := dialOld(w, "")
		c.expect(`44"not today"`)
		c.close()
	})
}
