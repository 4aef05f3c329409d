package conformance

import (
	"errors"
	"net/http"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// sioc is the counterpart of the client's own tests. Events that it does not know get no answer: the tests rely on it.
func sioc(env Env) http.Handler {
	server := realtime.NewServer(realtime.Config{
		Codec:        env.codec(),
		PingInterval: env.milliseconds("PING_INTERVAL", 2000),
		CORS:         realtime.CORS{Origins: []string{"*"}},
		Recovery:     &realtime.Recovery{},
		AllowRequest: func(r *http.Request) error {
			// The suite wants a server that takes a moment to decide.
			select {
			case <-time.After(10 * time.Millisecond):
			case <-r.Context().Done():
			}
			return nil
		},
	})
	server.Use(func(socket *realtime.Socket) error {
		if _, fails := socket.Handshake().Query["fail"]; fails {
			//lint:ignore ST1005 the suite wants it so
			return errors.New("Auth failed (main namespace)")
		}
		return nil
	})
	server.On("connection", clientTests)

	for _, name := range []string{"/timeout_socket", "/valid", "/asd"} {
		server.Of(name)
	}
	server.Of("/foo").On("connection", func(socket *realtime.Socket) {
		socket.On("getId", func() string { return socket.ID() })
	})
	server.Of("/abc").On("connection", func(socket *realtime.Socket) {
		socket.Emit("handshake", socket.Handshake())
	})
	//lint:ignore ST1005 the suite wants it so
	server.Of("/no").Use(func(*realtime.Socket) error { return errors.New("Auth failed (custom namespace)") })
	return server
}

// clientTests gives a socket of "/" the events that the client's tests emit.
func clientTests(socket *realtime.Socket) {
	send := func(event string, args ...any) func() {
		return func() { socket.Emit(event, args...) }
	}
	socket.On("hi", send("hi"))
	socket.On("false", send("false", false))
	socket.On("doge", send("doge", []byte("asdfasdf")))
	socket.On("echo", func(what any) any { return what })
	socket.On("getId", func() string { return socket.ID() })
	socket.On("getHandshake", func() *realtime.Handshake { return socket.Handshake() })

	socket.On("ack", func() {
		socket.Emit("ack", func(a int, b struct{ Test bool }) {
			if a == 5 && b.Test {
				socket.Emit("got it")
			}
		})
	})
	socket.On("getAckDate", func(any) time.Time { return time.Now() })
	socket.On("getDate", func() { socket.Emit("takeDate", time.Now()) })
	socket.On("getDateObj", func() { socket.Emit("takeDateObj", map[string]any{"date": time.Now()}) })
	socket.On("getUtf8", func() {
		for _, text := range []string{"てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"} {
			socket.Emit("takeUtf8", text)
		}
	})

	// For each kind of binary a client has, the same bytes come back.
	socket.On("getbin", func(data []byte) { socket.Emit("takebin", data) })
	socket.On("buffa", func([]byte) { socket.Emit("buffack") })
	socket.On("jsonbuff", func(any) { socket.Emit("jsonbuff-ack") })
	socket.On("abuff1", func([]byte) {})
	socket.On("abuff2", func(string) { socket.Emit("abuff2-ack") })
	socket.On("blob", func(data []byte) { socket.Emit("back", data) })
	socket.On("jsonblob", func(any) { socket.Emit("jsonblob-ack") })
	socket.On("blob1", func([]byte) {})
	socket.On("blob2", func(string) {})
	socket.On("blob3", func([]byte) { socket.Emit("blob3-ack") })
}
