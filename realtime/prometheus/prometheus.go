// Package prometheus counts what a realtime.Server does for Prometheus.
//
//	metrics := prometheus.New(prometheus.Config{})
//	registry.MustRegister(metrics)
//	server := realtime.NewServer(realtime.Config{Metrics: metrics})
//
// [Collector] is both a realtime.Metrics and a Collector of
// github.com/prometheus/client_golang. These are its metrics, after the prefix:
//
//	connections                gauge    transport  open connections
//	upgrades_total             counter  transport  changes of transport
//	disconnections_total       counter  reason     ended connections
//	refused_requests_total     counter  code       requests refused with an Engine.IO error
//	received_bytes_total       counter  transport  bytes of packets
//	sent_bytes_total           counter  transport
//	received_packets_total     counter  transport  packets of Engine.IO
//	sent_packets_total         counter  transport
//	buffered_bytes             gauge               bytes that wait for clients
//	dropped_events_total       counter  cause      volatile, overflow or rate
//	sockets                    gauge    namespace  connected sockets
//	refused_sockets_total      counter  namespace  sockets that middleware refused
//	received_events_total      counter  namespace  events of clients
//	sent_events_total          counter  namespace  events to clients
//	received_acks_total        counter  namespace  acknowledgements of clients
//	missing_acks_total         counter  namespace  acknowledgements that did not come
//	bad_arguments_total        counter  namespace  events that did not fit their handler
//	panics_total               counter  namespace  handlers that panicked
//	recoveries_total           counter  recovered  clients that asked for their session back, yes or no
//	pending_events             gauge               events that wait for handlers
//
// The number of series is bounded whatever clients do; see [Config].
package prometheus

import (
	"fmt"
	"regexp"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/zocalo-go/zocalo/realtime"
)

// Other is the value of a label that stands for all that are not kept.
const Other = "other"

// longest is how many bytes the value of a label may have. Clients may choose
// the names of dynamic namespaces.
const longest = 128

// Config holds the options of a [Collector]. The zero value works.
type Config struct {
	// Prefix begins the name of every metric. Default "zocalo_realtime_". Two
	// servers in one registry need two prefixes, or client_golang's
	// WrapRegistererWith, which adds a label.
	Prefix string

	// NamespaceLabel returns the value of the label "namespace" for a namespace
	// of Socket.IO, so that "/room-17" can count as "/room-*". It must return the
	// same for the same name. It is called for every event, concurrently. Default
	// the name itself.
	NamespaceLabel func(name string) string

	// MaxNamespaces is how many different values the label "namespace" may have;
	// those that come later are "other", as are those of more than 128 bytes.
	// Default 100.
	MaxNamespaces int
}

// Collector is a realtime.Metrics to be registered with Prometheus. All methods
// may be called concurrently.
type Collector struct {
	tables []*table
	places map[realtime.Metric]place
	rename func(string) string
}

// place is where a metric is counted: in a column of a table.
type place struct {
	table   *table
	column  int
	counter bool
}

// New returns a collector that is ready to be registered. It panics when an
// option cannot work.
func New(config Config) *Collector {
	if config.Prefix == "" {
		config.Prefix = "zocalo_realtime_"
	}
	if !regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`).MatchString(config.Prefix) {
		panic(fmt.Sprintf("prometheus: Config.Prefix %q cannot begin a metric's name; use letters, digits and _, such as %q",
			config.Prefix, "zocalo_realtime_"))
	}
	if config.MaxNamespaces < 0 {
		panic("prometheus: Config.MaxNamespaces is negative; leave it 0 for the default")
	}
	if config.MaxNamespaces == 0 {
		config.MaxNamespaces = 100
	}
	c := &Collector{places: make(map[realtime.Metric]place), rename: config.NamespaceLabel}
	for _, l := range labels() {
		limit := 32
		if l.name == namespaceLabel {
			limit = config.MaxNamespaces
		}
		t := newTable(l, config.Prefix, limit)
		c.tables = append(c.tables, t)
		for i, m := range l.metrics {
			c.places[m.metric] = place{t, i, !m.gauge}
		}
	}
	return c
}

// Add implements realtime.Metrics. It allocates nothing, and waits only when a
// label has a new value. What it does not know it ignores.
func (c *Collector) Add(metric realtime.Metric, label string, n int64) {
	p, ok := c.places[metric]
	if !ok || p.counter && n < 0 {
		return
	}
	if c.rename != nil && p.table.label == namespaceLabel {
		label = c.rename(label)
	}
	p.table.row(label)[p.column].Add(float64(n))
}

// Describe implements Collector of client_golang.
func (c *Collector) Describe(descs chan<- *prom.Desc) {
	for _, t := range c.tables {
		for _, v := range t.columns {
			v.Describe(descs)
		}
	}
}

// Collect implements Collector of client_golang.
func (c *Collector) Collect(metrics chan<- prom.Metric) {
	for _, t := range c.tables {
		for _, v := range t.columns {
			v.Collect(metrics)
		}
	}
}
