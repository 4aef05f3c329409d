// Package presence knows who is in a room, across all nodes of a cluster, with
// what is to be known of each: a name, a colour, "is typing".
//
// Start with [New], [Tracker.Track] and [Tracker.List]. Joins and leaves are
// told to functions, and, with Options.Events, to the clients of the room.
//
// Each node is the only one that says who its own sockets are, and counts its
// changes. The others keep what each has said last: a change goes to all of them
// at once, a sign of life says up to which change they should know, and who has
// missed one asks for everything anew. Nothing has to be merged, so that all nodes
// which can hear each other know the same in the end, whatever was lost, came
// twice or in another order: it is the observed-remove set of Phoenix.Tracker
// (https://hexdocs.pm/phoenix_pubsub/Phoenix.Tracker.html), in which a name also
// belongs to the node that has added it. Those on a node that the cluster takes for
// dead leave, and are back when it is.
//
// What a node knows it tells at once, without asking anybody. So during a
// partition each side goes on with those it can hear, and a node that has just
// been started learns of the others within moments.
//
// All methods may be called concurrently. Functions of Options are called one at a
// time, in the order of what has happened, by a goroutine that exists while there
// is something to tell; the server's Shutdown waits for them.
package presence
