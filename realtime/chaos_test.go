package realtime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

var question = regexp.MustCompile(`^42(/x\d,)?(\d+)\["ask"`)

// answerAll reads what has come, answers questions, and notes how to come back.
func (c *client) answerAll(at *ticket) {
	for {
		select {
		case packet := <-c.incoming:
			if asked := question.FindStringSubmatch(packet); asked != nil {
				c.send("43" + asked[1] + asked[2] + "[]")
			} else if text, admitted := strings.CutPrefix(packet, `40{`); admitted {
				json.Unmarshal([]byte("{"+text), at)
			} else if packet == "" {
				return // it was closed
			}
		default:
			return
		}
	}
}

// Whatever clients and server do at the same time, nothing is left in the end: no
// socket, room, namespace or byte.
func TestNothingIsLeft(t *testing.T) {
	var m tally
	config := realtime.Config{
		Metrics: &m, MaxNamespaces: 3, MaxPending: 2, MaxPendingAcks: 20, EventRate: 1000,
		Recovery: &realtime.Recovery{MaxSessions: 10, MaxBytes: 10_000, MaxDisconnection: time.Minute},
	}
	inWorld(t, config, func(w *world) {
		welcome := func(s *realtime.Socket) {
			s.Join("room")
			s.Set("n", 1)
			s.OnAnyOutgoing(func(string, realtime.Args) {})
			s.On("echo", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
			s.On("ask all", func(ctx context.Context) {
				s.Namespace().Timeout(time.Millisecond).EmitWithAck(ctx, "ask")
			})
			s.On("leave", func() { s.Disconnect(false) })
			s.On("disconnect", func() { s.Emit("late") })
		}
		w.server.On("connection", welcome)
		w.server.On("create-room", func(string) {})
		parent := w.server.OfPattern(regexp.MustCompile("^/x"))
		parent.Use(func(s *realtime.Socket) error { time.Sleep(time.Millisecond); return nil })
		parent.On("connection", welcome)

		var clients, servers sync.WaitGroup
		done := make(chan struct{})
		for i := range 6 {
			clients.Go(func() {
				random := rand.New(rand.NewPCG(7, uint64(i)))
				var at ticket
				for range 20 {
					c := openWebSocket(w)
					auth, _ := json.Marshal(ticket{PID: at.PID})
					c.send("40" + string(auth))
					joined := map[string]bool{}
					for range 15 {
						ns := fmt.Sprintf("/x%d", random.IntN(3))
						switch action := random.IntN(20); {
						case action < 4 && !joined[ns]:
							c.send("40" + ns + ",")
							joined[ns] = true
						case action < 8 && joined[ns]:
							c.send("41" + ns + ",")
							joined[ns] = false
						case action == 8:
							c.send(`42["leave"]`)
						case action < 11:
							c.send(`42["ask all"]`)
						default:
							c.send(`421["echo",1]`)
						}
						time.Sleep(time.Duration(random.IntN(1000)) * time.Microsecond)
						c.answerAll(&at)
					}
					c.close()
				}
			})
		}
		for i := range 2 {
			servers.Go(func() {
				random := rand.New(rand.NewPCG(8, uint64(i)))
				for {
					select {
					case <-done:
						return
					default:
					}
					switch random.IntN(6) {
					case 0:
						w.server.Timeout(time.Millisecond).Emit("ask", func(error, []realtime.Answer) {})
					case 1:
						parent.Emit("all", []byte("x"))
					case 2:
						w.server.To("room").Emit("room", strings.Repeat("x", 100))
					case 3:
						if sockets := w.server.Sockets(); len(sockets) > 0 {
							sockets[random.IntN(len(sockets))].Disconnect(random.IntN(2) == 0)
						}
					case 4:
						w.server.SocketsJoin("other")
						w.server.FetchSockets(w.t.Context())
					case 5:
						w.server.SocketsLeave("other")
					}
					time.Sleep(time.Duration(random.IntN(1000)) * time.Microsecond)
				}
			})
		}
		clients.Wait()
		close(done)
		servers.Wait()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := len(w.server.Sockets()); n > 0 {
			t.Errorf("%d sockets", n)
		}
		if rooms := w.server.Rooms(); len(rooms) > 0 {
			t.Errorf("rooms %q", rooms)
		}
		if children := parent.Children(); len(children) > 0 {
			t.Errorf("%d namespaces", len(children))
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		for name, n := range m.counts {
			switch kind, _, _ := strings.Cut(name, " "); kind {
			case "connections", "sockets", "buffered", "pending":
				if n != 0 {
					t.Errorf("%s: %d", name, n)
				}
			}
		}
		if m.counts["acks_in /"] == 0 {
			t.Errorf("it was too quiet: %v", m.counts)
		}
	})
}
