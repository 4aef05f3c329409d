package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// Options are those of a cluster on PostgreSQL. The zero value works. Those that
// Node's adapter has, too, must have the same values there.
type Options struct {
	cluster.Options

	// ChannelPrefix begins the names of all channels: clusters that share a database
	// need different ones. 32 bytes at most. Default "socket.io".
	ChannelPrefix string

	// TableName is the table of what does not fit into a notification. Small letters,
	// digits and '_', perhaps behind a schema and '.'. Default
	// "socket_io_attachments".
	TableName string

	// PayloadThreshold is from how many bytes on a message does not go into a
	// notification: 8000, which is also the default, or fewer, but not less than 1000.
	PayloadThreshold int

	// CleanupInterval is the time between two deletions of what has become old, and
	// how long attachments are kept. Default 30 s.
	CleanupInterval time.Duration

	// Recovery keeps broadcasts and sessions, so that clients can come back to any
	// node: realtime's Config.Recovery has to be on as well. All nodes should have the
	// same.
	Recovery bool

	// KeepPackets is how long broadcasts are kept with Recovery. It has to be longer
	// than a client may be away (Recovery.MaxDisconnection, and the time in which a
	// server notices that it has gone). Default 10 min.
	KeepPackets time.Duration

	// LogTable and SessionTable are the tables of Recovery. Default "socket_io_log"
	// and "socket_io_sessions"; a third one is the first's with "_trimmed".
	LogTable, SessionTable string
}

const (
	maxPayload = 8000 // PostgreSQL's: a notification has fewer bytes
	maxName    = 63   // bytes of an identifier, a channel's among them
	maxPrefix  = 32
)

var validTable = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$`)

func (o Options) withDefaults() Options {
	setDefault(&o.ChannelPrefix, "socket.io")
	setDefault(&o.TableName, "socket_io_attachments")
	setDefault(&o.LogTable, "socket_io_log")
	setDefault(&o.SessionTable, "socket_io_sessions")
	setDefault(&o.PayloadThreshold, maxPayload)
	setDefault(&o.CleanupInterval, 30*time.Second)
	setDefault(&o.KeepPackets, 10*time.Minute)
	for _, table := range []string{o.TableName, o.LogTable, o.SessionTable} {
		if !validTable.MatchString(table) {
			panic(fmt.Sprintf("postgres: %q is no name of a table; use small letters, digits and '_', with a schema and '.' before it if need be", table))
		}
	}
	switch {
	case len(o.ChannelPrefix) > maxPrefix || strings.ContainsRune(o.ChannelPrefix, 0):
		panic(fmt.Sprintf("postgres: ChannelPrefix %q is no beginning of a channel's name; it has %d bytes at most", o.ChannelPrefix, maxPrefix))
	case o.PayloadThreshold < 1000 || o.PayloadThreshold > maxPayload:
		panic(fmt.Sprintf("postgres: PayloadThreshold is %d; PostgreSQL takes notifications of fewer than %d bytes, and this package needs 1000", o.PayloadThreshold, maxPayload))
	case o.CleanupInterval < time.Millisecond || o.KeepPackets < time.Millisecond:
		panic("postgres: CleanupInterval and KeepPackets are times of a millisecond or more; leave them 0 for the defaults")
	}
	return o
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// New returns the adapter for realtime's Config.Adapter. Several servers may use
// one pool, which stays the caller's: it is closed by who has opened it, after the
// servers have shut down. Each server takes one connection out of it for good, which
// the pool's limit does not count. New panics when an option cannot work.
func New(pool *pgxpool.Pool, o Options) adapter.Provider {
	if pool == nil {
		panic("postgres: New needs a pool; pgxpool.New of github.com/jackc/pgx/v5/pgxpool makes one")
	}
	o = o.withDefaults()
	return cluster.New(o.Options, func(s adapter.Server) cluster.Engine {
		e := &engine{pool: pool, options: o, channels: channels{o.ChannelPrefix}, codec: s.Codec, logger: s.Logger}
		if o.Recovery {
			return newLogEngine(e)
		}
		return e
	})
}

// patience is how long PostgreSQL may take to answer.
const patience = 10 * time.Second

// engine is the cluster.Engine of one node.
type engine struct {
	pool     *pgxpool.Pool
	options  Options
	channels channels
	codec    parser.Codec
	logger   *slog.Logger
	log      *logEngine // around it, or nil

	node     string
	receiver cluster.Receiver
	listener *listener
	cleaner  *cleaner
}

// Start implements cluster.Engine.
func (e *engine) Start(node string, r cluster.Receiver) error {
	e.node, e.receiver = node, r
	e.listener = newListener(e)
	if !cluster.SendsOnly(r) {
		e.listener.add(e.channels.nodes(), "")
		e.listener.add(e.channels.node(node), "")
	}
	e.listener.start()
	e.cleaner = clean(e)
	return nil
}

// Open implements cluster.Engine.
func (e *engine) Open(ctx context.Context, namespace string) error {
	c := e.listener.add(e.channels.namespace(namespace), namespace)
	select {
	case <-c.confirmed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("postgres: listening to %s: %w", c.name, context.Cause(ctx))
	}
}

// Shut implements cluster.Engine.
func (e *engine) Shut(namespace string) { e.listener.remove(e.channels.namespace(namespace)) }

// Count implements cluster.MixedEngine: nodes announce themselves.
func (e *engine) Count(context.Context, string) (int, error) { return -1, nil }

// Close implements cluster.Engine.
func (e *engine) Close() error {
	e.cleaner.close()
	e.listener.close()
	return nil
}

var _ cluster.MixedEngine = (*engine)(nil)
