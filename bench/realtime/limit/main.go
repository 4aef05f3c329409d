//go:build linux

// Command limit is what the server is measured against: servers that speak just enough of Engine.IO and Socket.IO for
// the load generator. They look for the bytes they expect and decode no JSON, have no namespaces, no middleware, no
// limits and no hooks, and trust their clients; what remains is the cost of moving the bytes.
//
//	plain   coder/websocket used as its documentation shows
//	sketch  the library for the handshake; frames read into pooled buffers and written in batches
//	raw     no library, net/http for the handshake, a write for every frame
//	epoll   no net/http and no goroutines: a loop over epoll, written at its end; WebSocket only
//
// usage: limit plain|sketch|raw|epoll, with HOST, PORT and PING_INTERVAL in the environment as the contract says. When
// it accepts connections it prints one line, `READY <pid>`.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "limit:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("name one server: plain, sketch, raw or epoll")
	}
	address := net.JoinHostPort(setting("HOST", "127.0.0.1"), setting("PORT", "3000"))
	interval, err := strconv.Atoi(setting("PING_INTERVAL", "25000"))
	if err != nil {
		return fmt.Errorf("PING_INTERVAL is in milliseconds: %w", err)
	}
	s := newServer(time.Duration(interval) * time.Millisecond)
	switch args[0] {
	case "plain":
		return s.serveHTTP(address, s.plain)
	case "sketch":
		return s.serveHTTP(address, newSketch(s).upgrade)
	case "raw":
		return s.serveHTTP(address, s.raw)
	case "epoll":
		return s.serveEpoll(address)
	}
	return fmt.Errorf("there is no server %q: name plain, sketch, raw or epoll", args[0])
}

func setting(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

// An upgrade serves a request for a WebSocket. The session is the one that asks for it over polling, or nil.
type upgrade func(w http.ResponseWriter, r *http.Request, polling *session)

// serveHTTP serves on net/http.
func (s *server) serveHTTP(address string, upgrade upgrade) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/socket.io/", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, upgrade) })
	mux.HandleFunc("/__gc", func(http.ResponseWriter, *http.Request) { debug.FreeOSMemory() })
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go s.beat()
	fmt.Println("READY", os.Getpid())
	return http.Serve(listener, mux)
}
