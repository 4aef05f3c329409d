package realtime

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// An observer keeps the last that happened, for [Server.DevTools]. Without one, a
// nil check is all that the rest of the package pays.
type observer struct {
	server  *Server
	handler http.Handler
	id      string // which tells the numbers of its events from another's

	mu      sync.Mutex // guards the rest
	ring    []observed // oldest first, after it has been turned at next
	next    int        // where the next goes, once ring is full
	last    uint64     // the newest number
	changed chan struct{}
}

const (
	observedEvents  = 500
	observedText    = 2 << 10 // bytes of arguments
	observedSockets = 20      // that an event names
	listedSockets   = 500     // that a census lists
	listedRooms     = 100     // of a socket
)

// observed is something that happened to sockets.
type observed struct {
	Seq       uint64   `json:"seq"`  // 1, 2, …
	At        float64  `json:"at"`   // milliseconds since 1970
	Kind      string   `json:"kind"` // "connection", "disconnect", "in", "out", "ack in", "ack out"
	Namespace string   `json:"namespace"`
	Sockets   []string `json:"sockets"` // ids, the first of them
	Count     int      `json:"count"`   // of them all
	Event     string   `json:"event,omitempty"`
	Args      string   `json:"args,omitempty"` // a JSON array, or its beginning
	Size      int      `json:"size,omitempty"` // bytes of the arguments when they are not all there
	Ack       int64    `json:"ack"`            // the number of the acknowledgement, -1 without
	Took      float64  `json:"took,omitempty"` // milliseconds, from an event to its acknowledgement
}

func newObserver(s *Server) *observer {
	o := &observer{server: s, id: newSecret(), changed: make(chan struct{})}
	o.handler = o.routes()
	return o
}

// add notes what happened, and forgets the oldest.
func (o *observer) add(e observed) {
	now := time.Now()
	e.At = float64(now.UnixMicro()) / 1000
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.HasPrefix(e.Kind, "ack") {
		o.relate(&e)
	}
	o.last++
	e.Seq = o.last
	if len(o.ring) < observedEvents {
		o.ring = append(o.ring, e)
	} else {
		o.ring[o.next] = e
		o.next = (o.next + 1) % observedEvents
	}
	close(o.changed)
	o.changed = make(chan struct{})
}

// relate finds the event that an acknowledgement is of. mu is held.
func (o *observer) relate(ack *observed) {
	asked := map[string]string{"ack in": "out", "ack out": "in"}[ack.Kind]
	for i := range o.ring {
		e := &o.ring[(o.next+len(o.ring)-1-i)%len(o.ring)]
		if e.Kind == asked && e.Ack == ack.Ack && e.Namespace == ack.Namespace && (slices.Contains(e.Sockets, ack.Sockets[0]) || e.Count > len(e.Sockets)) {
			ack.Event, ack.Took = e.Event, ack.At-e.At
			return
		}
	}
}

// since returns what happened after that number, and what is closed when there
// is more.
func (o *observer) since(number uint64) ([]observed, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	events := slices.Concat(o.ring[o.next:], o.ring[:o.next])
	i, _ := slices.BinarySearchFunc(events, number+1, func(e observed, n uint64) int { return int(int64(e.Seq) - int64(n)) })
	return events[i:], o.changed
}

// lifecycle notes that a socket has come or gone.
func (o *observer) lifecycle(s *Socket, kind, reason string) {
	if o != nil {
		o.add(observed{Kind: kind, Namespace: s.namespace.name, Sockets: []string{s.id}, Count: 1, Event: reason, Ack: parser.NoID})
	}
}

// received notes a packet of a client.
func (o *observer) received(kind string, s *Socket, p *parser.Packet) {
	if o != nil {
		o.packet(kind, s.namespace, []string{s.id}, 1, p)
	}
}

// observeSent is sent for one socket; it costs nothing without an observer.
func (n *Namespace) observeSent(frames []parser.Frame, s *Socket) {
	if o := n.server.observer.Load(); o != nil {
		o.sent(n, frames, "", s)
	}
}

// sent notes a packet to clients, events and acknowledgements.
func (o *observer) sent(n *Namespace, frames []parser.Frame, offset string, sockets ...adapter.Socket) {
	if len(sockets) == 0 {
		return
	}
	p := n.reread(frames)
	if p == nil {
		return
	}
	if offset != "" {
		p.Args = p.Args[:len(p.Args)-1]
	}
	kind := "out"
	if p.Type == parser.Ack {
		kind = "ack out"
	}
	ids := make([]string, 0, min(len(sockets), observedSockets))
	for _, s := range sockets[:cap(ids)] {
		ids = append(ids, s.(*Socket).id)
	}
	o.packet(kind, n, ids, len(sockets), p)
}

