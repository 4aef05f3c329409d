package conformance

import (
	"net/http"

	"github.com/zocalo-go/zocalo/realtime"
)

// sio5 tells each socket of "/" and "/custom" the credentials it came with; "/" sends messages back, too.
func sio5(env Env) http.Handler {
	server := realtime.NewServer(realtime.Config{
		Codec:          env.codec(),
		PingInterval:   env.milliseconds("PING_INTERVAL", 300),
		PingTimeout:    env.milliseconds("PING_TIMEOUT", 200),
		ConnectTimeout: env.milliseconds("CONNECT_TIMEOUT", 1000),
		MaxPayload:     1_000_000,
		CORS:           realtime.CORS{Origins: []string{"*"}},
	})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Emit("auth", socket.Handshake().Auth)
		socket.On("message", func(args realtime.Args) { socket.Emit("message-back", args.Values()...) })
		socket.On("message-with-ack", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
	})
	server.Of("/custom").On("connection", func(socket *realtime.Socket) {
		socket.Emit("auth", socket.Handshake().Auth)
	})
	return server
}
