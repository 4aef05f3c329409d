package main

import (
	"fmt"
	"net"
	"net/http"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

// serve is a node of Go. It does what node/server.mjs does.
func serve(kind, redisAddr, addr string) error {
	client := redis.NewClient(&redis.Options{Addr: redisAddr})
	var provider adapter.Provider
	switch kind {
	case "pubsub":
		provider = redisadapter.New(client, redisadapter.Options{})
	case "sharded":
		provider = redisadapter.Sharded(client, redisadapter.ShardedOptions{})
	case "streams":
		provider = redisadapter.Streams(client, redisadapter.StreamsOptions{})
	default:
		return fmt.Errorf("there is no adapter %q", kind)
	}
	s := realtime.NewServer(realtime.Config{Adapter: provider})
	s.On("connection", func(socket *realtime.Socket) { socket.Join("room") })
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", s)
	mux.HandleFunc("/cast", func(w http.ResponseWriter, r *http.Request) {
		s.To("room").Emit("news", map[string]any{"n": 1, "text": "The market opens at eight."})
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("READY")
	return http.Serve(l, mux)
}
