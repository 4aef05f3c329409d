package cluster

import (
	"context"
	"sync"

	"github.com/zocalo-go/zocalo/realtime/adapter"
)

// receive takes a message of another node's for the namespace, or one of its own
// that a log has given back.
func (s *space) receive(m *Message) {
	own := m.Node == s.node.id
	switch {
	case m.Offset != "" && s.chronicle != nil:
		if m.Skipped {
			m.resumed = s.chronicle.asked.Load() // by who has asked whether anybody is interested, just before
		}
		s.lane.do(m.size(), func() { s.chronicle.take(m, own) })
		return
	case own:
		return // it is done
	}
	switch m.Type {
	case Broadcast:
		if m.Request == "" && s.lane.idle() && !s.reaches(m.Target) {
			return
		}
	case FetchSockets, SocketsJoin, SocketsLeave, DisconnectSockets, ServerSideEmit:
	case BroadcastCancel:
		s.node.requests.cancel(m)
		return
	default:
		return
	}
	if !m.Native && IsOwnRequest(m.Request) {
		return // it has come, or will come, as a native one, too
	}
	s.lane.do(m.size(), func() { s.serve(m) })
}

// serve does what a message says. It is called by the lane.
func (s *space) serve(m *Message) {
	switch m.Type {
	case Broadcast:
		if m.Request != "" {
			s.serveAsk(m)
			return
		}
		s.deliver(adapter.Packet{Frames: m.Frames, Volatile: m.Volatile, Plain: m.Plain, Keep: m.Keep}, m.Target)
	case SocketsJoin:
		s.host.SocketsJoin(m.Target, m.Rooms)
	case SocketsLeave:
		s.host.SocketsLeave(m.Target, m.Rooms)
	case DisconnectSockets:
		s.host.DisconnectSockets(m.Target, m.Close)
	case FetchSockets:
		s.answer(m, &Message{Type: FetchSocketsResponse, Sockets: s.host.FetchSockets(m.Target)})
	case ServerSideEmit:
		if m.Request == "" {
			s.host.ServerSide(m.Data)
			return
		}
		// A handler may wait for other nodes, which may wait for this one.
		s.node.running.Go(func() {
			s.answer(m, &Message{Type: ServerSideEmitResponse, Data: s.host.ServerSide(m.Data)})
		})
	}
}

// answer sends an answer to a request.
func (s *space) answer(to, m *Message) {
	m.To, m.Request = to.Node, to.Request
	m.Native = s.ours(to)
	s.publish(m)
}

// ours reports whether a request is one of a node of this package.
func (s *space) ours(request *Message) bool {
	return request.Native || s.node.peers.isNative(request.Node)
}

// serveAsk has sockets of this server answer.
func (s *space) serveAsk(m *Message) {
	ctx, cancel := context.WithCancel(context.Background())
	if m.Timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, m.Timeout)
	}
	a := &asking{space: s, request: m, due: 1}
	forget := s.node.requests.serve(m, cancel)
	a.done = func() { forget(); cancel() }
	p := adapter.Packet{Frames: m.Frames, Volatile: m.Volatile, Plain: m.Plain}
	sockets, err := s.host.Ask(ctx, p, m.Target, a.answered, a.missing)
	if err != nil {
		s.node.Refuse(err)
		sockets = nil
	}
	a.begin(sockets)
}

// asking is a broadcast with acknowledgements that another node has asked for.
type asking struct {
	space   *space
	request *Message
	done    func() // is called once, when nothing more is due

	mu    sync.Mutex // guards the rest
	begun bool       // the other node knows whom it has to wait for
	early []*Message // what comes before that
	due   int        // sockets, and 1 until it has begun
}

// begin tells who has been asked.
func (a *asking) begin(sockets []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.space.answer(a.request, &Message{Type: BroadcastClientCount, Count: len(sockets), IDs: sockets})
	for _, m := range a.early {
		a.space.answer(a.request, m)
	}
	a.begun, a.early = true, nil
	a.pay(1 - len(sockets))
}

func (a *asking) answered(answer adapter.Answer) {
	a.tell(&Message{Type: BroadcastAck, IDs: []string{answer.Socket}, Frames: answer.Frames})
}

func (a *asking) missing(socket string) {
	a.tell(&Message{Type: BroadcastGone, IDs: []string{socket}})
}

func (a *asking) tell(m *Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case m.Type == BroadcastGone && !a.space.ours(a.request): // others have no word for it
	case a.begun:
		a.space.answer(a.request, m)
	default:
		a.early = append(a.early, m)
	}
	a.pay(1)
}

// pay notes that n of those that are due are due no more. mu is held.
func (a *asking) pay(n int) {
	if a.due -= n; a.due == 0 && a.begun {
		a.done()
	}
}
