package realtime_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/zocalo-go/zocalo/realtime"
)

// What is done to the sockets of a room is done to no other.
func TestSocketsOfARoom(t *testing.T) {
	tests := []struct {
		name string
		do   func(w *world) error
		want []string // the rooms of each, "-" for who is gone
	}{
		{"all join", func(w *world) error { return w.server.SocketsJoin("3") }, []string{"1 2 3", "1 3", "2 3"}},
		{"some join", func(w *world) error { return w.server.In("1").SocketsJoin("3", "4") }, []string{"1 2 3 4", "1 3 4", "2"}},
		{"all leave", func(w *world) error { return w.server.SocketsLeave("1") }, []string{"2", "", "2"}},
		{"some leave", func(w *world) error { return w.server.In("2").SocketsLeave("1", "none") }, []string{"2", "1", "2"}},
		{"some go", func(w *world) error { return w.server.In("2").DisconnectSockets(true) }, []string{"-", "1", "-"}},
		{"one goes", func(w *world) error { return w.server.In("2").Except("1").DisconnectSockets(false) }, []string{"1 2", "1", "-"}},
		{"all go", func(w *world) error { return w.server.DisconnectSockets(true) }, []string{"-", "-", "-"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, realtime.Config{}, func(w *world) {
				clients, sockets := crowd(w, 3)
				for i, rooms := range [][]string{{"1", "2"}, {"1"}, {"2"}} {
					if err := sockets[i].Join(rooms...); err != nil {
						t.Error(err)
					}
				}
				found, err := w.server.In("1").FetchSockets(w.t.Context())
				if err != nil || len(found) != 2 {
					t.Errorf("found %v, %v", found, err)
				}
				if err := test.do(w); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				for i, s := range sockets {
					got := "-"
					if s.Connected() {
						got = strings.Join(s.Rooms()[1:], " ")
					}
					if got != test.want[i] {
						t.Errorf("socket %d: %q, want %q", i, got, test.want[i])
					}
				}
				left := 0
				for _, rooms := range test.want {
					if rooms != "-" {
						left++
					}
				}
				if got := len(w.server.Sockets()); got != left {
					t.Errorf("%d sockets are left, want %d", got, left)
				}
				disperse(clients)
			})
		})
	}
}

// Events and answers of a broadcast carry bytes, to a namespace and to no other.
func TestBinaryToMany(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		w.server.Of("/other")
		clients, sockets := crowd(w, 3)
		sockets[0].Join("room")
		clients[2].joinAs("/other", "")
		type outcome struct {
			answers []realtime.Answer
			err     error
		}
		done := make(chan outcome, 1)
		if err := w.server.Emit("ask", []byte("?"), func(err error, answers []realtime.Answer) { done <- outcome{answers, err} }); err != nil {
			t.Error(err)
		}
		for i, c := range clients {
			c.expect(`451-0["ask",{"_placeholder":true,"num":0}]`)
			c.expectBinary("?")
			c.send(`461-0[{"_placeholder":true,"num":0}]`)
			c.sendBinary(string(rune('a' + i)))
		}
		got := <-done
		var all []string
		for _, a := range got.answers {
			var data []byte
			if err := a.Args.Decode(&data); err != nil {
				t.Error(err)
			}
			all = append(all, string(data))
		}
		slices.Sort(all)
		if got.err != nil || !slices.Equal(all, []string{"a", "b", "c"}) {
			t.Errorf("got %q, %v", all, got.err)
		}
		w.server.Of("/other").Emit("e", []byte("o"))
		sockets[1].To("room").Emit("e", []byte("r"))
		w.server.Emit("end")
		clients[0].expect(`451-["e",{"_placeholder":true,"num":0}]`)
		clients[0].expectBinary("r")
		clients[2].expect(`451-/other,["e",{"_placeholder":true,"num":0}]`)
		clients[2].expectBinary("o")
		for _, c := range clients {
			c.expect(`42["end"]`)
		}
		disperse(clients)
	})
}

// OffAny takes all functions away, and those registered later are called.
func TestOffAny(t *testing.T) {
	inWorld(t, realtime.Config{}, func(w *world) {
		var d diary
		w.server.On("connection", func(s *realtime.Socket) {
			s.OnAny(func(string, realtime.Args) { t.Error("called though it was removed") })
			s.PrependAny(func(string, realtime.Args) { t.Error("called though it was removed") })
			s.OffAny()
			one := s.OnAny(func(string, realtime.Args) { t.Error("called though it was removed") })
			s.OnAny(func(event string, args realtime.Args) { d.add("%s %s", event, args.Raw(0)) })
			one.Off()
		})
		c := dialWebSocket(w)
		c.send(`42["my-event","123"]`)
		d.expect(t, `my-event "123"`)
		c.close()
	})
}
