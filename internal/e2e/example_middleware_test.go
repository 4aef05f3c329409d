package e2e

import (
	"log"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"
	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/realtime"
)

func Example_middleware() {
	server := app.New()
	socketServer := realtime.NewServer(realtime.Config{})

	server.UseHTTP(cors.New(cors.Options{
		AllowedOrigins:   []string{"https://shop.example"},
		AllowCredentials: true,
	}).Handler)

	server.Mount("/socket.io", socketServer) // before: it compresses by itself
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(1000))
	if err != nil {
		log.Fatal(err)
	}
	server.UseHTTP(func(next http.Handler) http.Handler { return compress(next) })

	server.UseHTTP(http.NewCrossOriginProtection().Handler)

	server.UseHTTP(middleware.ClientIPFromRemoteAddr) // behind a proxy: ClientIPFromXFFTrustedProxies(1)
	server.UseHTTP(httprate.LimitBy(100, time.Minute, func(r *http.Request) (string, error) {
		return httprate.CanonicalizeIP(middleware.GetClientIP(r.Context())), nil
	}))

	server.UseHTTP(app.Logger(app.LoggerOptions{Format: "dev"}))

	server.UseHTTP(middleware.RequestID) // github.com/go-chi/chi/v5/middleware
	server.Use(func(req *app.Request, res *app.Response) error {
		res.Set("X-Request-Id", middleware.GetReqID(req.Context()))
		return req.Next()
	})

	server.Use(app.SecurityHeaders())
	server.Use(app.SecurityHeaders(map[string]string{
		"Content-Security-Policy":      "default-src 'self' https://cdn.example",
		"Cross-Origin-Resource-Policy": "", // not this one
	}))
}

func Example_sessions() {
	server := app.New()

	sessions := scs.New()
	server.UseHTTP(sessions.LoadAndSave)
	server.Post("/login", func(req *app.Request, res *app.Response) error {
		if err := sessions.RenewToken(req.Context()); err != nil {
			return err
		}
		sessions.Put(req.Context(), "user", "ana")
		return res.Redirect("/")
	})

	socketServer := realtime.NewServer(realtime.Config{
		Attach: func(r *http.Request) any { return sessions.GetString(r.Context(), "user") },
	})
	socketServer.On("connection", func(socket *realtime.Socket) {
		user := socket.Handshake().Attached // "ana"
		socket.Emit("user", user)
	})
	server.Mount("/socket.io", socketServer) // behind the session
}
