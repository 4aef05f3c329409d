package engineio

// What Config.Count is told of. A gauge is counted up and down, and is zero
// when the last session has ended; all others only grow.
const (
	MetricConnections    = "connections"    // gauge; open sessions, by transport
	MetricUpgrades       = "upgrades"       // by the transport upgraded to
	MetricDisconnections = "disconnections" // by reason
	MetricRefusals       = "refusals"       // refused requests, by the code the client was told
	MetricForwarded      = "forwarded"      // requests passed to another node, by transport
	MetricBytesIn        = "bytes_in"       // of packets as they were received, by transport
	MetricBytesOut       = "bytes_out"      // of packets as they were sent, before compression, by transport
	MetricPacketsIn      = "packets_in"     // by transport
	MetricPacketsOut     = "packets_out"    // by transport
	MetricBuffered       = "buffered"       // gauge; bytes that wait for clients, without label
	MetricDropped        = "dropped"        // packets not sent, DroppedVolatile or DroppedOverflow
)

// The labels of MetricDropped.
const (
	DroppedVolatile = "volatile" // its client could not take it
	DroppedOverflow = "overflow" // it did not fit under the limits
)

// counter is Config.Count, nil for none.
type counter func(metric, label string, n int64)

func (c counter) add(metric, label string, n int) {
	if c != nil && n != 0 {
		c(metric, label, int64(n))
	}
}
