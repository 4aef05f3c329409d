package realtime_test

import (
	"context"
	"errors"
	"net/http"

	"github.com/zocalo-go/zocalo/realtime"
)

func Example() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Join("plaza")
		socket.On("message", func(text string) {
			socket.To("plaza").Emit("message", text)
		})
		socket.On("disconnect", func(reason string) {
			server.To("plaza").Emit("left", socket.ID(), reason)
		})
	})
	http.Handle("/socket.io/", server)
}

// What a handler returns is the acknowledgement that the client waits for.
func ExampleSocket_On() {
	type Order struct {
		Item  string `json:"item"`
		Count int    `json:"count"`
	}
	type Receipt struct {
		Number int `json:"number"`
	}
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("order", func(ctx context.Context, o Order) (Receipt, error) {
			if o.Count < 1 {
				return Receipt{}, errors.New("order at least one")
			}
			return Receipt{Number: 7}, nil
		})
		socket.On("picture", func(data []byte, ack realtime.Ack) {
			ack(len(data))
		})
	})
}

func ExampleNamespace_Use() {
	server := realtime.NewServer(realtime.Config{})
	server.Of("/admin").Use(func(socket *realtime.Socket) error {
		var auth struct{ Token string }
		if err := socket.Handshake().DecodeAuth(&auth); err != nil || auth.Token == "" {
			return &realtime.Error{Message: "not authorized", Data: map[string]string{"cure": "log in"}}
		}
		socket.Set("token", auth.Token)
		return nil
	})
}
