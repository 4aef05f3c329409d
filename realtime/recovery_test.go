package realtime_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// ticket is what a client needs to come back.
type ticket struct {
	SID    string `json:"sid,omitempty"`
	PID    string `json:"pid"`
	Offset string `json:"offset,omitempty"`
}

// admission reads the answer to CONNECT.
func (c *client) admission() (got ticket) {
	c.w.t.Helper()
	if err := json.Unmarshal([]byte(strings.TrimPrefix(c.next(), "40")), &got); err != nil {
		c.w.t.Fatal(err)
	}
	return got
}

// event reads an event, notes its offset, and returns the rest of it.
func (c *client) event(at *ticket) string {
	c.w.t.Helper()
	packet := c.next()
	var args []any
	if err := json.Unmarshal([]byte(strings.TrimPrefix(packet, "42")), &args); err != nil || len(args) < 2 {
		c.w.t.Fatalf("got %s, want an event with an offset", packet)
	}
	at.Offset = args[len(args)-1].(string)
	return fmt.Sprint(args[:len(args)-1]...)
}

func (w *world) back(at ticket) (*client, ticket) {
	w.t.Helper()
	c := openWebSocket(w)
	at.SID = ""
	auth, _ := json.Marshal(at)
	c.send("40" + string(auth))
	return c, c.admission()
}

func TestRecovery(t *testing.T) {
	var mu sync.Mutex
	var log []string
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, fmt.Sprintf(format, args...))
	}
	inWorld(t, realtime.Config{Recovery: &realtime.Recovery{}}, func(w *world) {
		w.server.Use(func(s *realtime.Socket) error { note("middleware %v", s.Recovered()); return nil })
		w.server.On("connection", func(s *realtime.Socket) {
			note("connection %v %v %v", s.Recovered(), s.Value("name"), len(s.Rooms()))
			if !s.Recovered() {
				s.Set("name", "ana")
				s.Join("room")
			}
			s.On("hello", func() { s.Emit("world") })
			s.On("disconnect", func(reason string) { note("disconnect: %s", reason); s.Set("name", "eva") })
		})
		c := openWebSocket(w)
		c.send("40")
		at := c.admission()
		if at.PID == "" || at.PID == at.SID {
			t.Fatalf("admission %+v", at)
		}
		c.send(`42["hello"]`)
		if got := c.event(&at); got != "world" {
			t.Errorf("got %q", got)
		}
		c.close()
		synctest.Wait()
		w.server.To("room").Emit("missed", 1)
		w.server.To("other").Emit("missed", 2)
		w.server.To("room").Volatile().Emit("missed", 3)
		w.server.Except("room").Emit("missed", 4)
		w.server.Emit("missed", []byte("5"))

		again, admission := w.back(at)
		synctest.Wait() // for the handlers of "connection"
		if admission.SID != at.SID || admission.PID != at.PID {
			t.Errorf("admitted as %+v, was %+v", admission, at)
		}
		if got := again.event(&at); got != "missed1" {
			t.Errorf("got %q", got)
		}
		first := at.Offset
		again.expectPrefix(`451-["missed",{"_placeholder":true,"num":0},"`)
		again.expectBinary("5")
		w.server.Socket(at.SID).Emit("live")
		if got := again.event(&at); got != "live" || at.Offset == first {
			t.Errorf("got %q", got)
		}

		// The server has not noticed yet that the connection is gone.
		third, admission := w.back(at)
		synctest.Wait()
		if admission.SID != at.SID || w.server.ClientsCount() != 1 {
			t.Errorf("admitted as %+v, %d clients", admission, w.server.ClientsCount())
		}
		for range again.incoming { // it is closed
		}
		<-again.stopped
		w.server.Emit("live")
		if got := third.event(&at); got != "live" {
			t.Errorf("got %q", got)
		}
		third.close()
		synctest.Wait()

		time.Sleep(2*time.Minute + time.Second)
		fourth, admission := w.back(at)
		if admission.SID == at.SID || admission.PID == at.PID {
			t.Errorf("admitted as %+v after too long", admission)
		}
		synctest.Wait()
		fourth.send("41") // who says goodbye does not come back
		synctest.Wait()
		fourth.send(`40{"pid":"` + admission.PID + `"}`)
		if got := fourth.admission(); got.SID == admission.SID {
			t.Error("recovered after a farewell")
		}
		synctest.Wait() // for the handlers of "connection"
		fourth.close()
		synctest.Wait()
	})
	want := []string{
		"middleware false", "connection false <nil> 1", "disconnect: transport close",
		"connection true eva 2", "disconnect: transport close", "connection true eva 2", "disconnect: transport close",
		"middleware false", "connection false <nil> 1", "disconnect: client namespace disconnect",
		"middleware false", "connection false <nil> 1", "disconnect: transport close",
	}
	if got, want := strings.Join(log, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A client that has received nothing yet comes back, too, and middleware runs
// where that is wanted.
func TestRecoveryWithoutOffset(t *testing.T) {
	inWorld(t, realtime.Config{Recovery: &realtime.Recovery{RunMiddleware: true}}, func(w *world) {
		refuse := false
		w.server.Use(func(s *realtime.Socket) error {
			if refuse {
				return &realtime.Error{Message: "no more"}
			}
			return nil
		})
		c := openWebSocket(w)
		c.send("40")
		at := c.admission()
		c.close()
		synctest.Wait()
		w.server.Emit("first")
		c, admission := w.back(at)
		if admission.SID != at.SID {
			t.Errorf("admitted as %+v, was %+v", admission, at)
		}
		if got := c.event(&at); got != "first" {
			t.Errorf("got %q", got)
		}
		c.close()
		synctest.Wait()
		refuse = true
		c = openWebSocket(w)
		c.send(`40{"pid":"` + at.PID + `","offset":"` + at.Offset + `"}`)
		c.expect(`44{"message":"no more"}`)
		c.close()
	})
}

func TestRecoveryOfNonsense(t *testing.T) {
	for _, auth := range []string{`{"pid":"x","offset":"y"}`, `{"pid":1}`, `{"pid":null,"offset":{}}`, `{"pid":"x","offset":7}`, `{"pid":[]}`, `{}`} {
		inWorld(t, realtime.Config{Recovery: &realtime.Recovery{}}, func(w *world) {
			c := openWebSocket(w)
			c.send("40" + auth)
			if got := c.admission(); len(got.SID) != 20 || len(got.PID) != 20 {
				t.Errorf("%s: admission %+v", auth, got)
			}
			c.close()
		})
	}
}

// Every client gets every event once and in order, whatever happens to its
// connection.
func TestRecoveryOfMany(t *testing.T) {
	inWorld(t, realtime.Config{Recovery: &realtime.Recovery{}}, func(w *world) {
		const clients, events = 10, 300
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				c := openWebSocket(w)
				c.send("40")
				at := c.admission()
				if i == clients-1 {
					close(stop)
				}
				for n := 1; n <= events; n++ {
					if got, want := c.event(&at), fmt.Sprint("tick", n); got != want {
						t.Errorf("client %d got %q, want %q", i, got, want)
						break
					}
					if n%(7+i) == 0 {
						if i%2 == 0 {
							c.close()
						} else {
							defer c.close() // the server has to find out
						}
						var admission ticket
						if c, admission = w.back(at); admission.SID != at.SID {
							t.Errorf("client %d was not recovered", i)
							break
						}
					}
				}
				c.close()
			})
			synctest.Wait()
		}
		<-stop
		for n := 1; n <= events; n++ {
			w.server.Emit("tick", n)
			if n%10 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		wg.Wait()
	})
}

