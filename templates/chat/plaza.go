package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	_ "image/gif" // the kinds of pictures that the square takes
	_ "image/jpeg"
	_ "image/png"
	"log"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/presence"
)

// What the square takes and remembers: whatever a visitor can make larger has its limit here.
const (
	maxName      = 24                     // characters
	maxNonce     = 64                     // bytes
	maxText      = 1000                   // characters
	maxPicture   = 512 << 10              // bytes
	maxSide      = 4096                   // pixels
	keepMessages = 50                     // of each topic
	keepPictures = 8                      // among them
	listPeople   = 60                     // names in the list of who is here
	burst        = 24                     // things that a socket may do at once: more than wait in a page that was away
	pause        = 500 * time.Millisecond // until it may do one more
	tints        = 8                      // colours of people in plaza.css
)

// A Person is somebody in the square. Names are unique; the tint is one of the page's colours.
type Person struct {
	Name string `json:"name"`
	Tint int    `json:"tint"`
}

// A Topic is a place in the square.
type Topic struct {
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	About string `json:"about"`
}

// A Message is what somebody said. At is its time in Unix milliseconds and also identifies it: no two are equal.
type Message struct {
	At      int64    `json:"at"`
	Nonce   string   `json:"nonce"` // of the Note that it was
	Topic   string   `json:"topic"`
	Name    string   `json:"name"`
	Tint    int      `json:"tint"`
	Text    string   `json:"text"`
	Picture *Picture `json:"picture,omitempty"`
	Follows bool     `json:"follows"` // the one before is from the same person, and not old
}

// A Picture is the picture of a message, in pixels. The page loads it from /pictures/<at>, or gets it as it is sent.
type Picture struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	kind   string
	data   []byte
}

// A Visit is how a page enters a topic, also when it comes back after a disconnection.
type Visit struct {
	Name  string `json:"name"`
	Key   string `json:"key"` // the page's secret: whoever has it keeps the name
	Topic string `json:"topic"`
	After int64  `json:"after"` // the last message that the page has
}

// A Note is what a page wants to say. The nonce is the page's: sent twice, it is said once.
type Note struct {
	Nonce string `json:"nonce"`
	Topic string `json:"topic"`
	Text  string `json:"text"`
}

// Welcome answers a Visit.
type Welcome struct {
	You      Person         `json:"you"`
	Topic    Topic          `json:"topic"`
	People   People         `json:"people"`
	Topics   map[string]int `json:"topics"`
	Messages []Message      `json:"messages"` // those after Visit.After
	Fresh    bool           `json:"fresh"`    // they are all that there are: the page forgets what it has
}

// People are those in a topic, the first listPeople of them by name.
type People struct {
	Count int      `json:"count"`
	List  []Person `json:"list"`
}

// Said is a message on its way to the other nodes, with what pages do not get of its picture.
type Said struct {
	Message Message
	Kind    string
	Data    []byte
}

// A plaza is the square: its topics, who is there, and what was said last. The app may run as several processes, the
// nodes of a cluster (see realtime.Config.Adapter), and then the square is one all the same: package presence knows who
// is there on whatever node, and what is said on one node the others are told to remember. Alone nothing is different.
//
// All of it is behind one mutex. Emit never waits for anybody, and presence calls functions without a lock of its own,
// so both are used with the mutex held, and the pages of a node see things happen in the same order.
type plaza struct {
	sockets *realtime.Server
	here    *presence.Tracker[Person] // the keys are those of guests

	mu    sync.Mutex
	rooms []*room
	last  int64 // At of the newest message
}

// A room is a topic with those who are there. The room of their sockets has the name Slug.
type room struct {
	Topic
	people    People    // on all nodes, as pages see them
	messages  []Message // oldest first
	forgotten int64     // At of the newest message that is no longer kept
}

// A guest is one socket in the square. Its handlers run one after the other, and nobody else uses it.
type guest struct {
	Person
	socket *realtime.Socket
	key    string // tells pages apart: a hash of Visit.Key, which is nobody else's to know
	room   *room  // nil before the first visit

	credit  float64 // see allow
	counted time.Time
}

