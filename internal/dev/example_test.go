package dev_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"

	"github.com/zocalo-go/zocalo/internal/dev"
)

// Follow the app in the working directory until Ctrl-C.
func ExampleRun() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ln, err := net.Listen("tcp", "localhost:8080")
	if err != nil {
		log.Fatal(err)
	}
	err = dev.Run(ctx, dev.Config{
		Listener: ln.(*net.TCPListener),
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Report: func(e dev.Event) {
			if e.Kind == dev.Ready {
				fmt.Println("ready in", e.Took)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
}
