package main

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/zocalo-go/zocalo/app"
)

const (
	maxText  = 1000 // characters of a note
	maxNotes = 1000 // that are kept: the oldest go first
)

// A Note is a line of text with a number.
type Note struct {
	ID   int64  `json:"id"`
	Text string `json:"text"`
}

// notes are kept in memory and go when the process ends: put a database here.
type notes struct {
	changed func(event string, n Note) // tells the clients; never called under mu

	mu   sync.Mutex
	last int64
	all  []Note // by ID
}

func (s *notes) list(req *app.Request, res *app.Response) error {
	s.mu.Lock()
	all := append([]Note{}, s.all...) // never null in JSON
	s.mu.Unlock()
	return res.JSON(all)
}

func (s *notes) create(req *app.Request, res *app.Response) error {
	var n Note
	if err := req.Bind(&n); err != nil {
		return err
	}
	n.Text = strings.TrimSpace(n.Text)
	if length := utf8.RuneCountInString(n.Text); length == 0 || length > maxText {
		return app.Errorf(422, "text must have 1 to %d characters", maxText)
	}
	s.mu.Lock()
	s.last++
	n.ID = s.last
	s.all = append(s.all, n)
	s.all = s.all[max(0, len(s.all)-maxNotes):]
	s.mu.Unlock()
	s.changed("note created", n)
	return res.Status(201).Set("Location", "/api/notes/"+strconv.FormatInt(n.ID, 10)).JSON(n)
}

func (s *notes) show(req *app.Request, res *app.Response) error {
	n, err := s.take(req.Param("id"), false)
	if err != nil {
		return err
	}
	return res.JSON(n)
}

func (s *notes) remove(req *app.Request, res *app.Response) error {
	n, err := s.take(req.Param("id"), true)
	if err != nil {
		return err
	}
	s.changed("note removed", n)
	return res.SendStatus(204)
}

// take returns a note, and removes it if it should.
func (s *notes) take(id string, remove bool) (Note, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, func(n Note) bool { return strconv.FormatInt(n.ID, 10) == id })
	if i < 0 {
		return Note{}, app.Errorf(404, "there is no note %q", id)
	}
	n := s.all[i]
	if remove {
		s.all = slices.Delete(s.all, i, i+1)
	}
	return n, nil
}
