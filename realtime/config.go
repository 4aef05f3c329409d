package realtime

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/internal/engineio"
)

// CORS says which pages of other origins may connect; see Config.CORS.
type CORS = engineio.CORS

// Config holds the options of a [Server] or an [Engine]. The zero value is that
// of the reference: https://socket.io/docs/v4/server-options/.
type Config struct {
	// Path is the URL path that requests must begin with. Default
	// "/socket.io/". A server that is mounted elsewhere must know.
	Path string

	// PingInterval is the time between pings. Default 25 s.
	PingInterval time.Duration

	// PingTimeout is how long a client may take to answer a ping. Default 20 s.
	PingTimeout time.Duration

	// UpgradeTimeout bounds the change from polling to WebSocket. Default 10 s.
	UpgradeTimeout time.Duration

	// ConnectTimeout is how long a client may be connected without joining a
	// namespace. Default 45 s.
	ConnectTimeout time.Duration

	// MaxPayload is the largest message, and the largest body of a POST, in
	// bytes; the reference calls it maxHttpBufferSize. Default 1 000 000.
	MaxPayload int

	// MaxBuffered is how many bytes may wait for a client that reads slowly; one
	// that is slower still is disconnected with "transport error". Default 4 MiB.
	MaxBuffered int

	// MaxPending is how many events of one socket may wait for its handlers;
	// then the client is not read from until there is room. Default 256.
	MaxPending int

	// MaxAttachments bounds the binary attachments of an event. Default 10.
	MaxAttachments int

	// Transports lists the transports allowed: "polling", "websocket" and
	// "webtransport", which takes a listener of its own, too; see
	// [Server.ServeStream]. Default the first two.
	Transports []string

	// DisableUpgrades keeps a client on the transport it begins with.
	DisableUpgrades bool

	// CORS says which pages of other origins may connect. The zero value allows
	// none, over any transport.
	CORS CORS

	// AllowRequest may refuse a handshake by returning an error, whose text the
	// client is told with status 403. It must not keep the request. Optional.
	AllowRequest func(r *http.Request) error

	// DisableClient stops serving the browser client, socket.io.js, under Path.
	DisableClient bool

	// Adapter makes each namespace's adapter. Default adapter.NewMemory.
	Adapter adapter.Factory

	// Logger receives what is worth knowing. Default slog.Default().
	Logger *slog.Logger
}

// withDefaults returns c with its defaults set. It panics when an option cannot
// work.
func (c Config) withDefaults() Config {
	setDefault(&c.Path, "/socket.io/")
	setDefault(&c.PingInterval, 25*time.Second)
	setDefault(&c.PingTimeout, 20*time.Second)
	setDefault(&c.UpgradeTimeout, 10*time.Second)
	setDefault(&c.ConnectTimeout, 45*time.Second)
	setDefault(&c.MaxPayload, 1_000_000)
	setDefault(&c.MaxBuffered, 4<<20)
	setDefault(&c.MaxPending, 256)
	setDefault(&c.MaxAttachments, 10)
	if c.Transports == nil {
		c.Transports = []string{engineio.Polling, engineio.WebSocket}
	}
	if c.Adapter == nil {
		c.Adapter = adapter.NewMemory
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
		"ConnectTimeout": int64(c.ConnectTimeout), "MaxPayload": int64(c.MaxPayload), "MaxBuffered": int64(c.MaxBuffered),
		"MaxPending": int64(c.MaxPending), "MaxAttachments": int64(c.MaxAttachments),
	} {
		if n < 0 {
			panic(fmt.Sprintf("realtime: Config.%s is negative; leave it 0 for the default", name))
		}
	}
	for _, t := range c.Transports {
		if t != engineio.Polling && t != engineio.WebSocket && t != engineio.WebTransport {
			panic(fmt.Sprintf("realtime: Config.Transports has %q; the transports are %q, %q and %q", t, engineio.Polling, engineio.WebSocket, engineio.WebTransport))
		}
	}
	return c
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// engine returns the options of the layer below.
func (c *Config) engine() engineio.Config {
	return engineio.Config{
		PingInterval:   c.PingInterval,
		PingTimeout:    c.PingTimeout,
		UpgradeTimeout: c.UpgradeTimeout,
		MaxPayload:     c.MaxPayload,
		MaxBuffered:    c.MaxBuffered,
		Transports:     slices.Clone(c.Transports),
		AllowUpgrades:  !c.DisableUpgrades,
		CORS:           c.CORS,
		AllowRequest:   c.AllowRequest,
		Logger:         c.Logger,
	}
}

// under reports whether a request's path is for a server at c.Path. The path
// without its last slash is not, as in the reference.
func (c *Config) under(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, c.Path)
}