func newPlaza(sockets *realtime.Server) *plaza {
	p := &plaza{sockets: sockets, rooms: []*room{
		{Topic: Topic{"plaza", "The bench", "Sit down. Anything goes here."}},
		{Topic: Topic{"music", "The bandstand", "What are you listening to?"}},
		{Topic: Topic{"market", "The market", "Food, finds and recommendations."}},
		{Topic: Topic{"workshop", "The workshop", "What are you making? Ask, show, help."}},
	}}
	p.here = presence.New(sockets.Namespace, presence.Options[Person]{
		OnJoin:   p.changed,
		OnUpdate: func(_, now presence.Entry[Person]) { p.changed(now) },
		OnLeave:  p.changed,
	})
	sockets.On("said", p.heard) // by ServerSideEmit, on another node
	return p
}

// connected registers what a page may ask for. Arguments are decoded into the handler's types; what a handler returns
// is the acknowledgement, an error becomes {"error": "..."}.
func (p *plaza) connected(socket *realtime.Socket) {
	g := &guest{socket: socket, credit: burst, counted: time.Now()}
	socket.On("enter", func(v Visit) (Welcome, error) { return p.enter(g, v) })
	socket.On("rename", func(name string) (Person, error) { return p.rename(g, name) })
	socket.On("say", func(n Note) (Message, error) { return p.say(g, n, nil) })
	socket.On("picture", func(n Note, data []byte) (Message, error) {
		picture, err := examine(data)
		if err != nil {
			return Message{}, err
		}
		return p.say(g, n, picture)
	})
	socket.On("typing", func() {
		if g.room != nil && g.allow(time.Now()) {
			socket.To(g.room.Slug).Volatile().Emit("typing", g.Name)
		}
	})
}

var (
	errStranger = errors.New("enter the square first")
	errNowhere  = errors.New("there is no such topic")
	errFlood    = errors.New("that was a lot at once, wait a moment")
)

