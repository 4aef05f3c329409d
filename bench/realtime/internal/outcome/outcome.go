// Package outcome holds what the load generator tells the program that runs it.
package outcome

// An Outcome is what one scenario cost one server. Times are in microseconds; what a scenario does not measure is 0.
type Outcome struct {
	Operations int64   `json:"operations"`
	Seconds    float64 `json:"seconds"`
	CPU        float64 `json:"cpu"`        // of the server, an operation
	Throughput float64 `json:"throughput"` // operations a second
	ServerUse  float64 `json:"server_use"` // of one processor, 0 to 1
	LoadUse    float64 `json:"load_use"`   // the same for the load generator

	// How long an operation took, for its client.
	P50 float64 `json:"p50,omitempty"`
	P99 float64 `json:"p99,omitempty"`
	Max float64 `json:"max,omitempty"`

	// RSS is what an idle connection takes after a garbage collection, in KiB; RSSBefore what it took before.
	RSS       float64 `json:"rss,omitempty"`
	RSSBefore float64 `json:"rss_before,omitempty"`

	// Deferred is CPU of the kernel's ksoftirqd on the server's processor, an operation: work for the network that the
	// kernel did not do in the server's name, so that CPU does not have it.
	Deferred float64 `json:"deferred"`

	// The noise: seconds a second that the hypervisor took away from the machine, and that other processes had of the
	// server's processor.
	Steal float64 `json:"steal"`
	Other float64 `json:"other"`

	Errors int64 `json:"errors"` // connections that broke
}
