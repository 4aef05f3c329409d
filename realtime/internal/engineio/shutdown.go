package engineio

import (
	"context"
	"maps"
	"time"
)

const (
	// lastPoll is how long a polling client has, from one answer, to come for what is
	// left when all sessions have ended. One that lives polls again as soon as it has
	// an answer.
	lastPoll = time.Second
)

// age is how long the server has been there, in milliseconds; it begins anew after
// seven weeks, which matters to nobody who compares moments.
func (s *Server) age() uint32 { return uint32(time.Since(s.began).Milliseconds()) }

// lastPollOf is how long the clients of sessions that have ended may still take to
// come for what is left.
func (s *Server) lastPollOf(ended []*Session) (left time.Duration) {
	for _, session := range ended {
		silent := time.Duration(s.age()-session.answered.Load()) * time.Millisecond
		left = max(left, lastPoll-silent)
	}
	return left
}

// Shutdown refuses new sessions, closes those there are after what was sent has
// left, and waits for their goroutines, and a moment for a polling client that
// is between two polls. When ctx ends first, it cuts what is left and returns
// the context's cause.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	first := !s.closing
	s.closing = true
	if first && s.open == 0 {
		close(s.idle)
	}
	s.checkGone()
	open := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		if session != nil {
			open = append(open, session)
		}
	}
	s.mu.Unlock()

	s.cut(false)
	s.foreign.leave()
	var leave []func()
	for _, session := range open {
		leave = append(leave, session.Close)
	}
	for _, l := range s.foreign.held() {
		leave = append(leave, l.leave)
	}
	s.pace(ctx, leave)
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-s.idle
		s.readers.Wait()
		s.poller.tasks.Wait()
		s.flushers.tasks.Wait()
		for _, session := range open {
			session.out.drain.Wait()
		}
		select {
		case <-s.gone:
		case <-time.After(s.lastPollOf(open)):
		case <-ctx.Done():
		}
		for _, session := range open {
			session.forget()
		}
		s.foreign.wait(ctx)
	}()
	defer s.foreign.cut()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.cut(true)
		return context.Cause(ctx)
	}
}

// checkGone tells Shutdown when no session is known any more. mu is held.
func (s *Server) checkGone() {
	if !s.closing || len(s.sessions) > 0 {
		return
	}
	select {
	case <-s.gone:
	default:
		close(s.gone)
	}
}

// cut ends carriers without any ceremony: all, or those that wait for their
// greeting.
func (s *Server) cut(all bool) {
	s.mu.Lock()
	carriers := maps.Clone(s.carriers)
	s.mu.Unlock()
	for c, greeting := range carriers {
		if all || greeting {
			c.abort()
		}
	}
}
