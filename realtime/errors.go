package realtime

import (
	"errors"

	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// Why a socket was disconnected, in the protocol's own words.
// https://socket.io/docs/v4/server-socket-instance/#disconnect
const (
	ReasonServerDisconnect = "server namespace disconnect" // Socket.Disconnect was called
	ReasonClientDisconnect = "client namespace disconnect" // the client called socket.disconnect()
	ReasonShuttingDown     = "server shutting down"        // Server.Shutdown was called
	ReasonPingTimeout      = engineio.ReasonPingTimeout    // it did not answer a ping in time
	ReasonTransportClose   = engineio.ReasonTransportClose // the user closed the page, or the network broke
	ReasonTransportError   = engineio.ReasonTransportError // it broke the transport's rules, or read too slowly
	ReasonParseError       = engineio.ReasonParseError     // it sent something that is no Engine.IO packet
	ReasonForcedClose      = engineio.ReasonForcedClose    // it sent something that is no Socket.IO packet
)

var (
	// ErrNotConnected is returned for what a socket cannot send, because it has
	// not joined its namespace yet or has been disconnected.
	ErrNotConnected = errors.New("realtime: socket is not connected")

	// ErrSlowClient is returned for what does not fit under Config.MaxBuffered.
	// The socket's client is being disconnected.
	ErrSlowClient = errors.New("realtime: client reads too slowly")
)

// Error is an error that is meant for the client: returned by a middleware it
// reaches the client's "connect_error", with Message as err.message and Data as
// err.data. Other errors do so with their text. Returned by a handler it is
// acknowledged as {"error": Message, "data": Data}.
// https://socket.io/docs/v4/middlewares/#handling-middleware-error
type Error struct {
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// DisconnectError is the cause with which a socket's context ends.
type DisconnectError struct {
	Reason string // one of the Reason constants
}

// Error names the reason.
func (e *DisconnectError) Error() string { return "realtime: socket disconnected: " + e.Reason }
