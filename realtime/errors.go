package realtime

import (
	"errors"
	"strings"

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

	// ErrSlowClient is returned for what does not fit under Config.MaxBuffered;
	// Config.Overflow says what happens to the client.
	ErrSlowClient = errors.New("realtime: client reads too slowly")

	// ErrTooManyAcks is returned for an event whose acknowledgement would be one
	// more than Config.MaxPendingAcks.
	ErrTooManyAcks = errors.New("realtime: client owes too many acknowledgements; see Config.MaxPendingAcks")

	// ErrTooManyRooms is returned for rooms that would be more than
	// Config.MaxRooms.
	ErrTooManyRooms = errors.New("realtime: socket is in too many rooms; see Config.MaxRooms")

	// ErrRateLimited is what OnError gets, and the client's acknowledgement says,
	// of an event above Config.EventRate.
	ErrRateLimited = errors.New("realtime: too many events; see Config.EventRate")

	// ErrAckTimeout is what a callback gets whose acknowledgement has not come in
	// the time that Timeout gave.
	ErrAckTimeout = errors.New("realtime: no acknowledgement in time")
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

// failure is the acknowledgement of an event whose handler failed.
func failure(err error) any {
	f := struct {
		Error string `json:"error"`
		Data  any    `json:"data,omitempty"`
	}{Error: strings.TrimPrefix(err.Error(), "realtime: ")}
	var e *Error
	var argument *ArgumentError
	switch {
	case errors.As(err, &e):
		f.Data = e.Data
	case errors.As(err, &argument):
		f.Data = struct {
			Name     string `json:"name"`
			Argument int    `json:"argument"`
		}{"ArgumentError", argument.Index + 1}
	}
	return f
}
