package redis

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
	"github.com/zocalo-go/zocalo/realtime/adapter/cluster/wire"
	"github.com/zocalo-go/zocalo/realtime/parser"
)

// engine is what the engines of this package have in common.
type engine struct {
	client   redis.UniversalClient
	channels channels
	codec    parser.Codec

	// Since Start.
	node     string
	receiver cluster.Receiver
}

func newEngine(client redis.UniversalClient, prefix string, s adapter.Server) engine {
	return engine{client: client, channels: channels{prefix}, codec: s.Codec}
}

// takeNative receives what a node of this module says.
func (e *engine) takeNative(_, payload string) {
	m, err := cluster.ParseMessage([]byte(payload))
	if err != nil {
		e.receiver.Refuse(fmt.Errorf("redis: %w", err))
		return
	}
	e.receiver.Receive(m)
}

// takeShared receives a message of a namespace, in the form of package wire.
func (e *engine) takeShared(namespace, payload string) {
	m, err := wire.Decode([]byte(payload), e.codec)
	if err == nil && m.Namespace != namespace {
		err = fmt.Errorf("%w: it is for %q", wire.ErrInvalid, m.Namespace)
	}
	if err != nil {
		e.receiver.Refuse(fmt.Errorf("redis: %w", err))
		return
	}
	e.receiver.Receive(m)
}
