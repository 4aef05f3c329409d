package conformance

import (
	"net/http"
	"runtime/debug"

	"github.com/zocalo-go/zocalo/realtime"
)

// bench is what the load generator measures.
func bench(env Env) http.Handler {
	server := realtime.NewServer(realtime.Config{
		PingInterval: env.milliseconds("PING_INTERVAL", 25_000),
		PingTimeout:  env.milliseconds("PING_TIMEOUT", 20_000),
	})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("echo", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
		socket.On("bin", func(data []byte) []byte { return data })
		socket.On("broadcast", func(args realtime.Args) { server.Emit("tick", args.Values()...) })
		socket.On("join", func(room string, ack realtime.Ack) {
			socket.Join(room)
			ack()
		})
		socket.On("say", func(room string, args realtime.Args) { server.To(room).Emit("said", args.Values()...) })
		socket.On("flood", func(n int, args realtime.Args) {
			values := args.Values()
			for range n {
				socket.Emit("tick", values...)
			}
		})
		socket.On("sink", func(realtime.Args) {})
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", server)
	mux.HandleFunc("/__gc", func(http.ResponseWriter, *http.Request) { debug.FreeOSMemory() })
	return mux
}