func (o *observer) packet(kind string, n *Namespace, ids []string, count int, p *parser.Packet) {
	e := observed{Kind: kind, Namespace: n.name, Sockets: ids, Count: count, Event: p.Event, Ack: p.ID}
	e.Args, e.Size = devText(Args{n.server.config.Codec, p.Args, p.Attachments})
	o.add(e)
}

// devText is arguments as a JSON array, or its beginning, and then how many bytes
// they have. What is much larger than what is shown is not made into text.
func devText(a Args) (text string, size int) {
	for _, part := range slices.Concat(a.raw, a.attachments) {
		size += len(part)
	}
	var b strings.Builder
	b.WriteByte('[')
	for i := range a.raw {
		if b.Len() > observedText {
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if size <= 8*observedText {
			b.Write(a.Raw(i))
		} else {
			b.Write(a.raw[i][:min(len(a.raw[i]), observedText)])
		}
	}
	b.WriteByte(']')
	text = b.String()
	if size <= 8*observedText && len(text) <= observedText {
		return strings.ToValidUTF8(text, "\uFFFD"), 0
	}
	text = text[:min(len(text), observedText)]
	for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return strings.ToValidUTF8(text, "\uFFFD"), size
}

// A census is who is connected to this server.
type census struct {
	ID         string         `json:"id"`   // of the observer, whose events are numbered
	Path       string         `json:"path"` // Config.Path
	Namespaces map[string]int `json:"namespaces"`
	Clients    int            `json:"clients"`
	Sockets    []listed       `json:"sockets"` // sorted by when they came; the last ones when there are many
}

// listed is one socket.
type listed struct {
	ID        string   `json:"id"`
	Namespace string   `json:"namespace"`
	Transport string   `json:"transport"`
	Address   string   `json:"address"`
	Agent     string   `json:"agent"` // User-Agent
	Rooms     []string `json:"rooms"` // without its own
	More      int      `json:"more,omitempty"`
	Since     int64    `json:"since"`             // milliseconds since 1970
	Latency   float64  `json:"latency,omitempty"` // of the last heartbeat, in milliseconds
	Buffered  int      `json:"buffered,omitempty"`
	Recovered bool     `json:"recovered,omitempty"`
}

func (o *observer) census() census {
	c := census{ID: o.id, Path: o.server.config.Path, Namespaces: map[string]int{}, Clients: o.server.ClientsCount(), Sockets: []listed{}}
	var sockets []*Socket
	for _, n := range o.server.spaces() {
		in := n.Local().Sockets()
		c.Namespaces[n.name] = len(in)
		sockets = append(sockets, in...)
	}
	slices.SortFunc(sockets, func(a, b *Socket) int {
		if d := cmp.Compare(a.introduced.time, b.introduced.time); d != 0 {
			return d
		}
		return strings.Compare(a.id, b.id)
	})
	for _, s := range sockets[max(0, len(sockets)-listedSockets):] {
		rooms := slices.DeleteFunc(slices.Clone(s.Rooms()), func(room string) bool { return room == s.id })
		slices.Sort(rooms)
		l := listed{ID: s.id, Namespace: s.namespace.name, Transport: s.Transport(), Address: s.client.origin.address(),
			Agent: s.client.origin.header("User-Agent"), Rooms: rooms, Since: time.Unix(0, s.introduced.time).UnixMilli(),
			Latency: milliseconds(s.client.session.Latency()), Buffered: s.Buffered(), Recovered: s.recovered}
		if len(rooms) > listedRooms {
			l.Rooms, l.More = rooms[:listedRooms], len(rooms)-listedRooms
		}
		c.Sockets = append(c.Sockets, l)
	}
	return c
}

// spaces returns the namespaces there are, sorted by name.
func (s *Server) spaces() []*Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Namespace, 0, len(s.namespaces))
	for _, n := range s.namespaces {
		select {
		case <-n.opened:
			list = append(list, n)
		default: // it has no adapter yet
		}
	}
	slices.SortFunc(list, func(a, b *Namespace) int { return strings.Compare(a.name, b.name) })
	return list
}

// known returns the namespace with that name, or nil.
func (s *Server) known(name string) *Namespace {
	for _, n := range s.spaces() {
		if n.name == name {
			return n
		}
	}
	return nil
}
