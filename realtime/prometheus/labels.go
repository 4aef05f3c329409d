package prometheus

import "github.com/zocalo-go/zocalo/realtime"

const namespaceLabel = "namespace"

// label is one by which metrics are told apart, "" for those that have none.
type label struct {
	name    string
	known   []string // values that are shown before they are met
	metrics []metric
}

type metric struct {
	metric realtime.Metric
	gauge  bool
	name   string // after the prefix
	help   string
}

// labels returns all metrics of package realtime.
func labels() []label {
	const gauge, counter = true, false
	return []label{
		{"", []string{""}, []metric{
			{realtime.MetricBuffered, gauge, "buffered_bytes", "Bytes that wait for clients."},
			{realtime.MetricPending, gauge, "pending_events", "Events that wait for handlers."},
		}},
		{"transport", []string{"polling", "websocket"}, []metric{
			{realtime.MetricConnections, gauge, "connections", "Open connections."},
			{realtime.MetricUpgrades, counter, "upgrades_total", "Changes of transport."},
			{realtime.MetricForwarded, counter, "forwarded_requests_total", "Requests passed to the node with their session."},
			{realtime.MetricBytesIn, counter, "received_bytes_total", "Bytes of packets of clients."},
			{realtime.MetricBytesOut, counter, "sent_bytes_total", "Bytes of packets to clients."},
			{realtime.MetricPacketsIn, counter, "received_packets_total", "Engine.IO packets of clients."},
			{realtime.MetricPacketsOut, counter, "sent_packets_total", "Engine.IO packets to clients."},
		}},
		{"reason", []string{
			realtime.ReasonPingTimeout, realtime.ReasonTransportClose, realtime.ReasonTransportError,
			realtime.ReasonParseError, realtime.ReasonForcedClose,
		}, []metric{
			{realtime.MetricDisconnections, counter, "disconnections_total", "Ended connections."},
		}},
		{"code", []string{"0", "1", "2", "3", "4", "5"}, []metric{
			{realtime.MetricRefusals, counter, "refused_requests_total", "Requests refused with an Engine.IO error."},
		}},
		{"cause", []string{"volatile", "overflow", "rate"}, []metric{
			{realtime.MetricDropped, counter, "dropped_events_total", "Events that were dropped."},
		}},
		{"recovered", []string{"yes", "no"}, []metric{
			{realtime.MetricRecovered, counter, "recoveries_total", "Clients that asked for their session back."},
		}},
		{namespaceLabel, nil, []metric{
			{realtime.MetricSockets, gauge, "sockets", "Connected sockets."},
			{realtime.MetricRefused, counter, "refused_sockets_total", "Sockets that middleware refused."},
			{realtime.MetricEventsIn, counter, "received_events_total", "Events of clients."},
			{realtime.MetricEventsOut, counter, "sent_events_total", "Events to clients; a broadcast counts once for each."},
			{realtime.MetricAcksIn, counter, "received_acks_total", "Acknowledgements of clients."},
			{realtime.MetricAcksMissing, counter, "missing_acks_total", "Awaited acknowledgements that did not come."},
			{realtime.MetricBadArguments, counter, "bad_arguments_total", "Events whose arguments did not fit the handler."},
			{realtime.MetricPanics, counter, "panics_total", "Handlers that panicked."},
		}},
	}
}
