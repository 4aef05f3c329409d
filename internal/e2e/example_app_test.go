package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"mime/multipart"
	"os"
	"os/signal"
	"syscall"

	"github.com/zocalo-go/zocalo/app"
)

func Example_app() {
	var store struct {
		Book        func(context.Context, string) (any, error)
		ErrNotFound error
	}

	server := app.New()
	server.Use(app.Static("public"))
	server.Get("/books/:id", func(req *app.Request, res *app.Response) error {
		book, err := store.Book(req.Context(), req.Param("id"))
		if err != nil {
			return err // next(err)
		}
		return res.JSON(book)
	})
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		if errors.Is(err, store.ErrNotFound) {
			return res.Status(404).Send("no such book")
		}
		return err // the next error handler, or the 500 page
	})
	log.Fatal(server.Listen(":8080"))
}

func Example_next() {
	var begin func() interface{ End(error) error }
	server := app.New()

	server.Use(func(req *app.Request, res *app.Response) error {
		tx := begin()
		err := req.Next()
		return errors.Join(err, tx.End(err))
	})
}

func Example_bodies() {
	signature := func(req *app.Request, res *app.Response, body []byte, charset string) error { return nil }
	var receive app.Handler
	server := app.New()

	server.Post("/orders", func(req *app.Request, res *app.Response) error {
		var order struct {
			Item  string                `json:"item"`
			Count int                   `json:"count"`
			To    struct{ City string } // To[City]=Lima in a form
			Photo *multipart.FileHeader // of an upload
		}
		if err := req.Bind(&order); err != nil {
			return err // 400, 413, 415; 422 of the setting "validator"
		}
		return res.JSON(order)
	})

	server.Post("/hook", app.JSON(app.BodyOptions{Limit: 1 << 20, Verify: signature}), receive)

	server.Post("/photos", func(req *app.Request, res *app.Response) error {
		photo, err := req.File("photo") // multipart.FileHeader: Filename, Size, Open
		if err != nil {
			return err
		}
		return res.Send(photo.Filename)
	})
}

func Example_format() {
	server := app.New()
	server.Get("/book", func(req *app.Request, res *app.Response) error {
		book := req.Query("book")

		return res.Format(
			app.Format{Type: "html", Answer: func() error { return res.Render("book", app.Map{"book": book}) }},
			app.Format{Type: "json", Answer: func() error { return res.JSON(book) }},
		)
	})
}

func Example_https() {
	var certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	server := app.New()

	listener, err := tls.Listen("tcp", ":443", &tls.Config{GetCertificate: certificate, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := server.Serve(ctx, listener); err != nil { // nil after a clean stop
		log.Fatal(err)
	}
}
