package mixed

import (
	"github.com/zocalo-go/zocalo/realtime/emitter"
)

// viaEmitter is the town of clients for whom Go's server has an emitter do what one
// can do.
const viaEmitter = "emitter"

// speak does what a client wants done, and reports whether an emitter can.
func speak(e *emitter.Emitter, c command, args []any) (able bool, err error) {
	target := e.To(c.To...).Except(c.Except...)
	switch c.Op {
	case "emit":
		return true, target.Emit(c.Event, args...)
	case "count":
		for i := range 500 {
			if err := target.Emit("number", i+1); err != nil {
				return true, err
			}
		}
		return true, nil
	case "socketsJoin":
		return true, target.SocketsJoin(c.Rooms...)
	case "socketsLeave":
		return true, target.SocketsLeave(c.Rooms...)
	case "disconnect":
		return true, target.DisconnectSockets(false)
	case "tell":
		return true, e.ServerSideEmit(c.Event, args...)
	}
	return false, nil
}
