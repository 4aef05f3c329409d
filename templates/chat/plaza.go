package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	_ "image/gif" // the kinds of pictures that the square takes
	_ "image/jpeg"
	_ "image/png"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/realtime"
)

// What the square takes and remembers: whatever a visitor can make larger has its limit here.
const (
	maxName      = 24                     // characters
	maxKey       = 64                     // bytes, of a visit's key or a note's nonce
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

// A plaza is the square: its topics, who is there, and what was said last. All of it is behind one mutex. Emit never
// waits for anybody, so it is called with the mutex held, and everybody sees things happen in the same order.
type plaza struct {
	sockets *realtime.Server

	mu    sync.Mutex
	rooms []*room
	last  int64 // At of the newest message
}

// A room is a topic with those who are there. The room of their sockets has the name Slug.
type room struct {
	Topic
	guests    []*guest
	people    People    // the guests, as pages see them
	messages  []Message // oldest first
	forgotten int64     // At of the newest message that is no longer kept
}

// A guest is one socket in the square. Handlers of a socket run one after the other, so the ones of the guest may
// read it without the mutex; the others read it with the mutex, and the guest's write with it.
type guest struct {
	Person
	socket *realtime.Socket
	key    string
	room   *room // nil before the first visit

	credit  float64 // see allow
	counted time.Time
}

func newPlaza(sockets *realtime.Server) *plaza {
	return &plaza{sockets: sockets, rooms: []*room{
		{Topic: Topic{"plaza", "The bench", "Sit down. Anything goes here."}},
		{Topic: Topic{"music", "The bandstand", "What are you listening to?"}},
		{Topic: Topic{"market", "The market", "Food, finds and recommendations."}},
		{Topic: Topic{"workshop", "The workshop", "What are you making? Ask, show, help."}},
	}}
}

// page renders the square as it is now; the script on it takes over from there.
func (p *plaza) page(req *app.Request, res *app.Response) error {
	data := p.view(req.Param("topic"))
	if data == nil {
		return req.Next() // nobody answers after this: 404
	}
	return res.Render("index", data)
}

// view is what the page of a topic shows, the first topic's if slug is empty. It is nil if there is no such topic.
func (p *plaza) view(slug string) app.Map {
	p.mu.Lock()
	defer p.mu.Unlock()
	here := p.rooms[0]
	if slug != "" {
		if here = p.room(slug); here == nil {
			return nil
		}
	}
	tabs := make([]app.Map, len(p.rooms))
	for i, r := range p.rooms {
		path := "/" + r.Slug
		if i == 0 {
			path = "/"
		}
		tabs[i] = app.Map{"slug": r.Slug, "path": path, "name": r.Name, "count": r.people.Count, "current": r == here}
	}
	return app.Map{
		"title":    here.Name,
		"topic":    here.Topic,
		"topics":   tabs,
		"messages": slices.Clone(here.messages),
		"people":   here.people,
		"limits":   app.Map{"name": maxName, "text": maxText, "picture": maxPicture},
		"blank":    Message{},
	}
}

// picture sends the picture of a message that is still remembered.
func (p *plaza) picture(req *app.Request, res *app.Response) error {
	picture := p.find(req.Param("at"))
	if picture == nil {
		return req.Next()
	}
	return res.Type(picture.kind).Set("Cache-Control", "private, max-age=86400").Send(picture.data)
}

func (p *plaza) find(at string) *Picture {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rooms {
		for _, m := range r.messages {
			if m.Picture != nil && strconv.FormatInt(m.At, 10) == at {
				return m.Picture
			}
		}
	}
	return nil
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
	socket.On("disconnect", func(reason string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.leave(g)
		p.sockets.Emit("topics", p.counts())
	})
}

var (
	errStranger = errors.New("enter the square first")
	errNowhere  = errors.New("there is no such topic")
	errFlood    = errors.New("that was a lot at once, wait a moment")
)

// enter brings a guest into a topic, out of the one where it was.
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
	p.leave(g)
	g.key = v.Key[:min(len(v.Key), maxKey)]
	g.Person = p.called(g, v.Name)
	g.room = r
	r.guests = append(r.guests, g)
	g.socket.Join(r.Slug)
	p.present(r)
	p.sockets.Emit("topics", p.counts())

	w := Welcome{You: g.Person, Topic: r.Topic, People: r.people, Topics: p.counts(), Messages: []Message{}}
	w.Fresh = v.After <= r.forgotten
	for _, m := range r.messages {
		if w.Fresh || m.At > v.After {
			w.Messages = append(w.Messages, m)
		}
	}
	return w, nil
}

