package e2e

import (
	"context"
	"log"
	"net/http"

	"github.com/alexedwards/scs/v2"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/app/handlebars"
	"github.com/zocalo-go/zocalo/realtime"
)

type (
	Message struct{ Text string }
	Doc     struct{ Title string }
	Receipt struct{ Number int }
)

func Example_taste() {
	store := func(context.Context, Doc) (Receipt, error) { return Receipt{1}, nil }

	server := app.New()
	server.Engine("handlebars", handlebars.New(handlebars.Config{}))
	server.Set("view engine", "handlebars")
	server.Use(app.Static("public"))
	server.Get("/", func(req *app.Request, res *app.Response) error {
		return res.Render("index", app.Map{"title": "Zócalo"})
	})

	socketServer := realtime.NewServer(realtime.Config{})
	socketServer.On("connection", func(socket *realtime.Socket) {
		socket.On("message", func(m Message) { socket.Broadcast().Emit("message", m) })
		socket.On("save", func(ctx context.Context, d Doc) (Receipt, error) { return store(ctx, d) }) // the result is the ack
		socket.Join("plaza")
		socketServer.To("plaza").Emit("joined", socket.ID())
	})
	server.Mount("/socket.io", socketServer)
	if err := server.Listen(""); err != nil { // :8080, or $PORT; nil after a clean stop
		log.Fatal(err)
	}
}

func Example_socketsAndPages() {
	server := app.New()
	sessions := scs.New()

	server.UseHTTP(sessions.LoadAndSave) // alexedwards/scs; see docs/middleware.md
	socketServer := realtime.NewServer(realtime.Config{
		Attach: func(r *http.Request) any { return sessions.GetString(r.Context(), "user") },
	})
	socketServer.On("connection", func(socket *realtime.Socket) {
		socket.Join("user:" + socket.Handshake().Attached.(string)) // the session of its page
		socket.Emit("welcome", server.Locals["title"])              // the locals of the app
	})
	server.Post("/orders", func(req *app.Request, res *app.Response) error {
		socketServer.To("kitchen").Emit("order") // the sockets, from a page
		return res.SendStatus(204)
	})
}
