// Package emitter reaches the clients of a cluster from a program that is no
// server: a worker, a cron job, a command. It plays the part of npm's
// @socket.io/redis-emitter and its like, on every engine there is:
// https://socket.io/docs/v4/redis-adapter/#emitter.
//
//	e := emitter.New(redisadapter.New(client, redisadapter.Options{}), emitter.Options{})
//	defer e.Close()
//	err := e.To("plaza").Emit("news", "The market opens at eight.")
//
// Start with [New], which takes what a server has as its Config.Adapter,
// [Emitter.To] and [Broadcast.Emit]; the names are those of package realtime. It
// links no server.
//
// # The law
//
// An emitter has no queue behind it, as a server has: a call returns when the
// engine has taken what it says, and fails when that is not so. No error does not
// mean that there is anybody to hear it. After an error nothing has been sent, or it
// is not known: sent again, it may arrive twice.
//
// An emitter hears nothing, so there are no acknowledgements, no FetchSockets, and no
// server knows of it. All methods may be called concurrently; what a goroutine
// says, one call after the other, arrives in that order.
package emitter
