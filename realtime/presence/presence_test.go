package presence_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/presence"
)

type person struct {
	Name string `json:"name"`
}

// town is a node with a tracker, whose clients come to the plaza.
type town struct {
	server *realtime.Server
	http   *httptest.Server
	online *presence.Tracker[person]
	said   chan string // what the functions of the options were told
}

func newTown(t *testing.T, config realtime.Config) *town {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	w := &town{server: realtime.NewServer(config), said: make(chan string, 100)}
	w.online = presence.New(w.server.Namespace, presence.Options[person]{
		Events: true,
		OnJoin: func(e presence.Entry[person]) {
			w.said <- fmt.Sprintf("+%s %s %v", e.Key, e.Meta.Name, w.online.Here(e))
		},
		OnLeave: func(e presence.Entry[person]) { w.said <- "-" + e.Key },
		OnUpdate: func(before, after presence.Entry[person]) {
			w.said <- fmt.Sprintf("%s: %s is %s", after.Key, before.Meta.Name, after.Meta.Name)
			panic("a function may fail")
		},
	})
	w.server.On("connection", func(s *realtime.Socket) {
		s.On("come", func(key, name string) error { return w.online.Track(s, "plaza", key, person{name}) })
		s.On("look", func() error { return w.online.Watch(s, "plaza") })
		s.On("hide", func() { w.online.Untrack(s, "plaza") })
		s.On("leave", func() { s.Leave("plaza") })
	})
	w.http = httptest.NewServer(w.server)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.server.Shutdown(ctx)
		w.http.Close()
	})
	return w
}

// hears waits for what the functions are told.
func (w *town) hears(t *testing.T, want ...string) {
	t.Helper()
	for _, want := range want {
		select {
		case got := <-w.said:
			if got != want {
				t.Fatalf("the node was told %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("the node was not told %q", want)
		}
	}
}

// keys are those who are in the plaza.
func (w *town) keys() []string {
	keys := []string{}
	for _, e := range w.online.List("plaza") {
		keys = append(keys, e.Key)
	}
	return keys
}

// client is a client by hand. It keeps what the events tell it.
type client struct {
	t     *testing.T
	conn  *websocket.Conn
	knows map[string]presence.Entry[person]
}

func (w *town) dial(t *testing.T) *client {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), w.http.URL+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	c := &client{t: t, conn: conn}
	c.read("0{")
	c.send("40")
	c.read("40{")
	return c
}

func (c *client) send(packet string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(packet)); err != nil {
		c.t.Fatal(err)
	}
}

// read reads until a packet with a prefix comes.
func (c *client) read(prefix string) string {
	c.t.Helper()
	for {
		_, data, err := c.conn.Read(c.t.Context())
		if err != nil {
			c.t.Fatalf("waiting for %q: %v", prefix, err)
		}
		if packet := string(data); strings.HasPrefix(packet, prefix) {
			return packet
		}
	}
}

// sees reads events until they say that these are there.
func (c *client) sees(want ...string) {
	c.t.Helper()
	for {
		if c.knows != nil && slices.Equal(c.names(), want) {
			return
		}
		var event []json.RawMessage
		if err := json.Unmarshal([]byte(strings.TrimPrefix(c.read(`42["presence`), "42")), &event); err != nil {
			c.t.Fatal(err)
		}
		c.learn(string(event[0]), event[2])
	}
}

func (c *client) learn(event string, what json.RawMessage) {
	if event == `"presence_state"` {
		var all []presence.Entry[person]
		if err := json.Unmarshal(what, &all); err != nil {
			c.t.Fatal(err)
		}
		c.knows = map[string]presence.Entry[person]{}
		for _, e := range all {
			c.knows[e.Ref] = e
		}
		return
	}
	var diff presence.Diff[person]
	if err := json.Unmarshal(what, &diff); err != nil {
		c.t.Fatal(err)
	}
	if c.knows == nil {
		return
	}
	for _, e := range append(diff.Joins, diff.Updates...) {
		c.knows[e.Ref] = e
	}
	for _, e := range diff.Leaves {
		delete(c.knows, e.Ref)
	}
}

func (c *client) names() []string {
	var names []string
	for _, e := range c.knows {
		names = append(names, e.Meta.Name)
	}
	slices.Sort(names)
	return names
}