// enter brings a guest into a topic, out of the one where it was. Who disconnects leaves by itself.
func (p *plaza) enter(g *guest, v Visit) (Welcome, error) {
	if !g.allow(time.Now()) {
		return Welcome{}, errFlood
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.room(v.Topic)
	if r == nil {
		return Welcome{}, errNowhere
	}
	for _, other := range p.rooms {
		if other != r {
			g.socket.Leave(other.Slug)
		}
	}
	g.key = g.socket.ID()
	if v.Key != "" {
		g.key = fmt.Sprintf("%x", sha256.Sum256([]byte(v.Key)))
	}
	g.Person, g.room = p.called(g, v.Name), r
	if err := p.here.Track(g.socket, r.Slug, g.key, g.Person); err != nil { // which has it join the room
		return Welcome{}, err
	}
	for _, r := range p.rooms {
		p.look(r)
	}

	w := Welcome{You: g.Person, Topic: r.Topic, People: r.people, Topics: p.counts(), Messages: []Message{}}
	w.Fresh = v.After <= r.forgotten
	for _, m := range r.messages {
		if w.Fresh || m.At > v.After {
			w.Messages = append(w.Messages, m)
		}
	}
	return w, nil
}

func (p *plaza) rename(g *guest, name string) (Person, error) {
	switch {
	case g.room == nil:
		return Person{}, errStranger
	case !g.allow(time.Now()):
		return Person{}, errFlood
	case line(name) == "":
		return Person{}, errors.New("a name needs a letter, at least")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	g.Person = p.called(g, name)
	return g.Person, p.here.Track(g.socket, g.room.Slug, g.key, g.Person)
}

// say tells a note to everybody else in its topic, on all nodes, and has it remembered there.
func (p *plaza) say(g *guest, n Note, picture *Picture) (Message, error) {
	text := strings.TrimSpace(strings.Map(visible, n.Text))
	switch {
	case g.room == nil:
		return Message{}, errStranger
	case text == "" && picture == nil:
		return Message{}, errors.New("there is nothing in this message")
	case utf8.RuneCountInString(text) > maxText:
		return Message{}, fmt.Errorf("this is longer than %d characters", maxText)
	case n.Nonce == "" || len(n.Nonce) > maxNonce:
		return Message{}, fmt.Errorf("a note needs a nonce of at most %d bytes", maxNonce)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.room(n.Topic)
	if r == nil {
		return Message{}, errNowhere
	}
	for _, m := range r.messages {
		if m.Nonce == n.Nonce {
			return m, nil // the page did not hear our answer, and asks again
		}
	}
	if !g.allow(time.Now()) {
		return Message{}, errFlood
	}
	m := Message{At: p.next(), Nonce: n.Nonce, Topic: r.Slug, Name: g.Name, Tint: g.Tint, Text: text, Picture: picture}
	m = r.remember(m)
	said := Said{Message: m}
	if picture != nil {
		said.Kind, said.Data = picture.kind, picture.data
	}
	if err := p.sockets.ServerSideEmit("said", said); err != nil { // before pages ask for the picture
		log.Print("the other nodes will not remember a message: ", err)
	}
	if picture == nil {
		g.socket.To(r.Slug).Emit("message", m)
	} else {
		g.socket.To(r.Slug).Emit("picture", m, picture.data) // bytes travel as bytes
	}
	p.sockets.Except(r.Slug).Emit("stir", r.Slug)
	return m, nil
}

// heard remembers what was said on another node, which has told the pages here, too.
func (p *plaza) heard(said Said) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := said.Message
	if m.Picture != nil {
		m.Picture.kind, m.Picture.data = said.Kind, said.Data
	}
	p.last = max(p.last, m.At)
	if r := p.room(m.Topic); r != nil {
		r.remember(m)
	}
}

// next returns the At of a new message: the time, or a little later. Of as many milliseconds as there are nodes each
// has its own, so that no two messages are equal.
func (p *plaza) next() int64 {
	node := p.sockets.Node()
	others := node.Nodes() // sorted
	turn, _ := slices.BinarySearch(others, node.ID())
	turns := int64(len(others) + 1)
	p.last = max(p.last+1, time.Now().UnixMilli())
	for p.last%turns != int64(turn) {
		p.last++
	}
	return p.last
}

func (p *plaza) room(slug string) *room {
	for _, r := range p.rooms {
		if r.Slug == slug {
			return r
		}
	}
	return nil
}

func (p *plaza) counts() map[string]int {
	counts := make(map[string]int, len(p.rooms))
	for _, r := range p.rooms {
		counts[r.Slug] = r.people.Count
	}
	return counts
}

// called gives a guest the name that it wants, or the next free one like it. Who wants none is named after somebody
// or something that one meets in a Mexican square.
func (p *plaza) called(g *guest, wanted string) Person {
	wanted = line(wanted)
	if wanted == "" {
		names := []string{"Paloma", "Jacaranda", "Globero", "Organillero", "Colibrí", "Bugambilia", "Chapulín", "Nopal",
			"Cempasúchil", "Luciérnaga", "Mazorca", "Tololoche", "Rehilete", "Guayaba", "Jarana", "Farolito"}
		wanted = names[rand.IntN(len(names))]
	}
	everybody := p.everybody()
	taken := func(name string) bool {
		return slices.ContainsFunc(everybody, func(e presence.Entry[Person]) bool {
			return strings.EqualFold(e.Meta.Name, name) && e.Key != g.key && e.Socket != g.socket.ID()
		})
	}
	name := wanted
	for n := 2; taken(name); n++ {
		name = wanted + " " + strconv.Itoa(n)
	}
	if g.Name != "" {
		return Person{Name: name, Tint: g.Tint}
	}
	return Person{Name: name, Tint: tint(name, everybody)}
}

// tint gives a newcomer the colour that fewest have; the name decides among those. Who comes back while the socket of
// before is still there has the same one.
func tint(name string, everybody []presence.Entry[Person]) int {
	var used [tints]int
	for _, e := range everybody {
		if e.Meta.Name == name {
			return e.Meta.Tint
		}
		used[e.Meta.Tint%tints]++
	}
	hash := fnv.New32a()
	hash.Write([]byte(name))
	best := int(hash.Sum32() % tints)
	for i := range used {
		if used[i] < used[best] {
			best = i
		}
	}
	return best
}

// everybody returns who is in the square, on all nodes: a socket each.
func (p *plaza) everybody() []presence.Entry[Person] {
	var all []presence.Entry[Person]
	for _, r := range p.rooms {
		all = append(all, p.here.List(r.Slug)...)
	}
	return all
}

// changed is called on every node when somebody on any node has come, has another name, or has gone. Each node tells
// its own pages.
func (p *plaza) changed(e presence.Entry[Person]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.room(e.Room)
	if r == nil {
		return // of a newer version of the app
	}
	p.look(r)
	p.sockets.To(r.Slug).Local().Emit("people", r.people)
	p.sockets.Local().Emit("topics", p.counts())
}

// look notes who is in a topic. Somebody who comes back may have two sockets there for a while, and counts once.
func (p *plaza) look(r *room) {
	entries := p.here.List(r.Slug)
	list := make([]Person, len(entries))
	for i, e := range entries {
		list[i] = e.Meta
	}
	slices.SortFunc(list, func(a, b Person) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Name, b.Name))
	})
	list = slices.Compact(list)
	r.people = People{Count: len(list), List: list[:min(len(list), listPeople)]}
}

