package presence_test

import (
	"fmt"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/presence"
)

// Who is in a room, with a name, told to the clients of the room as well.
func Example() {
	type User struct {
		Name   string `json:"name"`
		Typing bool   `json:"typing"`
	}
	server := realtime.NewServer(realtime.Config{})
	defer server.Close()

	online := presence.New(server.Namespace, presence.Options[User]{Events: true})
	server.On("connection", func(socket *realtime.Socket) {
		user := User{Name: "Ana"} // who the handshake says it is
		online.Track(socket, "plaza", "user 1", user)
		socket.On("typing", func(typing bool) error {
			user.Typing = typing
			return online.Track(socket, "plaza", "user 1", user) // changes it
		})
	})
	for _, who := range online.List("plaza") {
		fmt.Println(who.Key, who.Meta.Name)
	}
	// Output:
}
