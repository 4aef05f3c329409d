package embedded_test

import (
	"log"
	"os"
	"strings"

	"github.com/zocalo-go/zocalo/realtime"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
	"github.com/zocalo-go/zocalo/realtime/adapter/nats/embedded"
)

// Every process that is started like this, with some addresses of the others in
// $ROUTES, is part of one cluster.
func Example() {
	mesh, err := embedded.Start(embedded.Config{
		Routes: strings.Fields(os.Getenv("ROUTES")), // such as "node1:6222 node2:6222": some nodes, which tell of the others
		Secret: os.Getenv("CLUSTER_SECRET"),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer mesh.Close()

	socketServer := realtime.NewServer(realtime.Config{Adapter: natsadapter.New(mesh.Conn(), natsadapter.Options{})})
	socketServer.On("connection", func(socket *realtime.Socket) {
		socketServer.Emit("joined", socket.ID()) // on whatever node they are
	})
}
