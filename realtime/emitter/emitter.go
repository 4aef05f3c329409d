package emitter

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Options are those of an emitter. The zero value works.
type Options struct {
	// Timeout is how long a call waits for the engine at most. Default 5 s.
	Timeout time.Duration

	// Codec is that of the servers: their Config.Codec. Default parser.JSON.
	Codec parser.Codec

	// Logger is for what an engine has to say beside the errors of calls. Default
	// slog.Default().
	Logger *slog.Logger
}

// Emitter speaks to the clients, and to the servers, of a namespace.
type Emitter struct {
	outlet    *cluster.Outlet
	options   Options
	namespace string
	ctx       context.Context // of the calls
}

// New returns an emitter for the namespace "/" of the servers that have that
// adapter as their Config.Adapter, with the same options, above all the same
// prefix. It panics when an option cannot work, or when the adapter connects no
// servers.
func New(a adapter.Provider, o Options) *Emitter {
	if a == nil {
		panic("emitter: New needs an adapter; a package such as realtime/adapter/redis makes one")
	}
	if o.Timeout < 0 {
		panic("emitter: Options.Timeout is negative; leave it 0 for the default")
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Codec == nil {
		o.Codec = parser.JSON
	}
	outlet := cluster.NewOutlet(a, adapter.Server{Logger: o.Logger, Codec: o.Codec})
	return &Emitter{outlet: outlet, options: o, namespace: "/", ctx: context.Background()}
}

// Of returns an emitter for another namespace; the slash it begins with may be left
// out.
func (e *Emitter) Of(namespace string) *Emitter {
	if namespace == "" || namespace[0] != '/' {
		namespace = "/" + namespace
	}
	c := *e
	c.namespace = namespace
	return &c
}

// WithContext returns an emitter whose calls, and those of the broadcasts made from
// it, fail with the cause when ctx ends.
func (e *Emitter) WithContext(ctx context.Context) *Emitter {
	if ctx == nil {
		panic("emitter: WithContext of a nil context; context.Background() never ends")
	}
	c := *e
	c.ctx = ctx
	return &c
}

// all is a broadcast to everybody.
func (e *Emitter) all() *Broadcast { return &Broadcast{emitter: e} }

// To returns a broadcast to the sockets in any of the rooms, each once. A socket's
// id is a room, too.
func (e *Emitter) To(rooms ...string) *Broadcast { return e.all().To(rooms...) }

// In is [Emitter.To].
func (e *Emitter) In(rooms ...string) *Broadcast { return e.To(rooms...) }

// Except returns a broadcast to all sockets but those in any of the rooms.
func (e *Emitter) Except(rooms ...string) *Broadcast { return e.all().Except(rooms...) }

// Volatile returns a broadcast that clients which cannot take it at once are spared.
func (e *Emitter) Volatile() *Broadcast { return e.all().Volatile() }

// Compress is [Broadcast.Compress].
func (e *Emitter) Compress(compress bool) *Broadcast { return e.all().Compress(compress) }

// Emit sends an event to all sockets of the namespace; see [Broadcast.Emit].
func (e *Emitter) Emit(event string, args ...any) error { return e.all().Emit(event, args...) }

// Send emits "message".
func (e *Emitter) Send(args ...any) error { return e.Emit("message", args...) }

// SocketsJoin puts all sockets of the namespace into rooms.
func (e *Emitter) SocketsJoin(rooms ...string) error { return e.all().SocketsJoin(rooms...) }

// SocketsLeave takes all sockets of the namespace out of rooms.
func (e *Emitter) SocketsLeave(rooms ...string) error { return e.all().SocketsLeave(rooms...) }

// DisconnectSockets is [Broadcast.DisconnectSockets] for all sockets of the
// namespace.
func (e *Emitter) DisconnectSockets(close bool) error { return e.all().DisconnectSockets(close) }

// ServerSideEmit sends an event to the servers, all that have the namespace, which
// get it by their Namespace.On. It fails when the name is one of a server's own
// events, or an argument cannot be marshalled, and as [Broadcast.Emit] does.
// https://socket.io/docs/v4/server-instance/#serversideemit
func (e *Emitter) ServerSideEmit(event string, args ...any) error {
	err := checkArgs(args)
	switch event {
	case "connection", "new_namespace", "create-room", "delete-room", "join-room", "leave-room":
		err = fmt.Errorf("the name is the server's own; choose another")
	}
	if err == nil {
		err = checkEvent(event)
	}
	var data []byte
	if err == nil {
		data, err = json.Marshal(append([]any{event}, args...))
	}
	if err == nil {
		err = e.send(&cluster.Message{Type: cluster.ServerSideEmit, Data: data})
	}
	return wrap("server-side emit", event, err)
}

// send gives a message to the engine.
func (e *Emitter) send(m *cluster.Message) error {
	m.Namespace = e.namespace
	ctx, cancel := context.WithTimeoutCause(e.ctx, e.options.Timeout, errSilent)
	defer cancel()
	return e.outlet.Send(ctx, m)
}

// Close ends the emitter, and all that were made from it, when what is being sent
// has been. The connection that the adapter has remains its owner's. Calls fail with
// [adapter.ErrClosed] from then on.
func (e *Emitter) Close() error { return e.outlet.Close() }

// checkEvent returns an error for a name that no event may have on the wire.
func checkEvent(event string) error {
	if parser.Reserved(event) {
		return fmt.Errorf("the name is reserved by the protocol; choose another")
	}
	return nil
}

// checkArgs returns an error for a callback.
func checkArgs(args []any) error {
	if n := len(args); n > 0 && args[n-1] != nil && reflect.TypeOf(args[n-1]).Kind() == reflect.Func {
		return fmt.Errorf("an emitter hears no answers, and takes no callback; have a server call EmitWithAck")
	}
	return nil
}
