package e2e

import (
	"context"
	"crypto/tls"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/app"
	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

func Example_cluster() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	socketServer := realtime.NewServer(realtime.Config{Adapter: redisadapter.New(client, redisadapter.Options{})})

	defer socketServer.Close()
}

func Example_drain() {
	server := app.New()

	server.Set("shutdown timeout", 30*time.Second)
	socketServer := realtime.NewServer(realtime.Config{
		Drain: realtime.Drain{Delay: 5 * time.Second, Window: 10 * time.Second}, // the probe fails, then clients leave
	})
	server.Get("/ready", app.HTTP(socketServer.Readiness()))
}

func Example_nats() {
	conn, err := nats.Connect(os.Getenv("NATS_URL"), nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	socketServer := realtime.NewServer(realtime.Config{
		Adapter:  natsadapter.JetStream(conn, natsadapter.Options{}), // or New, which keeps nothing
		Recovery: &realtime.Recovery{},
	})

	defer socketServer.Close()
}

func Example_redisStreams() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"}) // github.com/redis/go-redis/v9
	socketServer := realtime.NewServer(realtime.Config{
		Adapter:  redisadapter.Streams(client, redisadapter.StreamsOptions{}),
		Recovery: &realtime.Recovery{},
	})

	defer socketServer.Close()
}

func Example_redisClients() {
	var addrs, sentinels []string

	redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, TLSConfig: &tls.Config{}})
	redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "mymaster", SentinelAddrs: sentinels})
}

func Example_postgres() {
	ctx := context.Background()

	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	socketServer := realtime.NewServer(realtime.Config{
		Adapter:  postgres.New(pool, postgres.Options{Recovery: true}),
		Recovery: &realtime.Recovery{},
	})

	defer socketServer.Close()
}

func Example_hub() {
	hub := cluster.NewHub(cluster.Options{})
	here := realtime.NewServer(realtime.Config{Adapter: hub})
	there := realtime.NewServer(realtime.Config{Adapter: hub})

	defer here.Close()
	defer there.Close()
}
