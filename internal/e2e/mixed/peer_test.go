package mixed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/emitter"
)

// command is what a client wants done. Node's peer.mjs does the same.
type command struct {
	Op      string   `json:"op"`
	To      []string `json:"to"`
	Except  []string `json:"except"`
	Event   string   `json:"event"`
	Rooms   []string `json:"rooms"`
	Data    any      `json:"data"`
	Timeout int      `json:"timeout"` // ms
}

// listen starts Go's server and returns its address.
func listen(t *testing.T, provider adapter.Provider, recovery *realtime.Recovery) string {
	kept := &keepers{Provider: provider}
	s := realtime.NewServer(realtime.Config{
		Adapter: kept, Recovery: recovery,
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	e := emitter.New(provider, emitter.Options{})
	for _, name := range []string{"/", "/town"} {
		space := s.Of(name)
		space.On("told", func(args realtime.Args) { space.Local().Emit("told", args.Values()...) })
		space.On("asked", func(x any) map[string]any { return map[string]any{"by": "go", "x": x} })
		space.On("connection", func(socket *realtime.Socket) {
			socket.On("do", func(ctx context.Context, c command, args realtime.Args, answer realtime.Ack) {
				if socket.Handshake().Query["town"] == viaEmitter {
					if able, err := speak(e.Of(name), c, args.Values()); able {
						answer(err, nil)
						return
					}
				}
				result, err := perform(ctx, space, socket, c, args.Values())
				if err != nil {
					answer(err.Error(), nil)
					return
				}
				answer(nil, result)
			})
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", s)
	mux.HandleFunc("/flush", func(w http.ResponseWriter, r *http.Request) {
		for _, a := range kept.sharers {
			if err := a.Flush(r.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		e.Close()
		s.Close()
		h.Close()
	})
	return h.URL
}

// keepers is a provider that remembers which of its adapters keep sessions.
type keepers struct {
	adapter.Provider
	sharers []adapter.Sharer // of the namespaces, all of which are made before there are clients
}

type keeping struct {
	adapter.Node
	of *keepers
}

func (k *keepers) Open(s adapter.Server) adapter.Node { return keeping{k.Provider.Open(s), k} }

func (k keeping) Adapter(host adapter.Namespace) adapter.Adapter {
	a := k.Node.Adapter(host)
	if s, able := a.(adapter.Sharer); able {
		k.of.sharers = append(k.of.sharers, s)
	}
	return a
}

func perform(ctx context.Context, space *realtime.Namespace, socket *realtime.Socket, c command, args []any) (any, error) {
	target := space.To(c.To...).Except(c.Except...)
	switch c.Op {
	case "join":
		return nil, socket.Join(c.Rooms...)
	case "data":
		for key, value := range c.Data.(map[string]any) {
			socket.Set(key, value)
		}
		return nil, nil
	case "emit":
		return nil, target.Emit(c.Event, args...)
	case "count":
		for i := range 500 {
			if err := target.Emit("number", i+1); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case "ask":
		answers, err := target.Timeout(time.Duration(c.Timeout)*time.Millisecond).EmitWithAck(ctx, c.Event, args...)
		values := []any{}
		for _, a := range answers {
			values = append(values, a.Args.Values()...)
		}
		var missing *realtime.MissingError
		if err != nil && !errors.As(err, &missing) {
			return nil, err
		}
		return map[string]any{"error": err != nil, "answers": values}, nil
	case "fetch":
		sockets, err := target.FetchSockets(ctx)
		list := []map[string]any{}
		for _, s := range sockets {
			list = append(list, map[string]any{
				"id": s.ID(), "rooms": slices.Sorted(slices.Values(s.Rooms())), "data": map[string]any{"name": s.Value("name"), "n": s.Value("n")},
				"town": s.Handshake().Query["town"],
			})
		}
		return list, err
	case "socketsJoin":
		return nil, target.SocketsJoin(c.Rooms...)
	case "socketsLeave":
		return nil, target.SocketsLeave(c.Rooms...)
	case "disconnect":
		return nil, target.DisconnectSockets(false)
	case "tell":
		return nil, space.ServerSideEmit(c.Event, args...)
	case "inquire":
		answers, err := space.ServerSideEmitWithAck(ctx, c.Event, args...)
		values := []any{}
		for _, a := range answers {
			values = append(values, a.Values()...)
		}
		return values, err
	}
	return nil, fmt.Errorf("unknown command %q", c.Op)
}
