package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/zocalo-go/zocalo/app"
)

// get prints the answer to a GET request.
func get(h http.Handler, path string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
}

func Example() {
	server := app.New()
	server.Get("/hello/:name", func(req *app.Request, res *app.Response) error {
		return res.Send("¡Hola, " + req.Param("name") + "!")
	})
	server.Get("/api/users/{id:[0-9]+}", func(req *app.Request, res *app.Response) error {
		return res.Status(201).JSON(app.Map{"id": req.Param("id")})
	})
	get(server, "/hello/Ana")
	get(server, "/api/users/7")
	// Output:
	// 200 ¡Hola, Ana!
	// 201 {"id":"7"}
}

// Middleware runs in the order of registration, and sees the error of what comes after it.
func ExampleRequest_Next() {
	server := app.New()
	server.Use(func(req *app.Request, res *app.Response) error {
		start := time.Now()
		err := req.Next()
		if took := time.Since(start); took > time.Minute {
			log.Println(req.Method, req.OriginalURL(), took)
		}
		return err
	})
	server.Get("/", func(req *app.Request, res *app.Response) error { return errors.New("out of paper") })
	server.OnError(func(err error, req *app.Request, res *app.Response) error {
		return res.Status(503).Send(err.Error())
	})
	get(server, "/")
	// Output: 503 out of paper
}

func ExampleRouter_Use() {
	admin := app.NewRouter()
	admin.Get("/stats", func(req *app.Request, res *app.Response) error {
		return res.Send(req.BaseURL() + " then " + req.Path())
	})
	server := app.New()
	server.Use("/admin", admin)
	get(server, "/admin/stats")
	// Output: 200 /admin then /stats
}

func ExampleRouter_Group() {
	server := app.New()
	server.Group("/books/:book", func(r *app.Router) {
		r.Get("/pages/:page", func(req *app.Request, res *app.Response) error {
			return res.Send(req.Param("book") + ", page " + req.Param("page"))
		})
	})
	get(server, "/books/rayuela/pages/73")
	// Output: 200 rayuela, page 73
}

// A mounted http.Handler sees the whole path; http.StripPrefix takes the prefix off.
func ExampleRouter_Mount() {
	show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	server := app.New()
	server.Mount("/whole", show)
	server.Mount("/stripped", http.StripPrefix("/stripped", show))
	get(server, "/whole/a")
	get(server, "/stripped/a")
	// Output:
	// 200 /whole/a
	// 200 /a
}

func ExampleRequest_Bind() {
	type Book struct {
		Title string `json:"title"`
		Pages int    `json:"pages"`
	}
	server := app.New()
	server.Post("/books", func(req *app.Request, res *app.Response) error {
		var book Book
		if err := req.Bind(&book); err != nil {
			return err // 400, 413 or 415
		}
		return res.Status(201).JSON(book)
	})
	r := httptest.NewRequest("POST", "/books", strings.NewReader("title=Rayuela&pages=600"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 201 {"title":"Rayuela","pages":600}
}

// goTemplates is an engine of a few lines.
type goTemplates struct{}

func (goTemplates) Render(w io.Writer, view app.View) error {
	t, err := template.New("page").Parse("<h1>{{.title}}</h1> ({{.site}})")
	if err != nil {
		return err
	}
	return t.Execute(w, view.Data)
}

func ExampleApp_Engine() {
	server := app.New()
	server.Engine("tmpl", goTemplates{})
	server.Set("view engine", "tmpl")
	server.Locals["site"] = "plaza"
	server.Get("/", func(req *app.Request, res *app.Response) error {
		return res.Render("index", app.Map{"title": "Zócalo"})
	})
	get(server, "/")
	// Output: 200 <h1>Zócalo</h1> (plaza)
}

func ExampleApp_Serve() {
	server := app.New()
	server.Get("/", func(req *app.Request, res *app.Response) error { return res.Send("hello") })

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- server.Serve(ctx, l) }()

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	stop()
	fmt.Println(string(body), <-served)
	// Output: hello <nil>
}

func ExampleResponse_Format() {
	server := app.New()
	server.Get("/book", func(req *app.Request, res *app.Response) error {
		return res.Format(
			app.Format{Type: "html", Answer: func() error { return res.Send("<h1>Rayuela</h1>") }},
			app.Format{Type: "json", Answer: func() error { return res.JSON(app.Map{"title": "Rayuela"}) }},
		)
	})
	get(server, "/book")
	r := httptest.NewRequest("GET", "/book", nil)
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 <h1>Rayuela</h1>
	// 200 {"title":"Rayuela"}
}

func ExampleRequest_QueryObject() {
	server := app.New().Set("query parser", "extended")
	server.Get("/", func(req *app.Request, res *app.Response) error {
		q := req.QueryObject()
		return res.Send(q.Get("user", "name") + " " + strings.Join(q.List("tags"), ","))
	})
	get(server, "/?user[name]=Ana&tags[]=a&tags[]=b")
	// Output: 200 Ana a,b
}

func ExampleJSON() {
	server := app.New()
	server.Post("/echo", app.JSON(app.BodyOptions{Limit: 1 << 20}), func(req *app.Request, res *app.Response) error {
		body, _ := req.BodyValue()
		return res.JSON(body)
	})
	r := httptest.NewRequest("POST", "/echo", strings.NewReader(`{"a":[1,2]}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 {"a":[1,2]}
}

func ExampleStatic() {
	server := app.New()
	server.Use("/assets", app.Static("testdata/none", app.FileOptions{MaxAge: time.Hour, Extensions: []string{"html"}}))
	server.Use(func(req *app.Request, res *app.Response) error { return res.Status(404).Send("nothing here") })
	get(server, "/assets/logo.png")
	// Output: 404 nothing here
}

// Routes are what `devserver routes` lists; Stack has the middleware, too.
func ExampleRouter_Routes() {
	books := app.NewRouter()
	books.Get("/:id", app.HTTP(http.NotFoundHandler()))
	books.Delete("/:id", app.HTTP(http.NotFoundHandler()))
	server := app.New()
	server.Use("/books", books)
	server.Mount("/old", http.FileServerFS(nil))
	for _, r := range server.Routes() {
		fmt.Printf("%-6s %-10s %s (%s)\n", r.Method, r.Pattern, r.Handler, filepath.Base(r.File))
	}
	// Output:
	// GET    /books/:id app.HTTP (example_test.go)
	// DELETE /books/:id app.HTTP (example_test.go)
	//        /old/*     *http.fileHandler (example_test.go)
}
