package realtime_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// check finds the user of a token.
func check(ctx context.Context, token string) (user string, err error) { return token, ctx.Err() }

func ExampleNamespace_Use() {
	server := realtime.NewServer(realtime.Config{})
	server.Use(func(socket *realtime.Socket) error { // io({ auth: { token: "…" } })
		var auth struct {
			Token string `json:"token"`
		}
		if err := socket.Handshake().DecodeAuth(&auth); err != nil {
			return errors.New("bad auth")
		}
		user, err := check(socket.Context(), auth.Token)
		if err != nil {
			return &realtime.Error{Message: "not authorized", Data: map[string]string{"cure": "log in"}}
		}
		socket.Set("user", user)
		return socket.Join("user:" + user)
	})
	server.On("connection", func(socket *realtime.Socket) {
		user, _ := realtime.ValueOf[string](socket, "user")
		socket.Emit("welcome", user)
	})
}

func ExampleSocket_Use() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Use(func(event string, args realtime.Args) error {
			if strings.HasPrefix(event, "admin:") {
				return errors.New("not for you")
			}
			return nil
		})
		socket.OnError(func(err error) {
			log.Print(err)
			socket.Disconnect(true)
		})
	})
}

// The middleware of the engine sees every request, as that of net/http does.
func ExampleConfig_middleware() {
	logged := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begin := time.Now()
			next.ServeHTTP(w, r)
			log.Print(r.Method, " ", r.URL.Path, " ", time.Since(begin))
		})
	}
	server := realtime.NewServer(realtime.Config{
		Middleware: []func(http.Handler) http.Handler{logged},
	})
	http.Handle("/socket.io/", server)
}

// What the middleware knows of a request, such as the session of its cookie,
// reaches the sockets.
func ExampleConfig_attach() {
	type Session struct{ User string }
	type sessionKey struct{}
	identify := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			session := &Session{User: "of r's cookie"}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, session)))
		})
	}
	server := realtime.NewServer(realtime.Config{
		Middleware: []func(http.Handler) http.Handler{identify},
		Attach:     func(r *http.Request) any { return r.Context().Value(sessionKey{}) },
	})
	server.On("connection", func(socket *realtime.Socket) {
		session := socket.Handshake().Attached.(*Session)
		socket.Set("user", session.User)
	})
}

func ExampleConfig_allowRequest() {
	server := realtime.NewServer(realtime.Config{
		AllowRequest: func(r *http.Request) error {
			if r.Header.Get("X-Api-Key") == "" {
				return errors.New("no API key")
			}
			return nil
		},
		OnRefused: func(r *http.Request, code int, message string) {
			log.Print(r.RemoteAddr, " was refused: ", message)
		},
		InitialHeaders: func(h http.Header, r *http.Request) {
			h.Set("X-Served-By", "plaza-1")
		},
	})
	http.Handle("/socket.io/", server)
}

func ExampleHandshake() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		h := socket.Handshake()
		cookies, _ := http.ParseCookie(h.Headers.Get("Cookie"))
		log.Print(h.Address, h.Secure, h.Time, h.URL, h.Query["lang"], h.Headers.Get("User-Agent"), cookies)
	})
}

// Every argument that was decoded for a handler goes through Validate.
func ExampleConfig_validate() {
	server := realtime.NewServer(realtime.Config{
		Validate: func(argument any) error {
			if v, ok := argument.(interface{ Validate() error }); ok {
				return v.Validate()
			}
			return nil
		},
	})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("book", func(b Booking) { log.Print(b.Seats) })
	})
}

// Booking is an argument that knows what is valid.
type Booking struct {
	Seats int `json:"seats"`
}

func (b Booking) Validate() error {
	if b.Seats < 1 || b.Seats > 8 {
		return errors.New("book one to eight seats")
	}
	return nil
}

func ExampleError() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("order", func(o Order) (Receipt, error) {
			if o.Item == "" {
				return Receipt{}, &realtime.Error{Message: "invalid", Data: map[string]string{"item": "is missing"}}
			}
			return Receipt{Number: 7}, nil
		})
	})
}
