package emitter_test

import (
	"context"
	"log"
	"time"

	"github.com/redis/go-redis/v9"

	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
	"github.com/zocalo-go/zocalo/realtime/emitter"
)

// A command tells the clients of servers that have the same adapter.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()
	e := emitter.New(redisadapter.New(client, redisadapter.Options{}), emitter.Options{})
	defer e.Close()

	if err := e.To("plaza").Emit("news", "The market opens at eight."); err != nil {
		log.Fatal(err) // Redis has not taken it
	}
	e.Of("/admin").To("night shift").DisconnectSockets(true)
	e.ServerSideEmit("prices changed") // the servers get it by On
}

// What belongs to a job, or to a request, ends with it.
func ExampleEmitter_WithContext() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	e := emitter.New(redisadapter.New(client, redisadapter.Options{}), emitter.Options{})

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := e.WithContext(ctx).To("plaza").Emit("news", "The market has closed."); err != nil {
		log.Print(err)
	}
}
