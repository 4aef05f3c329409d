package realtime_test

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/parser/msgpack"
)

func ExampleRecovery() {
	server := realtime.NewServer(realtime.Config{
		Recovery: &realtime.Recovery{MaxDisconnection: time.Minute},
	})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("message", func(text string) { socket.To("plaza").Emit("message", text) })
		if !socket.Recovered() { // otherwise it has its id, its rooms, its values and what it has missed
			socket.Join("plaza")
		}
	})
}

// A position is worth nothing when the next one is there: it may be dropped.
func ExampleSocket_Volatile() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Volatile().Emit("position", 19.43, -99.13)
		socket.Volatile().To("map").Emit("position", 19.43, -99.13)
		server.Volatile().Emit("position", 19.43, -99.13)
	})
}

// A sender of much can wait for a slow reader.
func ExampleSocket_EmitContext() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("export", func(ctx context.Context) error {
			for page := range 10_000 {
				if err := socket.EmitContext(ctx, "page", page, strings.Repeat("x", 4096)); err != nil {
					return err
				}
			}
			return nil
		})
		socket.OnDrain(func() { log.Print("all has been written") })
	})
}

func ExampleConfig_limits() {
	server := realtime.NewServer(realtime.Config{
		MaxPayload:  64 << 10, // no client sends more than 64 KiB at once
		MaxBuffered: 1 << 20,  // nor may more than 1 MiB wait for it
		Overflow:    realtime.OverflowDropOldest,
		EventRate:   20, // events a second
		EventBurst:  100,
	})
	http.Handle("/socket.io/", server)
}

func ExampleConfig_codec() {
	server := realtime.NewServer(realtime.Config{Codec: msgpack.Codec})
	http.Handle("/socket.io/", server)
}

func ExampleConfig_old() {
	server := realtime.NewServer(realtime.Config{AllowEIO3: true})
	http.Handle("/socket.io/", server)
}

func ExampleCORS() {
	server := realtime.NewServer(realtime.Config{
		CORS: realtime.CORS{
			Origins:     []string{"https://example.com"},
			Allow:       func(origin string) bool { return strings.HasSuffix(origin, ".example.com") },
			Credentials: true,
			MaxAge:      time.Hour,
		},
	})
	http.Handle("/socket.io/", server)
}

func ExampleConfig_cookie() {
	server := realtime.NewServer(realtime.Config{
		Cookie: &http.Cookie{Name: "node", Secure: true},
	})
	http.Handle("/socket.io/", server)
}

func ExamplePerMessageDeflate() {
	server := realtime.NewServer(realtime.Config{
		PerMessageDeflate: &realtime.PerMessageDeflate{Threshold: 2048},
		HTTPCompression:   2048,
	})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Compress(false).Emit("picture", []byte("…")) // it is compressed already
	})
}

func ExampleConfig_logger() {
	server := realtime.NewServer(realtime.Config{
		Logger: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	http.Handle("/socket.io/", server)
}

// Metrics of one's own take one method.
func ExampleMetrics() {
	server := realtime.NewServer(realtime.Config{Metrics: panicsOnly{}})
	http.Handle("/socket.io/", server)
}

type panicsOnly struct{}

func (panicsOnly) Add(metric realtime.Metric, label string, n int64) {
	if metric == realtime.MetricPanics {
		slog.Error("a handler has panicked", "namespace", label)
	}
}
