// Command app registers routes and events in every way there is.
package main

import (
	"context"
	"log"
	"net/http"
	"regexp"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/internal/routes/testdata/app/rooms"
	"github.com/zocalo-go/zocalo/realtime"
)

const ping = "ping"

type books struct{}

func (*books) show(req *app.Request, res *app.Response) error { return nil }

func (*books) connected(socket *realtime.Socket) {
	socket.On(ping, func(n int) (int, error) { return n, nil })
	typed(socket)
}

func typed(socket *realtime.Socket) {
	realtime.On(socket, "typed", func(context.Context, string) error { return nil })
	realtime.Handle(socket, "asked", answer)
}

func answer(context.Context, string) (string, error) { return "", nil }

func lonely(socket *realtime.Socket) {
	socket.Once("lonely", func() {})
}

func main() {
	server := app.New()
	server.Use(func(req *app.Request, res *app.Response) error { return req.Next() })
	server.Get("/books/:id", new(books).show)
	server.Mount("/files", http.NotFoundHandler())

	sockets := realtime.NewServer(realtime.Config{})
	sockets.On("connection", new(books).connected)
	sockets.Of("/admin").On("connection", func(socket *realtime.Socket) {
		rooms.Register(socket, "now")
	})
	sockets.OfPattern(regexp.MustCompile("^/x")).On("connection", func(*realtime.Socket) {})
	server.Mount("/socket.io", sockets)
	register := []func(*realtime.Socket){lonely}
	sockets.OfFunc(func(string, *realtime.Handshake) bool { return true }).On("connection", func(s *realtime.Socket) {
		for _, f := range register {
			f(s)
		}
	})
	log.Fatal(server.Listen(""))
}
