// Package embedded makes servers a cluster with nothing to install: each has a NATS
// server in its process, and those find each other.
//
//	mesh, err := embedded.Start(embedded.Config{Routes: []string{"node1:6222", "node2:6222"}, Secret: os.Getenv("CLUSTER_SECRET")})
//	…
//	defer mesh.Close()
//	socketServer := realtime.NewServer(realtime.Config{Adapter: natsadapter.New(mesh.Conn(), natsadapter.Options{})})
//
// Every node may be given the same routes, its own among them: one that it reaches
// is enough, and tells it of the others. Between the nodes goes one port, Config.Listen;
// another one, of this machine alone, is for nobody who does not know a password that
// is made up at each start.
//
// It is a module of its own, so that only those who use it depend on the server of
// NATS.
//
// Nothing is kept: for clients that come back to any node there has to be a NATS server
// with JetStream, or another engine.
package embedded
