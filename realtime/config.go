package realtime

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Config holds the options of a [Server] or an [Engine]. The zero value is that
// of the reference: https://socket.io/docs/v4/server-options/. Every limit has a
// default that a well-behaved client does not meet.
type Config struct {
	// Path is the URL path that requests must begin with. Default
	// "/socket.io/". A server that is mounted elsewhere must know.
	Path string

	// NoTrailingSlash also answers Path without its last slash; the reference
	// calls it addTrailingSlash: false.
	NoTrailingSlash bool

	// DisableClient stops serving the browser client, socket.io.js, under Path;
	// the reference calls it serveClient: false.
	DisableClient bool

	// Transports lists the transports allowed: "polling", "websocket", and
	// "webtransport", which package webtransport serves. Default the first two.
	Transports []string

	// DisableUpgrades keeps a client on the transport it begins with.
	DisableUpgrades bool

	// AllowEIO3 admits clients of Socket.IO 2, which speak revision 3 of
	// Engine.IO. Their sockets' ids are those of the connection, in a namespace
	// with its name before, and they get a connect error as its data or text.
	// https://socket.io/docs/v4/migrating-from-2-x-to-3-0/
	AllowEIO3 bool

	// PingInterval is the time between pings. Default 25 s.
	PingInterval time.Duration

	// PingTimeout is how long a client may take to answer a ping. Default 20 s.
	PingTimeout time.Duration

	// UpgradeTimeout bounds the change from polling to WebSocket. Default 10 s.
	UpgradeTimeout time.Duration

	// ConnectTimeout is how long a client may be connected without joining a
	// namespace. Default 45 s.
	ConnectTimeout time.Duration

	// Recovery lets clients that lose their connection for a moment resume where
	// they were; nil does not. The reference calls it connectionStateRecovery.
	Recovery *Recovery

	// KeepEmptyNamespaces keeps the namespaces that [Server.OfPattern] and
	// [Server.OfFunc] made when their last socket has left. By default they are
	// removed, so that clients cannot fill the memory with names; the reference
	// calls that cleanupEmptyChildNamespaces.
	KeepEmptyNamespaces bool

	// Codec writes and reads packets; all clients must use the same. Default
	// parser.JSON, the one of the official clients; msgpack.Codec is that of
	// npm's socket.io-msgpack-parser.
	Codec parser.Codec

	// Adapter connects the server to others: package adapter and those below it
	// have some. Default adapter.Factory(adapter.NewMemory), which knows only this
	// server.
	Adapter adapter.Provider

	// Drain says how Shutdown sends clients to the other nodes of a cluster. The zero
	// value suits most.
	Drain Drain

	// CORS says which pages of other origins may connect. The zero value allows
	// none, over any transport.
	CORS CORS

	// AllowRequest may refuse a handshake by returning an error, whose text the
	// client is told with status 403. It must not keep the request. It may wait.
	AllowRequest func(r *http.Request) error

	// Attach returns what the handshakes of a client's sockets have as Attached:
	// what middleware has put into the context of the client's first request, for
	// example, such as its session. It must not keep the request.
	Attach func(r *http.Request) any

	// Middleware wraps the answers to all requests of clients, WebSocket
	// handshakes included, the first outermost; the reference calls it
	// io.engine.use. A ResponseWriter of its own must have Unwrap, for
	// http.ResponseController. The [Handshake] has the headers of the request that
	// it passes on.
	Middleware []func(http.Handler) http.Handler

	// InitialHeaders may change the headers of the first answer a client gets,
	// Headers those of every one, the answer to a WebSocket handshake included.
	// https://socket.io/docs/v4/server-api/#event-initial_headers
	InitialHeaders, Headers func(h http.Header, r *http.Request)

	// OnRefused is told of requests that were refused, with one of Engine.IO's
	// error codes, 0 to 5, and its message; the reference calls it
	// connection_error. It must not keep the request.
	// https://socket.io/docs/v4/troubleshooting-connection-issues/
	OnRefused func(r *http.Request, code int, message string)

	// GenerateID makes the id of a connection, which must be unguessable; an
	// error refuses the handshake. Default 20 random characters.
	GenerateID func(r *http.Request) (string, error)

	// Cookie is sent with the first answer over polling, its value the id of the
	// connection, for load balancers that stick to it. Its defaults are the name
	// "io", the path "/" and SameSite=Lax; it is always HttpOnly. Default nil, no
	// cookie.
	Cookie *http.Cookie

	// HTTPCompression is how many bytes the answer to a poll must have to be
	// compressed, for a client that accepts it. Default 1024; negative, never.
	HTTPCompression int

	// PerMessageDeflate compresses WebSocket messages, for clients that offer it.
	// It costs processor time and memory; default nil, as in the reference.
	PerMessageDeflate *PerMessageDeflate

	// InitialPacket is a text message that is sent together with the handshake,
	// for clients of an [Engine] that know what to do with it.
	InitialPacket string

	// MaxPayload is the largest message, and the largest body of a POST, in
	// bytes; the reference calls it maxHttpBufferSize. Default 1 000 000.
	MaxPayload int

	// MaxPayloadPackets is how many packets the body of a POST may have. Default
	// 16384.
	MaxPayloadPackets int

	// MaxFragments is how many fragments a WebSocket message may have. Default
	// 4096.
	MaxFragments int

	// MaxAttachments bounds the binary attachments of an event. Default 10.
	MaxAttachments int

	// MaxNamespaces is how many namespaces a client may have joined at a time.
	// Default 100.
	MaxNamespaces int

	// MaxRooms is how many rooms a socket may be in. Default 10 000.
	MaxRooms int

	// MaxPendingAcks is how many acknowledgements of a client may be awaited.
	// Default 10 000.
	MaxPendingAcks int

	// MaxPending is how many events of one socket may wait for its handlers;
	// then the client is not read from until there is room. Default 256.
	MaxPending int

	// EventRate is how many events a second a socket may send, in the long run,
	// and EventBurst how many at once, EventRate by default. Those above are
	// dropped: acknowledged as an error, and reported to OnError as
	// [ErrRateLimited]. Default 0, no limit.
	EventRate, EventBurst int

	// MaxBuffered is how many bytes may wait for a client that reads slowly.
	// Default 4 MiB.
	MaxBuffered int

	// MaxBufferedPackets is how many packets may wait for a client that reads
	// slowly. Default 0, as many as MaxBuffered allows.
	MaxBufferedPackets int

	// Overflow says what happens to what does not fit under MaxBuffered or
	// MaxBufferedPackets. Default [OverflowDisconnect].
	Overflow Overflow

	// Validate is called with every argument that was decoded for a handler, of
	// the type of its parameter. An error keeps the event from the handler, as
	// does an argument that does not fit.
	Validate func(argument any) error

	// Trace is called before the handlers of an event run, and the function it
	// returns after them: the place to begin and end a span. The handlers get
	// the context it returns, which must descend from ctx.
	Trace func(ctx context.Context, e TraceEvent) (context.Context, func(err error))

	// Metrics receives what is worth counting; package prometheus has one.
	Metrics Metrics

	// Logger receives what is worth knowing. Default slog.Default().
	Logger *slog.Logger
}

