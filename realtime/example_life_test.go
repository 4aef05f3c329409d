package realtime_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/zocalo-go/zocalo/realtime"
)

// Clients are told to go while the pages' requests end.
func ExampleServer_Shutdown() {
	socketServer := realtime.NewServer(realtime.Config{})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", socketServer)
	server := &http.Server{Addr: ":8080", Handler: mux}
	go server.ListenAndServe()

	interrupted, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	<-interrupted.Done()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { socketServer.Shutdown(ctx) })
	both.Go(func() { server.Shutdown(ctx) })
	both.Wait()
}

// A test needs no client but a WebSocket: packets are short texts.
func Example_testing() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("double", func(n int) int { return 2 * n })
	})
	web := httptest.NewServer(server)
	defer web.Close()
	defer server.Close()

	ctx := context.Background()
	client, _, err := websocket.Dial(ctx, web.URL+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseNow()
	send := func(packet string) { client.Write(ctx, websocket.MessageText, []byte(packet)) }
	receive := func() string {
		_, packet, err := client.Read(ctx)
		if err != nil {
			log.Fatal(err)
		}
		return string(packet)
	}

	receive()                    // 0{"sid":"…"}: the handshake
	send("40")                   // may I join "/"?
	receive()                    // 40{"sid":"…"}: yes
	send(`427["double",21]`)     // an event that wants acknowledgement 7
	fmt.Println(receive())       // and gets it
	send(`428["double","many"]`) // an argument that does not fit
	fmt.Println(receive())

	// Output:
	// 437[42]
	// 438[{"error":"argument 1: json: cannot unmarshal string into Go value of type int","data":{"name":"ArgumentError","argument":1}}]
}

// An Engine is Engine.IO alone, for a protocol of your own.
func ExampleEngine() {
	engine := realtime.NewEngine(realtime.Config{Path: "/engine.io/"}, func(conn *realtime.Conn) {
		conn.OnMessage(func(data []byte, binary bool) {
			conn.Send("you said " + string(data))
		})
		conn.OnClose(func(reason string) { log.Print(conn.ID(), ": ", reason) })
	})
	http.Handle("/engine.io/", engine)
}

// The connection that a client's sockets share can be watched.
func ExampleSocket_Conn() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		log.Print("begins with ", socket.Transport())
		socket.Conn().OnUpgrade(func(transport string) { log.Print("goes on with ", transport) })
	})
}
