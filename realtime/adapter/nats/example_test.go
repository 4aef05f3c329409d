package nats_test

import (
	"log"

	"github.com/nats-io/nats.go"

	"github.com/zocalo-go/zocalo/realtime"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
)

// Every server that is started like this is part of one cluster.
func ExampleNew() {
	conn, err := nats.Connect("nats://localhost:4222", nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	socketServer := realtime.NewServer(realtime.Config{Adapter: natsadapter.New(conn, natsadapter.Options{})})
	socketServer.On("connection", func(socket *realtime.Socket) {
		socket.Join("plaza")
		socketServer.To("plaza").Emit("joined", socket.ID()) // on whatever node they are
	})
}
