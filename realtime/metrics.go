package realtime

import "context"

// Metrics receives what is worth counting. Its method is called from many
// goroutines, often, and with no lock held that it could wait for; it must not
// wait. Package realtime/prometheus has one.
type Metrics interface {
	// Add adds n to a metric: to a counter, or, also less than nothing, to a
	// gauge. The label is the one that the metric's documentation names, or "".
	Add(metric Metric, label string, n int64)
}

// Metric names what is counted.
type Metric string

// The metrics of a connection, whatever it carries.
const (
	MetricConnections    Metric = "connections"    // gauge, by transport: open connections
	MetricUpgrades       Metric = "upgrades"       // counter, by transport: changes of transport
	MetricDisconnections Metric = "disconnections" // counter, by reason: ended connections
	MetricRefusals       Metric = "refusals"       // counter, by Engine.IO's error code: refused requests
	MetricForwarded      Metric = "forwarded"      // counter, by transport: requests passed to the node with their session
	MetricBytesIn        Metric = "bytes_in"       // counter, by transport: bytes of packets
	MetricBytesOut       Metric = "bytes_out"      // counter, by transport: bytes of packets
	MetricPacketsIn      Metric = "packets_in"     // counter, by transport: packets of Engine.IO
	MetricPacketsOut     Metric = "packets_out"    // counter, by transport: packets of Engine.IO
	MetricBuffered       Metric = "buffered"       // gauge: bytes that wait for clients
	MetricDropped        Metric = "dropped"        // counter, "volatile", "overflow" or "rate": events that were dropped
)

// The metrics of Socket.IO.
const (
	MetricSockets      Metric = "sockets"       // gauge, by namespace: connected sockets
	MetricRefused      Metric = "refused"       // counter, by namespace: sockets that middleware refused
	MetricEventsIn     Metric = "events_in"     // counter, by namespace: events of clients
	MetricEventsOut    Metric = "events_out"    // counter, by namespace: events to clients, a broadcast counts once for each
	MetricAcksIn       Metric = "acks_in"       // counter, by namespace: acknowledgements of clients
	MetricAcksMissing  Metric = "acks_missing"  // counter, by namespace: awaited acknowledgements that did not come
	MetricBadArguments Metric = "bad_arguments" // counter, by namespace: events whose arguments did not fit the handler
	MetricPanics       Metric = "panics"        // counter, by namespace: handlers that panicked
	MetricRecovered    Metric = "recovered"     // counter, "yes" or "no": clients that asked for their session back
	MetricPending      Metric = "pending"       // gauge: events that wait for handlers
)

type noMetrics struct{}

func (noMetrics) Add(Metric, string, int64) {}

// TraceEvent is what Config.Trace is told of handlers that are about to run.
type TraceEvent struct {
	Socket *Socket
	Event  string // the client's event, or "connection", "disconnecting", "disconnect"
}

// traced runs f with the context that Config.Trace makes of ctx. What f returns
// is how it went.
func (c *Config) traced(ctx context.Context, s *Socket, event string, f func(context.Context) error) {
	if c.Trace == nil {
		f(ctx)
		return
	}
	var end func(error)
	s.protect("trace of "+event, func() { ctx, end = c.Trace(ctx, TraceEvent{s, event}) })
	err := f(ctx)
	if end != nil {
		s.protect("trace of "+event, func() { end(err) })
	}
}
