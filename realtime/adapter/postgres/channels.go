package postgres

import (
	"crypto/sha256"
	"encoding/base64"
)

// channels are the names of a cluster's channels.
type channels struct{ prefix string }

func (c channels) nodes() string         { return c.prefix + "-nodes" }
func (c channels) node(id string) string { return c.prefix + "-node-" + id }

// namespace returns the channel of a namespace, which is that of Node's adapter
// where PostgreSQL takes it.
func (c channels) namespace(name string) string {
	channel := c.space(name)
	if len(channel) <= maxName {
		return channel
	}
	sum := sha256.Sum256([]byte(name))
	return c.prefix + "-h-" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// space is how the log names a namespace of the cluster.
func (c channels) space(namespace string) string { return c.prefix + "#" + namespace }
