package redis_test

import (
	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime"
	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

// Every server that is started like this is part of one cluster, and so is every
// server of Node.js with createAdapter of @socket.io/redis-adapter.
func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()

	socketServer := realtime.NewServer(realtime.Config{Adapter: redisadapter.New(client, redisadapter.Options{})})
	socketServer.On("connection", func(socket *realtime.Socket) {
		socket.Join("plaza")
		socketServer.To("plaza").Emit("joined", socket.ID()) // on whatever node they are
	})
}

// A client that loses its connection gets what it has missed, from whatever node it
// comes back to: also when its own has been killed.
func ExampleStreams() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()

	realtime.NewServer(realtime.Config{
		Adapter:  redisadapter.Streams(client, redisadapter.StreamsOptions{}),
		Recovery: &realtime.Recovery{},
	})
}

// In a Redis Cluster each room goes through the server that has its channel, and only
// to the nodes that have somebody in it.
func ExampleSharded() {
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"localhost:7000", "localhost:7001"}})
	defer client.Close()

	realtime.NewServer(realtime.Config{Adapter: redisadapter.Sharded(client, redisadapter.ShardedOptions{})})
}