// CORS says which pages of other origins may connect: by headers on every
// answer to a poll or POST, errors included, and by the Origin of a WebSocket.
type CORS struct {
	// Origins lists allowed origins as browsers send them, such as
	// "https://example.com" or "http://localhost:5173"; "*" stands for every one.
	// It has no other patterns: those are for Allow.
	Origins []string

	// Allow decides about an origin that Origins does not list. Optional.
	Allow func(origin string) bool

	// Methods lists the request methods a page may use, as a preflight is told.
	// Empty stands for GET, HEAD, PUT, PATCH, POST and DELETE.
	Methods []string

	// Credentials lets pages send cookies. With it, "*" is answered with the
	// page's own origin, as browsers demand.
	Credentials bool

	// Headers lists the request headers a page may send; empty allows those it
	// asks for.
	Headers []string

	// ExposedHeaders lists the response headers a page may read.
	ExposedHeaders []string

	// MaxAge is how long a browser may remember the answer to a preflight.
	MaxAge time.Duration
}

// PerMessageDeflate holds the options of compressed WebSocket messages, RFC
// 7692. No context is taken over from message to message, so that an event that
// goes to a thousand clients is compressed once.
type PerMessageDeflate struct {
	// Threshold is how many bytes a message must have. Default 1024.
	Threshold int

	// Level is that of package compress/flate, from 1, the fastest, to 9, the
	// smallest. Default 1.
	Level int
}

