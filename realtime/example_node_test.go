package realtime_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

// What is shared between sockets needs a lock: their handlers run in parallel.
func Example_shared() {
	io := realtime.NewServer(realtime.Config{})
	var mu sync.Mutex // guards online
	online := make(map[string]string)
	io.On("connection", func(socket *realtime.Socket) {
		socket.On("name", func(name string) {
			mu.Lock()
			online[socket.ID()] = name
			mu.Unlock()
			io.Emit("name", socket.ID(), name)
		})
		socket.On("disconnect", func(reason string) {
			mu.Lock()
			defer mu.Unlock()
			delete(online, socket.ID())
		})
	})
}

// The lines of Socket.IO's cheat sheet, in Go.
func Example_emit() {
	io := realtime.NewServer(realtime.Config{})
	ctx := context.Background()
	io.On("connection", func(socket *realtime.Socket) {
		socket.Emit("hello", 1, "2", map[string]any{"3": "4", "5": []byte{6}})
		socket.Emit("hello", "world", func(a string, b int) { log.Print(a, b) })
		answer, err := socket.EmitWithAck(ctx, "hello", "world")
		log.Print(answer.Len(), err)
		socket.Timeout(5*time.Second).Emit("hello", "world", func(err error, a string) { log.Print(a, err) })
		answer, err = socket.Timeout(5*time.Second).EmitWithAck(ctx, "hello", "world")
		log.Print(answer.Len(), err)
		socket.Compress(false).Emit("hello")
		socket.Volatile().Emit("hello")
		socket.Send("hello")

		socket.Broadcast().Emit("hello")
		socket.To("room1").Emit("hello")
		socket.To("room1", "room2").Emit("hello")
		socket.To("room1").To("room2").Emit("hello")
		socket.Except("room1").Emit("hello")
		socket.Broadcast().Except("room1").Emit("hello")
		socket.To("room4").Except("room5").Emit("hello")
		socket.Local().Emit("hello")
		socket.Timeout(5*time.Second).To("room1").To("room2", "room3").Except("room4").Emit("hello", func(err error, answers []realtime.Answer) { log.Print(len(answers), err) })
		io.To(socket.ID()).Emit("hello")
	})

	io.Emit("hello")
	io.Send("hello")
	io.To("my room").Emit("hello")
	io.In("my room").Emit("hello")
	io.Except("my room").Emit("hello")
	io.To("room1", "room2").Except("room3").Emit("hello")
	io.To("room1").To("room2", "room3").Except("room4").Emit("hello")
	io.Of("/my-namespace").Emit("hello")
	io.Of("/my-namespace").To("room1").Emit("hello")
	io.Local().Emit("hello")
	io.Volatile().Emit("hello")
	io.Compress(false).Emit("hello")
	io.Timeout(5*time.Second).Emit("hello", "world", func(err error, answers []realtime.Answer) { log.Print(len(answers), err) })
	answers, err := io.Timeout(5*time.Second).EmitWithAck(ctx, "hello", "world")
	log.Print(len(answers), err)

	io.ServerSideEmit("hello", "world")
	io.On("hello", func(value string) { log.Print(value) })
	replies, err := io.ServerSideEmitWithAck(ctx, "hello", "world")
	log.Print(len(replies), err)
	io.On("hello", func(value string) string { return "hi" })
}

// The server and its namespaces.
func Example_server() {
	check := func(token string) bool { return token != "" }
	ctx := context.Background()

	io := realtime.NewServer(realtime.Config{})
	http.Handle("/socket.io/", io)
	http.ListenAndServe(":3000", io)

	io.On("connection", func(socket *realtime.Socket) { log.Print(socket.ID()) })
	io.On("new_namespace", func(n *realtime.Namespace) { log.Print(n.Name()) })
	io.Once("connection", func(socket *realtime.Socket) { log.Print(socket.ID()) })
	io.Off("connection")
	io.OnAny(func(socket *realtime.Socket, event string, args realtime.Args) { log.Print(event) })
	io.Use(func(socket *realtime.Socket) error { return nil })
	io.Use(func(socket *realtime.Socket) error { return &realtime.Error{Message: "no", Data: "later"} })

	io.Of("/").Emit("hi")
	admin := io.Of("/admin")
	log.Print(admin.Name(), admin.Server())
	admin.Set("since", time.Now())
	log.Print(admin.Value("since"))
	rooms := io.OfPattern(regexp.MustCompile(`^/dynamic-\d+$`))
	rooms.Emit("hello")
	rooms.Use(func(socket *realtime.Socket) error { return nil })
	rooms.On("connection", func(socket *realtime.Socket) { socket.Namespace().Emit("hello") })
	io.OfFunc(func(name string, h *realtime.Handshake) bool { return check(h.Query["token"]) })

	log.Print(len(io.Sockets()), io.Socket("id"), len(io.In("room1").Sockets()))
	log.Print(io.Rooms())
	all, err := io.FetchSockets(ctx)
	log.Print(len(all), err)
	some, err := io.Of("/admin").In("room1").FetchSockets(ctx)
	log.Print(len(some), err)
	here, err := io.Local().FetchSockets(ctx)
	log.Print(len(here), err)
	for _, s := range all {
		user, _ := realtime.ValueOf[string](s, "user")
		log.Print(s.ID(), s.Handshake(), s.Rooms(), user)
		s.Emit("hello")
		answer, err := s.EmitWithAck(ctx, "hello")
		log.Print(answer.Len(), err)
		s.Join("room1")
		s.Leave("room1")
		s.Disconnect(true)
	}
	io.SocketsJoin("room1")
	io.In("room1").SocketsJoin("room2", "room3")
	io.SocketsLeave("room1")
	io.In("room1").SocketsLeave("room2", "room3")
	io.DisconnectSockets(false)
	io.In("room1").DisconnectSockets(true)
	io.On("create-room", func(room string) { log.Print(room) })
	io.On("delete-room", func(room string) { log.Print(room) })
	io.On("join-room", func(room, id string) { log.Print(room, id) })
	io.On("leave-room", func(room, id string) { log.Print(room, id) })

	log.Print(io.ClientsCount(), io.Config().Path)
	io.Shutdown(ctx)
	io.Close()
}