// remember keeps a message in its place, which is the end unless it comes late from another node, and lets go of the
// oldest one, or of the oldest with a picture.
func (r *room) remember(m Message) Message {
	i := len(r.messages)
	for i > 0 && r.messages[i-1].At > m.At {
		i--
	}
	if i > 0 {
		before := r.messages[i-1]
		m.Follows = before.Name == m.Name && m.At-before.At < (5*time.Minute).Milliseconds()
	}
	r.messages = slices.Insert(r.messages, i, m)
	pictures := 0
	for _, m := range r.messages {
		if m.Picture != nil {
			pictures++
		}
	}
	oldest := -1
	switch {
	case pictures > keepPictures:
		oldest = slices.IndexFunc(r.messages, func(m Message) bool { return m.Picture != nil })
	case len(r.messages) > keepMessages:
		oldest = 0
	}
	if oldest >= 0 {
		r.forgotten = max(r.forgotten, r.messages[oldest].At)
		r.messages = slices.Delete(r.messages, oldest, oldest+1)
	}
	return m
}

// allow reports whether the guest may do one more thing: a bucket of credit that fills again with time.
func (g *guest) allow(now time.Time) bool {
	g.credit = min(burst, g.credit+float64(now.Sub(g.counted))/float64(pause))
	g.counted = now
	if g.credit < 1 {
		return false
	}
	g.credit--
	return true
}

// examine looks at the bytes of a picture, whatever the page says that they are.
func examine(data []byte) (*Picture, error) {
	if len(data) > maxPicture {
		return nil, fmt.Errorf("this picture is larger than %d KB", maxPicture>>10)
	}
	config, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("this is not a JPEG, PNG or GIF picture")
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxSide || config.Height > maxSide {
		return nil, fmt.Errorf("this picture is wider or higher than %d pixels", maxSide)
	}
	return &Picture{Width: config.Width, Height: config.Height, kind: "image/" + kind, data: data}, nil
}

// line makes one short line of text that someone typed: no control characters, no invisible ones.
func line(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)), " ")
	if runes := []rune(s); len(runes) > maxName {
		s = strings.TrimSpace(string(runes[:maxName]))
	}
	return s
}

// visible drops control characters but keeps new lines.
func visible(r rune) rune {
	if unicode.IsControl(r) && r != '\n' {
		return -1
	}
	return r
}
