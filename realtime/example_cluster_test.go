package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// Two servers of one process, as a test may want them. An engine between
// processes is used in the same way.
func ExampleConfig_cluster() {
	hub := cluster.NewHub(cluster.Options{})
	here := realtime.NewServer(realtime.Config{Adapter: hub})
	there := realtime.NewServer(realtime.Config{Adapter: hub})
	defer here.Close()
	defer there.Close()

	there.On("reload", func(what string) string { return "reloaded " + what })
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answers, err := here.ServerSideEmitWithAck(ctx, "reload", "prices")
	fmt.Println(len(answers), err)
	// Output: 1 <nil>
}

func ExampleMissingError() {
	server := realtime.NewServer(realtime.Config{})
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	sockets, err := server.To("plaza").FetchSockets(ctx)
	var missing *realtime.MissingError
	if errors.As(err, &missing) { // the sockets are those of the other servers
		log.Print("no answer from ", missing.Nodes, ": ", missing.Err)
	}
	log.Print(len(sockets), " sockets in the plaza")
}
