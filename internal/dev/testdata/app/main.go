// Command app is a server that keeps the contract with devserver by hand.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

const greeting = "one"

func main() {
	ln, err := listen()
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	if dev := os.Getenv("ZOCALO_DEV"); dev != "" {
		mux.Handle("/_dev/", &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: dev})
			r.Out.Host = r.In.Host
		}})
	}
	mux.HandleFunc("/_dev/app/what", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "an app") })
	mux.HandleFunc("/env/{name}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("name") == "pid" {
			fmt.Fprint(w, os.Getpid())
		}
		fmt.Fprint(w, os.Getenv(r.PathValue("name")))
	})
	mux.HandleFunc("/crash", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(3)
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, "views/index.html")
	})
	mux.Handle("/public/", http.FileServer(http.Dir(".")))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, greeting)
	})
	var open sync.WaitGroup
	server := &http.Server{Handler: mux, ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Done()
		}
	}}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { ln.Close() })
	fmt.Println("pid", os.Getpid())
	if err := server.Serve(ln); ctx.Err() == nil {
		log.Fatal(err)
	}
	// Shutdown would drop the connections that were accepted but have not been
	// read from; without keep-alive each serves its request and ends.
	server.SetKeepAlivesEnabled(false)
	open.Wait()
}

func listen() (net.Listener, error) {
	if os.Getenv("LISTEN_FDS") == "1" {
		return net.FileListener(os.NewFile(3, "listener"))
	}
	return net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
}
