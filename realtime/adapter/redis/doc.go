// Package redis connects the servers of a cluster through Redis, also with servers
// of Node.js: the messages are those of npm's adapters.
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
//	socketServer := realtime.NewServer(realtime.Config{Adapter: redisadapter.New(client, redisadapter.Options{})})
//
// where redis is github.com/redis/go-redis/v9 and redisadapter is this package. Any
// client of go-redis will do: of one server, of a Redis Cluster, of Sentinels.
//
//   - [New] speaks as @socket.io/redis-adapter 8, and hears @socket.io/redis-emitter.
//   - [Sharded] speaks as createShardedAdapter of the same package: a node gets only
//     what its rooms need. It needs Redis 7.
//   - [Streams] speaks as @socket.io/redis-streams-adapter: a node that was not
//     connected misses nothing, and with Config.Recovery clients can come back to any
//     node. It needs Redis 6.2.
//
// Nodes of this module say to each other what Node has no words for on channels of
// their own, "<prefix>-nodes#" and "<prefix>-nodes#<node>#".
//
// # What can be lost
//
// Publish and subscribe keep nothing: while a node is not connected it misses what
// others say. It goes on by itself, keeps what it has to say meanwhile, and tells
// the log.
//
// A stream keeps the last StreamsOptions.MaxLen messages, if Redis itself keeps them:
// one that is restarted without its data has lost some. A node that finds this out, or
// that there is a broadcast which it cannot read, has its clients connect again, and tells
// the log; none is told that it has been restored who has missed something. What a master
// had taken and its replica had not when it took over is missing, and nobody knows; Redis'
// min-replicas-to-write bounds that.
//
// # Goroutines
//
//	listener   one a node, of Sharded one a node and master of a Redis Cluster: receives what is published
//	tail       one a stream and node: waits for entries, by a client of its own
package redis
