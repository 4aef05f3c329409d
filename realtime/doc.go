// Package realtime is a Socket.IO v4 server: every official client connects to
// it unchanged, from JavaScript, Java, Swift, Dart or Python.
//
// Start with [Server], an http.Handler to mount at /socket.io, [Socket], one
// client in one namespace, and [Broadcast], which sends to many. [Config] holds
// everything that can be set, [Recovery] for one: clients that lose their
// connection for a moment get what they missed.
//
//	server := realtime.NewServer(realtime.Config{})
//	server.On("connection", func(socket *realtime.Socket) {
//		socket.On("message", func(text string) {
//			socket.Broadcast().Emit("message", text)
//		})
//	})
//	http.Handle("/socket.io/", server)
//
// It speaks Socket.IO protocol 5 over Engine.IO protocol 4, by long-polling,
// WebSocket, and with package webtransport by that, too, and where
// Config.AllowEIO3 is set also those of Socket.IO 2:
// https://github.com/socketio/socket.io/tree/main/docs.
//
// # Handlers
//
// What [Socket.On] takes is an ordinary function; the event's arguments are
// decoded into its parameters. It may begin with a context.Context, which ends
// with the socket, and end with an [Ack]. What it returns is the
// acknowledgement:
//
//	func(text string, n int)                              // socket.emit("event", "a", 1)
//	func(picture []byte)                                  // binary attachments arrive as bytes
//	func(o Order, ack realtime.Ack)                       // ack("anything", …)
//	func(first string, rest realtime.Args)                // decoded later, or sent on
//	func(ctx context.Context, o Order) (Receipt, error)   // the result, or {"error": "…"}
//
// Arguments that the client did not send are zero; further ones are ignored,
// as in JavaScript. An argument that does not fit its parameter, see
// [ArgumentError], never reaches the handler: it is counted, logged, and
// acknowledged as {"error": "…"}. A signature that cannot work panics where it is
// registered. [On] and [Call] have the compiler check the types.
//
// # Concurrency
//
// The handlers of one socket run one at a time, in the order of the client's
// events; different sockets run in parallel. A handler may wait, for example
// for an acknowledgement: only its own socket waits with it. The handler of
// "connection" is the first to run, those of "disconnect" are the last. A panic
// in a handler is logged with its stack, and the socket lives on.
//
// All methods of all types may be called concurrently, from handlers and from
// anywhere else. Sending never waits for a client, but for EmitContext, and calls
// nothing back, but for OnAnyOutgoing, so that it may be done with locks of your
// own held. What happens to a client that reads so slowly that Config.MaxBuffered
// bytes wait for it is for Config.Overflow to say; by default it is
// disconnected.
//
// # Goroutines
//
// A WebSocket that waits has no goroutine on Linux, unless TLS or another
// connection than the system's lies below it; then, and elsewhere, it has its
// reader. A polling client has the goroutines of its requests. A socket's handlers run in a goroutine while there are events, the
// callback of a broadcast until it has been called; some of these goroutines wait
// for the next who needs one.
// [Server.Shutdown] waits for all of them.
//
// # Locks
//
// In this order: Server or Namespace, client, the adapter's order of deliveries,
// Socket, then the queues. No lock is held while a handler, an adapter or the
// network is waited for.
package realtime
