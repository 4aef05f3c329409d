// Package postgres connects the servers of a cluster through PostgreSQL: one that
// an app has already is all that is needed.
//
//	pool, err := pgxpool.New(ctx, "postgres://localhost/app")
//	…
//	socketServer := realtime.NewServer(realtime.Config{Adapter: postgres.New(pool, postgres.Options{})})
//
// where pgxpool is github.com/jackc/pgx/v5/pgxpool. Servers of Node.js with
// @socket.io/postgres-adapter 0.4 or later are part of the same cluster:
// https://socket.io/docs/v4/postgres-adapter/.
//
// # What goes where
//
// Messages go by LISTEN and NOTIFY, in the channel "<prefix>#<namespace>" in the form
// of Node's adapter, and in "<prefix>-nodes" and "<prefix>-node-<id>" between nodes of
// this package. What is too large for a notification, or holds binary, goes through
// the table socket_io_attachments. With Options.Recovery, broadcasts go to the table
// socket_io_log as well, and sessions to socket_io_sessions, so that a client can come
// back to any node and has what it has missed. [Schema] is their definition; they are
// made where they are missing and the user may.
//
// # Limits
//
// A channel's name has 63 bytes at most: a namespace whose name is longer than that
// leaves is written as its hash, which servers of Node.js do not know. LISTEN needs a
// connection of its own to the database: not through a pooler that shares connections
// between transactions, such as PgBouncer in its mode "transaction".
//
// Without Recovery nothing is kept: while a node is not connected it misses what
// others say. What servers of Node.js and their emitters say is not kept either.
//
// # Goroutines
//
//	listener  one a node, from Start to Close: receives, connects again, reads what was missed
//	cleaner   one a node, from Start to Close: deletes what has become old
package postgres
