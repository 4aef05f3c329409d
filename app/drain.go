package app

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// drainTime is how long a server that stops waits for its open connections before http.Server.Shutdown, which drops
// the requests that it reads from then on.
const drainTime = 500 * time.Millisecond

// connections counts a server's open connections, but for hijacked ones, which are their handler's.
type connections struct {
	mu   sync.Mutex // guards the rest
	open int
	none chan struct{} // closed when open is 0; made when it is waited for
}

// track is an http.Server's ConnState.
func (c *connections) track(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.open++
	case http.StateHijacked, http.StateClosed:
		c.open--
		if c.open == 0 && c.none != nil {
			close(c.none)
			c.none = nil
		}
	}
}

// wait waits until no connection is open, at most drainTime.
func (c *connections) wait(ctx context.Context) {
	c.mu.Lock()
	if c.open == 0 {
		c.mu.Unlock()
		return
	}
	if c.none == nil {
		c.none = make(chan struct{})
	}
	none := c.none
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	select {
	case <-none:
	case <-ctx.Done():
	}
}