// Overflow says what happens to what does not fit into the queue of a client
// that reads slowly.
type Overflow int

const (
	// OverflowDisconnect disconnects the client with [ReasonTransportError].
	OverflowDisconnect Overflow = iota

	// OverflowDropNewest drops what does not fit: Emit returns [ErrSlowClient].
	// The client misses events, and does not know.
	OverflowDropNewest

	// OverflowDropOldest lets volatile events wait for a client, which are
	// dropped otherwise when it cannot take them at once; where there is no
	// room, the oldest of them give way. When there are none, the client is
	// disconnected.
	OverflowDropOldest
)

// withDefaults returns c with its defaults set. It panics when an option cannot
// work.
func (c Config) withDefaults() Config {
	setDefault(&c.Path, "/socket.io/")
	setDefault(&c.PingInterval, 25*time.Second)
	setDefault(&c.PingTimeout, 20*time.Second)
	setDefault(&c.UpgradeTimeout, 10*time.Second)
	setDefault(&c.ConnectTimeout, 45*time.Second)
	setDefault(&c.HTTPCompression, 1024)
	setDefault(&c.MaxPayload, 1_000_000)
	setDefault(&c.MaxPayloadPackets, 16384)
	setDefault(&c.MaxFragments, 4096)
	setDefault(&c.MaxAttachments, 10)
	setDefault(&c.MaxNamespaces, 100)
	setDefault(&c.MaxRooms, 10_000)
	setDefault(&c.MaxPendingAcks, 10_000)
	setDefault(&c.MaxPending, 256)
	setDefault(&c.EventBurst, c.EventRate)
	setDefault(&c.MaxBuffered, 4<<20)
	if c.Recovery != nil {
		r := c.Recovery.withDefaults()
		c.Recovery = &r
	}
	if c.Transports == nil {
		c.Transports = []string{engineio.Polling, engineio.WebSocket}
	}
	if c.Codec == nil {
		c.Codec = parser.JSON
	}
	if c.Adapter == nil {
		c.Adapter = adapter.Factory(adapter.NewMemory)
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if !strings.HasPrefix(c.Path, "/") {
		panic(fmt.Sprintf("realtime: Config.Path %q must begin with a slash", c.Path))
	}
	if !strings.HasSuffix(c.Path, "/") {
		c.Path += "/"
	}
	for name, n := range map[string]int64{
		"PingInterval": int64(c.PingInterval), "PingTimeout": int64(c.PingTimeout), "UpgradeTimeout": int64(c.UpgradeTimeout),
		"ConnectTimeout": int64(c.ConnectTimeout), "MaxPayload": int64(c.MaxPayload), "MaxPayloadPackets": int64(c.MaxPayloadPackets),
		"MaxFragments": int64(c.MaxFragments), "MaxAttachments": int64(c.MaxAttachments), "MaxNamespaces": int64(c.MaxNamespaces),
		"MaxRooms": int64(c.MaxRooms), "MaxPendingAcks": int64(c.MaxPendingAcks), "MaxPending": int64(c.MaxPending),
		"EventRate": int64(c.EventRate), "EventBurst": int64(c.EventBurst), "MaxBuffered": int64(c.MaxBuffered),
		"MaxBufferedPackets": int64(c.MaxBufferedPackets), "Drain.Delay": int64(c.Drain.Delay),
	} {
		if n < 0 {
			panic(fmt.Sprintf("realtime: Config.%s is negative; leave it 0 for the default", name))
		}
	}
	for _, origin := range c.CORS.Origins {
		if !isOrigin(origin) {
			panic(fmt.Sprintf("realtime: Config.CORS.Origins has %q, which no browser sends; give one such as \"https://example.com\", "+
				"without a path and in small letters, \"*\" for every one, or a function as Allow", origin))
		}
	}
	if c.EventBurst > 0 && c.EventRate == 0 {
		panic("realtime: Config.EventBurst is nothing without EventRate; set that, too")
	}
	for _, t := range c.Transports {
		if t != engineio.Polling && t != engineio.WebSocket && t != engineio.WebTransport {
			panic(fmt.Sprintf("realtime: Config.Transports has %q; the transports are %q, %q, and %q", t,
				engineio.Polling, engineio.WebSocket, engineio.WebTransport))
		}
	}
	if d := c.PerMessageDeflate; d != nil && (d.Threshold < 0 || d.Level < 0 || d.Level > 9) {
		panic(fmt.Sprintf("realtime: Config.PerMessageDeflate is %+v; Level goes from 1 to 9, 0 is the default", *d))
	}
	if c.Overflow < OverflowDisconnect || c.Overflow > OverflowDropOldest {
		panic(fmt.Sprintf("realtime: Config.Overflow is %d; use OverflowDisconnect, OverflowDropNewest, or OverflowDropOldest", c.Overflow))
	}
	return c
}

// isOrigin reports whether a page may be of that origin, RFC 6454, section 6.2, or
// it stands for every one.
func isOrigin(origin string) bool {
	if origin == "*" || origin == "null" {
		return true
	}
	scheme, host, found := strings.Cut(origin, "://")
	return found && scheme != "" && !strings.ContainsAny(host, "/*?# ") && strings.ToLower(origin) == origin
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// engine returns the options of the layer below.
func (c *Config) engine() engineio.Config {
	config := engineio.Config{
		PingInterval:       c.PingInterval,
		PingTimeout:        c.PingTimeout,
		UpgradeTimeout:     c.UpgradeTimeout,
		MaxPayload:         c.MaxPayload,
		MaxPayloadPackets:  c.MaxPayloadPackets,
		MaxFragments:       c.MaxFragments,
		MaxBuffered:        c.MaxBuffered,
		MaxBufferedPackets: c.MaxBufferedPackets,
		Overflow:           engineio.Overflow(c.Overflow),
		Transports:         slices.Clone(c.Transports),
		AllowUpgrades:      !c.DisableUpgrades,
		AllowEIO3:          c.AllowEIO3,
		Deflate:            (*engineio.Deflate)(c.PerMessageDeflate),
		HTTPCompression:    c.HTTPCompression,
		Cookie:             c.Cookie,
		CORS:               engineio.CORS(c.CORS),
		AllowRequest:       c.AllowRequest,
		InitialHeaders:     c.InitialHeaders,
		Headers:            c.Headers,
		GenerateID:         c.GenerateID,
		OnRefused:          c.OnRefused,
		Logger:             c.Logger,
	}
	if c.InitialPacket != "" {
		initial := engineio.Text([]byte(c.InitialPacket))
		config.InitialPacket = &initial
	}
	if metrics := c.Metrics; metrics != (noMetrics{}) {
		config.Count = func(metric, label string, n int64) { metrics.Add(Metric(metric), label, n) }
	}
	return config
}

// under reports whether a request's path is for a server at c.Path. The path
// without its last slash is not by default, as in the reference.
func (c *Config) under(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, c.Path) || c.NoTrailingSlash && r.URL.Path+"/" == c.Path
}

// wrap puts the middleware around h.
func (c *Config) wrap(h http.Handler) http.Handler {
	for _, m := range slices.Backward(c.Middleware) {
		h = m(h)
	}
	return h
}
