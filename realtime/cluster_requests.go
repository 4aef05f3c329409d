package realtime

import (
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// requestsTopic is that of the requests which have reached another node than the
// one with their session.
const requestsTopic = "requests"

// peers is the cluster as the engine sees it: where requests go that have reached
// the wrong node, so that a load balancer needs no sticky sessions.
type peers struct{ adapter.Node }

// Send implements engineio.Peers.
func (p peers) Send(node string, message []byte) error {
	return p.Node.Send(node, requestsTopic, message)
}

// Handle implements engineio.Peers.
func (p peers) Handle(f func(from string, message []byte)) { p.Node.Handle(requestsTopic, f) }

// clusterEngine returns the options of the layer below for a node of a cluster, or
// a server of its own.
func (c *Config) clusterEngine(node adapter.Node) engineio.Config {
	config := c.engine()
	clustered := node.ID() != ""
	if clustered {
		config.Peers = peers{node}
	}
	config.DrainWindow = c.Drain.window(clustered)
	return config
}
