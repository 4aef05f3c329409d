package realtime

import (
	"reflect"

	"github.com/zocalo-go/zocalo/realtime/parser"
)

// pendingAck is an answer that the client owes: somebody waits for it, or a
// callback is to be called with it.
type pendingAck struct {
	wait chan<- result // capacity 1, or nil

	event    string
	callback *handler
	fallible bool // the callback begins with an error
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
		p.callback.fn = reflect.ValueOf(fn)
		return p
	}
	p.callback = compile(event, fn, true)
	return p
}

// settle gives the answer, or the error why there will be none, to whom it is
// for. It is called once, for a callback by the inbox.
func (p *pendingAck) settle(s *Socket, args Args, err error) {
	if p.wait != nil {
		p.wait <- result{args, err}
		return
	}
	if err != nil && !p.fallible {
		return
	}
	s.protect("acknowledgement of "+p.event, func() {
		var in []reflect.Value
		if err == nil {
			in, err = p.callback.decode(s.Context(), args, nil)
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
				in = nil
				for _, t := range p.callback.params {
					in = append(in, reflect.Zero(t))
				}
			}
			in = append([]reflect.Value{failed}, in...)
		}
		p.callback.fn.Call(in)
	})
}

// expect makes an answer awaited and returns its number.
func (s *Socket) expect(p *pendingAck) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acks == nil {
		s.acks = make(map[int64]*pendingAck)
	}
	id := s.nextAck
	s.nextAck++
	s.acks[id] = p
	return id
}

// forget makes an answer no longer awaited.
func (s *Socket) forget(id int64) {
	if id == parser.NoID {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.acks, id)
}

// onAck settles an answer. It is called by the session's reader, so that a
// handler may wait for it. An answer that nobody awaits is ignored.
func (s *Socket) onAck(p *parser.Packet) {
	s.mu.Lock()
	pending := s.acks[p.ID]
	delete(s.acks, p.ID)
	s.mu.Unlock()
	args := Args{p.Args, p.Attachments}
	switch {
	case pending == nil:
	case pending.wait != nil:
		pending.settle(s, args, nil)
	default:
		s.inbox.add(p.Size(), func() { pending.settle(s, args, nil) })
	}
}
