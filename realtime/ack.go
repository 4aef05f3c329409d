package realtime

import (
	"reflect"
	"time"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// pendingAck is an answer that the client owes: somebody waits for it, or a
// callback is to be called with it.
type pendingAck struct {
	wait chan<- result // capacity 1, or nil

	event    string
	callback handler     // or, without a signature, none
	fallible bool        // the callback begins with an error
	timer    *time.Timer // of a callback, or nil

	gather *gathering // of a broadcast, or nil
}

type result struct {
	args Args
	err  error
}

func isFunc(v any) bool { return v != nil && reflect.TypeOf(v).Kind() == reflect.Func }

// newCallback understands a function given to Emit as its last argument.
func newCallback(event string, fn any) *pendingAck {
	t := reflect.TypeOf(fn)
	p := &pendingAck{event: event}
	if t.NumIn() > 0 && t.In(0) == errorType {
		p.fallible = true
		// For the decoder the error is no argument: it sees a function of the rest.
		in := make([]reflect.Type, 0, t.NumIn()-1)
		for i := 1; i < t.NumIn(); i++ {
			in = append(in, t.In(i))
		}
		rest := reflect.FuncOf(in, nil, t.IsVariadic())
		p.callback = compile(event, reflect.Zero(rest).Interface(), false)
		p.callback.fn = fn
		return p
	}
	p.callback = compile(event, fn, true)
	return p
}

// stop stops the time in which an answer has to come.
func (p *pendingAck) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// settle gives the answer, or the error why there will be none, to whom it is
// for. It is called once, for a callback by the inbox.
func (p *pendingAck) settle(s *Socket, args Args, err error) {
	p.stop()
	if err != nil {
		s.count(MetricAcksMissing)
	}
	switch {
	case p.wait != nil:
		p.wait <- result{args, err}
		return
	case p.gather != nil:
		p.gather.settle(s.id, args, err)
		return
	case err != nil && !p.fallible:
		return
	}
	s.protect("acknowledgement of "+p.event, func() {
		var in []reflect.Value
		if err == nil {
			in, err = p.callback.decode(s.Context(), args, nil, s.namespace.server.config.Validate)
			if err != nil {
				s.namespace.server.config.Logger.Warn("realtime: the answer does not fit the callback", "event", p.event,
					"namespace", s.namespace.name, "socket", s.id, "error", err)
				if !p.fallible {
					return
				}
			}
		}
		if p.fallible {
			failed := reflect.New(errorType).Elem()
			if err != nil {
				failed.Set(reflect.ValueOf(err))
				in, _ = p.callback.decode(s.Context(), Args{}, noAck, nil) // all of it zero
			}
			in = append([]reflect.Value{failed}, in...)
		}
		reflect.ValueOf(p.callback.fn).Call(in)
	})
}

// expect makes an answer awaited, for no longer than timeout unless that is 0,
// under a number that only this namespace has given out for it.
func (s *Socket) expect(id int64, p *pendingAck, timeout time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.acks) >= s.namespace.server.config.MaxPendingAcks {
		return ErrTooManyAcks
	}
	if s.state == disconnected {
		return ErrNotConnected
	}
	if s.acks == nil {
		s.acks = make(map[int64]*pendingAck)
	}
	s.acks[id] = p
	if timeout > 0 {
		p.timer = time.AfterFunc(timeout, func() { s.expire(id) })
	}
	return nil
}

// forget makes an answer no longer awaited, and returns what awaited it, or nil.
func (s *Socket) forget(id int64) *pendingAck {
	if id == parser.NoID {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.acks[id]
	delete(s.acks, id)
	return p
}

// awaited returns what awaits an answer, or nil.
func (s *Socket) awaited(id int64) *pendingAck {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acks[id]
}

// onAck settles an answer. It is called by the session's reader, so that a
// handler may wait for it. An answer that nobody awaits is ignored. One that a
// callback is called with is awaited until the inbox comes to it, so that when
// it closes before that, the callback is told.
func (s *Socket) onAck(p *parser.Packet) {
	pending := s.awaited(p.ID)
	if pending == nil {
		return
	}
	s.namespace.server.observer.Load().received("ack in", s, p)
	args := Args{s.namespace.server.config.Codec, p.Args, p.Attachments}
	settle := func() {
		if s.forget(p.ID) != nil {
			s.count(MetricAcksIn)
			pending.settle(s, args, nil)
		}
	}
	if pending.callback.signature == nil {
		settle()
		return
	}
	pending.stop()
	s.enqueue(job{do: settle, size: p.Size()})
}

// expire settles the answer to a callback that has not come in time.
func (s *Socket) expire(id int64) {
	s.inbox.addNow(func() {
		if pending := s.forget(id); pending != nil {
			pending.settle(s, Args{}, ErrAckTimeout)
		}
	})
}

// count counts something of the socket's namespace.
func (s *Socket) count(m Metric) {
	s.namespace.server.config.Metrics.Add(m, s.namespace.name, 1)
}
