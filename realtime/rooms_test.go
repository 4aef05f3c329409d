package realtime_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/zocalo-go/zocalo/realtime"
)

// A broadcast can be kept and sent through in several ways: none changes it.
func TestBroadcastIsImmutable(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		clients, sockets := crowd(w, 3)
		defer disperse(clients)
		rooms := []string{"0", "1", "2"}
		for i, s := range sockets {
			s.Join(rooms[i], "all")
		}
		for _, kept := range []*realtime.Broadcast{w.server.To("0"), sockets[2].To("0"), w.server.Local().To("0")} {
			kept.To("1")
			kept.Except("0")
			kept.Volatile()
			kept.Compress(true)
			more, fewer := kept.To("1"), kept.To("all").Except("0", "2")
			kept.Emit("kept")
			more.Emit("more")
			fewer.Emit("fewer")
			w.server.Emit("end")
			for i, want := range [][]string{{"kept", "more", "end"}, {"more", "fewer", "end"}, {"end"}} {
				for _, event := range want {
					clients[i].expect(`42["` + event + `"]`)
				}
			}
		}
	})
}

func TestNamesOfTheMainNamespace(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		if w.server.Of("") != w.server.Of("/") || w.server.Of("abc") != w.server.Of("/abc") {
			t.Error("one namespace by two names")
		}
		if name := w.server.Of("abc").Name(); name != "/abc" {
			t.Errorf("name %q", name)
		}
		var d diary
		w.server.Of("/").On("connection", func(*realtime.Socket) { d.add("connection") })
		dialWebSocket(w).close()
		d.expect(t, "connection")
	})
}

// A room of a pattern's namespaces is one in each of them.
func TestRoomsOfAParent(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		parent := w.server.OfPattern(regexp.MustCompile(`^/dynamic-\d+$`))
		parent.On("connection", func(s *realtime.Socket) {
			if s.Namespace().Name() != "/dynamic-3" {
				s.Join("room")
			}
		})
		c := openWebSocket(w)
		for _, name := range []string{"/dynamic-1", "/dynamic-2", "/dynamic-3"} {
			c.joinAs(name, "")
		}
		synctest.Wait()
		parent.To("room").Emit("hello", 4, "3", map[string]string{"2": "1"})
		parent.Emit("end")
		got := map[string]int{}
		for range 5 {
			got[c.next()]++
		}
		for _, want := range []string{`42/dynamic-1,["hello",4,"3",{"2":"1"}]`, `42/dynamic-2,["hello",4,"3",{"2":"1"}]`, `42/dynamic-3,["end"]`} {
			if got[want] != 1 {
				t.Errorf("got %v, want %s once", got, want)
			}
		}
		c.close()
	})
}

// A socket that has ended joins nothing.
func TestJoinAfterDisconnection(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		w.server.On("connection", func(s *realtime.Socket) {
			s.Disconnect(false)
			s.Join("room")
			d.add("rooms %v", s.Rooms())
		})
		c := openWebSocket(w)
		c.send("40")
		c.expectPrefix("40{")
		c.expect("41")
		d.expect(t, "rooms []")
		if n := len(w.server.In("room").Sockets()); n != 0 {
			t.Errorf("%d sockets in the room", n)
		}
		c.close()
	})
}

// Disconnect(true) takes the sockets of the connection's other namespaces along.
func TestDisconnectClosesTheConnection(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		for _, name := range []string{"/", "/foo", "/bar"} {
			n := w.server.Of(name)
			n.On("connection", func(s *realtime.Socket) {
				s.On("disconnect", func(reason string) { d.add("%s: %s", name, reason) })
				s.On("close", func() { s.Disconnect(true) })
			})
		}
		c := dialWebSocket(w)
		c.joinAs("/foo", "")
		c.joinAs("/bar", "")
		c.send(`42/bar,["close"]`)
		for packet := range c.incoming { // until the server closes
			if !strings.HasPrefix(packet, "41") {
				t.Errorf("got %s", packet)
			}
		}
		synctest.Wait()
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.lines) != 3 {
			t.Errorf("got %q", d.lines)
		}
		for _, line := range d.lines {
			if !strings.HasSuffix(line, realtime.ReasonServerDisconnect) {
				t.Errorf("got %q", line)
			}
		}
		c.close()
	})
}

// An event that comes together with the client's farewell is handled before.
func TestEventRightBeforeDisconnect(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("last", func(data []byte) { d.add("last %s", data) })
			s.On("disconnect", func(reason string) { d.add("%s", reason) })
		})
		c := dialPolling(w)
		c.send("451-[\"last\",{\"_placeholder\":true,\"num\":0}]\x1ebd29yZHM=\x1e41\x1e3")
		d.expect(t, "last words", realtime.ReasonClientDisconnect)
		c.close()
	})
}

func TestReservedEvents(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		clients, sockets := crowd(w, 1)
		defer disperse(clients)
		s := sockets[0]
		for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
			for way, err := range map[string]error{
				"Socket":    s.Emit(name),
				"server":    w.server.Emit(name),
				"room":      w.server.To("room").Emit(name),
				"broadcast": s.Broadcast().Emit(name),
				"volatile":  s.Volatile().Emit(name),
			} {
				if err == nil || !strings.Contains(err.Error(), "reserved") {
					t.Errorf("%s, %s: %v", way, name, err)
				}
			}
		}
	})
}
