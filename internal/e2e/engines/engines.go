// Package engines opens the engines of clusters by name, for programs and tests
// that run on each of them.
package engines

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
	redisadapter "github.com/zocalo-go/zocalo/realtime/adapter/redis"
)

// Open returns an engine that keeps packets, whose server is at a URL, and what
// closes its connection.
func Open(name, url string, o cluster.Options) (adapter.Provider, func(), error) {
	switch name {
	case "redis":
		options, err := redis.ParseURL(url)
		if err != nil {
			return nil, nil, err
		}
		client := redis.NewClient(options)
		return redisadapter.Streams(client, redisadapter.StreamsOptions{Options: o}), func() { client.Close() }, nil
	case "nats":
		conn, err := nats.Connect(url, nats.MaxReconnects(-1))
		if err != nil {
			return nil, nil, err
		}
		return natsadapter.JetStream(conn, natsadapter.Options{Options: o}), conn.Close, nil
	case "postgres":
		pool, err := pgxpool.New(context.Background(), url)
		if err != nil {
			return nil, nil, err
		}
		return postgres.New(pool, postgres.Options{Options: o, Recovery: true}), pool.Close, nil
	}
	return nil, nil, fmt.Errorf("no engine has the name %q", name)
}
