package realtime

import (
	"context"
	"net/http"
	"time"
)

// Drain says how [Server.Shutdown] sends clients elsewhere. Official clients come
// back by themselves, after half a second to one and a half; where there is
// recovery, they go on where they were.
type Drain struct {
	// Delay is how long a server that stops goes on as before, but that
	// [Server.Readiness] says that it is not ready, for load balancers to notice. No
	// more than a third of the time that [Server.Drain] has is used for it, or
	// Shutdown where Drain was not called. Default 0.
	Delay time.Duration

	// Window is the time over which the clients are sent away, so that they do not
	// all come to the other servers at once: in batches and random order. No more
	// than two thirds of the time that Shutdown has left is used for it. Default one
	// second in a cluster, and none for a server of its own, whose clients wait for
	// the next; negative is none.
	Window time.Duration
}

// clusterWindow is the default of Drain.Window in a cluster.
const clusterWindow = time.Second

// window returns the time over which clients are sent away.
func (d Drain) window(clustered bool) time.Duration {
	if d.Window == 0 && clustered {
		return clusterWindow
	}
	return max(d.Window, 0)
}

// Drain has [Server.Readiness] say that the server stops, and waits for Config.Drain's
// Delay, or until ctx ends; the server goes on as before. Shutdown does not wait for it
// again. Call it while the HTTP server still accepts; package app does. Of several
// calls the first waits.
func (s *Server) Drain(ctx context.Context) {
	if s.stopping.CompareAndSwap(false, true) {
		s.config.Drain.delay(ctx)
	}
}

// delay waits until load balancers may have noticed that the server stops.
func (d Drain) delay(ctx context.Context) {
	delay := d.Delay
	if deadline, ok := ctx.Deadline(); ok {
		delay = min(delay, time.Until(deadline)/3)
	}
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Readiness returns a handler that tells load balancers whether to send clients
// here: 200 and "ready", or once the server stops 503 and "stopping".
func (s *Server) Readiness() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		text := "ready\n"
		if s.stopping.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			text = "stopping\n"
		}
		w.Write([]byte(text))
	})
}
