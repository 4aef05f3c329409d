package app

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// drainTime is how long a server that stops waits for its open connections before http.Server.Shutdown, which drops
	// the requests that it reads from then on.
	drainTime = 500 * time.Millisecond
	// requestTime is how long a connection that says nothing may have a request on its way. A browser opens some that
	// it has no use for yet.
	requestTime = 50 * time.Millisecond
)

// connections are a server's open ones, but for hijacked ones, which are their handler's.
type connections struct {
	requests bool // whether it knows which have a request in progress: only for settle, as it costs a lock a request

	mu      sync.Mutex // guards the rest
	states  map[net.Conn]http.ConnState
	changed chan struct{} // closed when states changes; nil when nobody waits for it
}

// track is an http.Server's ConnState.
func (c *connections) track(conn net.Conn, state http.ConnState) {
	if !c.requests && (state == http.StateActive || state == http.StateIdle) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateHijacked, http.StateClosed:
		delete(c.states, conn)
	default:
		if c.states == nil {
			c.states = make(map[net.Conn]http.ConnState)
		}
		c.states[conn] = state
	}
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// wait waits until no connection is open, at most drainTime.
func (c *connections) wait(ctx context.Context) {
	c.until(ctx, drainTime, func(http.ConnState) bool { return false })
}

// settle waits until no request is in progress, at most drainTime, which includes those that connections bring that
// have just been accepted.
func (c *connections) settle(ctx context.Context) {
	active := func(state http.ConnState) bool { return state == http.StateActive }
	c.until(ctx, requestTime, func(state http.ConnState) bool { return !active(state) && state != http.StateNew })
	c.until(ctx, drainTime, func(state http.ConnState) bool { return !active(state) })
}

// until waits for a time at most until every connection is one that does not matter.
func (c *connections) until(ctx context.Context, most time.Duration, harmless func(http.ConnState) bool) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		c.mu.Lock()
		busy := false
		for _, state := range c.states {
			busy = busy || !harmless(state)
		}
		if !busy {
			c.mu.Unlock()
			return
		}
		if c.changed == nil {
			c.changed = make(chan struct{})
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
