// A town square: everybody who opens the page meets everybody else.
//
// This file introduces the parts to each other: pages, assets and sockets, and answers requests. What happens in the
// square is in plaza.go.
package main

import (
	"cmp"
	"errors"
	"log"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
	"github.com/zocalo-go/zocalo/realtime"

	"github.com/zocalo-go/zocalo/public"
	"github.com/zocalo-go/zocalo/views"
)

func main() {
	// On $PORT, or 8080. Ctrl-C ends it, after it has said goodbye to every socket.
	run := func() error { return newServer().Listen("") }
	if len(os.Args) > 1 && os.Args[1] == "health" {
		run = healthy
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func newServer() *app.App {
	server := app.New()

	// Pages are Handlebars in views/. In development an edit shows on the next request; a build carries them inside.
	server.Engine("handlebars", handlebars.New(handlebars.Config{Helpers: helpers()}))
	server.Set("view engine", "handlebars")
	server.Set("views", app.Files("views", views.FS))

	// Middleware runs in order, and passes the request on.
	server.Use(protect)
	server.Use(app.StaticFS(app.Files("public", public.FS)))

	// Sockets: Socket.IO, which brings its browser client along at /socket.io/socket.io.js.
	// Who comes back within two minutes, also after a restart, goes on where they were: with what was said meanwhile.
	sockets := realtime.NewServer(realtime.Config{Recovery: &realtime.Recovery{}})
	plaza := newPlaza(sockets)
	sockets.On("connection", plaza.connected)
	server.Mount("/socket.io", sockets)

	// Routes answer, or return an error.
	server.Get("/pictures/:at", plaza.picture)
	server.Get("/{:topic}", plaza.page)
	return server
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

// protect tells browsers to load and run nothing but what this server sends.
func protect(req *app.Request, res *app.Response) error {
	res.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' blob:; object-src 'none'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	res.Set("X-Content-Type-Options", "nosniff")
	res.Set("Referrer-Policy", "same-origin")
	return req.Next()
}

// helpers are functions that pages call: {{clock at}}.
func helpers() handlebars.Helpers {
	return handlebars.Helpers{
		"iso":   func(at int64) string { return time.UnixMilli(at).UTC().Format(time.RFC3339) },
		"clock": func(at int64) string { return time.UnixMilli(at).UTC().Format("15:04") },
		"initial": func(name string) string {
			for _, r := range name {
				return strings.ToUpper(string(r))
			}
			return ""
		},
	}
}

// healthy asks the app that runs beside it for a page: the health check of an image that has nothing else to ask with.
func healthy() error {
	res, err := http.Get("http://localhost:" + cmp.Or(os.Getenv("PORT"), "8080") + "/")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 500 {
		return errors.New(res.Status)
	}
	return nil
}
