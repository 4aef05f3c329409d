package postgres_test

import (
	"context"
	"log"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter/postgres"
)

// Every server that is started like this is part of one cluster, and clients come
// back to any of them.
func ExampleNew() {
	pool, err := pgxpool.New(context.Background(), "postgres://localhost/app")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	socketServer := realtime.NewServer(realtime.Config{
		Adapter:  postgres.New(pool, postgres.Options{Recovery: true}),
		Recovery: &realtime.Recovery{},
	})
	socketServer.On("connection", func(socket *realtime.Socket) {
		socket.Join("plaza")
		socketServer.To("plaza").Emit("joined", socket.ID()) // on whatever node they are
	})
}
