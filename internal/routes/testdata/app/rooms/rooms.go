// Package rooms registers events for another package.
package rooms

import "github.com/zocalo-go/zocalo/realtime"

// Register registers an event whose name only run time knows.
func Register(socket *realtime.Socket, when string) {
	socket.On("close "+when, closed)
}

func closed(realtime.Args) {}
