// Command clusternode is one node of a cluster under test. It prints the address
// that it listens on, puts every client into the room "plaza", and ends in order on
// SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/zocalo-go/zocalo/internal/e2e/engines"
	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("clusternode", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	engine := flags.String("engine", "", "name of the engine")
	url := flags.String("url", "", "where its server is")
	beat := flags.Duration("heartbeat", 5*time.Second, "between two signs of life")
	if flags.Parse(args) != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, *listen, *engine, *url, *beat, stdout); err != nil {
		fmt.Fprintln(stderr, "clusternode:", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, listen, engine, url string, beat time.Duration, stdout io.Writer) error {
	adapter, disconnect, err := engines.Open(engine, url, cluster.Options{HeartbeatInterval: beat})
	if err != nil {
		return err
	}
	defer disconnect()
	sockets := realtime.NewServer(realtime.Config{Adapter: adapter, Recovery: &realtime.Recovery{}})
	sockets.On("connection", func(s *realtime.Socket) {
		if !s.Recovered() {
			s.Join("plaza")
		}
		s.On("build", func() string { return "clusternode" }) // restarts.mjs wants to know who answers
	})
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, listener.Addr())
	server := &http.Server{Handler: sockets, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	// Who comes now goes elsewhere: the load balancer is told by the closed port.
	listener.Close()
	patience, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := sockets.Shutdown(patience); err != nil {
		return err
	}
	return server.Shutdown(patience)
}