// A socket, its connection and its handshake.
func Example_socket() {
	forbidden := func(event string) bool { return event == "" }
	io := realtime.NewServer(realtime.Config{})
	io.On("connection", func(socket *realtime.Socket) {
		log.Print(socket.ID(), socket.Namespace(), socket.Rooms(), socket.Recovered(), socket.Connected(), !socket.Connected())
		socket.Set("username", "alice")
		name, _ := realtime.ValueOf[string](socket, "username")
		log.Print(name)

		socket.On("news", func(data string) { log.Print(data) })
		socket.On("news", func(a string, b int, c []byte) { log.Print(a, b, c) })
		socket.On("news", func(data string, ack realtime.Ack) { ack(0) })
		socket.On("news", func(data string) int { return 0 })
		socket.Once("news", func(data string) { log.Print(data) })
		socket.On("disconnect", func(reason string) { log.Print(reason) })
		socket.On("disconnecting", func(reason string) { log.Print(socket.Rooms()) })
		socket.OnError(func(err error) { log.Print(err) })
		listener := socket.OnAny(func(event string, args realtime.Args) { log.Print(event) })
		listener.Off()
		socket.PrependAny(func(event string, args realtime.Args) { log.Print(event) })
		socket.OffAny()
		socket.OnAnyOutgoing(func(event string, args realtime.Args) { log.Print(event) })
		socket.PrependAnyOutgoing(func(event string, args realtime.Args) { log.Print(event) })
		socket.OffAnyOutgoing()
		socket.Off("news")
		socket.RemoveAllListeners()
		log.Print(socket.EventNames())
		socket.Use(func(event string, args realtime.Args) error {
			if forbidden(event) {
				return errors.New("unauthorized event")
			}
			return nil
		})

		socket.Join("room1")
		socket.Join("room1", "room2")
		socket.Leave("room1")
		socket.Disconnect(false)
		socket.Disconnect(true)

		h := socket.Handshake()
		var auth struct{ Token string }
		h.DecodeAuth(&auth)
		log.Print(h.Headers.Get("User-Agent"), h.Query["token"], h.Address, h.Secure, h.URL, h.Time, h.Time.UnixMilli())
		log.Print(h.Headers.Get("Origin") != "")
		cookies, _ := http.ParseCookie(h.Headers.Get("Cookie"))
		log.Print(cookies)

		log.Print(socket.Transport(), socket.Conn().ID(), socket.Conn().Protocol(), socket.Buffered())
		socket.Conn().OnUpgrade(func(transport string) { log.Print(transport) })
		socket.Conn().OnDrain(func() { log.Print("drained") })
		socket.Conn().OnHeartbeat(func() { log.Print("alive") })
		socket.Conn().OnClose(func(reason string) { log.Print(reason) })
		socket.Conn().Close()
	})
}

// The options, each by its name in Node in the guide.
func Example_options() {
	check := func(r *http.Request) error { return nil }
	newID := func(r *http.Request) (string, error) { return "…", nil }
	helmet := func(next http.Handler) http.Handler { return next }
	_ = realtime.Config{
		Path:                "/my-path/",
		DisableClient:       true,
		Adapter:             adapter.Factory(adapter.NewMemory),
		Codec:               msgpack.Codec,
		ConnectTimeout:      45 * time.Second,
		Recovery:            &realtime.Recovery{MaxDisconnection: 2 * time.Minute, RunMiddleware: true},
		KeepEmptyNamespaces: true,
		PingTimeout:         20 * time.Second,
		PingInterval:        25 * time.Second,
		UpgradeTimeout:      10 * time.Second,
		MaxPayload:          1_000_000,
		AllowRequest:        func(r *http.Request) error { return check(r) },
		Transports:          []string{"polling", "websocket", "webtransport"},
		DisableUpgrades:     true,
		PerMessageDeflate:   &realtime.PerMessageDeflate{Threshold: 2048, Level: 6},
		HTTPCompression:     2048,
		Cookie:              &http.Cookie{Name: "my-cookie", SameSite: http.SameSiteStrictMode, MaxAge: 86400},
		AllowEIO3:           true,
		NoTrailingSlash:     true,
		InitialPacket:       "hello",
		GenerateID:          func(r *http.Request) (string, error) { return newID(r) },
		Middleware:          []func(http.Handler) http.Handler{helmet},
		OnRefused:           func(r *http.Request, code int, message string) { log.Print(code, message) },
		InitialHeaders:      func(h http.Header, r *http.Request) { h.Set("X-First", "1") },
		Headers:             func(h http.Header, r *http.Request) { h.Set("X-Every", "1") },
		CORS: realtime.CORS{
			Origins:        []string{"https://example.com"},
			Allow:          func(origin string) bool { return strings.HasSuffix(origin, ".example.com") },
			Methods:        []string{"GET", "POST"},
			Headers:        []string{"my-custom-header"},
			ExposedHeaders: []string{"X-Served-By"},
			Credentials:    true,
			MaxAge:         time.Hour,
		},
	}
	_ = realtime.Config{HTTPCompression: -1}
	_ = realtime.Config{Cookie: &http.Cookie{}}
}