// Two nodes, clients on both: everybody sees everybody.
func TestCluster(t *testing.T) {
	hub := cluster.NewHub(cluster.Options{HeartbeatInterval: 200 * time.Millisecond})
	here, there := newTown(t, realtime.Config{Adapter: hub}), newTown(t, realtime.Config{Adapter: hub})

	ana := here.dial(t)
	ana.send(`42["come","1","Ana"]`)
	ana.sees("Ana")
	here.hears(t, "+1 Ana true")
	there.hears(t, "+1 Ana false")

	ben, eva := there.dial(t), there.dial(t)
	ben.send(`42["come","2","Ben"]`)
	ben.sees("Ana", "Ben")
	ana.sees("Ana", "Ben")
	eva.send(`42["look"]`)
	eva.sees("Ana", "Ben")

	// Another name, and another of the same.
	ben.send(`42["come","2","Benito"]`)
	for _, c := range []*client{ana, ben, eva} {
		c.sees("Ana", "Benito")
	}
	here.hears(t, "+2 Ben false", "2: Ben is Benito")
	eva.send(`42["come","2","Benito too"]`)
	ana.sees("Ana", "Benito", "Benito too")
	if keys := here.keys(); !slices.Equal(keys, []string{"1", "2", "2"}) {
		t.Errorf("here are %v", keys)
	}

	// Each way to go.
	eva.send(`42["hide"]`)
	ana.sees("Ana", "Benito")
	eva.sees("Ana", "Benito")
	eva.send(`42["come","3","Eva"]`)
	ana.sees("Ana", "Benito", "Eva")
	eva.send(`42["leave"]`)
	ana.sees("Ana", "Benito")
	ben.conn.CloseNow()
	ana.sees("Ana")
	here.hears(t, "+2 Benito too false", "-2", "+3 Eva false", "-3", "-2")

	// A node that is cut off is taken for dead, and heals.
	hub.Cut(here.server.Node().ID())
	there.hears(t, "+2 Ben true", "2: Ben is Benito", "+2 Benito too true", "-2", "+3 Eva true", "-3", "-2", "-1")
	hub.Heal(here.server.Node().ID())
	there.hears(t, "+1 Ana false")

	// One that stops has left.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := here.server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	there.hears(t, "-1")
	if keys := there.keys(); len(keys) > 0 {
		t.Errorf("there are %v", keys)
	}
}

// A server of its own needs no cluster.
func TestAlone(t *testing.T) {
	w := newTown(t, realtime.Config{})
	ana, ben := w.dial(t), w.dial(t)
	ana.send(`42["come","1","Ana"]`)
	ana.sees("Ana")
	ben.send(`42["come","2","Ben"]`)
	ana.sees("Ana", "Ben")
	ben.sees("Ana", "Ben")
	ben.send("41")
	ana.sees("Ana")
	w.hears(t, "+1 Ana true", "+2 Ben true", "-2")
}

// What cannot be is an error that says why.
func TestErrors(t *testing.T) {
	server := realtime.NewServer(realtime.Config{MaxRooms: 2, Logger: slog.New(slog.DiscardHandler)})
	defer server.Close()
	online := presence.New(server.Namespace, presence.Options[any]{MaxMeta: 100})
	errs := make(chan error, 10)
	server.On("connection", func(s *realtime.Socket) {
		errs <- online.Track(s, "a", "key", nil)
		errs <- online.Track(s, "b", "key", strings.Repeat("x", 100))
		errs <- online.Track(s, "b", "key", func() {})
		s.Join("b")
		errs <- online.Track(s, "c", "key", nil)
		s.Disconnect(true)
		errs <- online.Track(s, "a", "key", nil)
	})
	front := httptest.NewServer(server)
	defer front.Close()
	c := (&town{http: front}).dial(t)
	defer c.conn.CloseNow()
	for i, want := range []error{nil, presence.ErrMetaTooLarge, nil, realtime.ErrTooManyRooms, realtime.ErrNotConnected} {
		if err := <-errs; !errors.Is(err, want) && i != 2 || i == 2 && err == nil {
			t.Errorf("%d: %v, want %v", i, err, want)
		}
	}
	if list := online.List("c"); len(list) > 0 {
		t.Errorf("in a room that could not be joined are %v", list)
	}

	for name, f := range map[string]func(){
		"a second of the name": func() { presence.New(server.Namespace, presence.Options[int]{}) },
		"a negative option":    func() { presence.New(server.Namespace, presence.Options[int]{Name: "b", MaxMeta: -1}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}
