package realtime_test

import (
	"context"
	"errors"
	"log"
	"regexp"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

func ExampleSocket_Join() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("enter", func(room string) error { return socket.Join(room) })
		socket.On("exit", func(room string) { socket.Leave(room) })
		socket.On("disconnecting", func(reason string) {
			for _, room := range socket.Rooms() { // its own id is the first
				socket.To(room).Emit("left", socket.ID())
			}
		})
	})
}

func ExampleBroadcast() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		server.Emit("news", "for everybody")
		server.To("plaza").Emit("news", "for a room")
		server.To("plaza", "market").Except("tourists").Emit("news", "for two rooms, once each, but not for a third")
		server.To("0Tqx3…").Emit("news", "for one socket, by its id")
		socket.Broadcast().Emit("news", "for everybody else")
		socket.To("plaza").Emit("news", "for everybody else in the room")
	})
}

// Every client that gets the event answers it.
func ExampleBroadcast_EmitWithAck() {
	server := realtime.NewServer(realtime.Config{})
	answers, err := server.To("jury").Timeout(5*time.Second).EmitWithAck(context.Background(), "vote", "corn?")
	for _, answer := range answers {
		var yes bool
		if err := answer.Args.Decode(&yes); err == nil {
			log.Print(answer.ID, " says ", yes)
		}
	}
	var missing *realtime.MissingError
	if errors.As(err, &missing) {
		log.Print("no answer from ", missing.IDs)
	}
}

func ExampleBroadcast_FetchSockets() {
	server := realtime.NewServer(realtime.Config{})
	sockets, err := server.In("plaza").FetchSockets(context.Background())
	if err != nil {
		log.Print(err)
	}
	for _, s := range sockets {
		user, _ := realtime.ValueOf[string](s, "user")
		log.Print(s.ID(), s.Rooms(), user)
		s.Emit("hello", user)
	}
	server.In("plaza").SocketsJoin("market")
	server.In("plaza").SocketsLeave("plaza")
	server.In("market").DisconnectSockets(true)
}

func ExampleServer_Of() {
	server := realtime.NewServer(realtime.Config{})
	admin := server.Of("/admin") // io("/admin")
	admin.On("connection", func(socket *realtime.Socket) {
		admin.Emit("joined", socket.ID())
	})
}

// Namespaces by a pattern are made when a client joins them, and go with their
// last socket.
func ExampleServer_OfPattern() {
	server := realtime.NewServer(realtime.Config{})
	games := server.OfPattern(regexp.MustCompile(`^/game-\d+$`))
	games.Use(func(socket *realtime.Socket) error {
		if socket.Handshake().Query["level"] == "" {
			return errors.New("choose a level")
		}
		return nil
	})
	games.On("connection", func(socket *realtime.Socket) {
		game := socket.Namespace() // such as /game-7
		game.Emit("player", socket.ID())
	})
	games.Emit("maintenance", "in five minutes") // to all games
}

// A function may ask a database.
func ExampleServer_OfFunc() {
	exists := func(ctx context.Context, shop string) bool { return shop != "" }
	server := realtime.NewServer(realtime.Config{})
	shops := server.OfFunc(func(name string, h *realtime.Handshake) bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return exists(ctx, name)
	})
	shops.On("connection", func(socket *realtime.Socket) {
		log.Print(socket.Namespace().Name())
	})
}

// The adapter tells when rooms come and go.
func ExampleNamespace_On() {
	server := realtime.NewServer(realtime.Config{})
	server.On("create-room", func(room string) { log.Print(room, " is open") })
	server.On("delete-room", func(room string) { log.Print(room, " is closed") })
	server.On("join-room", func(room, id string) { log.Print(id, " enters ", room) })
	server.On("leave-room", func(room, id string) { log.Print(id, " leaves ", room) })
	server.On("new_namespace", func(n *realtime.Namespace) { log.Print(n.Name(), " was made") })
}

func ExampleNamespace_ServerSideEmit() {
	server := realtime.NewServer(realtime.Config{})
	server.On("reload", func(what string) string { return "reloaded " + what })
	if err := server.ServerSideEmit("reload", "prices"); err != nil {
		log.Print(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answers, err := server.ServerSideEmitWithAck(ctx, "reload", "prices")
	log.Print(len(answers), " servers have answered, ", err)
}
