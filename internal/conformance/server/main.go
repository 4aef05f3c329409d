// Command server answers one of the contracts of package conformance, for suites that are not written in Go.
//
// Environment: CONTRACT names it, PORT is where it listens, HOST on which address (default 127.0.0.1). When it accepts
// connections it prints one line, `READY <pid>`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/zocalo-go/zocalo/internal/conformance"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, env conformance.Env, stdout io.Writer) error {
	handler, err := conformance.Handler(env("CONTRACT"), env)
	if err != nil {
		return err
	}
	host := env("HOST")
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, env("PORT")))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	fmt.Fprintln(stdout, "READY", os.Getpid())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
