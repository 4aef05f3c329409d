package main

import (
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/static"
	"github.com/labstack/echo/v4"

	"github.com/zocalo-go/zocalo/app"
)

func serverNames() []string {
	return []string{"net/http", "chi", "zocalo", "echo", "gin", "fiber", "express", "fastify"}
}

// serve runs one server.
func serve(name string) {
	addr, dir := os.Getenv("BENCH_ADDR"), os.Getenv("BENCH_DIR")
	if name == "fiber" {
		log.Fatal(fiberApp(dir).Listen(addr, fiber.ListenConfig{DisableStartupMessage: true}))
	}
	handlers := map[string]func(string) http.Handler{"net/http": netHTTP, "chi": chiMux, "zocalo": zocalo, "echo": echoServer, "gin": ginEngine}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, handlers[name](dir)))
}

func text(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, s)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(v)
}

func echoJSON(w http.ResponseWriter, r *http.Request) {
	var d document
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 100<<10)).Decode(&d); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, d)
}

func pass(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
}

func netHTTP(dir string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) { text(w, "Hello, World!") })
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, user{r.PathValue("id"), "Ana"}) })
	for i := range 25 {
		mux.HandleFunc("GET "+thing(i), func(w http.ResponseWriter, r *http.Request) { text(w, "list") })
		mux.HandleFunc("GET "+thing(i)+"/{id}", func(w http.ResponseWriter, r *http.Request) { text(w, r.PathValue("id")) })
	}
	var five http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { text(w, "five") })
	for range 5 {
		five = pass(five)
	}
	mux.Handle("GET /five", five)
	mux.HandleFunc("POST /echo", echoJSON)
	mux.Handle("GET /static/", http.StripPrefix("/static", http.FileServer(http.Dir(dir))))
	return mux
}

func chiMux(dir string) http.Handler {
	mux := chi.NewRouter()
	mux.Get("/hello", func(w http.ResponseWriter, r *http.Request) { text(w, "Hello, World!") })
	mux.Get("/users/{id}", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, user{chi.URLParam(r, "id"), "Ana"}) })
	for i := range 25 {
		mux.Get(thing(i), func(w http.ResponseWriter, r *http.Request) { text(w, "list") })
		mux.Get(thing(i)+"/{id}", func(w http.ResponseWriter, r *http.Request) { text(w, chi.URLParam(r, "id")) })
	}
	mux.With(pass, pass, pass, pass, pass).Get("/five", func(w http.ResponseWriter, r *http.Request) { text(w, "five") })
	mux.Post("/echo", echoJSON)
	mux.Handle("/static/*", http.StripPrefix("/static", http.FileServer(http.Dir(dir))))
	return mux
}

func zocalo(dir string) http.Handler {
	server := app.New().Disable("etag")
	server.Get("/hello", func(req *app.Request, res *app.Response) error { return res.Send("Hello, World!") })
	server.Get("/users/:id", func(req *app.Request, res *app.Response) error { return res.JSON(user{req.Param("id"), "Ana"}) })
	for i := range 25 {
		server.Get(thing(i), func(req *app.Request, res *app.Response) error { return res.Send("list") })
		server.Get(thing(i)+"/:id", func(req *app.Request, res *app.Response) error { return res.Send(req.Param("id")) })
	}
	next := func(req *app.Request, res *app.Response) error { return req.Next() }
	server.Get("/five", next, next, next, next, next, func(req *app.Request, res *app.Response) error { return res.Send("five") })
	server.Post("/echo", func(req *app.Request, res *app.Response) error {
		var d document
		if err := req.Bind(&d); err != nil {
			return err
		}
		return res.JSON(d)
	})
	server.Use("/static", app.Static(dir, app.FileOptions{NoETag: true}))
	return server
}

func echoServer(dir string) http.Handler {
	e := echo.New()
	e.GET("/hello", func(c echo.Context) error { return c.HTML(200, "Hello, World!") })
	e.GET("/users/:id", func(c echo.Context) error { return c.JSON(200, user{c.Param("id"), "Ana"}) })
	for i := range 25 {
		e.GET(thing(i), func(c echo.Context) error { return c.HTML(200, "list") })
		e.GET(thing(i)+"/:id", func(c echo.Context) error { return c.HTML(200, c.Param("id")) })
	}
	next := func(h echo.HandlerFunc) echo.HandlerFunc { return func(c echo.Context) error { return h(c) } }
	e.GET("/five", func(c echo.Context) error { return c.HTML(200, "five") }, next, next, next, next, next)
	e.POST("/echo", func(c echo.Context) error {
		var d document
		if err := c.Bind(&d); err != nil {
			return err
		}
		return c.JSON(200, d)
	})
	e.Static("/static", dir)
	return e
}

func ginEngine(dir string) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	html := func(c *gin.Context, s string) { c.Data(200, "text/html; charset=utf-8", []byte(s)) }
	g.GET("/hello", func(c *gin.Context) { html(c, "Hello, World!") })
	g.GET("/users/:id", func(c *gin.Context) { c.JSON(200, user{c.Param("id"), "Ana"}) })
	for i := range 25 {
		g.GET(thing(i), func(c *gin.Context) { html(c, "list") })
		g.GET(thing(i)+"/:id", func(c *gin.Context) { html(c, c.Param("id")) })
	}
	next := func(c *gin.Context) { c.Next() }
	g.GET("/five", next, next, next, next, next, func(c *gin.Context) { html(c, "five") })
	g.POST("/echo", func(c *gin.Context) {
		var d document
		if err := c.ShouldBindJSON(&d); err != nil {
			c.Status(400)
			return
		}
		c.JSON(200, d)
	})
	g.Static("/static", dir)
	return g
}

func fiberApp(dir string) *fiber.App {
	f := fiber.New()
	html := func(c fiber.Ctx, s string) error {
		c.Set("Content-Type", "text/html; charset=utf-8")
		return c.SendString(s)
	}
	f.Get("/hello", func(c fiber.Ctx) error { return html(c, "Hello, World!") })
	f.Get("/users/:id", func(c fiber.Ctx) error { return c.JSON(user{c.Params("id"), "Ana"}) })
	for i := range 25 {
		f.Get(thing(i), func(c fiber.Ctx) error { return html(c, "list") })
		f.Get(thing(i)+"/:id", func(c fiber.Ctx) error { return html(c, c.Params("id")) })
	}
	next := func(c fiber.Ctx) error { return c.Next() }
	f.Get("/five", next, next, next, next, next, func(c fiber.Ctx) error { return html(c, "five") })
	f.Post("/echo", func(c fiber.Ctx) error {
		var d document
		if err := c.Bind().Body(&d); err != nil {
			return err
		}
		return c.JSON(d)
	})
	f.Use("/static", static.New(dir))
	return f
}
