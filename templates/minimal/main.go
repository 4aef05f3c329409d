// A page and a socket: who presses the button waves to everybody who has the page open.
package main

import (
	"cmp"
	"embed"
	"errors"
	"io/fs"
	"log"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
	"github.com/zocalo-go/zocalo/realtime"
)

// In development views and public are read from disk, and an edit shows at once; a build carries them inside.
//
//go:embed views public
var embedded embed.FS

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
	server.Engine("handlebars", handlebars.New(handlebars.Config{}))
	server.Set("view engine", "handlebars")
	server.Set("views", files("views"))
	server.Use(app.StaticFS(files("public")))

	// Sockets: Socket.IO, which brings its browser client along at /socket.io/socket.io.js.
	var waves atomic.Int64
	sockets := realtime.NewServer(realtime.Config{})
	sockets.On("connection", func(socket *realtime.Socket) {
		// The result is the acknowledgement; everybody else gets an event.
		socket.On("wave", func() int64 {
			n := waves.Add(1)
			socket.Broadcast().Emit("waves", n)
			return n
		})
	})
	server.Mount("/socket.io", sockets)

	server.Get("/", func(req *app.Request, res *app.Response) error {
		return res.Render("index", app.Map{"title": "Hello", "waves": waves.Load()})
	})
	return server
}

func files(dir string) fs.FS {
	inside, err := fs.Sub(embedded, dir)
	if err != nil {
		panic(err) // dir is no path
	}
	return app.Files(dir, inside)
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
