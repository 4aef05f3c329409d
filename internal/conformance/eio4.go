package conformance

import (
	"net/http"

	"github.com/zocalo-go/zocalo/realtime"
)

// eio4 sends every message back, text as text and binary as binary.
func eio4(env Env) http.Handler { return echo(env, false) }

// eio3 is eio4 for clients of either revision of the protocol.
func eio3(env Env) http.Handler { return echo(env, true) }

func echo(env Env, allowEIO3 bool) http.Handler {
	return realtime.NewEngine(realtime.Config{
		AllowEIO3:    allowEIO3,
		Path:         "/engine.io/",
		PingInterval: env.milliseconds("PING_INTERVAL", 300),
		PingTimeout:  env.milliseconds("PING_TIMEOUT", 200),
		MaxPayload:   1_000_000,
		CORS:         realtime.CORS{Origins: []string{"*"}},
	}, func(conn *realtime.Conn) {
		conn.OnMessage(func(data []byte, binary bool) { reply(conn, data, binary) })
	})
}

// reply sends a message back as it came. An error means that the connection has just ended.
func reply(conn *realtime.Conn, data []byte, binary bool) {
	if binary {
		conn.SendBinary(data)
	} else {
		conn.Send(string(data))
	}
}
