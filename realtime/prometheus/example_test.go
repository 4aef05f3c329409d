package prometheus_test

import (
	"net/http"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/prometheus"
)

func Example() {
	metrics := prometheus.New(prometheus.Config{})
	registry := client.NewRegistry()
	registry.MustRegister(metrics)

	server := realtime.NewServer(realtime.Config{Metrics: metrics})
	http.Handle("/socket.io/", server)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}
