package realtime_test

import (
	"context"
	"net/http"

	"github.com/zocalo-go/zocalo/realtime"
)

// With go.opentelemetry.io/otel and its packages attribute, codes and trace,
// every handler runs in a span.
func ExampleTraceEvent() {
	tracer := otel.Tracer("example.com/plaza")
	server := realtime.NewServer(realtime.Config{
		Trace: func(ctx context.Context, e realtime.TraceEvent) (context.Context, func(error)) {
			ctx, span := tracer.Start(ctx, e.Event, trace.WithSpanKind(trace.SpanKindServer),
				trace.WithAttributes(attribute.String("socketio.namespace", e.Socket.Namespace().Name())))
			return ctx, func(err error) {
				if err != nil {
					span.RecordError(err)
					span.SetStatus(codes.Error, err.Error())
				}
				span.End()
			}
		},
	})
	http.Handle("/socket.io/", server)
}

// What the example uses of OpenTelemetry, by its names, so that it compiles
// here without it.

type (
	otelTracer struct{}
	otelSpan   struct{}
	otelOption struct{}
)

func (otelTracer) Start(ctx context.Context, name string, options ...otelOption) (context.Context, otelSpan) {
	return ctx, otelSpan{}
}

func (otelSpan) RecordError(error)     {}
func (otelSpan) SetStatus(int, string) {}
func (otelSpan) End()                  {}

var otel struct{ otelAPI }

type otelAPI struct{}

func (otelAPI) Tracer(string) otelTracer { return otelTracer{} }

var trace struct {
	traceAPI
	SpanKindServer int
}

type traceAPI struct{}

func (traceAPI) WithSpanKind(int) otelOption         { return otelOption{} }
func (traceAPI) WithAttributes(...string) otelOption { return otelOption{} }

var attribute attributeAPI

type attributeAPI struct{}

func (attributeAPI) String(key, value string) string { return key + "=" + value }

var codes struct{ Error int }
