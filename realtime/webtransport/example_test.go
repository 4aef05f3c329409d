package webtransport_test

import (
	"context"
	"crypto/tls"
	"log"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/webtransport"
)

// Pages and polling come over TCP, WebTransport over UDP, from the same port and
// with the same certificate.
func Example() {
	certificate, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	tlsConfig := &tls.Config{Certificates: []tls.Certificate{certificate}}

	socketServer := realtime.NewServer(realtime.Config{
		Transports: []string{"polling", "websocket", "webtransport"},
	})
	socketServer.On("connection", func(socket *realtime.Socket) {
		log.Print(socket.ID(), " connected")
	})

	pages := &http.Server{Addr: ":443", TLSConfig: tlsConfig, Handler: socketServer}
	go pages.ListenAndServeTLS("", "")
	streams := webtransport.NewServer(socketServer, webtransport.Config{Addr: ":443", TLSConfig: tlsConfig})
	go streams.ListenAndServe()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	socketServer.Shutdown(ctx) // the clients leave
	streams.Shutdown(ctx)
	pages.Shutdown(ctx)
}
