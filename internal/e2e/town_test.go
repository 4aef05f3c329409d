package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/zocalo-go/zocalo/realtime"
)

// newTown is the server the scenarios are written for.
func newTown(t *testing.T, config realtime.Config, ledger *ledger) *realtime.Server {
	config.CORS = realtime.CORS{Origins: []string{"*"}}
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	config.AllowRequest = func(r *http.Request) error {
		if r.URL.Query().Has("refuse") {
			return errors.New("the town is closed")
		}
		return nil
	}
	server := realtime.NewServer(config)
	server.On("connection", func(socket *realtime.Socket) {
		socket.Emit("welcome", map[string]string{"id": socket.ID()})
		settle(socket, ledger)
	})
	server.Of("/chat").On("connection", func(socket *realtime.Socket) { settle(socket, ledger) })

	staff := server.Of("/staff")
	staff.Use(func(socket *realtime.Socket) error {
		var auth struct{ Token string }
		if err := json.Unmarshal(socket.Handshake().Auth, &auth); err != nil {
			return err
		}
		if auth.Token != "sesame" {
			return &realtime.Error{Message: "not allowed", Data: map[string]any{"code": 401, "tried": auth.Token}}
		}
		socket.Set("role", "staff")
		return nil
	})
	staff.On("connection", func(socket *realtime.Socket) { settle(socket, ledger) })
	return server
}

type picture struct {
	Name   string `json:"name"`
	Pixels []byte `json:"pixels"`
}

// settle gives a socket the handlers of the town.
func settle(socket *realtime.Socket, ledger *ledger) {
	namespace := socket.Namespace()
	var auth struct{ Tag string }
	if err := json.Unmarshal(socket.Handshake().Auth, &auth); err != nil {
		socket.Disconnect(true)
		return
	}
	if auth.Tag == "" { // version 2 of the client has no auth
		auth.Tag = socket.Handshake().Query["tag"]
	}
	socket.On("disconnect", func(reason string) { ledger.close(socket.ID(), auth.Tag, reason) })

	known := map[string]bool{}
	on := func(event string, fn any) {
		known[event] = true
		socket.On(event, fn)
	}
	on("whoami", func() string { return socket.ID() })
	on("transport", func() string { return socket.Transport() })
	on("role", func() any { return socket.Value("role") })
	on("handshake", func() any {
		return map[string]any{"auth": socket.Handshake().Auth, "query": socket.Handshake().Query}
	})

	on("echo", func(args realtime.Args, ack realtime.Ack) { ack(args.Values()...) })
	on("bounce", func(args realtime.Args) { socket.Emit("bounced", args.Values()...) })
	on("mirror", func(event string, args realtime.Args) { socket.Emit(event, args.Values()...) })
	on("stream", func(n int) {
		for i := range n {
			socket.Emit("tick", i)
		}
	})
	on("add", func(a, b int) int { return a + b })
	on("refuse", func() (string, error) { return "", errors.New("not today") })
	on("silent", func(realtime.Ack) {})
	on("ask", func(args realtime.Args) {
		answered := func(answer realtime.Args) { socket.Emit("answered", answer.Values()...) }
		socket.Emit("question", append(args.Values(), answered)...)
	})
	on("ask and wait", func(ctx context.Context, args realtime.Args) (any, error) {
		answer, err := socket.EmitWithAck(ctx, "question", args.Values()...)
		return answer.Values(), err
	})
	on("reverse", func(data []byte) []byte { slices.Reverse(data); return data })
	on("develop", func(p picture) picture {
		p.Name += ", developed"
		slices.Reverse(p.Pixels)
		return p
	})

	on("join", func(rooms []string) error { socket.Join(rooms...); return nil })
	on("leave", func(room string) error { socket.Leave(room); return nil })
	on("rooms", func() []string { return socket.Rooms() })
	on("members", func(ctx context.Context, room string) ([]string, error) {
		ids := []string{}
		members, err := namespace.In(room).FetchSockets(ctx)
		for _, member := range members {
			ids = append(ids, member.ID())
		}
		return ids, err
	})
	on("say", func(rooms []string, what any) error { return socket.To(rooms...).Emit("said", what) })
	on("announce", func(rooms, except []string, what any) error {
		return namespace.To(rooms...).Except(except...).Emit("said", what)
	})
	on("broadcast", func(what any) error { return socket.Broadcast().Emit("broadcasted", what) })
	on("everyone", func(what any) error { return namespace.Emit("broadcasted", what) })

	on("kick", func(hard bool) {
		socket.Emit("last words", hard)
		socket.Disconnect(hard)
	})
	on("gone", func(ctx context.Context, id string) error { return ledger.gone(ctx, id) })
	on("reason", func(ctx context.Context, tag string) (string, error) { return ledger.reason(ctx, tag) })
	socket.OnAny(func(event string, _ realtime.Args) {
		if !known[event] {
			socket.Emit("unhandled", event)
		}
	})
}

// A ledger remembers how the town's sockets ended. Its methods may be called concurrently.
type ledger struct {
	mu      sync.Mutex
	ended   map[string]bool
	reasons map[string]string
	changed chan struct{}
}

func newLedger() *ledger {
	return &ledger{ended: map[string]bool{}, reasons: map[string]string{}, changed: make(chan struct{})}
}

func (l *ledger) close(id, tag, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[id] = true
	if tag != "" {
		l.reasons[tag] = reason
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// gone waits until the socket of that id has ended.
func (l *ledger) gone(ctx context.Context, id string) error {
	return l.until(ctx, func() bool { return l.ended[id] })
}

// reason waits for the reason with which the socket that carried the tag in its auth ended.
func (l *ledger) reason(ctx context.Context, tag string) (string, error) {
	var reason string
	err := l.until(ctx, func() (known bool) {
		reason, known = l.reasons[tag]
		return known
	})
	return reason, err
}

// until waits for a condition, which it evaluates with mu held.
func (l *ledger) until(ctx context.Context, condition func() bool) error {
	for {
		l.mu.Lock()
		met, changed := condition(), l.changed
		l.mu.Unlock()
		if met {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
