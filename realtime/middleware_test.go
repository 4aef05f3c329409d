package realtime_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// Middleware runs in the order of Use, one after the other, for the clients of
// its own namespace, and the socket is not connected before.
func TestMiddlewareOrder(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		w.server.Use(func(*realtime.Socket) error { d.add("another namespace's"); return nil })
		chat := w.server.Of("/chat")
		for _, name := range []string{"first", "second", "third"} {
			chat.Use(func(s *realtime.Socket) error {
				d.add("%s %v %d", name, s.Connected(), len(chat.Sockets()))
				time.Sleep(10 * time.Second) // it takes its time
				return nil
			})
		}
		chat.On("connection", func(s *realtime.Socket) { d.add("connection %v %d", s.Connected(), len(chat.Sockets())) })
		c := openWebSocket(w)
		if got := c.joinAs("/chat", ""); !strings.HasPrefix(got, "40/chat,") {
			t.Errorf("got %s", got)
		}
		d.expect(t, "first false 0", "second false 0", "third false 0", "connection true 1")
		c.close()
	})
}

// A client that goes while middleware runs is never connected.
func TestMiddlewareOfOneWhoGoes(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		w.server.Use(func(s *realtime.Socket) error {
			s.Join("room")
			<-s.Context().Done()
			d.add("gone")
			return nil
		})
		w.server.On("connection", func(*realtime.Socket) { d.add("connection") })
		c := openWebSocket(w)
		c.send("40")
		synctest.Wait()
		c.close()
		d.expect(t, "gone")
		if n := len(w.server.In("room").Sockets()); n != 0 {
			t.Errorf("%d sockets in the room", n)
		}
	})
}

// A refused socket leaves the rooms that middleware had it join.
func TestRefusedSocketLeavesItsRooms(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		w.server.On("delete-room", func(room string) { d.add("delete %.4s", room) })
		var id string
		w.server.Use(func(s *realtime.Socket) error {
			id = s.ID()
			s.Join("room")
			return errors.New("nope")
		})
		c := openWebSocket(w)
		c.send("40")
		c.expect(`44{"message":"nope"}`)
		synctest.Wait()
		if n := len(w.server.In("room", id).Sockets()); n != 0 {
			t.Errorf("%d sockets in the rooms", n)
		}
		c.close()
	})
}

// A namespace that clients made goes with a client that is refused, unless
// another has joined it.
func TestDynamicNamespaceOfARefusedClient(t *testing.T) {
	for _, keep := range []bool{false, true} {
		inWorld(t, realtime.Config{KeepEmptyNamespaces: keep}, func(w *world) {
			parent := w.server.OfPattern(regexp.MustCompile("^/x"))
			parent.Use(func(s *realtime.Socket) error {
				var auth struct{ Token string }
				if s.Handshake().DecodeAuth(&auth); auth.Token == "" {
					return errors.New("no")
				}
				return nil
			})
			children := func(want int) {
				t.Helper()
				synctest.Wait()
				if got := len(parent.Children()); got != want {
					t.Errorf("%d children, want %d", got, want)
				}
			}
			c, d := openWebSocket(w), openWebSocket(w)
			c.joinAs("/x", "")
			if keep {
				children(1)
			} else {
				children(0)
			}
			d.joinAs("/x", `{"token":"t"}`)
			c.joinAs("/x", "")
			children(1)
			c.close()
			d.close()
		})
	}
}