// What is emitted to a socket whose client is gone for a moment is what it
// missed, too; its rooms and values need no more than that.
func TestRecoveryOfWhatASocketEmits(t *testing.T) {
	inWorld(t, realtime.Config{Recovery: &realtime.Recovery{}}, func(w *world) {
		sockets := make(chan *realtime.Socket, 2)
		w.server.On("connection", func(s *realtime.Socket) {
			s.On("later", func() {
				time.Sleep(time.Second)
				s.Set("done", true)
				if err := s.Emit("done"); err != nil {
					t.Errorf("emit: %v", err)
				}
			})
			sockets <- s
		})
		c := openWebSocket(w)
		c.send("40")
		at := c.admission()
		s := <-sockets
		c.send(`42["later"]`)
		synctest.Wait()
		c.close()
		synctest.Wait()
		if err := s.Emit("direct"); err != nil {
			t.Errorf("emit: %v", err)
		}
		if err := s.EmitContext(w.t.Context(), "direct too"); err != nil {
			t.Errorf("emit: %v", err)
		}
		if _, err := s.EmitWithAck(w.t.Context(), "question"); !errors.Is(err, realtime.ErrNotConnected) {
			t.Errorf("ask: %v", err)
		}
		c, admission := w.back(at) // waits for the handler
		if admission.PID != at.PID {
			t.Errorf("admitted as %+v, was %+v", admission, at)
		}
		for _, want := range []string{"direct", "direct too", "done"} {
			if got := c.event(&at); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if again := <-sockets; again.Value("done") != true {
			t.Error("a value was lost")
		}
		c.close()
		time.Sleep(2 * time.Minute)
		if err := s.Emit("too late"); !errors.Is(err, realtime.ErrNotConnected) {
			t.Errorf("emit: %v", err)
		}
	})
}

// A client that asks for its session while another of its connections waits for
// it, which the server does not know to be broken, gets it.
func TestRecoveryTwiceInARow(t *testing.T) {
	for _, slow := range []string{"handler", "middleware"} {
		t.Run(slow, func(t *testing.T) {
			inWorld(t, realtime.Config{Recovery: &realtime.Recovery{RunMiddleware: slow == "middleware"}}, func(w *world) {
				w.server.Use(func(s *realtime.Socket) error {
					if s.Recovered() {
						time.Sleep(10 * time.Second)
					}
					return nil
				})
				w.server.On("connection", func(s *realtime.Socket) {
					s.On("slow", func() { time.Sleep(10 * time.Second) })
				})
				c := openWebSocket(w)
				c.send("40")
				at := c.admission()
				if slow == "handler" {
					c.send(`42["slow"]`)
				}
				synctest.Wait()
				c.close()
				auth, _ := json.Marshal(ticket{PID: at.PID})
				waiting := openWebSocket(w)
				waiting.send("40" + string(auth))
				time.Sleep(time.Second)
				w.server.Emit("missed")
				last, admission := w.back(at)
				if admission.SID != at.SID {
					t.Errorf("admitted as %+v, was %+v", admission, at)
				}
				if got := last.event(&at); got != "missed" {
					t.Errorf("got %q", got)
				}
				if n := w.server.ClientsCount(); n != 1 {
					t.Errorf("%d clients", n)
				}
				waiting.close()
				last.close()
			})
		})
	}
}

// forgetful loses what a client missed at the last moment.
type forgetful struct{ adapter.Recoverer }

func (forgetful) Resume(adapter.Socket, adapter.Session, string) ([]adapter.Packet, bool) {
	return nil, false
}

// A session whose events are lost while it is given back begins anew, by way of
// the middleware: once, and if that has run already under its old id.
func TestRecoveryThatComesToNothing(t *testing.T) {
	for _, runs := range []bool{false, true} {
		config := realtime.Config{
			Recovery: &realtime.Recovery{RunMiddleware: runs},
			Adapter:  adapter.Factory(func(h adapter.Host) adapter.Adapter { return forgetful{adapter.NewMemory(h).(adapter.Recoverer)} }),
		}
		inWorld(t, config, func(w *world) {
			var d diary
			w.server.Use(func(s *realtime.Socket) error {
				d.add("middleware %v %v", s.Recovered(), s.Value("name"))
				s.Set("name", "ana")
				return nil
			})
			w.server.On("connection", func(s *realtime.Socket) { d.add("connection %v %v", s.Recovered(), s.Value("name")) })
			c := openWebSocket(w)
			c.send("40")
			at := c.admission()
			d.expect(t, "middleware false <nil>", "connection false ana")
			c.close()
			synctest.Wait()
			c, admission := w.back(at)
			if (admission.SID == at.SID) != runs || admission.PID == at.PID {
				t.Errorf("admitted as %+v, was %+v", admission, at)
			}
			if runs {
				d.expect(t, "middleware true ana", "connection false ana")
			} else {
				d.expect(t, "middleware false <nil>", "connection false ana")
			}
			c.close()
		})
	}
}

// Sessions are few, and small: what is left of a socket is not the socket.
func TestRecoveryOfFew(t *testing.T) {
	inWorld(t, realtime.Config{Recovery: &realtime.Recovery{MaxSessions: 3}}, func(w *world) {
		var gone []weak.Pointer[realtime.Socket]
		w.server.On("connection", func(s *realtime.Socket) { gone = append(gone, weak.Make(s)) })
		var tickets []ticket
		for range 5 {
			c := openWebSocket(w)
			c.send("40")
			tickets = append(tickets, c.admission())
			c.close()
			synctest.Wait()
		}
		runtime.GC()
		for i, s := range gone {
			if s.Value() != nil && i < len(gone)-1 {
				t.Errorf("socket %d is kept", i)
			}
		}
		for i := len(tickets) - 1; i >= 0; i-- {
			c, admission := w.back(tickets[i])
			if recovered := admission.SID == tickets[i].SID; recovered != (i >= 2) {
				t.Errorf("client %d: recovered %v", i, recovered)
			}
			c.close()
			synctest.Wait()
		}
	})
}