// leave takes a guest out of its topic, if it is in one.
func (p *plaza) leave(g *guest) {
	r := g.room
	if r == nil {
		return
	}
	g.room = nil
	r.guests = slices.DeleteFunc(r.guests, func(other *guest) bool { return other == g })
	g.socket.Leave(r.Slug)
	p.present(r)
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
	p.present(g.room)
	return g.Person, nil
}

// say tells a note to everybody else in its topic, and remembers it.
func (p *plaza) say(g *guest, n Note, picture *Picture) (Message, error) {
	text := strings.TrimSpace(strings.Map(visible, n.Text))
	switch {
	case g.room == nil:
		return Message{}, errStranger
	case text == "" && picture == nil:
		return Message{}, errors.New("there is nothing in this message")
	case utf8.RuneCountInString(text) > maxText:
		return Message{}, fmt.Errorf("this is longer than %d characters", maxText)
	case n.Nonce == "" || len(n.Nonce) > maxKey:
		return Message{}, fmt.Errorf("a note needs a nonce of at most %d bytes", maxKey)
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
	p.last = max(p.last+1, time.Now().UnixMilli())
	m := Message{At: p.last, Nonce: n.Nonce, Topic: r.Slug, Name: g.Name, Tint: g.Tint, Text: text, Picture: picture}
	m = r.remember(m)
	if picture == nil {
		g.socket.To(r.Slug).Emit("message", m)
	} else {
		g.socket.To(r.Slug).Emit("picture", m, picture.data) // bytes travel as bytes
	}
	p.sockets.Except(r.Slug).Emit("stir", r.Slug)
	return m, nil
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
	name := wanted
	for n := 2; p.taken(name, g); n++ {
		name = wanted + " " + strconv.Itoa(n)
	}
	if g.Name != "" {
		return Person{Name: name, Tint: g.Tint}
	}
	return Person{Name: name, Tint: p.tint(name)}
}

// tint gives a newcomer the colour that fewest have; the name decides among those. Who comes back while the socket of
// before is still there has the same one.
func (p *plaza) tint(name string) int {
	var used [tints]int
	for _, r := range p.rooms {
		for _, g := range r.guests {
			if g.Name == name {
				return g.Tint
			}
			used[g.Tint]++
		}
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

func (p *plaza) taken(name string, by *guest) bool {
	for _, r := range p.rooms {
		for _, g := range r.guests {
			if g != by && strings.EqualFold(g.Name, name) && (g.key == "" || g.key != by.key) {
				return true
			}
		}
	}
	return false
}

// present tells everybody in a topic who is there, after it has changed. Somebody who comes back may have two
// sockets there for a while, and counts once.
func (p *plaza) present(r *room) {
	list := make([]Person, len(r.guests))
	for i, g := range r.guests {
		list[i] = g.Person
	}
	slices.SortFunc(list, func(a, b Person) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Name, b.Name))
	})
	list = slices.Compact(list)
	r.people = People{Count: len(list), List: list[:min(len(list), listPeople)]}
	p.sockets.To(r.Slug).Emit("people", r.people)
}

// remember keeps a message, and lets go of the oldest one, or of the oldest with a picture.
func (r *room) remember(m Message) Message {
	if n := len(r.messages); n > 0 {
		before := r.messages[n-1]
		m.Follows = before.Name == m.Name && m.At-before.At < (5*time.Minute).Milliseconds()
	}
	r.messages = append(r.messages, m)
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
