// Notes over JSON: HTTP to read and write them, a socket to hear of them.
//
// This file introduces the parts to each other; what a note is and where it is kept is in notes.go.
package main

import (
	"cmp"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/realtime"
)

func main() {
	run := func() error { return newServer().Listen("") } // on $PORT, or 8080, until Ctrl-C
	if len(os.Args) > 1 && os.Args[1] == "health" {
		run = healthy
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func newServer() *app.App {
	server := app.New()

	// Sockets: every client hears of every note. A page of another origin needs Config.CORS.
	sockets := realtime.NewServer(realtime.Config{})
	server.Mount("/socket.io", sockets)

	store := &notes{changed: func(event string, n Note) { sockets.Emit(event, n) }}
	server.Group("/api/notes", func(r *app.Router) {
		r.Get("/", store.list)
		r.Post("/", store.create)
		r.Get("/:id", store.show)
		r.Delete("/:id", store.remove)
	})
	server.Get("/", func(req *app.Request, res *app.Response) error {
		return res.JSON(app.Map{"notes": "/api/notes"}) // where to begin
	})
	server.Get("/health", func(req *app.Request, res *app.Response) error {
		return res.JSON(app.Map{"status": "ok"})
	})

	// Whatever goes wrong is JSON, too.
	server.Use(func(req *app.Request, res *app.Response) error {
		return app.Errorf(404, "there is no %s %s", req.Method, req.URL.Path)
	})
	server.OnError(explain)
	return server
}

// explain answers an error: the client's with its text, ours with a line in the log and nothing to learn from.
func explain(err error, req *app.Request, res *app.Response) error {
	if res.HeadersSent() {
		return err
	}
	status := app.StatusOf(err)
	text := err.Error()
	if status >= 500 {
		slog.Error("request failed", "method", req.Method, "path", req.URL.Path, "err", err)
		text = http.StatusText(status)
	}
	return res.Status(status).JSON(app.Map{"error": text})
}

// healthy asks the app that runs beside it: the health check of an image that has nothing else to ask with.
func healthy() error {
	res, err := http.Get("http://localhost:" + cmp.Or(os.Getenv("PORT"), "8080") + "/health")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		return errors.New(res.Status)
	}
	return nil
}
